"""Docstrings that read whole: the argument that one function explains is explained in all that refer to it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

_ARGUMENT = re.compile(r"(?<=^    )(\w+): As for `(\w+)`(.*(?:\n        .*)*)", re.MULTILINE)
_SECTION = re.compile(r"(?<=^)(Returns|Raises):\n    As (?:for )?`(\w+)`(.*)", re.MULTILINE)


def read_whole(functions: Iterable[Callable[..., Any]]) -> None:
    """Put in place of ``init: As for `fit`.`` what the docstring of ``fit`` has there; and of ``As `fit`.``.

    Args:
        functions: Functions whose docstrings refer to each other by name.

    Example:
        >>> def first(x: int) -> None:
        ...     '''Do something.
        ...
        ...     Args:
        ...         x: A number.
        ...     '''
        >>> def second(x: int) -> None:
        ...     '''Do something else.
        ...
        ...     Args:
        ...         x: As for `first`; not zero.
        ...     '''
        >>> read_whole([first, second])
        >>> second.__doc__.splitlines()[-1]
        '    x: A number; not zero.'
    """
    every = list(functions)
    docs = {function.__name__: inspect.cleandoc(function.__doc__ or "") for function in every}
    for function in every:
        function.__doc__ = _whole(docs, docs[function.__name__])


def _whole(docs: Mapping[str, str], text: str) -> str:
    """A docstring, and those that it refers to, with all references replaced."""
    return _SECTION.sub(partial(_section, docs), _ARGUMENT.sub(partial(_argument, docs), text))


def _argument(docs: Mapping[str, str], found: re.Match[str]) -> str:
    name, owner, rest = found.groups()
    there = re.search(rf"^    {name}: .*(?:\n        .*)*", _whole(docs, docs[owner]), re.MULTILINE)
    if there is None:
        raise LookupError(f"{owner} does not explain {name}.")
    return there[0].strip().removesuffix(".") + rest


def _section(docs: Mapping[str, str], found: re.Match[str]) -> str:
    name, owner, rest = found.groups()
    there = re.search(rf"^{name}:(?:\n    .*)*", _whole(docs, docs[owner]), re.MULTILINE)
    if there is None:
        raise LookupError(f"{owner} has no section {name}.")
    return there[0].removesuffix(".") + rest
