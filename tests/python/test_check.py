import concurrent.futures
import importlib.util
import json
import math
import os
import signal
import threading
import time

import numpy as np
import pytest

import nngpcheck
from nngpcheck._networks import Networks

X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
QUICK = dict(resolution=0.06)


def relu_mlp(n):
    """A hidden layer, drawn from NumPy's global generator."""
    weight = np.random.normal(size=(2, n)) / math.sqrt(2)
    return lambda x: np.maximum(x @ weight, 0)


def deep_mlp(n):
    first = np.random.normal(size=(2, n)) / math.sqrt(2)
    second = np.random.normal(size=(n, n)) / math.sqrt(n)
    return lambda x: np.maximum(np.maximum(x @ first, 0) @ second, 0)


def seeded_mlp(n, seed):
    random = np.random.default_rng(seed)
    weight = random.normal(size=(2, n)) / math.sqrt(2)
    return lambda x: np.maximum(x @ weight, 0)


def kernel(depth=1):
    return nngpcheck.kernel({"name": "mlp", "depth": depth, "activation": "relu"}, X)


def test_a_right_kernel_agrees():
    verdict = nngpcheck.check(kernel(), relu_mlp, X, **QUICK)
    assert verdict.verdict == "agree" and verdict
    assert verdict.text.startswith("agree     relu_mlp: no entry off by > ")
    assert verdict.bound <= 0.06 and verdict.p_value is None and verdict.diagnosis == ""
    assert verdict.estimate.shape == (3, 3) and verdict.inputs == [0, 1, 2]
    np.testing.assert_allclose(verdict.estimate, kernel().value, atol=0.02)
    assert verdict.seconds > 0 and verdict.rounds[-1]["ladders"] >= 64
    json.dumps(verdict.evidence)


def test_a_deeper_network():
    assert nngpcheck.check(kernel(2), deep_mlp, X, 0.15, widths=[32, 64, 128, 256])
    assert nngpcheck.check(kernel(1), deep_mlp, X, 0.15, widths=[32, 64, 128, 256]).verdict == "disagree"


def test_a_wrong_kernel_disagrees_and_why():
    verdict = nngpcheck.check(2 * kernel().value, relu_mlp, X, **QUICK)
    assert verdict.verdict == "disagree" and not verdict
    assert verdict.text.startswith("disagree  relu_mlp: p < 1e-")
    assert verdict.p_value < 1e-6 and "2.0" in verdict.diagnosis and verdict.reason
    assert verdict.worst_entry["given"] == pytest.approx(2 * verdict.worst_entry["estimated"], rel=0.1)


def test_without_time_it_is_inconclusive():
    verdict = nngpcheck.check(kernel(), relu_mlp, X, resolution=1e-5, time=0.3, name="mine")
    assert verdict.verdict == "inconclusive" and not verdict
    assert verdict.text.startswith("inconclusive mine: ") and verdict.reason


def test_within_a_tolerance():
    near = 1.01 * kernel().value
    verdict = nngpcheck.check(near, relu_mlp, X, 0.1)
    assert verdict and "within the tolerance of 10 %" in verdict.text


def test_equal_seeds_give_equal_verdicts():
    first, again, other = (nngpcheck.check(kernel(), seeded_mlp, X, seed=seed, **QUICK) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.estimate, again.estimate)
    assert (first.estimate != other.estimate).any()


def test_processes_draw_the_same_networks():
    here = nngpcheck.check(kernel(), relu_mlp, X, **QUICK)
    there = nngpcheck.check(kernel(), relu_mlp, X, processes=2, **QUICK)
    np.testing.assert_array_equal(here.estimate, there.estimate)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pooled = nngpcheck.check(kernel(), seeded_mlp, X, processes=pool, **QUICK)
    np.testing.assert_array_equal(pooled.estimate, nngpcheck.check(kernel(), seeded_mlp, X, **QUICK).estimate)


def test_generators_are_left_as_they_were():
    np.random.seed(5)
    expected = np.random.normal(size=3)
    np.random.seed(5)
    nngpcheck.check(kernel(), relu_mlp, X, **QUICK)
    np.testing.assert_array_equal(np.random.normal(size=3), expected)


def test_networks_in_single_precision():
    verdict = nngpcheck.check(kernel(), lambda n: lambda x: relu_mlp(n)(x).astype(np.float32), X, **QUICK)
    assert verdict


