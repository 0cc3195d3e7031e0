"""``rateParam`` formulas: as expressions of parameters, where they depend on each other too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhf_func.core.expression import MOST_CHARACTERS, InvalidExpression, parse
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
    arguments: list[str] = []

    def text_of(name: str, inside: tuple[str, ...]) -> str:
        if is_parameter(name):
            if name not in arguments:
                arguments.append(name)
            return f"@{arguments.index(name)}"
        found = card.definitions.get(name)
        if found is None and name == "MH":
            return repr(float(mass))
        if found is None or found.formula is None:
            raise InvalidExpression(f"nothing is known of {name!r} in the formula of {inside[-1]!r}")
        return f"({text_inside(found, inside)})"

    def text_inside(found: RateParam, inside: tuple[str, ...]) -> str:
        if found.name in inside or len(inside) > 20:
            raise InvalidExpression(f"the formula of {found.name!r} contains itself, or too many others")
        expression = parse(found.formula or "", found.arguments)
        texts = {name: text_of(name, (*inside, found.name)) for name in expression.names}
        text = expression.with_names(texts, found.arguments)
        if len(text) > MOST_CHARACTERS:
            raise InvalidExpression(f"the formula of {found.name!r} has more than {MOST_CHARACTERS} characters")
        return text

    text = text_inside(param, ())
    parse(text, arguments)
    return {"expression": text, "arguments": arguments}
