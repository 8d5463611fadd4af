import math
from pathlib import Path

import numpy as np
import pytest

import nngpcheck
from nngpcheck import layers

MLP = {"name": "mlp", "depth": 2, "activation": "erf"}


def erf_kernel(k):
    """E erf(u)erf(v) for (u, v) ~ N(0, k), elementwise."""
    d = 1 + 2 * np.diagonal(k)
    return 2 / math.pi * np.arcsin(2 * k / np.sqrt(np.outer(d, d)))


def test_values_are_those_of_the_formula(points):
    found = nngpcheck.kernel(MLP, points)
    expected = erf_kernel(erf_kernel(points @ points.T / 2))
    np.testing.assert_allclose(found.value, expected, rtol=1e-13)
    assert (np.abs(found.value - expected) <= found.error_bound + 1e-15).all()
    assert found.error_bound.max() < 1e-13 and not found.standard_error.any()
    assert found.labels == ["0", "1", "2"] and found.shape == (3, 3) and len(found) == 3
    assert "closed form" in found.method and "3×3" in repr(found)


def test_numpy_takes_it(points):
    found = nngpcheck.kernel(MLP, points)
    assert np.asarray(found) is found.value
    assert np.asarray(found, dtype=np.float32).dtype == np.float32
    assert (found + np.eye(3) if hasattr(found, "__add__") else np.add(found, np.eye(3)))[0, 0] == found[0, 0] + 1


@pytest.mark.parametrize("arch", [
    MLP,
    'name = "mlp"\ndepth = 2\nactivation = "erf"',
    'name = "two"\n[architecture]\nname = "mlp"\ndepth = 2\nactivation = "erf"',
    [layers.dense(), layers.activation("erf"), layers.dense(), layers.activation("erf")],
])
def test_one_architecture_is_said_in_several_ways(arch, points):
    np.testing.assert_array_equal(nngpcheck.kernel(arch, points).value, nngpcheck.kernel(MLP, points).value)


def test_a_name_is_enough(points):
    np.testing.assert_array_equal(nngpcheck.kernel("mlp", points).value,
                                  nngpcheck.kernel({"name": "mlp"}, points).value)


def test_options_may_be_numpys(points):
    given = {"name": "mlp", "depth": np.int64(2), "activation": "erf", "weight_variance": np.float64(1)}
    np.testing.assert_array_equal(nngpcheck.kernel(given, points).value, nngpcheck.kernel(MLP, points).value)


def test_a_block_is_that_of_all(points):
    test = np.array([[0.5, -1.0], [2.0, 0.25]])
    block = nngpcheck.kernel(MLP, test, points)
    everything = nngpcheck.kernel(MLP, np.concatenate([test, points]))
    assert block.shape == (2, 3) and block.labels == ["0", "1"] and block.columns == ["0", "1", "2"]
    np.testing.assert_allclose(block.value, everything.value[:2, 2:], rtol=1e-14)


def test_a_block_of_sequences():
    random = np.random.default_rng(0)
    rows, columns = random.normal(size=(2, 3, 4)), random.normal(size=(1, 3, 4))
    arch = {"name": "simple_rnn", "activation": "erf"}
    block = nngpcheck.kernel(arch, rows, columns)
    everything = nngpcheck.kernel(arch, np.concatenate([rows, columns]))
    assert block.labels[:3] == ["0:0", "0:1", "0:2"] and block.columns == ["0:0", "0:1", "0:2"]
    np.testing.assert_allclose(block.value, everything.value[:6, 6:], rtol=1e-13)


