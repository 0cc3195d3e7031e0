"""Functions of parameters in HS3: generic functions, products and sums, as expressions."""

from __future__ import annotations

from collections.abc import Sequence

from pyhf_func.core.expression import MOST_CHARACTERS, InvalidExpression, parse
from pyhf_func.core.nesting import InvalidNesting, flat
from pyhf_func.documents.formats.hs3.parts import Notes, Parts

__all__ = ["expression_of"]


def expression_of(name: str, parts: Parts, notes: Notes) -> dict[str, object] | None:
    """The keys ``expression`` and ``arguments`` of a function; None, with a fault, where it cannot be read."""

    def content(inner: str) -> tuple[str, Sequence[str]] | None:
        return _content(inner, parts) if inner in parts.functions else None

    place = parts.functions[name][0]
    try:
        text, arguments = flat(name, content)
        parse(text, arguments)
    except InvalidNesting as error:
        notes.fault(parts.functions[error.name][0], f"the function {error.name!r}: {error}")
        return None
    except InvalidExpression as error:
        notes.fault(place, str(error))
        return None
    return {"expression": f"({text})", "arguments": arguments}


def _content(name: str, parts: Parts) -> tuple[str, Sequence[str]]:
    """The text of a function, and what its places stand for."""
    _, function = parts.functions[name]
    kind = function.get("type")
    if kind == "generic_function":
        return str(function.get("expression")), ()
    if kind not in ("product", "sum"):
        raise InvalidNesting(name, f"is of type {kind!r}: only generic functions, products and sums are read")
    operands = function.get("factors" if kind == "product" else "summands", [])[:MOST_CHARACTERS]
    if not operands:
        raise InvalidNesting(name, "has nothing to multiply or add")
    texts: list[str] = []
    names: list[str] = []
    for operand in operands:
        if isinstance(operand, str):
            texts.append(f"@{len(names)}")
            names.append(operand)
        elif isinstance(operand, int | float) and not isinstance(operand, bool):
            texts.append(f"({operand!r})")
        else:
            raise InvalidNesting(name, f"{operand!r} is no name and no number")
    return ("*" if kind == "product" else "+").join(texts), names
