"""Effects of nuisances on one process, as modifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyhf_func.documents.formats.datacards.card import Card, Column, Effect, Notes, Nuisance
from pyhf_func.documents.formats.datacards.shapes import Array, Histogram, Shapes

__all__ = ["FLOOR", "Templates", "log_normal", "with_log_normal"]

Modifier = dict[str, Any]

FLOOR = 1e-9
"""Combine lets no bin of a template of unit integral fall below this."""


def log_normal(name: str, effect: Effect) -> Modifier:
    """The factor of a log-normal: kappa^theta, or with one kappa down and one up.

    Example:
        >>> log_normal("lumi", 1.25)
        {'name': 'lumi', 'type': 'normsys', 'data': {'lo': 0.8, 'hi': 1.25}, 'interpolation': 'code1'}
        >>> log_normal("jes", (0.9, 1.2))["interpolation"]
        'asympow'
    """
    down, up = effect if isinstance(effect, tuple) else (1 / effect, effect)
    if abs(down * up - 1) < 1e-5:
        return {"name": name, "type": "normsys", "data": {"lo": 1 / up, "hi": up}, "interpolation": "code1"}
    return {"name": name, "type": "normsys", "data": {"lo": down, "hi": up}, "interpolation": "asympow"}


def with_log_normal(modifiers: list[Modifier], made: Modifier) -> None:
    """Add a log-normal; two of one parameter are one, whose logarithms are the sums."""
    for known in modifiers:
        if known["name"] == made["name"] and known["type"] == "normsys":
            data = {side: known["data"][side] * made["data"][side] for side in ("lo", "hi")}
            both = known["interpolation"] == made["interpolation"] == "code1"
            known.update({"data": data, "interpolation": "code1" if both else "asympow"})
            return
    modifiers.append(made)


class Templates:
    """The templates of one process: nominal, and under each shape nuisance.

    Args:
        column: Channel and process.
        nominal: The histogram.
        counts: Whether yields are the histogram's own, as with ``autoMCStats``; else they are those of the card.
        raw: Whether templates of systematics keep their own integrals (``hist-mode`` 2).
        rate: The yield of the card, or -1.
        shapes: Finds histograms.
        notes: Takes what is wrong.
    """

    def __init__(
        self, column: Column, nominal: Histogram, counts: bool, raw: bool, rate: float, shapes: Shapes, notes: Notes
    ) -> None:
        self.column = column
        self.nominal = nominal
        self.raw = raw
        self.shapes = shapes
        self.notes = notes
        self.counts = counts
        yields = nominal.integral if rate == -1 else rate
        self.data: Array = nominal.contents if counts else yields * _unit(nominal.contents)
        self.size = float(np.sum(self.data))

    def modifiers(self, nuisances: Sequence[tuple[Nuisance, float]]) -> list[Modifier]:
        """The modifiers of all shape nuisances with their scales."""
        made: list[Modifier] = []
        middle = min([1.0, *(scale for _, scale in nuisances)])
        kinds = {nuisance.kind.rstrip("?") for nuisance, _ in nuisances}
        if len({"N" in kind for kind in kinds}) > 1:
            lines = ", ".join(str(nuisance.line) for nuisance, _ in nuisances)
            where = f"{self.column[1]!r} in {self.column[0]!r}"
            self.notes.fault(nuisances[0][0].line, f"{where} has nuisances of both shape and shapeN: lines {lines}")
        for nuisance, scale in nuisances:
            made.extend(self._of(nuisance, scale, middle))
        self._fill_empty_bins([modifier["data"] for modifier in made if modifier["type"] == "histosys"])
        return made

    def _fill_empty_bins(self, templates: Sequence[dict[str, list[float]]]) -> None:
        """Bins without content in any template are at the floor."""
        floor = FLOOR * (1.0 if self.counts else self.size)
        low = self.data < floor
        for values in (values for template in templates for values in template.values()):
            low &= np.asarray(values) < floor
        filled = np.where(low, floor, self.data)
        scale = 1.0 if self.counts else self.size / float(np.sum(filled))
        self.data = scale * filled
        for template in templates:
            for side, values in template.items():
                template[side] = (scale * np.where(low, floor, values)).tolist()

    def _of(self, nuisance: Nuisance, scale: float, middle: float) -> list[Modifier]:
        called = nuisance.shape_names.get(self.column, nuisance.name)
        sides = [self.shapes.get(*self.column, f"{called}{side}") for side in ("Down", "Up")]
        down, up = sides
        if down is None or up is None:
            return []
        for side in (down, up):
            if len(side.contents) != len(self.data) or not side.integral > 0:
                where = f"{self.column[1]!r} in {self.column[0]!r}"
                self.notes.fault(
                    nuisance.line, f"a template of {nuisance.name!r} for {where} is empty or of other bins"
                )
                return []
        made: list[Modifier] = []
        ratios = [side.integral / self.nominal.integral for side in (down, up)]
        if not self.raw and any(abs(ratio - 1) >= 1e-3 for ratio in ratios):
            kappas = [float(f"{ratio**scale:f}") for ratio in ratios]
            made.append({**log_normal(nuisance.name, (kappas[0], kappas[1])), "interpolation": "asympow"})
            made[-1]["data"] = {"lo": kappas[0], "hi": kappas[1]}
        lo, hi = (self._moved(side, scale, nuisance.kind) for side in (down, up))
        data = {"lo_data": lo.tolist(), "hi_data": hi.tolist()}
        code = {"interpolation": "shapen"} if "N" in nuisance.kind else {}
        smooth = {} if middle == scale else {"smooth": middle / scale}
        made.append({"name": nuisance.name, "type": "histosys", "data": data, **code, **smooth})
        flat = {"constraint": "none"} if nuisance.kind == "shapeU" else {}
        return [{**modifier, **flat} for modifier in made]

    def _moved(self, side: Histogram, scale: float, kind: str) -> Array:
        """A template of the nominal's integral, moved so that it belongs to one unit of the parameter."""
        if self.counts:
            whole = side.contents if self.raw else side.scaled_to(self.nominal.integral)
        else:
            whole = self.size * _unit(side.contents)
        if "N" not in kind:
            return self.data + scale * (whole - self.data)
        used = (whole > 0) & (self.data > 0)
        ratio = np.where(used, whole, 1.0) / np.where(used, self.data, 1.0)
        return self.data * ratio**scale

    def may_fall(self, modifiers: Sequence[Modifier], ends: Mapping[str, float]) -> bool:
        """Whether morphing, each parameter as far as it may go, can bring a bin below the floor."""
        lowest = self.data.copy()
        for modifier in modifiers:
            if modifier["type"] == "histosys" and "interpolation" not in modifier:
                lowest += _lowest(modifier, self.data, ends[modifier["name"]])
        floor = FLOOR * (1.0 if self.counts else self.size)
        return bool(np.any(lowest < floor * (1 - 1e-6)))


