"""Functions of parameters, in place of normfactors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pyhf_func.core.expression import InvalidExpression
from pyhf_func.core.nesting import flat
from pyhf_func.histfactory.elements import attribute
from pyhf_func.histfactory.samples import Parameter

__all__ = ["apply_functions"]


def apply_functions(top: Any, channels: Sequence[dict[str, Any]]) -> list[Parameter]:
    """Make expressions of the normfactors that a ``<Function>`` stands for, and return what it says of its parameters.

    Raises:
        ValueError: A function is not one of the grammar of expressions, or its parameters have no range.
    """
    found: list[Parameter] = []
    dependents = {attribute(element, "Name"): _dependents(element) for element in top.findall("Function")}
    texts = {attribute(element, "Name"): attribute(element, "Expression") for element in top.findall("Function")}

    def content(name: str) -> tuple[str, list[str]] | None:
        return (texts[name], [inner for inner, _ in dependents[name]]) if name in texts else None

    for name, text in texts.items():
        try:
            expression, arguments = flat(name, content)
        except InvalidExpression as error:
            raise ValueError(f"Function {getattr(error, 'name', name)}: {error}") from error
        if not any(inner in texts for inner, _ in dependents[name]):
            expression, arguments = text, [inner for inner, _ in dependents[name]]
        made = {"expression": expression, "arguments": arguments}
        for modifier in (m for c in channels for s in c["samples"] for m in s["modifiers"]):
            if modifier["name"] == name and modifier["type"] == "normfactor":
                modifier.update(made)
    for name, (dependent, numbers) in ((name, pair) for name, pairs in dependents.items() for pair in pairs):
        ends = _ends(name, dependent, numbers)
        if len(ends) in (2, 3) and not any(config["name"] == dependent for config in found):
            start = ends[0] if len(ends) == 3 else (ends[0] + ends[1]) / 2
            found.append({"name": dependent, "inits": [start], "bounds": [ends[-2:]]})
    return found


def _dependents(element: Any) -> list[tuple[str, str]]:
    """Names of parameters, and the numbers in brackets behind each."""
    found: list[tuple[str, str]] = re.findall(
        r"\s*([^,\[\]\s]+)\s*(?:\[([^\]]*)\])?\s*,?", attribute(element, "Dependents")
    )
    return found


def _ends(name: str, dependent: str, numbers: str) -> list[float]:
    try:
        return [float(number) for number in numbers.split(",")] if numbers else []
    except ValueError as error:
        raise ValueError(f"Function {name}: {dependent}[{numbers}] is no range of numbers") from error
