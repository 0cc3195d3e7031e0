"""Documents that cannot be changed: dictionaries and lists that refuse every mutation.

They are dictionaries and lists to everything that reads, :mod:`json` and :mod:`jsonpatch` among it.
``copy.deepcopy`` returns ordinary ones, to change at will.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

__all__ = ["FrozenDict", "FrozenList", "freeze", "thaw"]


_NUMBERS = frozenset((int, float))
_SCALARS = frozenset((int, float, str, bool, type(None)))


def _refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError(
        "a workspace cannot be changed: change a copy, copy.deepcopy(workspace), and make a Workspace of it"
    )


class FrozenDict(dict[Any, Any]):
    """A dictionary that cannot be changed."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {key: thaw(value) for key, value in self.items()}

    def __reduce__(self) -> Any:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list that cannot be changed."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [thaw(value) for value in self]

    def __reduce__(self) -> Any:
        return FrozenList, (list(self),)


def freeze(value: Any) -> Any:
    """A copy of a document that cannot be changed."""
    if isinstance(value, dict):
        return FrozenDict({k: v if type(v) in _SCALARS else freeze(v) for k, v in value.items()})
    if isinstance(value, list):
        if _NUMBERS.issuperset(map(type, value)):
            return FrozenList(value)
        return FrozenList([freeze(item) for item in value])
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def thaw(value: Any) -> Any:
    """A copy of a document made of ordinary dictionaries, lists and arrays."""
    if isinstance(value, dict):
        return {key: item if type(item) in _SCALARS else thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [item if type(item) in _SCALARS else thaw(item) for item in value]
    return value.copy() if isinstance(value, np.ndarray) else value
