import time

import numpy as np
import pytest

import nngpcheck
from nngpcheck import InputError, _core, kernel, program

RANDOM = np.random.default_rng(0)


def from_file(folder, arch, **inputs):
    """The kernel of a file that says the same; arrays are written beside it."""
    lines = ["[architecture]"] + [f"{key} = {toml(value)}" for key, value in arch.items()] + ["[inputs]"]
    for key, value in inputs.items():
        if isinstance(value, np.ndarray):
            np.save(folder / f"{key}.npy", value)
            value = f"{key}.npy"
        lines.append(f"{key} = {toml(value)}")
    (folder / "e.toml").write_text("\n".join(lines))
    return kernel(folder / "e.toml")


def toml(value):
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def same(one, other):
    np.testing.assert_array_equal(one.value, other.value)
    assert one.labels == other.labels


def test_sequences_of_one_length(tmp_path):
    x = RANDOM.normal(size=(3, 4, 2))
    arch = {"name": "simple_rnn", "activation": "erf"}
    same(kernel(arch, x), from_file(tmp_path, arch, file=x))
    same(kernel(arch, x, lengths=[4, 2, 3]), from_file(tmp_path, arch, file=x, lengths=[4, 2, 3]))


def test_a_list_of_sequences():
    arch = {"name": "simple_rnn", "activation": "erf"}
    long, short = RANDOM.normal(size=(4, 2)), RANDOM.normal(size=(2, 2))
    x = np.stack([long, np.concatenate([short, np.zeros((2, 2))])])
    found = kernel(arch, [long, short])
    same(found, kernel(arch, x, lengths=[4, 2]))
    assert found.labels == ["0:0", "0:1", "0:2", "0:3", "1:0", "1:1"]
    with pytest.raises(InputError, match="leave it out"):
        kernel(arch, [long, short], lengths=[1, 1])
    with pytest.raises(InputError, match="different dimensions"):
        kernel(arch, [long, short[:, :1]])


def test_images(tmp_path):
    x = RANDOM.normal(size=(2, 3, 4, 4))
    arch = {"name": "cnn", "kernel": 3}
    same(kernel(arch, x), from_file(tmp_path, arch, file=x))
    last = np.moveaxis(x, 1, -1)
    np.testing.assert_array_equal(kernel(arch, last).value, kernel(arch, x).value)
    rows = x.reshape(2, -1)
    same(kernel(arch, rows, grid=[4, 4], layout="channels_first"), kernel(arch, x))
    with pytest.warns(UserWarning, match="not sure.*channel by channel"):
        kernel(arch, rows, grid=[4, 4])
    same(kernel("mlp", x), kernel("mlp", rows))
    same(kernel("mlp", x), from_file(tmp_path, {"name": "mlp"}, file=x))


def test_bytes_are_images(tmp_path):
    x = RANDOM.integers(0, 256, size=(2, 5, 5)).astype(np.uint8)
    same(kernel("cnn", x), from_file(tmp_path, {"name": "cnn"}, file=x))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.int32, bool, ">f8"])
def test_number_types(dtype):
    x = np.array([[1, 0], [1, 1], [0, 1]]).astype(dtype)
    same(kernel("mlp", x), kernel("mlp", x.astype(float)))


def test_orders_of_axes():
    x = RANDOM.normal(size=(4, 3))
    same(kernel("mlp", np.asfortranarray(x)), kernel("mlp", x))
    same(kernel("mlp", x[::-1, ::2]), kernel("mlp", x[::-1, ::2].copy()))


def test_batches(tmp_path):
    x = RANDOM.normal(size=(6, 3))
    arch = {"name": "batchnorm_mlp"}
    same(kernel(arch, x, batch_size=3), from_file(tmp_path, arch, file=x, batch_size=3))
    with pytest.raises(InputError, match="batch_size = 0"):
        kernel(arch, x, batch_size=0)


def test_graphs(tmp_path):
    x = RANDOM.normal(size=(4, 3))
    edges = [(0, 1), (1, 2), (2, 3)]
    (tmp_path / "edges.csv").write_text("source,target\n" + "\n".join(f"{s},{t}" for s, t in edges))
    for directed in (False, True):
        same(kernel("gcn", x, edges=edges, directed=directed),
             from_file(tmp_path, {"name": "gcn"}, file=x, graph="edges.csv", directed=directed))
    both = edges + [(t, s) for s, t in edges]
    same(kernel("gcn", x, edges=both), kernel("gcn", x, edges=edges))
    weighted = np.array([(0, 1, 0.5), (1, 2, 2.0)])
    assert (kernel("gcn", x, edges=weighted).value != kernel("gcn", x, edges=weighted[:, :2]).value).any()


