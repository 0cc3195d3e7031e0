"""The interpolation codes by name: which modifiers may name them, and what their numbers must fulfil.

What they compute is in `pyhf_func.core.likelihood.interpolation`, under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyhf_func._lookup import shown


class Code(NamedTuple):
    """Where a code may be named.

    Attributes:
        modifiers: The modifier types whose modifiers may name it.
        settings: The modifier types of which a model's settings may name it, for all modifiers, as in pyhf.
        positive: Whether it takes the logarithm of templates, which must then have the sign of the nominal yield.
        smooth: Whether its smooth middle may have another width than one.
    """

    modifiers: tuple[str, ...]
    settings: tuple[str, ...] = ()
    positive: bool = False
    smooth: bool = False


CODES = {
    "code0": Code(("normsys", "histosys"), ("histosys",)),
    "code1": Code(("normsys", "histosys"), ("normsys",), positive=True),
    "code2": Code((), ("histosys",)),
    "code4": Code(("normsys", "histosys"), ("normsys",), positive=True),
    "code4p": Code(("normsys", "histosys"), ("histosys",), smooth=True),
    "code6": Code(("normsys", "histosys")),
    "quadratic": Code(("normsys", "histosys")),
    "asympow": Code(("normsys",), positive=True),
    "shapen": Code(("histosys",), smooth=True),
}
"""Every code by its name."""

DEFAULT_CODES = {"normsys": "code4", "histosys": "code4p"}
"""Codes by modifier type where nothing names others."""
_WHERE_SILENT = {"normsys": "code1", "histosys": "code0"}


def of_modifiers(kind: str) -> tuple[str, ...]:
    """The codes that modifiers of a type may name."""
    return tuple(name for name, code in CODES.items() if kind in code.modifiers)


def of_settings(kind: str) -> tuple[str, ...]:
    """The codes that a model's settings may name for a modifier type."""
    return tuple(name for name, code in CODES.items() if kind in code.settings)


def is_positive(code: str) -> bool:
    """Whether a code takes the logarithm of templates."""
    return code in CODES and CODES[code].positive


def settings_of(given: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    """The settings of all modifier types: the default ones, or the given ones, with code1 and code0 where silent.

    The two sets differ, as in pyhf 0.7.6: settings for one type alone change the other type's code.
    """
    if given is None:
        return {kind: {"interpcode": code} for kind, code in DEFAULT_CODES.items()}
    if not isinstance(given, Mapping) or not all(isinstance(options, Mapping) for options in given.values()):
        raise TypeError(
            f"modifier_settings is {shown(given)}; give options by modifier type: "
            "{'normsys': {'interpcode': 'code4'}, 'histosys': {'interpcode': 'code4p'}}."
        )
    silent = {kind: {"interpcode": code} for kind, code in _WHERE_SILENT.items()}
    return {**silent, **{kind: dict(options) for kind, options in given.items()}}
