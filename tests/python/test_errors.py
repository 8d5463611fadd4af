import subprocess
import sys

import numpy as np
import pytest

import nngpcheck
from nngpcheck import kernel, layers

X = np.eye(2)


@pytest.mark.parametrize("arch, complaint", [
    ({"name": "mpl"}, 'did you mean "mlp"'),
    ({"name": "mlp", "dept": 2}, 'unknown key "architecture.dept"; did you mean "depth"'),
    ({"name": "mlp", "depth": 0}, "depth"),
    ({"name": "mlp", "depth": "two"}, "depth"),
    ({"name": "mlp", "depth": None}, "depth is null; leave it out"),
    ({"name": "mlp", "weight_variance": float("nan")}, "the architecture"),
    ({"name": "mlp", "depth": 2**63}, "too large"),
    ({"name": "mlp", "activation": object()}, "is no value of an option"),
    ({"name": "mlp", "activation": {"expression": "x +"}}, "expression"),
    ({}, 'has no "name"'),
    ([], "no layer draws weights"),
    (["dense"], "holds a string"),
    ([{"type": "softmax"}], "softmax"),
    ([{"type": "linear"}], 'it is called "dense" here'),
    (3, "not int"),
    ("name = ", "the architecture:1: "),
    ("nmae = 1", "unknown key|no \"name\""),
    ("mlpp", 'did you mean "mlp"'),
    ("no/such.toml", "no/such.toml: cannot be read"),
    ("no/such.nngp", "has its inputs already"),
])
def test_architectures_that_are_none(arch, complaint):
    with pytest.raises(nngpcheck.InputError, match=complaint):
        kernel(arch, X)


def test_texts_are_the_command_lines(tmp_path, command_line):
    np.savetxt(tmp_path / "x.csv", X, delimiter=",")
    file = tmp_path / "e.toml"
    file.write_text('[architecture]\nname = "mlp"\ndept = 2\n[inputs]\nfile = "x.csv"\n')
    status, _, error = command_line("kernel", file)
    assert status == 64
    for x in (None, X):
        with pytest.raises(nngpcheck.InputError) as raised:
            kernel(file, x)
        assert str(raised.value) in error


def test_limits_that_are_none():
    with pytest.raises(nngpcheck.LimitError):
        kernel([layers.dense(), layers.activation({"expression": "exp(x*x)"})], X)


def test_one_family():
    for error in (nngpcheck.InputError, nngpcheck.ProgramError, nngpcheck.LimitError, nngpcheck.SamplerError,
                  nngpcheck.ComparisonError, nngpcheck.NotBuiltError):
        assert issubclass(error, nngpcheck.Error) and error.__module__ == "nngpcheck"
    assert issubclass(nngpcheck.InputError, ValueError)


def test_architecture_and_inputs_must_fit():
    with pytest.raises(nngpcheck.InputError, match="simple_rnn|sequences"):
        kernel("simple_rnn", X)


def test_options_of_kernels():
    x = np.ones((1, 2, 2))
    with pytest.raises(nngpcheck.LimitError, match="points|power of two"):
        kernel("gru", x, points=1000)
    with pytest.raises(nngpcheck.InputError, match="points = 'many'"):
        kernel("gru", x, points="many")


@pytest.mark.parametrize("options, complaint", [
    (dict(threads="a"), "threads = 'a': must be an integer from 0 to 65536"),
    (dict(threads=-1), "threads = -1"),
    (dict(seed=-1), "seed = -1: must be an integer from 0"),
    (dict(seed=1.5), "seed = 1.5"),
    (dict(tolerance="a"), "tolerance = 'a': must be a number"),
    (dict(randomizations=10**12), "randomizations = 1000000000000: must be an integer from"),
    (dict(progress=3), "progress = 3: must be True, False or a function"),
])
def test_options_of_another_kind(options, complaint):
    with pytest.raises(nngpcheck.InputError, match=complaint):
        kernel("mlp", X, **options)


@pytest.mark.parametrize("options, complaint", [
    (dict(widths="abcd"), "widths = 'abcd': must be a list of integers"),
    (dict(widths=5), "widths = 5"),
    (dict(widths=[1, 2, 3, -4]), "widths = -4: must be an integer from 1"),
    (dict(seed="a"), "seed = 'a'"),
    (dict(processes="4"), "processes = '4': must be an integer from 1"),
    (dict(processes=1.5), "processes = 1.5"),
    (dict(looked_at=1.5), "inputs = 1.5: must be an integer"),
    (dict(resolution="a"), "resolution = 'a': must be a number"),
])
def test_options_of_checks_of_another_kind(options, complaint):
    with pytest.raises(nngpcheck.InputError, match=complaint):
        nngpcheck.check(np.eye(2), lambda n: lambda x: x, X, **options)


def test_what_is_no_array_at_all():
    with pytest.raises(nngpcheck.InputError, match="x is of type generator"):
        nngpcheck.check(np.eye(2), lambda n: lambda x: x, (row for row in X))
    with pytest.raises(nngpcheck.InputError, match="the kernel's value is of type str"):
        nngpcheck.check("K", lambda n: lambda x: x, X)
    with pytest.raises(nngpcheck.InputError, match="the kernel's value is no matrix"):
        nngpcheck.check([[1, 2], [3]], lambda n: lambda x: x, X)
    with pytest.raises(nngpcheck.InputError, match="holds a number that is too large"):
        kernel([layers.dense(weight_variance=10**400)], X)
    with pytest.raises(nngpcheck.InputError, match="width = 'a': must be an integer from 1"):
        nngpcheck.sample("mlp", X, "a")
    with pytest.raises(TypeError, match=r"dense\(\): got an unexpected keyword argument 'dept'"):
        layers.dense(dept=1)


def test_an_old_pybind11_and_a_new_numpy_do_not_crash():
    if nngpcheck._core.takes_numpy_2:
        pytest.skip("built with a pybind11 that knows NumPy 2")
    code = "import numpy; numpy.__version__ = '2.0.0'; import nngpcheck"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "ImportError: this nngpcheck was built with a pybind11 before 2.12" in done.stderr
