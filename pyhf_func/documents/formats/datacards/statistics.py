"""``autoMCStats``: uncertainties of the templates themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyhf_func.documents.formats.datacards.shapes import Array

__all__ = ["Process", "add_statistics"]


@dataclass
class Process:
    """A process of a channel: its sample, errors, factor at the start, and whether it is a signal."""

    name: str
    sample: dict[str, Any]
    errors: Array
    factor: float
    signal: bool


def add_statistics(
    channel: str, processes: list[Process], threshold: float, with_signal: bool
) -> tuple[dict[str, str], dict[str, float], dict[str, dict[str, list[Any]]]]:
    """Add modifiers for the statistical uncertainties of a channel's templates.

    What each bin gets is decided by yields and errors at the start: one parameter for all processes, which adds a
    multiple of the error of their sum, where they make more than ``threshold`` effective events; otherwise one for each
    process, a Poisson count or, where it would be large or below one event, a multiple of the process' error.

    Returns:
        Combine's names of parameters, their units in ours, and settings of parameters.
    """
    count = len(processes[0].errors)
    shared = f"prop_bin{channel}"
    names: dict[str, str] = {}
    scales: dict[str, float] = {}
    together = np.zeros(count, dtype=bool)
    single: dict[str, tuple[Process, str, Array]] = {}
    for b in range(count):
        chosen = [p for p in processes if with_signal or not p.signal]
        total = sum(p.factor * p.sample["data"][b] for p in chosen)
        variance = sum((p.factor * p.errors[b]) ** 2 for p in chosen)
        if variance <= 0:
            continue
        if _rounded(total**2 / variance) > threshold:
            together[b] = True
            names[f"{shared}_bin{b}"] = f"{shared}[{b}]"
            continue
        for process in processes:
            found = _of_process(process, b, threshold)
            if found is None:
                continue
            kind, size, events = found
            name = f"{shared}_{process.name}" + ("_n" if kind == "shapesys" else "")
            single.setdefault(name, (process, kind, np.zeros(count)))[2][b] = size
            names[f"{shared}_bin{b}_{process.name}"] = f"{name}[{b}]"
            if kind == "shapesys":
                scales[f"{shared}_bin{b}_{process.name}"] = events
    settings: dict[str, dict[str, list[Any]]] = {}
    if together.any():
        for process in processes:
            data = np.where(together, process.errors, 0.0)
            if data.any():
                process.sample["modifiers"].append(_additive(shared, data))
        settings[shared] = {"bounds": [[-7.0, 7.0]] * count}
    for name, (process, kind, data) in single.items():
        if kind == "shapesys":
            process.sample["modifiers"].append({"name": name, "type": "shapesys", "data": data.tolist()})
        else:
            process.sample["modifiers"].append(_additive(name, data))
            settings[name] = {"bounds": [[-7.0, 7.0]] * count}
    return names, scales, settings


def _additive(name: str, data: Array) -> dict[str, Any]:
    return {"name": name, "type": "staterror", "data": data.tolist(), "style": "additive"}


def _of_process(process: Process, b: int, threshold: float) -> tuple[str, float, float] | None:
    """The modifier type, the uncertainty and the effective events of one process in one bin."""
    nominal, error = float(process.sample["data"][b]), float(process.errors[b])
    if error <= 0 or nominal < 0:
        return None
    if nominal >= 0.999 * error:
        events = _rounded((nominal / error) ** 2)
        if events <= threshold:
            return "shapesys", nominal / math.sqrt(events), events
    return "staterror", error, 0.0


def _rounded(value: float) -> float:
    """The nearest integer, away from zero in the middle."""
    return float(math.floor(value + 0.5))