def _unit(contents: Array) -> Array:
    return contents / np.sum(contents)


def _lowest(modifier: Modifier, nominal: Array, end: float) -> Array:
    """The least that one shape nuisance adds."""
    width = modifier.get("smooth", 1.0)
    inner = np.linspace(-min(width, end), min(width, end), 41)
    x = np.concatenate([[-end, end], inner])[:, None]
    ratio = np.clip(x / width, -1, 1)
    step = ratio * (15 + ratio**2 * (3 * ratio**2 - 10)) / 8
    lo, hi = (np.asarray(modifier["data"][side]) for side in ("lo_data", "hi_data"))
    added: Array = np.min(x / 2 * ((hi - lo) + step * (hi + lo - 2 * nominal)), axis=0)
    return added


def shape_scale(nuisance: Nuisance, column: Column, card: Card, shapes: Shapes) -> float | None:
    """The scale of a shape nuisance on a column; None where it has no shape there, or is no such nuisance."""
    effect = nuisance.effects.get(column, 0.0)
    if not nuisance.kind.startswith("shape") or not effect:
        return None
    if "?" in nuisance.kind:
        called = nuisance.shape_names.get(column, nuisance.name)
        if isinstance(effect, tuple) or shapes.get(*column, f"{called}Up", optional=True) is None:
            return None
    return effect if isinstance(effect, float) else None
