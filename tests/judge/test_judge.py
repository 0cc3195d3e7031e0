"""The judge itself: its likelihood is the reference's, and its search reaches what an exhaustive grid reaches."""

import numpy as np
import pytest

from tests.judge.generator import KINDS, case
from tests.judge.planted import exhaustive, planted
from tests.judge.search import lowest, near
from tests.reference.fit import gradient, twice_nll


@pytest.mark.parametrize("kind", KINDS)
def test_its_likelihood_and_gradient_are_those_of_the_reference(kind: str) -> None:
    """At a random point of a model of each kind."""
    one = case(kind, 1, 0)
    judged = one.judged()
    moved = judged.init + 0.4 * np.random.default_rng(0).normal(size=judged.n_pars)
    pars = np.clip(moved, judged.lower, judged.upper)
    found = judged.slopes(pars[None])
    if np.isfinite(found.value[0]):
        expected = gradient(judged.reference, pars, one.data, range(judged.n_pars))
        assert found.value[0] == pytest.approx(twice_nll(judged.reference, pars, one.data), rel=1e-12, abs=1e-9)
        np.testing.assert_allclose(found.gradient[0], expected, rtol=1e-10, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("codes", [("code4", "code4p"), ("code1", "code0"), ("code4", "code2")], ids="-".join)
def test_it_finds_planted_wells(codes: tuple[str, str]) -> None:
    """Wells that one descent misses in most of these models."""
    missed = 0
    for number in range(6):
        judged = planted(number, 5, codes).judged()
        best = exhaustive(judged, None)
        assert lowest(judged).value == pytest.approx(best, abs=1e-7)
        missed += near(judged, None, judged.init[None]) > best + 1e-3
    assert missed >= 3
