"""Factors that are expressions of parameters: a small grammar, read once, that can do nothing but arithmetic.

An expression holds numbers, names of parameters, ``@0``, ``@1``, ... for the arguments listed beside it, ``+ - * / ^``
(``**`` is the same), parentheses, and the functions ``exp``, ``log``, ``sqrt``, ``abs``, ``pow``, ``min`` and ``max``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf
from typing import Any

__all__ = ["Expression", "InvalidExpression", "parse"]

Node = tuple[Any, ...]
"""``("number", 2.0)``, ``("name", "mu")``, ``("+", left, right)`` or ``("exp", argument)``."""

MOST_CHARACTERS, _DEEPEST = 10_000, 60
"""An expression's length and depth, at most."""

_FUNCTIONS = {"exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "abs": (1, 1), "pow": (2, 2), "min": (2, 9), "max": (2, 9)}
"""Functions, and how many arguments they take."""

_ALIASES = {"TMath::Exp": "exp", "TMath::Log": "log", "TMath::Sqrt": "sqrt", "TMath::Abs": "abs", "TMath::Power": "pow"}
_ALIASES |= {"TMath::Min": "min", "TMath::Max": "max", "fabs": "abs"}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_]\w*)?)"
    r"|@(?P<argument>\d+)"
    r"|(?P<symbol>\*\*|[-+*/^(),]))"
)


class InvalidExpression(ValueError):
    """The text is no expression of the grammar."""


