import numpy as np
import pytest

import nngpcheck
from nngpcheck import _core

X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
there = pytest.mark.skipif(not hasattr(_core, "law"), reason="this version knows no finite-width law")


@there
def test_the_law_of_a_linear_network():
    # One entry: K̂ = (σ²/n) Σ z² with σ² = |x|²/d: C = 2 σ⁴, no bias.
    law = nngpcheck.law([nngpcheck.layers.dense(), nngpcheck.layers.activation("identity")], X[:1])
    assert float(law.c) == pytest.approx(2 * 0.5**2, abs=6 * law.c.standard_error)
    assert law.relative_c.value == pytest.approx(2, rel=0.02)
    assert law.kernel[0, 0] == pytest.approx(0.5)
    assert law.width_for(0.1) == pytest.approx(2 / 0.01, rel=0.02)
    np.testing.assert_allclose(law.bias, 0, atol=1e-9)


@there
def test_labels_and_options():
    law = nngpcheck.law("mlp", X, bias=False, labels=["a", "b", "c"])
    assert law.labels == ["a", "b", "c"] and law.bias is None and law.eigenvalues[0] > 0
    assert "C = " in repr(law)
    with pytest.raises(nngpcheck.InputError, match="points = .many.: must be an integer"):
        nngpcheck.law("mlp", X, points="many")


def test_without_a_law_it_says_so():
    if hasattr(_core, "law"):
        pytest.skip("there is one")
    with pytest.raises(nngpcheck.NotBuiltError, match="no finite-width law"):
        nngpcheck.law("mlp", X)
