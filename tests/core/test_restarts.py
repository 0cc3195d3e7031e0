"""Fits of one result agree on one well: where a conditional fit ends below the free one, that is made again from it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.compiler import Start
from pyhf_func.core.fit import Minimum, Problem
from pyhf_func.core.inference import toys
from pyhf_func.core.statistics import QTILDE
from tests import zoo
from tests.core.small import Small


@cache
def double_well() -> tuple[pf.Model, list[float]]:
    """Templates on one side of the nominal one: more events are described by a negative or a positive shift alike.

    The constraint is measured at -0.5, so that the well at negative values is the deeper one.
    """
    background = zoo.sample("b", [50.0, 40.0], zoo.histosys("shape", [60.0, 48.0], [60.5, 48.5]))
    channel = zoo.channel("SR", zoo.sample("s", [2.0, 8.0], zoo.normfactor("mu")), background)
    return pf.Model({"channels": [channel]}), [62.0, 52.0, -0.5]


@dataclass(frozen=True)
class OneSided:
    """Finds a well on the side on which it starts: where that is zero, a free fit begins on the wrong one.

    With the POI held, it begins on the right one.
    """

    poi: int
    shape: int
    right: bool = False

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise from a start that is moved."""
        start = problem.init[self.shape]
        start = jnp.where(start == 0, 0.5, start)
        held = problem.fixed[self.poi] | self.right
        return Small()(problem._replace(init=problem.init.at[self.shape].set(jnp.where(held, -0.5, start))))


def one_sided(*, right: bool = False) -> OneSided:
    names = double_well()[0].config.par_names
    return OneSided(names.index("mu"), names.index("shape"), right)


def same(found: Any, expected: Any, *names: str) -> None:
    for name in names:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_the_wells_are_planted() -> None:
    """The fit alone ends in the wrong one; the default minimiser finds the right one by itself."""
    model, data = double_well()
    wrong, right = pf.fit(data, model, minimiser=one_sided()), pf.fit(data, model, minimiser=one_sided(right=True))
    assert wrong.pars[one_sided().shape] > 0 > right.pars[one_sided().shape]
    assert int(wrong.status) == 0
    assert float(right.twice_nll) == pytest.approx(float(pf.fit(data, model).twice_nll), abs=1e-8)
    assert float(wrong.twice_nll) > float(right.twice_nll) + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("test_stat", ["qtilde", "q0"])
def test_hypothesis_tests(test_stat: str) -> None:
    model, data = double_well()
    found = pf.hypotest(2.0, data, model, test_stat=test_stat, minimiser=one_sided())
    same(
        found,
        pf.hypotest(2.0, data, model, test_stat=test_stat, minimiser=one_sided(right=True)),
        "teststat",
        "teststat_asimov",
        "cls",
        "cls_expected",
    )
    assert int(found.status) == 0


@pytest.mark.slow
def test_scans() -> None:
    model, data = double_well()
    mus = np.linspace(0.0, 4.0, 9)
    found = pf.scan(mus, data, model, minimiser=one_sided())
    same(
        found,
        pf.scan(mus, data, model, minimiser=one_sided(right=True)),
        "teststat",
        "teststat_asimov",
        "cls",
        "cls_expected",
    )


@pytest.mark.slow
def test_limits() -> None:
    model, data = double_well()
    found = pf.upper_limit(data, model, minimiser=one_sided())
    same(found, pf.upper_limit(data, model, minimiser=one_sided(right=True)), "observed", "expected")
    assert int(found.status) == 0


@pytest.mark.slow
def test_profiles() -> None:
    model, data = double_well()
    axis = {"mu": np.linspace(0.0, 4.0, 9)}
    found = pf.profile(axis, data, model, minimiser=one_sided())
    same(found, pf.profile(axis, data, model, minimiser=one_sided(right=True)), "ratio")
    assert np.all(found.ratio >= 0)


@pytest.mark.slow
def test_toys() -> None:
    model, data = double_well()
    space = model.likelihood.space
    start = Start(space.init, space.lower, space.upper, space.fixed)
    samples = jnp.array([data, [63.0, 51.0, -0.6]])
    n = len(samples)

    def fitted(minimiser: Any) -> Any:
        inits, slope = jnp.broadcast_to(space.init, (n, space.init.size)), jnp.zeros_like(space.init)
        likelihood = model.likelihood
        return toys.teststatistics(
            minimiser, QTILDE, jnp.array(2.0), samples, jnp.ones(n, bool), inits, likelihood, start, slope
        )

    same(fitted(one_sided()), fitted(one_sided(right=True)), "teststat", "status")
