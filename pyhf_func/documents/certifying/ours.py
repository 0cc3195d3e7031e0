"""Our side of a certificate: points, values and results of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax import Array

from pyhf_func.compiled import Compiled
from pyhf_func.core.arrays import floats
from pyhf_func.core.fit import Status
from pyhf_func.core.inference.constraints import prefit_widths
from pyhf_func.core.likelihood import Likelihood, expected_main, logpdf
from pyhf_func.core.likelihood.yields import entry_yields
from pyhf_func.documents.certifying.programs import described
from pyhf_func.verbs._arguments import problem_of
from pyhf_func.verbs.fit import fit
from pyhf_func.verbs.hypotest import hypotest
from pyhf_func.verbs.upper_limit import upper_limit
from pyhf_func.workspace import Workspace

__all__ = ["Engine"]

_RANDOM = 5
"""Random points at which likelihoods are compared."""


def _values(likelihood: Likelihood, data: Array, points: Array) -> tuple[Array, Array]:
    """2NLL and expected events at each point."""
    twice_nll = jax.vmap(lambda pars: -2 * logpdf(likelihood, pars, data))(points)
    return twice_nll, jax.vmap(lambda pars: expected_main(likelihood, pars))(points)


_compiled_values = Compiled(_values)


@dataclass(frozen=True)
class Engine:
    """A model with its data.

    Attributes:
        workspace: The workspace.
        measurement: Name of the measurement; None for the first.
        level: CLs at the upper limit.
        seed: Of the random points and starts.
    """

    workspace: Workspace
    measurement: str | None
    level: float
    seed: int

    @cached_property
    def model(self) -> Any:
        """The model."""
        return self.workspace.model(measurement_name=self.measurement)

    @cached_property
    def data(self) -> list[float]:
        """Observed and auxiliary data."""
        return self.workspace.data(self.model)

    def describe(self) -> dict[str, Any]:
        """Parameters, data and measurements."""
        return described(self.model.config, self.data)

    def named(self, pars: Any) -> dict[str, list[float]]:
        """A parameter vector by name."""
        config, vector = self.model.config, np.asarray(pars).tolist()
        return {name: vector[config.par_slice(name)] for name in config.par_order}

    def around(self, size: float, generator: np.random.Generator, centre: Any = None) -> np.ndarray:
        """A random point: constrained parameters by so many widths, free ones by up to a third of their value."""
        problem = problem_of(self.model, self.data, None, None, None)
        start = np.asarray(problem.init if centre is None else centre)
        width = np.asarray(prefit_widths(problem))
        width = np.where(width > 0, np.minimum(width, 0.5 * np.maximum(np.abs(start), 1.0) + (start == 0)), 0.0)
        spread = np.where(width > 0, width, 0.2 * np.maximum(np.abs(start), 0.1))
        moved = start + size * spread * generator.standard_normal(start.shape)
        moved = np.clip(moved, np.asarray(problem.lower), np.asarray(problem.upper))
        return np.where(np.asarray(problem.fixed), np.asarray(problem.init), moved)

    @cached_property
    def points(self) -> list[np.ndarray]:
        """Where likelihoods are compared: start, minimum, and points around it, where no yield becomes negative.

        ROOT lets no sample fall below zero.
        """
        generator = np.random.default_rng(self.seed)
        best = np.asarray(self.free.pars)
        found = [np.asarray(self.model.config.suggested_init(), float), best]
        for size in np.resize([0.6, 1.5], _RANDOM):
            found.append(self.around(float(size), generator, best))
        values = self.values(found)["yields"]
        positive = [
            min(map(min, one.values())) >= 0 and self._keeps_signs(at) for at, one in zip(found, values, strict=True)
        ]
        return [point for point, good in zip(found, positive, strict=True) if good]

    def _keeps_signs(self, pars: np.ndarray) -> bool:
        """Whether no sample's yield is negative where its nominal one is not."""
        nominal = np.asarray(self.model.likelihood.values.nominal)
        return not np.any((np.asarray(entry_yields(self.model.likelihood, floats(pars))) < 0) & (nominal >= 0))

    def values(self, points: list[np.ndarray]) -> dict[str, Any]:
        """2NLL and yields by channel at each point."""
        slices = self.model.config.channel_slices
        likelihood = self.model.likelihood
        twice_nll, counts = _compiled_values(likelihood, np.asarray(self.data, float), np.stack(points))
        yields = [{name: row[where].tolist() for name, where in slices.items()} for row in np.asarray(counts)]
        return {"twice_nll": np.asarray(twice_nll).tolist(), "yields": yields}

    @cached_property
    def free(self) -> Any:
        """The fit of all parameters."""
        return fit(self.data, self.model)

    @cached_property
    def limit(self) -> Any:
        """Upper limits; None without a parameter of interest."""
        return None if self.model.config.poi_index is None else upper_limit(self.data, self.model, level=self.level)

    @cached_property
    def tested(self) -> float:
        """The value under test: the observed limit, or one where there is none."""
        observed = float("nan") if self.limit is None else float(self.limit.observed)
        return observed if np.isfinite(observed) and observed > 0 else 1.0

    @cached_property
    def test(self) -> Any:
        """The test of that value."""
        return hypotest(self.tested, self.data, self.model)

    @cached_property
    def slope(self) -> float:
        """Of CLs there."""
        step = 0.01 * self.tested
        return (float(hypotest(self.tested + step, self.data, self.model).cls) - float(self.test.cls)) / step

    def results(self) -> dict[str, Any]:
        """Fit, limits, q and CLs."""
        free = self.free
        found = {"twice_nll": float(free.twice_nll), "status": Status(int(free.status)).name}
        poi = self.model.config.poi_index
        if poi is None:
            return found
        test, limit = self.test, self.limit
        return {
            **found,
            "best": float(free.pars[poi]),
            "tested": self.tested,
            "q": float(test.teststat),
            "cls_obs": float(test.cls),
            "cls_exp": np.asarray(test.cls_expected).tolist(),
            "limit_obs": float(limit.observed),
            "limit_exp": np.asarray(limit.expected).tolist(),
            "limit_status": Status(int(limit.status)).name,
        }

    def minima(self, starts: int) -> list[dict[str, Any]]:
        """Fits from random starts, and by how much each ends above the usual one."""
        generator = np.random.default_rng(self.seed + 1)
        best = float(self.free.twice_nll)
        found = []
        for place in range(starts):
            one = fit(self.data, self.model, init=self.around(1.5, generator))
            ended: Mapping[str, Any] = {"status": Status(int(one.status)).name, "above": float(one.twice_nll) - best}
            found.append({"start": place + 1, **ended})
        return found
