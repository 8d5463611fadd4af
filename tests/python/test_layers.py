import inspect
import pathlib
import runpy

import numpy as np
import pytest

import nngpcheck
from nngpcheck import layers


def test_layers_say_what_files_say():
    assert layers.dense(weight_variance=2) == {"type": "dense", "weight_variance": 2}
    assert layers.activation("erf") == {"type": "activation", "activation": "erf"}
    branch = [layers.activation("relu"), layers.dense(name="shared")]
    assert layers.residual(branch) == {"type": "residual", "layers": branch}


def test_they_make_networks():
    x = np.random.default_rng(0).normal(size=(2, 3))
    found = nngpcheck.kernel([layers.dense(), layers.residual([layers.activation("relu"), layers.dense()])], x)
    first = x @ x.T / 3
    alone = nngpcheck.kernel([layers.dense(), layers.activation("relu")], x)
    np.testing.assert_allclose(found.value, first + alone.value, rtol=1e-13)


def test_they_complain():
    with pytest.raises(TypeError, match="weight_varianse"):
        layers.dense(weight_varianse=2)
    with pytest.raises(TypeError):
        layers.residual()


def test_they_are_documented():
    assert "weight_variance: variance of a weight" in layers.dense.__doc__
    assert inspect.signature(layers.dense).parameters["weight_variance"].default == 1.0


def test_the_stub_is_that_of_this_version():
    folder = pathlib.Path(__file__).parents[2]
    printed = runpy.run_path(str(folder / "scripts/layer_stubs.py"))["stub"]()
    assert printed == (folder / "python/nngpcheck/layers.pyi").read_text(), "make it anew, see scripts/layer_stubs.py"