@dataclass(frozen=True)
class Expression:
    """An expression that was read.

    Attributes:
        text: What was read.
        root: Its tree.

    Example:
        >>> ratio = parse("@0*@1/@2", ["beta", "gamma", "delta"])
        >>> ratio.names
        ('beta', 'gamma', 'delta')
        >>> ratio({"beta": 50.0, "gamma": 100.0, "delta": 500.0})
        10.0
    """

    text: str
    root: Node = field(repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that occur, in order of appearance."""
        return tuple(dict.fromkeys(_names(self.root)))

    def __call__(self, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
        """The value, for a value of each name.

        Args:
            values: A value for each of ``names``: numbers, or arrays of one kind.
            functions: ``exp``, ``log``, ``sqrt``, ``abs``, ``pow``, ``min`` and ``max`` of that kind; by default those
                of NumPy.
        """
        return _value(self.root, values, functions or _numpy_functions())

    def with_names(self, names: Mapping[str, str], arguments: Sequence[str] | None = None) -> str:
        """The text of the expression with other texts for its names, and for those that ``@0``, ``@1``, ... stand for.

        Example:
            >>> parse("a*log(ab) + a").with_names({"a": "@0", "ab": "(@1+1)"})
            '@0*log((@1+1)) + @0'
        """
        return _TOKEN.sub(lambda found: _renamed(found, names, arguments or ()), self.text)

    def postfix(self) -> tuple[str | int | float, ...]:
        """Operations behind their operands: numbers, and places in ``names`` for names. Equal where the trees are.

        Example:
            >>> parse("min(1, a, b) - b").postfix()
            (1.0, 0, 'min', 1, 'min', 1, '-')
        """
        places = {name: place for place, name in enumerate(self.names)}
        found: list[str | int | float] = []
        waiting: list[Node | str] = [self.root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, str):
                found.append(node)
            elif node[0] in ("number", "name"):
                found.append(node[1] if node[0] == "number" else places[node[1]])
            else:
                first, *others = node[1:]
                steps = [step for other in others for step in (other, node[0])] or [node[0]]
                waiting.extend(reversed([first, *steps]))
        return tuple(found)

    def factors(self) -> tuple[str, ...] | None:
        """The names, where the expression is a product of them and nothing else.

        Example:
            >>> parse("(mu * eff)").factors(), parse("2*mu").factors()
            (('mu', 'eff'), None)
        """
        return _factors(self.root)


def parse(text: str, arguments: Sequence[str] = ()) -> Expression:
    """Read an expression.

    Args:
        text: The expression.
        arguments: The parameters that ``@0``, ``@1``, ... stand for.

    Raises:
        InvalidExpression: It does not follow the grammar, or is too long or too deep; the message says where.

    Example:
        >>> parse("1 + a*x + b*x^2").names
        ('a', 'x', 'b')
        >>> parse("system(mu)")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        pyhf_func.core.expression.InvalidExpression: 'system(mu)': 'system' is no function. ...
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidExpression(f"has {len(text)} characters, more than {MOST_CHARACTERS}")
    reader = _Reader(text, arguments)
    root = reader.sum(0)
    if reader.token[0] != "end":
        raise reader.error(f"{reader.token[1]!r} is one too many")
    return Expression(text, root)


def _renamed(found: re.Match[str], names: Mapping[str, str], arguments: Sequence[str]) -> str:
    if found["argument"] and arguments:
        return names[arguments[int(found["argument"])]]
    name = found["name"]
    return found[0].replace(name, names[name]) if name in names else found[0]


class _Reader:
    """Recursive descent over the tokens, one ahead."""

    def __init__(self, text: str, arguments: Sequence[str]) -> None:
        self.text = text
        self.arguments = arguments
        self.tokens = self._tokens()
        self.token = next(self.tokens)

    def _tokens(self) -> Iterator[tuple[str, str]]:
        place, end = 0, len(self.text.rstrip())
        while place < end:
            found = _TOKEN.match(self.text, place)
            if found is None:
                raise self.error(f"{self.text[place:].strip()[:1]!r} has no meaning here")
            place = found.end()
            kind = str(found.lastgroup)
            yield kind, found[kind]
        while True:
            yield "end", "the end"

    def error(self, message: str) -> InvalidExpression:
        text = self.text if len(self.text) < 80 else f"{self.text[:77]}..."
        known = ", ".join(_FUNCTIONS)
        return InvalidExpression(f"{text!r}: {message}. An expression holds numbers, names, + - * / ^ ( ) and {known}")

    def accept(self, *symbols: str) -> str:
        """The next token, where it is one of these symbols, else nothing."""
        kind, text = self.token
        if kind != "symbol" or text not in symbols:
            return ""
        self.token = next(self.tokens)
        return text

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise self.error(f"{symbol!r} was expected before {self.token[1]!r}")

    def sum(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.error(f"it is nested more than {_DEEPEST} deep")
        left = self.product(depth)
        while symbol := self.accept("+", "-"):
            left = (symbol, left, self.product(depth))
        return left

    def product(self, depth: int) -> Node:
        left = self.signed(depth)
        while symbol := self.accept("*", "/"):
            left = (symbol, left, self.signed(depth))
        return left

    def signed(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.error(f"it is nested more than {_DEEPEST} deep")
        if self.accept("-"):
            return ("-", ("number", 0.0), self.signed(depth + 1))
        if self.accept("+"):
            return self.signed(depth + 1)
        return self.power(depth)

    def power(self, depth: int) -> Node:
        base = self.atom(depth)
        return ("pow", base, self.signed(depth + 1)) if self.accept("^", "**") else base

    def atom(self, depth: int) -> Node:
        kind, text = self.token
        if self.accept("("):
            inner = self.sum(depth + 1)
            self.expect(")")
            return inner
        if kind not in ("number", "name", "argument"):
            raise self.error(f"a number, a name or '(' was expected before {text!r}")
        self.token = next(self.tokens)
        if kind == "number":
            if isinf(float(text)):
                raise self.error(f"{text[:20]} is beyond the range of numbers")
            return ("number", float(text))
        if kind == "argument":
            if int(text) >= len(self.arguments):
                raise self.error(f"there is no argument @{text}: {len(self.arguments)} are given")
            return ("name", self.arguments[int(text)])
        return self.call(_ALIASES.get(text, text), depth) if self.accept("(") else ("name", text)

    def call(self, function: str, depth: int) -> Node:
        if function not in _FUNCTIONS:
            raise self.error(f"{function!r} is no function")
        values = [self.sum(depth + 1)]
        while self.accept(","):
            values.append(self.sum(depth + 1))
        self.expect(")")
        fewest, most = _FUNCTIONS[function]
        if not fewest <= len(values) <= most:
            raise self.error(f"{function} does not take {len(values)} arguments")
        return (function, *values)


def _children(node: Node) -> tuple[Node, ...]:
    return () if node[0] in ("number", "name") else node[1:]


def _names(node: Node) -> Iterator[str]:
    """Names from left to right, without recursion: sums may be long."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node[0] == "name":
            yield node[1]
        waiting.extend(reversed(_children(node)))


def _factors(node: Node) -> tuple[str, ...] | None:
    found: list[str] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node[0] == "name":
            found.append(node[1])
        elif node[0] == "*":
            waiting.extend(reversed(_children(node)))
        else:
            return None
    return tuple(found)


def _value(root: Node, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Evaluate from the leaves, with a stack of its own in place of recursion."""
    results: list[Any] = []
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, ready = waiting.pop()
        if node[0] == "number":
            results.append(node[1])
        elif node[0] == "name":
            results.append(values[node[1]])
        elif ready:
            count = len(node) - 1
            operands = results[-count:]
            del results[-count:]
            results.append(_apply(node[0], operands, functions))
        else:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(_children(node)))
    return results[0]


def _apply(operation: str, operands: list[Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    match operation:
        case "+":
            return operands[0] + operands[1]
        case "-":
            return operands[0] - operands[1]
        case "*":
            return operands[0] * operands[1]
        case "/":
            return operands[0] / operands[1]
        case "min" | "max":
            result = operands[0]
            for operand in operands[1:]:
                result = functions[operation](result, operand)
            return result
        case _:
            return functions[operation](*operands)


def _numpy_functions() -> dict[str, Callable[..., Any]]:
    import numpy as np

    one = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "pow": np.power}
    return {**one, "min": np.minimum, "max": np.maximum}