def test_kernels_equal_the_command_lines_to_the_last_bit(tmp_path, command_line):
    x = np.random.default_rng(1).normal(size=(4, 3, 2))
    np.save(tmp_path / "x.npy", x)
    for arch in ({"name": "gru"}, {"name": "transformer"}, {"name": "simple_rnn", "activation": "tanh"}):
        lines = "\n".join(f'{key} = "{value}"' for key, value in arch.items())
        file = tmp_path / "e.toml"
        file.write_text(f"[architecture]\n{lines}\n[inputs]\nfile = \"x.npy\"\n")
        status, _, error = command_line("kernel", file, "-o", tmp_path / "K.npy")
        assert status == 0, error
        expected = np.load(tmp_path / "K.npy")
        np.testing.assert_array_equal(nngpcheck.kernel(arch, x).value, expected)
        np.testing.assert_array_equal(nngpcheck.kernel(file).value, expected)


def test_archives_of_models_are_read_as_the_command_line_reads_them(tmp_path, command_line):
    archive = Path(__file__).parents[1] / "import/archives/mlp_activations.nngp"
    status, _, error = command_line("kernel", archive, "-o", tmp_path / "K.npy")
    assert status == 0, error
    np.testing.assert_array_equal(nngpcheck.kernel(archive).value, np.load(tmp_path / "K.npy"))
    with pytest.raises(nngpcheck.InputError, match="has its inputs already"):
        nngpcheck.kernel(str(archive), np.eye(3))


def test_threads_change_nothing():
    x = np.random.default_rng(2).normal(size=(2, 3, 2))
    one = nngpcheck.kernel("gru", x, points=4096, threads=1)
    np.testing.assert_array_equal(one.value, nngpcheck.kernel("gru", x, points=4096, threads=2).value)
    assert one.standard_error.max() > 0 and one.repeats == 16
    assert (one.value != nngpcheck.kernel("gru", x, points=4096, seed=1).value).any()


def test_files_have_inputs_of_their_own(tmp_path, points):
    np.savetxt(tmp_path / "p.csv", points, delimiter=",", header="x,y", comments="")
    text = '[[experiment]]\nname = "{}"\n[experiment.architecture]\nname = "mlp"\ndepth = {}\n[experiment.inputs]\n' \
           'file = "p.csv"\n'
    (tmp_path / "two.toml").write_text(text.format("a", 1) + text.format("b", 2))
    deep = nngpcheck.kernel(tmp_path / "two.toml", experiment="b")
    np.testing.assert_array_equal(deep.value, nngpcheck.kernel({"name": "mlp", "depth": 2}, points).value)
    np.testing.assert_array_equal(nngpcheck.kernel(str(tmp_path / "two.toml"), points, experiment="b").value, deep)
    for x in (None, points):
        with pytest.raises(nngpcheck.InputError, match="several experiments.*a, b"):
            nngpcheck.kernel(tmp_path / "two.toml", x)
        with pytest.raises(nngpcheck.InputError, match='no experiment is called "c"'):
            nngpcheck.kernel(tmp_path / "two.toml", x, experiment="c")


def test_a_program_is_an_architecture(points):
    program = nngpcheck.program(MLP, points)
    assert len(program) == 3 and program.labels == ["0", "1", "2"] and "erf" in str(program)
    np.testing.assert_array_equal(nngpcheck.kernel(program).value, nngpcheck.kernel(MLP, points).value)
    with pytest.raises(nngpcheck.InputError, match="leave x out"):
        nngpcheck.kernel(program, points)


def test_progress_goes_to_a_function_and_may_stop():
    x = np.random.default_rng(3).normal(size=(8, 6, 4))
    seen = []

    def stop(fraction, what):
        seen.append((fraction, what))
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        nngpcheck.kernel("lstm", x, points=2**19, progress=stop)
    assert len(seen) == 1 and seen[0][0] is None and seen[0][1].startswith("limit")


def test_what_a_kernel_may_hold():
    with pytest.raises(nngpcheck.InputError, match=r"error_bound has shape \(2, 3\): it must be \(2, 2\)"):
        nngpcheck.Kernel(np.eye(2), error_bound=np.zeros((2, 3)))
    with pytest.raises(nngpcheck.InputError, match="must be a matrix of numbers"):
        nngpcheck.Kernel(np.array(["a"]))
    assert nngpcheck.Kernel(np.ones((2, 2, 1, 1))).shape == (2, 2)
