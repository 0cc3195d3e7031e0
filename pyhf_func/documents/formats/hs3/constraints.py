"""Constraints of HS3's parameters: by type, by name of a distribution, or by custom of the modifier type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyhf_func.documents.formats.hs3.parts import Analysis, Item, Parts, Steps

__all__ = ["Constraint", "constraint_of"]

_TYPES = {
    "gauss": "gauss",
    "gaussian": "gauss",
    "gaussian_dist": "gauss",
    "poisson": "poisson",
    "poisson_dist": "poisson",
    "barlow_beeston_lite_poisson_constraint_dist": "poisson",
    "lognormal": "lognormal",
    "lognormal_dist": "lognormal",
    "gamma": "gamma",
    "const": "const",
    "none": "none",
    "uniform": "none",
}


@dataclass
class Constraint:
    """The auxiliary densities of one modifier's parameters.

    Attributes:
        kind: ``gauss``, ``poisson``, ``lognormal``, ``gamma``, ``const`` or ``none``.
        means: What was measured, by parameter, where the document says.
        sigmas: Widths, likewise.
        below: Parameters that a threshold keeps constant.
        expected: The auxiliary measurements that the widths of factors of bins go with.
    """

    kind: str
    means: dict[str, float] = field(default_factory=dict)
    sigmas: dict[str, float] = field(default_factory=dict)
    below: set[str] = field(default_factory=set)
    expected: dict[str, float] = field(default_factory=dict)

    def widths(self, owners: Sequence[str]) -> list[float] | None:
        """Relative widths, where the densities say all of them."""
        if self.kind == "gauss":
            return [self.sigmas[owner] for owner in owners] if set(owners) <= self.sigmas.keys() else None
        counts = [self.means.get(owner, 0.0) for owner in owners]
        return [count**-0.5 for count in counts] if all(count > 0 for count in counts) else None


def constraint_of(
    modifier: Item, owners: Sequence[str], default: str, parts: Parts, analysis: Analysis, steps: Steps
) -> Constraint:
    """The constraint of a modifier, whichever key says it."""
    given = modifier.get("constraint")
    names = modifier.get("constraints", modifier.get("constraint_name", given))
    names = [names] * (len(owners) == 1) if isinstance(names, str) else list(names or ())
    found = [parts.distributions[name] for name in names if isinstance(name, str) and name in parts.distributions]
    spoken = modifier.get("constraint_type", given if given not in parts.distributions else None)
    kind = default
    if found:
        kind = _TYPES.get(str(found[0][1].get("type")), "")
    elif isinstance(spoken, str):
        kind = _TYPES.get(spoken.lower(), "")
        if (
            not kind
            and modifier.get("type") in ("normsys", "histosys")
            and spoken.endswith(("Constraint", "_constraint"))
        ):
            kind = default  # of a name by custom, without a distribution of its own
    elif default == "none" and "constraint_name" in modifier:
        parts.notes.fault(steps, f"there is no distribution {modifier['constraint_name']!r}")
    if not kind:
        parts.notes.fault(steps, f"the constraint {(found[0][1].get('type') if found else spoken)!r} is not known here")
        return Constraint(default)
    result = Constraint(kind)
    for (place, density), owner in zip(found, owners if len(found) == len(owners) else (), strict=False):
        _read_density(result, place, density, owner, parts, analysis)
    if kind == "poisson" and modifier.get("type") in ("shapesys", "staterror"):
        counts = {owner: analysis.values[f"nom_{owner}"] for owner in owners if f"nom_{owner}" in analysis.values}
        result.means.update(counts)
    return result


def _read_density(
    result: Constraint, place: Steps, density: Item, owner: str, parts: Parts, analysis: Analysis
) -> None:
    """Mean and width of a Gaussian of a parameter, which may stand on either side."""
    if density.get("type") != "gaussian_dist":
        return
    x, mean, sigma = density.get("x"), density.get("mean"), density.get("sigma")
    if x != owner and mean != owner:
        parts.notes.fault(place, f"{density.get('name')!r} does not constrain {owner!r} but {x!r}")
        return
    other = mean if x == owner else x
    for into, value, key in ((result.means, other, "mean"), (result.sigmas, sigma, "sigma")):
        number = _number(value, analysis)
        if number is None and not (key == "mean" and isinstance(value, str)):
            parts.notes.fault((*place, key), f"{value!r} is neither a number nor a parameter of known value")
        elif number is not None and key == "sigma" and number <= 0:
            parts.notes.fault((*place, key), f"the width of {density.get('name')!r} is {number}: it must be positive")
        elif number is not None:
            into[owner] = number


def _number(value: Any, analysis: Analysis) -> float | None:
    if isinstance(value, str):
        return analysis.values.get(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
