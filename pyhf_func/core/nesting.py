"""Expressions of other expressions, as one of parameters alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyhf_func.core.expression import MOST_CHARACTERS, InvalidExpression, parse

__all__ = ["InvalidNesting", "flat"]

_DEEPEST, _MOST_ARGUMENTS = 20, 1000

Content = Callable[[str], tuple[str, Sequence[str]] | None]
"""The text of an expression by its name, and what its ``@0``, ``@1``, ... stand for; None for a parameter."""


class InvalidNesting(InvalidExpression):
    """An expression inside of another is not valid.

    Args:
        name: The one that is not.
        message: The fault.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def flat(name: str, content: Content) -> tuple[str, list[str]]:
    """One expression of parameters, of an expression that may hold others.

    Args:
        name: The name of the expression.
        content: Its text, and that of others; None for parameters.

    Returns:
        The text, and the parameters that ``@0``, ``@1``, ... stand for.

    Raises:
        InvalidNesting: One of them does not follow the grammar, contains itself, or grows without bound.

    Example:
        >>> known = {"k": ("2*@0*y", ["a"]), "a": ("1+x", [])}
        >>> flat("k", known.get)
        ('2*(1+@0)*@1', ['x', 'y'])
    """
    maker = _Flat(content)
    return maker.inside(name, ()), maker.arguments


class _Flat:
    """Texts of expressions, each made once: those that contain each other could grow without bound."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.arguments: list[str] = []
        self.known: dict[str, str] = {}

    def of(self, name: str, around: tuple[str, ...]) -> str:
        """The text for a name inside of an expression."""
        if self.content(name) is None:
            if name not in self.arguments:
                self.arguments.append(name)
            return f"@{self.arguments.index(name)}"
        if name not in self.known:
            text = self.inside(name, around)
            self.known[name] = text if parse(text, self.arguments).root[0] == "number" else f"({text})"
        return self.known[name]

    def inside(self, name: str, around: tuple[str, ...]) -> str:
        """The text of an expression, without what is around it."""
        if name in around or len(around) > _DEEPEST or len(self.arguments) > _MOST_ARGUMENTS:
            raise InvalidNesting(name, f"{name!r} contains itself, or too many others")
        found = self.content(name)
        assert found is not None
        text, arguments = found
        try:
            expression = parse(text, arguments)
        except InvalidExpression as error:
            raise InvalidNesting(name, str(error)) from error
        texts = {inner: self.of(inner, (*around, name)) for inner in expression.names}
        made = expression.with_names(texts, arguments)
        if len(made) > MOST_CHARACTERS:
            raise InvalidNesting(name, f"{name!r} has more than {MOST_CHARACTERS} characters")
        return made
