"""Impacts of groups of parameters on the one of interest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from pyhf_func._lookup import listed, shown
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, Status
from pyhf_func.core.inference import CovarianceResult
from pyhf_func.core.inference.group_impacts import variance_parts
from pyhf_func.core.likelihood.measurements import constrained
from pyhf_func.core.modifiers import MEASURED_BY_BIN
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.model import AnyModel
from pyhf_func.results.base import Result
from pyhf_func.verbs._arguments import check_poi, one_place, problem_of
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.covariance import covariance

DATA, SIMULATION, OTHERS = "data statistics", "MC statistics", "other systematics"
"""Groups that are there without being asked for."""


class GroupImpact(Result):
    """One group of parameters, and what it does to the error of the parameter of interest.

    One of the ``groups`` of what `pyhf_func.group_impacts` returns.
    """

    group: str
    """its name."""
    parameters: tuple[str, ...]
    """its components, as in ``model.config.par_names``; none of the data statistics."""
    impact: float
    """error that is gone when these parameters are held at their best values: the root of the difference of squares.
    Of the data statistics: the error that is left when all constrained parameters are held."""
    component: float
    """error that the group's own measurements bring (arXiv:2307.04007): by how much the parameter of interest would
    scatter if nothing else did. Zero of parameters without a constraint."""

    def _rows(self) -> list[dict[str, Any]]:
        numbers = {"impact": self.impact, "component": self.component}
        return [{"group": self.group, "parameters": len(self.parameters), **numbers}]

    @property
    def _shape(self) -> tuple[int, ...]:
        return ()


class GroupImpacts(Result):
    """Impacts of groups on the parameter of interest, and how well they add up in quadrature.

    Returned by `pyhf_func.group_impacts`.
    """

    poi: str
    """name of the parameter of interest."""
    best: float
    """its best value."""
    error: float
    """its standard error, from the exact Hessian."""
    groups: tuple[GroupImpact, ...]
    """the groups, data statistics first."""
    impact_closure: float
    """root of the sum of squared impacts over ``error``: not one where groups are correlated after the fit."""
    component_closure: float
    """the same of the components: one as far as the data fit the model."""
    status: np.ndarray
    """() status of the fit and its covariance, a `Status`; where the error is not known, no number is."""

    covariance: CovarianceResult
    """the fit of all parameters, with its covariance."""

    def _rows(self) -> list[dict[str, Any]]:
        rows = [row for one in self.groups for row in one._rows()]
        number = sum(len(one.parameters) for one in self.groups)
        sums = {"impact": self.impact_closure * self.error, "component": self.component_closure * self.error}
        total = {"impact": self.error, "component": self.error}
        return [
            *rows,
            {"group": "in quadrature", "parameters": number, **sums},
            {"group": "total", "parameters": number, **total},
        ]


@verb(variance_parts, bridged=False, on_host=True)
def group_impacts(
    data: Numbers,
    model: AnyModel,
    groups: Mapping[str, str | Sequence[str]] | None = None,
    poi: str | None = None,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> GroupImpacts:
    """Impacts of groups of parameters on the parameter of interest: statistics of data and simulation, systematics.

    Two numbers for each group, from one fit and its exact Hessian. The impact is the customary one: the error that
    is gone when the group is held at its best values; impacts of groups that are correlated after the fit do not add
    up in quadrature. The components (arXiv:2307.04007) do.

    Args:
        groups: From names of groups to patterns of parameter names, such as ``{"jets": ["JES_*", "JER"]}``; a
            parameter belongs to the first group that matches it. Those that no pattern matches are ``MC statistics``
            where they scale single bins (staterror, shapesys), and else ``other systematics`` where they have a
            constraint.
        poi: The parameter whose error is split; by default the model's parameter of interest.

    Returns:
        The groups, with what they add up to; ``table()`` has it as rows.

    Raises:
        UnspecifiedPOI: No parameter is named, and the model has no parameter of interest.
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model, or a pattern matches nothing.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [20.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0], "modifiers": [
        ...         {"name": "JES", "type": "normsys", "data": {"lo": 0.94, "hi": 1.06}},
        ...         {"name": "xsec", "type": "normsys", "data": {"lo": 0.92, "hi": 1.08}}]}]}]})
        >>> found = pf.group_impacts([70.0, 0.0, 0.0], model, {"jets": "JE*"})
        >>> [(one.group, round(one.impact, 3), round(one.component, 3)) for one in found.groups]
        [('data statistics', 0.418, 0.418), ('jets', 0.15, 0.15), ('other systematics', 0.2, 0.2)]
        >>> round(found.error, 3), round(found.component_closure, 6)
        (0.487, 1.0)
    """
    around = covariance(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser)
    if poi is None:
        check_poi(model)
    place = one_place(model, model.config.poi_name if poi is None else poi, "poi")
    sets = groups_of(model, groups, place)
    problem = problem_of(model, data, init, bounds, fixed)
    masks = np.zeros((len(sets), model.config.npars), bool)
    for mask, places in zip(masks, sets.values(), strict=True):
        mask[places] = True
    parts = np.asarray(group_impacts.program(problem, around, np.asarray(place), masks))
    return _summary(model, place, around, sets, parts)


def groups_of(model: AnyModel, groups: Mapping[str, str | Sequence[str]] | None, poi: int) -> dict[str, list[int]]:
    """Places of the parameters of each group, none of them twice; without the parameter of interest.

    Raises:
        InvalidPdfParameters: A pattern matches nothing, or is no text.
    """
    names = model.config.par_names
    left = dict.fromkeys(place for place in range(len(names)) if place != poi)
    found: dict[str, list[int]] = {}
    for group, patterns in _checked(groups).items():
        chosen = [place for place in range(len(names)) if any(_matches(names[place], one) for one in patterns)]
        if not chosen:
            raise InvalidPdfParameters(
                f"groups: no parameter matches {listed(patterns)} of {shown(group)}. There are {listed(names)}."
            )
        found[group] = [place for place in chosen if place in left]
        for place in found[group]:
            del left[place]
    bins = _places_of_bins(model)
    with_constraint = np.asarray(constrained(model.likelihood))
    found[SIMULATION] = [*found.get(SIMULATION, []), *(place for place in left if place in bins)]
    rest = [place for place in left if place not in bins and with_constraint[place]]
    found[OTHERS] = [*found.get(OTHERS, []), *rest]
    return {group: places for group, places in found.items() if places}


def _checked(groups: Any) -> dict[str, list[str]]:
    if groups is None:
        return {}
    if not isinstance(groups, Mapping):
        raise InvalidPdfParameters(f"groups is {shown(groups)}; give patterns by name, such as {{'jets': 'JE*'}}.")
    result = {}
    for group, patterns in groups.items():
        several = [patterns] if isinstance(patterns, str) else patterns
        if not isinstance(several, list | tuple) or not several or not all(isinstance(one, str) for one in several):
            raise InvalidPdfParameters(f"groups: {shown(group)} is {shown(patterns)}; give one pattern or several.")
        result[str(group)] = list(several)
    return result


def _matches(name: str, pattern: str) -> bool:
    """Whether a component, or its whole parameter, has a name of this pattern."""
    return name == pattern or fnmatchcase(name, pattern) or fnmatchcase(name.partition("[")[0], pattern)


def _places_of_bins(model: AnyModel) -> set[int]:
    """Parameters that scale single bins and have an auxiliary measurement."""
    names = {name for name, kind in model.config.modifiers if kind in MEASURED_BY_BIN}
    slices = model.config.par_slices
    return {place for name in names for place in range(slices[name].start, slices[name].stop)}


def _summary(
    model: AnyModel,
    poi: int,
    around: CovarianceResult,
    sets: Mapping[str, list[int]],
    parts: np.ndarray,
) -> GroupImpacts:
    """The groups with their numbers, which are NaN where the fit failed."""
    names, matrix, status = model.config.par_names, np.asarray(around.covariance), np.asarray(around.status)
    known = int(status) in (Status.CONVERGED, Status.NOT_IDENTIFIED) and np.isfinite(matrix[poi, poi])
    variance = matrix[poi, poi] if known else np.nan
    error = float(np.sqrt(variance))
    every = np.flatnonzero(np.asarray(constrained(model.likelihood)))
    data = variance - _held(matrix, poi, every) if known else np.nan
    impacts = [data, *(_held(matrix, poi, places) if known else np.nan for places in sets.values())]
    sizes = np.sqrt(np.maximum(np.array([impacts, parts if known else np.full(len(impacts), np.nan)]), 0.0))
    found = tuple(
        GroupImpact(group, tuple(names[place] for place in places), float(impact), float(component))
        for (group, places), (impact, component) in zip([(DATA, []), *sets.items()], sizes.T, strict=True)
    )
    sums = np.sqrt(np.sum(sizes**2, axis=-1))
    closures = [float(one / error) if error > 0 else float("nan") for one in sums]
    centre = float(around.fit.pars[poi]) if known else float("nan")
    return GroupImpacts(names[poi], centre, error, found, closures[0], closures[1], status, CovarianceResult(*around))


def _held(matrix: np.ndarray, poi: int, places: Sequence[int] | np.ndarray) -> float:
    """By how much the variance of one parameter falls when others are held at their best values."""
    free = [place for place in places if place != poi and matrix[place, place] > 0]
    if not free:
        return 0.0
    scale = np.sqrt(np.diagonal(matrix)[free])
    shared = matrix[poi, free] / scale
    return float(shared @ np.linalg.lstsq(matrix[np.ix_(free, free)] / np.outer(scale, scale), shared)[0])
