"""Functions of parameters in HS3: generic functions, products and sums, as expressions."""

from __future__ import annotations

from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.documents.formats.hs3.parts import Notes, Parts

__all__ = ["expression_of"]

_MOST = 1000


def expression_of(name: str, parts: Parts, notes: Notes) -> dict[str, object] | None:
    """The keys ``expression`` and ``arguments`` of a function; None, with a fault, where its type is not known."""
    arguments: list[str] = []
    text = _text(name, parts, notes, arguments, ())
    if text is None:
        return None
    try:
        parse(text, arguments)
    except InvalidExpression as error:
        notes.fault(parts.functions[name][0], str(error))
        return None
    return {"expression": text, "arguments": arguments}


def _text(name: str, parts: Parts, notes: Notes, arguments: list[str], inside: tuple[str, ...]) -> str | None:
    if name not in parts.functions:
        if name not in arguments:
            arguments.append(name)
        return f"@{arguments.index(name)}"
    steps, function = parts.functions[name]
    kind = function.get("type")
    if name in inside or len(inside) > 20 or len(arguments) > _MOST:
        notes.fault(steps, f"the function {name!r} contains itself, or too many others")
        return None
    if kind in ("product", "sum"):
        operands = function.get("factors" if kind == "product" else "summands", [])
        texts = [
            repr(operand)
            if isinstance(operand, int | float)
            else _text(operand, parts, notes, arguments, (*inside, name))
            for operand in operands
        ]
        if None in texts or not texts:
            return None
        return "(" + ("*" if kind == "product" else "+").join(map(str, texts)) + ")"
    if kind == "generic_function":
        try:
            expression = parse(str(function.get("expression")))
        except InvalidExpression as error:
            notes.fault((*steps, "expression"), str(error))
            return None
        words = {word: _text(word, parts, notes, arguments, (*inside, name)) for word in expression.names}
        known = {word: text for word, text in words.items() if text is not None}
        return f"({expression.with_names(known)})" if len(known) == len(words) else None
    notes.fault(steps, f"the function {name!r} is of type {kind!r}: only generic functions, products and sums are read")
    return None
