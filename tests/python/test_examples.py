"""examples/python, where the packages that they are about are installed."""

import pathlib
import runpy

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples/python"


def run(name):
    return runpy.run_path(str(FOLDER / name))["main"]()


def test_gp4as_rnn_kernel_is_wrong():
    verdicts = run("gp4a_rnn.py")
    assert verdicts["published"].verdict == "disagree", verdicts["published"]
    assert verdicts["repaired"].verdict == "agree", verdicts["repaired"]


def test_regression():
    assert run("gaussian_process.py") < 0.01


@pytest.mark.parametrize("example, package", [
    ("check_scikit_learn.py", "sklearn"),
    ("check_gpytorch.py", "gpytorch"),
    ("check_neural_tangents.py", "neural_tangents"),
])
def test_kernels_of(example, package):
    pytest.importorskip(package, reason=f"{package} is not installed")
    right, wrong = run(example)
    assert right.verdict == "agree", right
    assert wrong.verdict == "disagree", wrong
    if package == "neural_tangents":
        assert "0.5" in wrong.diagnosis
