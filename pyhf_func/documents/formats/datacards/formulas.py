"""``rateParam`` formulas: as expressions of parameters, where they depend on each other too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.core.nesting import flat
from pyhf_func.documents.formats.datacards.card import Card, RateParam

__all__ = ["expression_of"]


def expression_of(param: RateParam, card: Card, mass: float, is_parameter: Callable[[str], bool]) -> dict[str, Any]:
    """The keys ``expression`` and ``arguments`` of a rateParam that is a formula.

    Args:
        param: The rateParam.
        card: The card, with formulas that it may depend on.
        mass: The value of ``MH``.
        is_parameter: Whether a name is one of a parameter.

    Raises:
        InvalidExpression: A formula has another grammar, contains itself, is too long or depends on something unknown.

    Example:
        >>> first = RateParam("a", 1, ("SR", "b"), formula="(1+@0)*MH", arguments=("x",))
        >>> second = RateParam("k", 2, ("SR", "b"), formula="2*@0*@1", arguments=("a", "y"))
        >>> expression_of(second, Card(rate_params=[first]), 125.0, "xy".__contains__)
        {'expression': '2*((1+@0)*125.0)*@1', 'arguments': ['x', 'y']}
    """
    assert param.formula is not None
    names = parse(param.formula, param.arguments).names
    if all(map(is_parameter, names)):
        made = {"expression": param.formula}
        return {**made, "arguments": list(param.arguments)} if param.arguments else made

    def content(name: str) -> tuple[str, Sequence[str]] | None:
        if name != param.name and is_parameter(name):
            return None
        found = param if name == param.name else card.definitions.get(name)
        if found is None and name == "MH":
            return repr(float(mass)), ()
        if found is None or found.formula is None:
            raise InvalidExpression(f"nothing is known of {name!r} in the formula of {param.name!r}")
        return found.formula, found.arguments

    text, arguments = flat(param.name, content)
    parse(text, arguments)
    return {"expression": text, "arguments": arguments}
