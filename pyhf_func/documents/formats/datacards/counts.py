"""Channels of a card whose bins are counted one by one, so that each may have factors of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func.documents.formats.datacards.card import Column
from pyhf_func.documents.formats.datacards.factors import ADDITIVE, MULTIPLICATIVE, added, factor
from pyhf_func.documents.formats.datacards.lines import Lines, Steps

__all__ = ["write_counts"]

_LONGEST = 9000
"""Characters of a formula; what is longer becomes the formulas of several processes."""


def write_counts(lines: Lines, c: int, observed: Mapping[str, Any]) -> None:
    """Write each bin of a channel as a channel of its own; the only one keeps its name."""
    channel = lines.document["channels"][c]
    counts = observed[channel["name"]]
    for b, count in enumerate(counts):
        name = channel["name"] if len(counts) == 1 else f"{channel['name']}_bin{b}"
        safe = lines.names["channel"].of(name)
        before = len(lines.columns)
        for s, sample in enumerate(channel["samples"]):
            _write_sample(lines, ("channels", c, "samples", s), safe, channel, sample, b)
        if len(lines.columns) > before:
            lines.observed[safe] = float(count)
        elif count:
            lines.fault(("channels", c), f"nothing is expected in bin {b}, where {count} events were observed")


def _write_sample(
    lines: Lines, steps: Steps, safe: str, channel: Mapping[str, Any], sample: Mapping[str, Any], b: int
) -> None:
    nominal = float(sample["data"][b])
    rate = nominal if nominal > 0 else 1.0
    terms = _shifts(lines, steps, sample, b, rate)
    if not terms and not nominal:
        return
    parts: list[list[tuple[str, str | None]]] = [[(repr(nominal / rate), None)] if nominal else []]
    for term in terms:
        if sum(len(text) for text, _ in parts[-1]) + len(term[0]) > _LONGEST:
            parts.append([])
        parts[-1].append(term)
    least = lines.document.get("settings", {}).get("clip_sample_data")
    if least is not None and len(parts) > 1:
        lines.fault(steps, f"a card cannot hold a yield of at least {least} with so many templates")
    for p, part in enumerate(part for part in parts if part):
        column = lines.column(safe, lines.process(sample, p), rate)
        if part != [("1.0", None)]:
            names = list(dict.fromkeys(name for _, name in part if name is not None))
            texts = [text if name is None else text.replace("@x", f"@{names.index(name)}") for text, name in part]
            text = f"({'+'.join(texts)})".replace("+-", "-")
            text = text if least is None else f"max({float(least)!r},{text})"
            lines.formula(column, f"{column[1]}_{safe}_shift", text, [(name, 0) for name in names], steps)
        _write_factors(lines, steps, column, channel, sample, b)


def _shifts(lines: Lines, steps: Steps, sample: Mapping[str, Any], b: int, unit: float) -> list[tuple[str, str | None]]:
    """What the additive histosys of a sample add to one bin, in a unit; with the parameter of each."""
    found: list[tuple[str, str | None]] = []
    nominal = float(sample["data"][b])
    for m, modifier in enumerate(sample["modifiers"]):
        code = modifier.get("interpolation", "code4p")
        if modifier["type"] != "histosys" or _is_held(sample, code):
            continue
        place = (*steps, "modifiers", m)
        if code not in ADDITIVE:
            if code not in MULTIPLICATIVE:
                lines.fault(place, f"a card cannot hold the histosys {modifier['name']!r} with {code}")
            continue
        lo, hi = ((float(modifier["data"][f"{side}_data"][b]) - nominal) / unit for side in ("lo", "hi"))
        if lo or hi:
            found.append((added(code, lo, hi, "@x", modifier.get("smooth", 1.0)), modifier["name"]))
    return found


def _is_held(sample: Mapping[str, Any], code: str) -> bool:
    """Whether a template is brought back to the integral of the nominal one, which in one bin is all of it."""
    return len(sample["data"]) == 1 and ("floor" in sample or code == "shapen")


def _write_factors(
    lines: Lines, steps: Steps, column: Column, channel: Mapping[str, Any], sample: Mapping[str, Any], b: int
) -> None:
    lines.factors(steps, column, sample, set())
    if "floor" in sample and len(sample["data"]) > 1:
        lines.fault((*steps, "floor"), "a card cannot hold a floor beside factors of single bins")
    nominal = float(sample["data"][b])
    for m, modifier in enumerate(sample["modifiers"]):
        place, name, kind = (*steps, "modifiers", m), modifier["name"], modifier["type"]
        code = modifier.get("interpolation", "code4p")
        if kind == "histosys" and code in MULTIPLICATIVE and nominal > 0 and not _is_held(sample, code):
            lo, hi = (float(modifier["data"][f"{side}_data"][b]) / nominal for side in ("lo", "hi"))
            if code != "code6" and min(lo, hi) <= 0:
                lines.fault(place, f"a card cannot hold the histosys {name!r} with {code} and an empty bin")
            elif (lo, hi) != (1.0, 1.0):
                lines.formula(column, f"{name}_{column[1]}_{column[0]}", factor(code, lo, hi), [(name, 0)], place)
        if modifier.get("style") == "additive":
            lines.fault(place, f"a card cannot hold the additive staterror {name!r} beside factors of single bins")
        elif kind in ("shapesys", "shapefactor", "staterror"):
            _write_factor(lines, place, column, name, lines.parameters[name].starts.get(channel["name"], 0) + b)


def _write_factor(lines: Lines, steps: Steps, column: Column, name: str, index: int) -> None:
    """The factor of one bin, where it is not fixed at one."""
    component = lines.parameters[name].components[index]
    if component.fixed and component.start == 1:
        return
    if component.density in ("none", "poisson") and not component.fixed:
        lines.scale(steps, column, name, index)
    else:
        safe = lines.parameter(name, index)
        lines.formula(column, f"{safe}_factor", "@0", [(name, index)], steps)
