"""Names that were not found: what to say of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

_MOST = 10
_shortener = Repr()
_shortener.maxstring = _shortener.maxother = 80


def shown(value: Any) -> str:
    """A value as messages show it, cut where it is long.

    Example:
        >>> shown("mu"), shown(list(range(100)))
        ("'mu'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    return _shortener.repr(value)


def unknown(noun: str, name: Any, known: Iterable[str], owner: str = "The model") -> str:
    """The message for a name that is not known: with those that resemble it, and all where they are few.

    Args:
        noun: The kind of thing that has the name.
        name: What was given instead of a known name.
        known: All names.
        owner: Where they are known.

    Example:
        >>> unknown("parameter", "alpha_JSE", ["mu", "alpha_JES"])
        "The model has no parameter 'alpha_JSE': did you mean 'alpha_JES'? It has 'mu', 'alpha_JES'."
        >>> unknown("channel", "a", [f"region{i}" for i in range(100)])[:58]
        "The model has no channel 'a'. It has 'region0', 'region1',"
    """
    names = list(map(str, known))
    near = close_to(name, names)
    hint = f": did you mean {' or '.join(map(shown, near))}? " if near else ". "
    return f"{owner} has no {noun} {shown(name)}{hint}It has {listed(names)}."


def close_to(name: Any, known: Iterable[str], most: int = 3) -> list[str]:
    """Those names that resemble one, whatever their case; the most similar first."""
    if not isinstance(name, str):
        return []
    by_lower_case = {other.lower(): other for other in known}
    return [by_lower_case[found] for found in get_close_matches(name[:200].lower(), by_lower_case, most)]


def listed(names: Iterable[str]) -> str:
    """Names with commas between; the first of them, and their number, where there are many."""
    names = list(names)
    few = ", ".join(map(shown, names[:_MOST])) or "none"
    return few if len(names) <= _MOST else f"{few} and {len(names) - _MOST} more"
