"""Functions of parameters in HS3: generic functions, products and sums, as expressions."""

from __future__ import annotations

from typing import Any

from pyhf_func.core.expression import MOST_CHARACTERS, InvalidExpression, parse
from pyhf_func.documents.formats.hs3.parts import Notes, Parts

__all__ = ["expression_of"]

_MOST = 1000


def expression_of(name: str, parts: Parts, notes: Notes) -> dict[str, object] | None:
    """The keys ``expression`` and ``arguments`` of a function; None, with a fault, where its type is not known."""
    texts = _Texts(parts, notes)
    text, arguments = texts.of(name), texts.arguments
    if text is None:
        return None
    try:
        parse(text, arguments)
    except InvalidExpression as error:
        notes.fault(parts.functions[name][0], str(error))
        return None
    return {"expression": text, "arguments": arguments}


class _Texts:
    """Texts of functions, each made once: those that contain each other could grow without bound."""

    def __init__(self, parts: Parts, notes: Notes) -> None:
        self.parts = parts
        self.notes = notes
        self.arguments: list[str] = []
        self.known: dict[str, str | None] = {}
        self.inside: list[str] = []

    def of(self, name: Any) -> str | None:
        """The text of a function or parameter; None, with a fault, where there is none."""
        if isinstance(name, int | float) and not isinstance(name, bool):
            return repr(name)
        if not isinstance(name, str):
            self.notes.fault(self.parts.functions[self.inside[-1]][0], f"{name!r} is no name and no number")
            return None
        if name not in self.parts.functions:
            if name not in self.arguments:
                self.arguments.append(name)
            return f"@{self.arguments.index(name)}"
        steps, _ = self.parts.functions[name]
        if name in self.inside or len(self.inside) > 20 or len(self.arguments) > _MOST:
            self.notes.fault(steps, f"the function {name!r} contains itself, or too many others")
            return None
        if name not in self.known:
            self.inside.append(name)
            text = self._made(name)
            self.inside.pop()
            if text is not None and len(text) > MOST_CHARACTERS:
                self.notes.fault(steps, f"the function {name!r} has more than {MOST_CHARACTERS} characters")
                text = None
            self.known[name] = text
        return self.known[name]

    def _made(self, name: str) -> str | None:
        steps, function = self.parts.functions[name]
        kind = function.get("type")
        if kind in ("product", "sum"):
            operands = function.get("factors" if kind == "product" else "summands", [])
            texts = [self.of(operand) for operand in operands[:MOST_CHARACTERS]]
            if None in texts or not texts:
                return None
            return "(" + ("*" if kind == "product" else "+").join(map(str, texts)) + ")"
        if kind == "generic_function":
            try:
                expression = parse(str(function.get("expression")))
            except InvalidExpression as error:
                self.notes.fault((*steps, "expression"), str(error))
                return None
            words = {word: self.of(word) for word in expression.names}
            known = {word: text for word, text in words.items() if text is not None}
            return f"({expression.with_names(known)})" if len(known) == len(words) else None
        known_types = "only generic functions, products and sums are read"
        self.notes.fault(steps, f"the function {name!r} is of type {kind!r}: {known_types}")
        return None
