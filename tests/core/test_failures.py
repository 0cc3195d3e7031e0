"""Failed fits, injected into every verb: no number is better than the worst of what it is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.core.fit import Minimum, Problem
from tests import zoo
from tests.core.small import Small

OBSERVED = 56.0
KINDS = ("none", "every fit", "free, data", "held, data", "free, other data", "held, other data", "beside the best")
STATUSES = (pf.Status.ITERATION_LIMIT, pf.Status.NOT_FINITE)
DATA = ("free_fit", "conditional_fit")
ASIMOV = ("asimov_fit", "free_fit_asimov", "conditional_fit_asimov")
EXPECTED = ("cls_expected", "clsb_expected", "clb_expected", "teststat_asimov")


@cache
def workspace(failure: int) -> pf.Workspace:
    """A counting experiment with a nuisance parameter; the upper bound of that carries what is to fail."""
    signal = zoo.sample("s", [8.0], zoo.normfactor("mu"))
    channel = zoo.channel("SR", signal, zoo.sample("b", [50.0], zoo.normsys("size", 0.95, 1.05)))
    parameters = [{"name": "size", "bounds": [[-5.0, 5.0 + failure / 100]]}, {"name": "mu", "bounds": [[0.0, 50.0]]}]
    document = zoo.workspace([channel], {"SR": [OBSERVED]})
    document["measurements"][0]["config"]["parameters"] = parameters
    return pf.Workspace(document)


@cache
def model(failure: int) -> pf.Model:
    return workspace(failure).model()


@dataclass(frozen=True)
class Failing:
    """A minimiser with the failure that the problem carries."""

    poi: int
    size: int

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise, and fail where it is told to."""
        return Small()(problem)._replace(status=self.status(problem))

    def status(self, problem: Problem) -> Array:
        """How the fit ends."""
        failure = jnp.round(100 * (problem.upper[self.size] - 5)).astype(int)
        held, observed = problem.fixed[self.poi], problem.data[0] == OBSERVED
        beside = observed & (problem.fixed[self.size] | held)
        chosen = jnp.array(
            [False, True, observed & ~held, observed & held, ~observed & ~held, ~observed & held, beside]
        )
        status = jnp.where(failure % 2 == 0, int(STATUSES[0]), int(STATUSES[1]))
        return jnp.where(chosen[failure // 2], status, int(pf.Status.CONVERGED)).astype(jnp.int32)


def failing() -> Failing:
    names = model(0).config.par_names
    return Failing(names.index("mu"), names.index("size"))


Call = Callable[..., Any]
Table = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""From statuses to the numbers that have them and the fits that these are made from."""

TEST: Table = {
    "cls_status": (("cls", "clb"), DATA + ASIMOV),
    "clsb_status": (("clsb",), DATA + ASIMOV),
    "teststat_status": (("teststat",), DATA),
    "expected_status": (EXPECTED, ASIMOV),
}
VERBS: dict[str, tuple[Call, Table]] = {
    "fit": (pf.fit, {}),
    "hypotest": (lambda *args, **options: pf.hypotest(0.9, *args, **options), TEST),
    "hypotest q0": (
        lambda *args, **options: pf.hypotest(0.9, *args, test_stat="q0", **options),
        {**TEST, "clsb_status": (("clsb",), DATA)},
    ),
    "scan": (lambda *args, **options: pf.scan([0.8, 1.5], *args, **options), TEST),
    "discovery": (
        pf.discovery,
        {"p0_status": (("p0", "z"), DATA), "expected_status": (("p0_expected", "z_expected"), ASIMOV)},
    ),
    "upper_limit": (
        pf.upper_limit,
        {"observed_status": (("observed", "cls"), DATA), "expected_status": (("expected", "cls_expected"), ASIMOV[:2])},
    ),
    "profile": (
        lambda *args, **options: pf.profile({"mu": [0.8, 1.5]}, *args, **options),
        {"status": (("ratio",), DATA)},
    ),
    "covariance": (pf.covariance, {"status": (("covariance", "errors"), ("fit",))}),
    "intervals": (pf.intervals, {"status": (("ratio",), ("conditional_fit",))}),
    "impacts": (pf.impacts, {}),
    "yields": (pf.yields, {}),
    "goodness_of_fit": (pf.goodness_of_fit, {"status": (("statistic",), ("free_fit",))}),
    "toys": (
        lambda data, model, **options: pf.toys(0.9, data, model, jax.random.key(1), 20, chunk=20, **options),
        {"status": ((), ("free_fit", "conditional_fit", "asimov_fit"))},
    ),
}


def failures() -> list[int]:
    return [2 * kind + which for kind in range(len(KINDS)) for which in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_numbers_are_as_good_as_the_fits_that_they_are_made_from(verb: str) -> None:
    call, table = VERBS[verb]
    for failure in failures():
        found = call(workspace(failure).data(model(failure)), model(failure), minimiser=failing())
        for name, (numbers, fits) in table.items():
            status = np.asarray(getattr(found, name))
            for fit in fits:
                assert np.all(status >= np.asarray(getattr(found, fit).status)), (KINDS[failure // 2], name, fit)
            for number in numbers:
                _check(np.asarray(getattr(found, number)), status, f"{KINDS[failure // 2]}: {number}")
        statuses = [np.max(value) for key, value in found._asdict().items() if key.endswith("status")]
        assert np.max(found.status) >= np.max(statuses) or verb == "toys"
        if KINDS[failure // 2] == "none":
            assert np.max(statuses) == 0
        if KINDS[failure // 2] == "every fit":
            assert np.all(np.asarray(found.status) >= STATUSES[failure % 2])


def _check(number: np.ndarray, status: np.ndarray, what: str) -> None:
    """Where the status is bad, and only there, it is not a number."""
    bad = np.broadcast_to(
        (status >= pf.Status.ITERATION_LIMIT).reshape(status.shape + (1,) * (number.ndim - status.ndim)), number.shape
    )
    np.testing.assert_array_equal(np.isnan(number), bad, err_msg=what)


@pytest.mark.slow
@pytest.mark.parametrize("failure", failures())
def test_impacts_and_intervals_without_a_fit_are_none(failure: int) -> None:
    """They come from the free fit and from those with a parameter held."""
    args = workspace(failure).data(model(failure)), model(failure)
    impacts, intervals = (verb(*args, minimiser=failing()) for verb in (pf.impacts, pf.intervals))
    free = int(impacts.covariance.status)
    assert np.all(np.asarray(impacts.status) >= free)
    assert np.all(np.asarray(intervals.status) >= free)
    every = np.stack([impacts.prefit_up, impacts.prefit_down, impacts.postfit_up, impacts.postfit_down], axis=-1)
    _check(every, np.asarray(impacts.status), KINDS[failure // 2])
    _check(np.stack([intervals.lower, intervals.upper], axis=-1), np.asarray(intervals.status), KINDS[failure // 2])
    if free:
        band = pf.yields(*args, minimiser=failing())
        assert int(band.status) == free
        assert np.isnan([*band.postfit.total, *band.postfit.total_error, impacts.poi_best, impacts.poi_error]).all()


@pytest.mark.slow
def test_rows_of_grids_have_a_status_for_each_number() -> None:
    for failure in failures():
        points = {"as it is": {("SR", "s"): [8.0]}, "twice": {("SR", "s"): [16.0]}}
        found = pf.grid(workspace(failure), points, mu=0.9, minimiser=failing())
        for numbers, status in (
            (found.cls, found.cls_status),
            (found.cls_expected, found.cls_expected_status),
            (found.limit, found.limit_status),
            (found.limit_expected, found.limit_expected_status),
        ):
            _check(numbers, status, KINDS[failure // 2])
            assert np.all(found.status.reshape(-1, *[1] * (status.ndim - 1)) >= status)
    # Data that spoil the observed numbers leave the expected ones alone.
    found = pf.grid(workspace(2 * KINDS.index("held, other data")), points, mu=0.9, minimiser=failing())
    assert {pf.Status(status).name for status in found.cls_status} == {"ITERATION_LIMIT"}