def test_a_kernel_in_single_precision_is_symmetric_up_to_rounding():
    given = kernel().value.astype(np.float32)
    given[0, 1] *= np.float32(1 + 1e-6)
    assert nngpcheck.check(given, relu_mlp, X, **QUICK)
    given[0, 1] *= np.float32(1.01)
    with pytest.raises(nngpcheck.InputError, match="not symmetric"):
        nngpcheck.check(given, relu_mlp, X, **QUICK)


def test_what_neural_tangents_returns_is_a_kernel():
    class Returned:
        nngp = kernel().value[:, :, None, None]

    assert nngpcheck.check(Returned(), relu_mlp, X, **QUICK)


@pytest.mark.parametrize("make, complaint", [
    (lambda n: lambda x: x @ np.ones((2, n)), "the output is exactly that of network 0"),
    (lambda n: lambda x: x @ np.random.normal(size=(2, 5)), "k grows with the width"),
    (lambda n: lambda x: (x @ np.random.normal(size=(2, n)))[:2], r"it must be \(3, k\)"),
    (lambda n: lambda x: np.full((3, n), np.nan), "not finite"),
    (lambda n: lambda x: np.ones((3, n), dtype=int), "float32 or float64"),
    (lambda n: np.ones((2, n)), "which cannot be called"),
])
def test_networks_that_are_none(make, complaint):
    with pytest.raises(nngpcheck.SamplerError, match=complaint):
        nngpcheck.check(np.eye(3), make, X, **QUICK)


def test_whatever_networks_raise_passes_through():
    def make(n):
        if n == 64:
            raise ZeroDivisionError("mine")
        return relu_mlp(n)

    with pytest.raises(ZeroDivisionError, match="mine"):
        nngpcheck.check(kernel(), make, X, **QUICK)


@pytest.mark.parametrize("options, complaint", [
    (dict(resolution=-1), "resolution is -1: it must be positive"),
    (dict(tolerance=0), "tolerance is 0: it must be positive"),
    (dict(widths=[8, 16]), "width"),
    (dict(ladders=2), "ladders is 2: it must be at least 8"),
    (dict(seed=-1), "seed"),
    (dict(looked_at="some"), "looked_at"),
    (dict(processes=0), "processes"),
])
def test_options_that_are_none(options, complaint):
    with pytest.raises((nngpcheck.ComparisonError, nngpcheck.InputError), match=complaint):
        nngpcheck.check(kernel(), relu_mlp, X, **options)


def test_the_kernel_must_fit_the_samples():
    with pytest.raises(nngpcheck.InputError, match="the kernel is 2×2, but x has 3 rows"):
        nngpcheck.check(np.eye(2), relu_mlp, X)
    with pytest.raises(nngpcheck.InputError, match="the kernel: 3×2: it must be square"):
        nngpcheck.check(np.ones((3, 2)), relu_mlp, X)
    with pytest.raises(nngpcheck.InputError, match="finite"):
        nngpcheck.check(np.full((3, 3), np.nan), relu_mlp, X)
    with pytest.raises(TypeError, match="grid"):
        nngpcheck.check(kernel(), relu_mlp, X, grid=[2])


def test_assert_kernel(nngpcheck_seed):
    verdict = nngpcheck.assert_kernel(kernel(), relu_mlp, X, seed=nngpcheck_seed, **QUICK)
    assert verdict.verdict == "agree"
    with pytest.raises(AssertionError) as raised:
        nngpcheck.assert_kernel(1.5 * kernel().value, relu_mlp, X, seed=7, **QUICK)
    message = str(raised.value)
    assert message.startswith("disagree") and "worst entry" in message and "repeat with       seed 7" in message
    undecided = dict(resolution=1e-5, time=0.3)
    with pytest.raises(AssertionError, match="inconclusive"):
        nngpcheck.assert_kernel(kernel(), relu_mlp, X, **undecided)
    assert nngpcheck.assert_kernel(kernel(), relu_mlp, X, inconclusive="passes", **undecided).verdict == "inconclusive"
    with pytest.raises(nngpcheck.InputError, match="inconclusive"):
        nngpcheck.assert_kernel(kernel(), relu_mlp, X, inconclusive="maybe")


def test_a_verdict_is_shown_in_a_notebook():
    shown = nngpcheck.check(2 * kernel().value, relu_mlp, X, name="<b>", **QUICK)._repr_html_()
    assert "disagree</b>" in shown and "&lt;b&gt;" in shown and "worst entry" in shown and "<b>:" not in shown


def test_a_verdict_is_plotted():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = nngpcheck.check(kernel(), relu_mlp, X, **QUICK).plot()
    assert axes.get_title() == "agree" and axes.get_ylabel().startswith("given − networks")