def test_several_graphs():
    x, edges = RANDOM.normal(size=(5, 3)), [(0, 1), (1, 2), (3, 4)]
    arch = {"name": "gin", "outputs": "sum"}
    both = kernel(arch, x, edges=edges, graph_sizes=[3, 2]).value
    assert both.shape == (2, 2)
    alone = kernel(arch, x[3:], edges=[(0, 1)]).value
    assert np.allclose(both[1, 1], alone[0, 0], rtol=1e-10)
    assert not np.allclose(kernel(arch, x, edges=edges).value[0, 0], both[1, 1])
    with pytest.raises(InputError, match="from graph 0 to graph 1"):
        kernel(arch, x, edges=edges, graph_sizes=[2, 3])
    with pytest.raises(InputError, match="there is no graph"):
        kernel("mlp", x, graph_sizes=[3, 2])


@pytest.mark.parametrize("edges, complaint", [
    ([(0, 4)], 'row 0: target "4" is no node; there are 4'),
    ([(0, 1), (0, 1)], "row 1: the edge 0,1 stands in row 0 already"),
    ([(0, 1, 1.0), (1, 0, 2.0)], "row 1: the edge 1,0 has another weight in row 0"),
    ([(0, 1, float("inf"))], "must be a finite number"),
    ([(0, 0.5)], "no numbers of nodes"),
    ([(0,)], r"give \(source, target\)"),
])
def test_edges_that_are_none(edges, complaint):
    with pytest.raises(InputError, match=complaint):
        kernel("gcn", np.ones((4, 2)), edges=edges)


def test_labels():
    x = np.eye(2)
    assert kernel("mlp", x, labels=["a", "b"]).labels == ["a", "b"]
    with pytest.raises(InputError, match="labels: 1 for x1"):
        kernel("mlp", x, labels=["a"])


@pytest.mark.parametrize("x, complaint", [
    (None, "x1 is missing"),
    ("text", "x1 is of type str"),
    (np.ones(3), r"x1: an array of shape \(3,\): one number per row"),
    (1.0, "x1 is"),
    ([], "x1 is"),
    ([[1, 2], [3]], "x1 has rows of different lengths"),
    (np.ones((2, 2), dtype=complex), "complex128"),
    (np.array([[1.0, np.nan]]), "x1: row 0 .* not finite"),
    (np.ones((2, 0)), "x1 is"),
    ((row for row in np.eye(2)), "x1 is of type generator"),
    (np.ma.masked_less(np.eye(2), 0.5), "masked"),
    ([[10**400, 1]], "array of object"),
])
def test_inputs_that_are_none(x, complaint):
    with pytest.raises(InputError, match=complaint):
        kernel("mlp", x)


def test_keys_that_are_none():
    with pytest.raises(TypeError, match="gird"):
        kernel("mlp", np.eye(2), gird=[2])
    with pytest.raises(InputError, match="layout = \"last\""):
        kernel("cnn", np.ones((1, 3, 4, 4)), layout="last")
    with pytest.raises(InputError, match="3 lengths for 2 sequences"):
        kernel("simple_rnn", np.ones((2, 3, 2)), lengths=[1, 2, 3])
    with pytest.raises(InputError, match="from 1 to 3"):
        kernel("simple_rnn", np.ones((2, 3, 2)), lengths=[1, 4])
    with pytest.raises(InputError, match=r"lengths = 'ab': must be a list, each an integer"):
        kernel("simple_rnn", np.ones((2, 3, 2)), lengths="ab")
    with pytest.raises(InputError, match=r"labels = \[1, 2\]: must be a list, each a string"):
        kernel("mlp", np.eye(2), labels=[1, 2])
    with pytest.raises(InputError, match="edges = 'ab': must be a matrix of numbers"):
        kernel("gcn", np.eye(2), edges="ab")
    with pytest.raises(InputError, match="directed = True"):
        kernel("mlp", np.eye(2), directed=True)
    with pytest.raises(InputError, match="of one dimension"):
        kernel("mlp", np.eye(2), np.eye(3))


def test_other_libraries_arrays():
    torch = pytest.importorskip("torch", reason="PyTorch (python3-torch) is not installed")
    x = torch.tensor([[1.0, 2.0], [0.0, 1.0]], requires_grad=True)
    same(kernel("mlp", x), kernel("mlp", [[1.0, 2.0], [0.0, 1.0]]))


def test_a_program_shows_itself():
    assert "Output: vᵀ" in str(program("mlp", np.eye(2)))


def test_the_boundary_costs_less_than_a_hundredth():
    x = RANDOM.normal(size=(2000, 10))
    times = [time.process_time()]
    inputs = _core.inputs(x, "vectors", "x", {})
    times.append(time.process_time())
    model = _core.model_of_json('{"name": "mlp", "depth": 2}', "test")
    found = _core.limit(_core.program(model, inputs), {}, None)
    times.append(time.process_time())
    np.asarray(nngpcheck.Kernel(**found))
    times.append(time.process_time())
    way_in, computing, way_out = np.diff(times)
    assert way_in + way_out < 0.01 * computing
