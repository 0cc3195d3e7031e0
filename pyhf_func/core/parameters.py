"""Parameter sets: one named parameter with its start values, bounds and auxiliary measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Constraint = Literal["none", "normal", "poisson", "lognormal", "gamma", "bifurcated"]


@dataclass(frozen=True)
class ParameterSet:
    """One named parameter with one or more components.

    ``auxdata``, and ``sigmas`` (Gaussian) or ``factors`` (Poisson) describe the constraint: a measurement
    ``auxdata`` of the parameter with width ``sigmas``, or a count ``auxdata`` with mean parameter × ``factors``. See
    `core.constraints` for the others.
    ``default_bounds`` says that nobody has set the bounds of a parameter without a constraint.
    """

    name: str
    constraint: Constraint
    is_scalar: bool
    inits: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    auxdata: tuple[float, ...] = ()
    sigmas: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()
    sigmas_down: tuple[float, ...] = ()
    default_bounds: bool = False

    @property
    def n_parameters(self) -> int:
        """Number of components."""
        return len(self.inits)


FREE = (1.0, (0.0, 10.0))
"""Start value and bounds of a factor without constraint."""
DEVIATIONS = (0.0, (-5.0, 5.0))
"""Those of a systematic uncertainty, in standard deviations."""
AROUND_ONE = (1.0, (1e-10, 10.0))
"""Those of a factor that is measured to be one."""


def free(name: str, n: int, is_scalar: bool) -> ParameterSet:
    """Parameters without constraint, such as normalisation factors."""
    start, bounds = FREE
    return ParameterSet(name, "none", is_scalar, (start,) * n, (bounds,) * n, (False,) * n, default_bounds=True)


def unit_normal(name: str, constraint: Constraint = "normal") -> ParameterSet:
    """The parameter of a systematic uncertainty: in standard deviations."""
    start, bounds = DEVIATIONS
    return ParameterSet(name, constraint, True, (start,), (bounds,), (False,), **measured(constraint, (0.0,), (1.0,)))


def around_one(name: str, constraint: Constraint, fixed: Sequence[bool], **numbers: Any) -> ParameterSet:
    """Factors of bins with an auxiliary measurement, whose ``numbers`` are given."""
    n, (start, bounds) = len(fixed), AROUND_ONE
    return ParameterSet(name, constraint, False, (start,) * n, (bounds,) * n, tuple(fixed), **numbers)


def measured(constraint: Constraint, values: tuple[float, ...], widths: tuple[float, ...]) -> dict[str, Any]:
    """The attributes of a measurement of ``values`` with these widths; of counts, relative ones."""
    if constraint == "none":
        return {}
    if constraint == "poisson":
        factors = tuple(1 / width**2 for width in widths)
        counts = tuple(value * factor for value, factor in zip(values, factors, strict=True))
        return {"auxdata": counts, "factors": factors}
    return {"auxdata": values, "sigmas": widths}