def interrupted_after(seconds):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_stops_a_check():
    timer = interrupted_after(0.5)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        nngpcheck.check(kernel(), relu_mlp, X, resolution=1e-5)
    assert time.monotonic() - start < 30  # of minutes
    timer.join()


def test_ctrl_c_stops_a_kernel():
    x = np.random.default_rng(0).normal(size=(8, 8, 4))
    timer = interrupted_after(0.5)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        nngpcheck.kernel("lstm", x, points=2**19)
    assert time.monotonic() - start < 30  # of minutes
    timer.join()


def test_progress_of_a_check():
    seen = []
    nngpcheck.check(kernel(), relu_mlp, X, resolution=2e-3, time=2,
                    progress=lambda fraction, what: seen.append(what))
    assert any("networks" in what for what in seen)


def test_other_threads_run_meanwhile():
    x = np.random.default_rng(0).normal(size=(4, 6, 4))
    counts = [0]
    done = threading.Event()

    def count():
        while not done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    nngpcheck.kernel("lstm", x, points=2**13)
    done.set()
    thread.join()
    assert counts[0] > 10


def test_modules_of_torch():
    torch = pytest.importorskip("torch", reason="PyTorch (python3-torch) is not installed")

    def make(n):
        linear = torch.nn.Linear(2, n, bias=False)
        torch.nn.init.normal_(linear.weight, std=math.sqrt(1 / 2))
        return torch.nn.Sequential(linear, torch.nn.ReLU())

    with pytest.raises(nngpcheck.InputError, match="one module, but many"):
        nngpcheck.check(kernel(), make(64), X)
    for x in (X, torch.tensor(X), torch.tensor(X, dtype=torch.float32)):
        before = torch.random.get_rng_state()
        assert nngpcheck.check(kernel(), make, x, **QUICK)
        assert torch.equal(before, torch.random.get_rng_state()) and torch.get_default_dtype() == torch.float32
        assert not nngpcheck.check(1.3 * kernel().value, make, x, **QUICK)


def test_architectures_are_sampled_where_there_is_a_sampler(with_sampler):
    arch = {"name": "mlp", "depth": 2, "activation": "relu"}
    assert nngpcheck.check(kernel(2), arch, X, 0.05).text.startswith("agree     mlp: within the tolerance of 5 %")
    verdict = nngpcheck.check(1.2 * kernel(2).value, arch, X)
    assert verdict.verdict == "disagree" and verdict.diagnosis
    drawn = nngpcheck.sample(arch, X, 4096, 64)
    assert drawn.shape == (64, 3, 3)
    np.testing.assert_allclose(drawn.mean(0), kernel(2).value, atol=0.01)
    np.testing.assert_array_equal(nngpcheck.sample(arch, X, 4096, 1, first=5)[0], drawn[5])
    with pytest.raises(nngpcheck.InputError, match="sampler_kind"):
        nngpcheck.sample(arch, X, sampler_kind="none")
    with pytest.raises(nngpcheck.InputError, match="the kernel is 2×2"):
        nngpcheck.check(np.eye(2), arch, X)


def test_verdicts_equal_the_command_lines(tmp_path, command_line, with_sampler):
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", header="x,y", comments="")
    file = tmp_path / "e.toml"
    file.write_text('[architecture]\nname = "mlp"\n[inputs]\nfile = "x.csv"\n[check]\nseed = 3\n')
    _, out, error = command_line("check", file, "--json", tmp_path / "evidence.json")
    expected = json.loads((tmp_path / "evidence.json").read_text())[0]
    verdict = nngpcheck.check(nngpcheck.kernel(file), file, seed=3)
    for key in ("verdict", "bound", "worst_entry", "detectable_error"):
        assert verdict.evidence[key] == expected[key], error
    assert verdict.text.rsplit(";", 1)[0] == out.rsplit(";", 1)[0]


def test_without_a_sampler_it_says_so():
    if importlib.util.find_spec("nngpcheck._sampler"):
        pytest.skip("built with LibTorch")
    with pytest.raises(nngpcheck.NotBuiltError, match="built without LibTorch.*make"):
        nngpcheck.check(kernel(), "mlp", X)
    with pytest.raises(nngpcheck.NotBuiltError, match="built without LibTorch"):
        nngpcheck.sample("mlp", X)


def test_features_are_a_function_of_seed_width_and_number():
    networks = Networks(relu_mlp, X, 0)
    np.testing.assert_array_equal(networks.features(8, 1), Networks(relu_mlp, X, 0).features(8, 1))
    assert (networks.features(8, 1) != networks.features(8, 2)).any()
    assert (networks.features(8, 1) != Networks(relu_mlp, X, 1).features(8, 1)).any()
