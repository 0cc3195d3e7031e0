"""Parameter configurations from HS3's points and domains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyhf_func.documents.formats.hs3.channels import ModifierUse
from pyhf_func.documents.formats.hs3.parts import Analysis

__all__ = ["DEFAULTS", "Found", "configs"]

DEFAULTS = {
    "histosys": (0.0, (-5.0, 5.0)),
    "normsys": (0.0, (-5.0, 5.0)),
    "lumi": (1.0, (0.0, 10.0)),
    "normfactor": (1.0, (0.0, 10.0)),
    "shapefactor": (1.0, (0.0, 10.0)),
    "shapesys": (1.0, (1e-10, 10.0)),
    "staterror": (1.0, (1e-10, 10.0)),
}
"""Start and bounds where a document says nothing."""


@dataclass
class Found:
    """A parameter of ours, and the owner's name of each of its components."""

    name: str
    kind: str
    owners: dict[int, str] = field(default_factory=dict)
    uses: list[ModifierUse] = field(default_factory=list)
    unused: dict[str, bool] = field(default_factory=dict)

    @property
    def per_bin(self) -> bool:
        return self.kind in ("shapefactor", "shapesys", "staterror")

    def put(self, component: int, owner: str) -> None:
        self.owners[component] = owner

    def merge(self, use: ModifierUse) -> None:
        self.uses.append(use)
        for owner, unused in zip(use.owners, use.unused or [False] * len(use.owners), strict=True):
            self.unused[owner] = unused


def configs(found: Iterable[Found], analysis: Analysis) -> list[dict[str, Any]]:
    """Configurations of parameters, of what differs from the defaults, in the order of the parameter point."""
    order = {owner: i for i, owner in enumerate(analysis.values)}
    ordered = sorted(found, key=lambda parameter: order.get(parameter.owners[0], len(order)))
    made = (_config(parameter, analysis) for parameter in ordered)
    return [config for config in made if len(config) > 1]


def _config(parameter: Found, analysis: Analysis) -> dict[str, Any]:
    owners = [parameter.owners[i] for i in sorted(parameter.owners)]
    init, bounds = DEFAULTS[parameter.kind]
    inits = [analysis.values.get(owner, init) for owner in owners]
    ranges = [
        _range(analysis.ranges.get(owner, bounds), bounds, start) for owner, start in zip(owners, inits, strict=True)
    ]
    config: dict[str, Any] = {"name": parameter.name}
    is_lumi = parameter.kind == "lumi"
    if is_lumi or any(start != init for start in inits):
        config["inits"] = inits
    if is_lumi or any(pair != list(bounds) for pair in ranges):
        config["bounds"] = ranges
    config.update(_counted(parameter, owners, analysis) if parameter.per_bin else _measured(parameter, owners))
    fixed = _fixed(parameter, owners, analysis)
    if fixed is not None:
        config["fixed"] = fixed
    return config


def _range(given: tuple[float | None, float | None], default: tuple[float, float], start: float) -> list[float]:
    """Both ends; a missing one is the default's, further out where that is on the wrong side."""
    lower, upper = given
    low = lower if lower is not None else min(default[0], start, *(() if upper is None else (upper - 10.0,)))
    high = upper if upper is not None else max(default[1], start, low + 10.0)
    return [low, high]


def _measured(parameter: Found, owners: list[str]) -> dict[str, Any]:
    """Auxiliary measurements that differ from the default ones."""
    if not parameter.uses:
        return {}
    constraint = max((use.constraint for use in parameter.uses), key=lambda c: len(c.sigmas))
    if constraint.kind == "none":
        return {}
    centre = 0.0 if parameter.kind in ("normsys", "histosys") else 1.0
    mean, sigma = constraint.means.get(owners[0], centre), constraint.sigmas.get(owners[0], 1.0)
    if parameter.kind == "normfactor":
        return {"constraint": constraint.kind, "auxdata": [mean], "sigmas": [sigma]}
    if parameter.kind == "lumi":
        return {"auxdata": [mean], "sigmas": [sigma]}
    return {
        **({"auxdata": [mean]} if mean != centre else {}),
        **({"sigmas": [sigma]} if sigma != 1.0 else {}),
    }


def _counted(parameter: Found, owners: list[str], analysis: Analysis) -> dict[str, Any]:
    """Auxiliary measurements of the factors of bins that are not those of their widths."""
    expected = {owner: value for use in parameter.uses for owner, value in use.constraint.expected.items()}
    if not expected:
        return {}
    usual = [expected.get(owner, 1.0) for owner in owners]
    found = [analysis.values.get(f"nom_{owner}", value) for owner, value in zip(owners, usual, strict=True)]
    differ = any(abs(value - u) > 1e-6 * u for value, u in zip(found, usual, strict=True))
    return {"auxdata": found} if differ else {}


def _fixed(parameter: Found, owners: list[str], analysis: Analysis) -> bool | list[bool] | None:
    below = {name for use in parameter.uses for name in use.constraint.below}
    constant = [owner in analysis.constant or owner in below for owner in owners]
    if not parameter.per_bin:
        return True if constant[0] else None
    needed = [c for c, owner in zip(constant, owners, strict=True) if not parameter.unused.get(owner, False)]
    if all(constant) and needed:
        return True
    if not any(needed):
        return None
    return [c or parameter.unused.get(owner, False) for c, owner in zip(constant, owners, strict=True)]
