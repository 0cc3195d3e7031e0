"""Specs whose numbers are traced by JAX or lie on another framework's tape: models that carry them on.

The model is compiled with their values (with ones where JAX traces them and has none), and then gets the numbers
themselves. What a spec implies stays connected, too: the widths of staterror and shapesys constraints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.adapters import bridge
from pyhf_func.core.arrays import floats
from pyhf_func.core.modifiers import MEASURED_BY_BIN
from pyhf_func.core.values import is_array
from pyhf_func.exceptions import Unsupported
from pyhf_func.model.kinds import kind
from pyhf_func.model.model import Model

Row = tuple[str, str, Any, Sequence[Mapping[str, Any]]]  # channel, sample, yields, modifiers


def is_live(value: Any) -> bool:
    """Whether a number, an array or a list is traced, or holds tensors of a framework with a tape."""
    if isinstance(value, list | tuple):
        return any(type(item) is not float and type(item) is not int and is_live(item) for item in value)
    if not is_array(value):
        return False
    return isinstance(value, jax.core.Tracer) or not isinstance(value, jax.Array | np.ndarray | np.generic)


def live_rows(spec: Mapping[str, Any]) -> list[Row]:
    """The samples of a spec with live numbers among their yields or modifiers."""
    return [row for row in _rows(spec) if is_live(row[2]) or any(is_live(x) for x in _numbers(row[3]))]


def _rows(spec: Mapping[str, Any]) -> Iterator[Row]:
    for channel in spec["channels"]:
        for sample in channel["samples"]:
            yield channel["name"], sample["name"], sample["data"], sample["modifiers"]


def _numbers(modifiers: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    for modifier in modifiers:
        data = modifier["data"]
        yield from data.values() if isinstance(data, Mapping) else (data,)


def live_widths(spec: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, list[tuple[str, Any, Any]]]:
    """The staterror and shapesys parameters of live samples: (channel, yields, uncertainties) of their members."""
    names = {modifier["name"] for row in rows for modifier in row[3] if modifier["type"] in MEASURED_BY_BIN}
    names -= {m["name"] for *_, modifiers in _rows(spec) for m in modifiers if m.get("style") == "additive"}
    members: dict[str, list[tuple[str, Any, Any]]] = {name: [] for name in sorted(names)}
    for channel, _, yields, modifiers in sorted(_rows(spec), key=lambda row: row[:2]):
        for modifier in modifiers:
            if modifier["type"] in MEASURED_BY_BIN and modifier["name"] in names:
                members[modifier["name"]].append((channel, yields, modifier["data"]))
    return members


def with_live_numbers(model: Model, spec: Mapping[str, Any], rows: Sequence[Row]) -> tuple[Model, dict[str, Any]]:
    """The model with the spec's own numbers, and the live widths and factors of its constraints by parameter."""
    for channel, sample, yields, modifiers in rows:
        if is_live(yields):
            model = model.with_yields(channel, sample, _one(yields))
        for modifier in modifiers:
            data = modifier["data"]
            if modifier.get("style") == "additive" and is_live(data):
                raise Unsupported(f"{modifier['name']!r}: additive uncertainties cannot be traced; give numbers.")
            if isinstance(data, Mapping) and any(map(is_live, data.values())):
                change = model.with_histosys if modifier["type"] == "histosys" else model.with_normsys
                sides = {key.removesuffix("_data"): _one(value) for key, value in data.items()}
                model = change(channel, sample, modifier["name"], **sides)
    found = {}
    for name, members in live_widths(spec, rows).items():
        density = model.names.parameters[name].constraint
        if density == "none":
            continue
        here = kind(*(number for _, *numbers in members for number in numbers))
        function, channels = _factors if density == "poisson" else _sigmas, _by_channel(members)
        widths = function(*channels) if here in (None, "jax") else bridge.apply(function, *channels)
        model = model.with_widths(density, model.names.width_slice(name), widths, name)
        found[name] = widths
    return model, found


def _one(value: Any) -> Any:
    """Lists of traced numbers as one array."""
    if not isinstance(value, list | tuple):
        return value
    here = kind(value)
    return jnp.stack([floats(item) for item in value]) if here == "jax" else value


def _by_channel(members: Sequence[tuple[str, Any, Any]]) -> list[Any]:
    """``[yields, uncertainties]`` of the members in each channel."""
    channels: dict[str, list[tuple[Any, Any]]] = {}
    for channel, yields, uncertainties in members:
        channels.setdefault(channel, []).append((yields, uncertainties))
    return list(channels.values())


def _sigmas(*channels: Any) -> Array:
    """Relative widths of the summed yield; one where there is none."""
    return jnp.sqrt(_squares(*channels))


def _factors(*channels: Any) -> Array:
    """Counts of (yield / uncertainty)²; one where there is none."""
    return 1 / _squares(*channels)


def _squares(*channels: Any) -> Array:
    """(uncertainty / yield)² of the summed yield, as the compiler has it."""
    parts = []
    for members in channels:
        total = sum(jnp.asarray(yields, float) for yields, _ in members)
        squares = sum(jnp.square(jnp.asarray(uncertainties, float)) for _, uncertainties in members)
        good = (total > 0) & (squares > 0)
        parts.append(jnp.where(good, squares, 1.0) / jnp.square(jnp.where(good, total, 1.0)))
    return jnp.concatenate(parts)
