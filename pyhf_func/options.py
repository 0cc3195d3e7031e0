"""Options of the shell that are more than a word: ``name=value``, and pairs of paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from gettext import gettext
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter

__all__ = ["EqDelimStringParamType", "VolumeMountPath", "options_from_eqdelimstring"]


def options_from_eqdelimstring(opts: Iterable[str]) -> dict[str, Any]:
    """Options given as ``name=value``, with values as YAML reads them: numbers, true and false, null, text.

    Raises:
        IndexError: There is an option without ``=``.

    Example:
        >>> options_from_eqdelimstring(["maxiter=1000", "tolerance=1.0e-8", "verbose=false", "method=SLSQP"])
        {'maxiter': 1000, 'tolerance': 1e-08, 'verbose': False, 'method': 'SLSQP'}
    """
    options = {}
    for option in opts:
        name, found, value = option.partition("=")
        if not found:
            raise IndexError(f"{option!r} is no option: name=value was expected")
        options[name.strip()] = _scalar(value.strip())
    return options


_WORDS: dict[str, bool | None] = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_WORDS |= {"null": None, "~": None, "": None}


def _scalar(text: str) -> Any:
    """A value as YAML would read it."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if re.fullmatch(r"[-+]?\d[\d_]*", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        return float(text)
    if special := re.fullmatch(r"([-+]?)\.(inf|nan)", text.lower()):
        return float("".join(special.groups()))
    try:
        return json.loads(text)  # lists, objects and quoted text
    except ValueError:
        return text


class EqDelimStringParamType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """An option of the shell of the form ``name=value``; gives a dictionary of one entry."""

    name = "equal-delimited option"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> dict[str, Any]:
        """Read one option."""
        if isinstance(value, dict):
            return value
        try:
            return options_from_eqdelimstring([value])
        except IndexError:
            self.fail(f"{value} is not a valid equal-delimited string: name=value was expected", param, ctx)


class VolumeMountPath(click.Path):
    """An option of the shell of the form ``path here:path in the document``; gives the pair."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = f"{self.name}:{gettext('path')}"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        """Read one pair of paths."""
        if isinstance(value, tuple):
            return value
        here, *there = value.split(":")
        if len(there) != 1:
            self.fail(f"{value!r} is not a valid colon-separated option", param, ctx)
        return super().convert(here, param, ctx), self.coerce_path_result(there[0])
