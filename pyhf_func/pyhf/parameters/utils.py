"""One description of each parameter, from what modifiers require and what the measurement configures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.exceptions import InvalidModel, InvalidNameReuse

__all__ = ["reduce_paramsets_requirements"]

_ABSENT = "undefined"
_KEYS = (
    "paramset_type",
    "n_parameters",
    "is_scalar",
    "inits",
    "bounds",
    "auxdata",
    "factors",
    "sigmas",
    "fixed",
)


def __dir__() -> list[str]:
    return __all__


def reduce_paramsets_requirements(
    paramsets_requirements: Mapping[str, Sequence[Mapping[str, Any]]],
    paramsets_user_configs: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Merge the requirements of the modifiers that share a name, and put the measurement's values in their place.

    Args:
        paramsets_requirements: For each name, the requirements of its modifiers; sequences are tuples in them.
        paramsets_user_configs: For each name, the measurement's configuration; sequences are lists in it.

    Raises:
        InvalidNameReuse: The modifiers of one name require different parameters.
        InvalidModel: The configuration has the wrong length, or sets what the parameter does not have.

    Example:
        >>> required = {"paramset_type": "unconstrained", "n_parameters": 1, "is_scalar": True,
        ...     "inits": (1.0,), "bounds": ((0.0, 10.0),), "fixed": False}
        >>> reduce_paramsets_requirements({"mu": [required]}, {"mu": {"bounds": [[0.0, 5.0]]}})["mu"]["bounds"]
        [[0.0, 5.0]]
    """
    return {
        name: {**_reduced(name, requirements, paramsets_user_configs.get(name, {})), "name": name}
        for name, requirements in paramsets_requirements.items()
    }


def _reduced(name: str, requirements: Sequence[Mapping[str, Any]], configured: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {}
    for key in _KEYS:
        required = {requirement.get(key, _ABSENT) for requirement in requirements}
        if len(required) != 1:
            raise InvalidNameReuse(
                f"The name {name!r} is used by modifiers that require different {key}: {sorted(map(str, required))}. "
                "Give them different names."
            )
        default = required.pop()
        value = configured.get(key, default)
        if isinstance(value, str) and value == _ABSENT:
            continue
        if key in configured:
            _check(name, key, value, default)
        reduced[key] = list(value) if isinstance(value, tuple) else value
    return reduced


def _check(name: str, key: str, value: Any, default: Any) -> None:
    if isinstance(value, list) and isinstance(default, tuple) and default and len(value) != len(default):
        raise InvalidModel(f"The parameter {name!r} is configured with {len(value)} {key}; it needs {len(default)}.")
    if value and isinstance(default, str) and default == _ABSENT:
        raise InvalidModel(f"The parameter {name!r} is configured with {key}, which it does not have.")
