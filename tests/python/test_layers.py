import inspect
import pathlib
import re

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


def test_stubs_name_what_is_there():
    stub = (pathlib.Path(__file__).parents[2] / "python/nngpcheck/layers.pyi").read_text()
    named = dict(re.findall(r"^def (\w+)\((.*?)\) -> ", stub, re.M | re.S))
    assert sorted(named) == sorted(layers.__all__)
    for name, parameters in named.items():
        listed = [re.split("[:=]", one)[0].strip() for one in re.split(r",(?![^\[]*\])", parameters)]
        assert [one for one in listed if one not in ("*", "")] == list(inspect.signature(getattr(layers, name)).parameters)
