"""Parameters of interest: which factor scales which process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyhf_func.documents.formats.datacards.card import Card, Column, Notes

__all__ = ["Physics"]

_MAP = re.compile(r"(?P<pattern>.+):(?P<name>[^:\[\]]+)(?:\[(?P<numbers>[^\]]*)\])?$")


@dataclass(frozen=True)
class _Poi:
    start: float
    low: float
    high: float


class Physics:
    """A physics model: by default ``r`` scales every signal; with maps, as ``multiSignalModel`` reads them.

    Args:
        maps: Texts ``bin/process:parameter[start,low,high]``; bin and process are regular expressions, the last that
            matches counts, and ``1`` or ``0`` in place of a parameter is a constant.
        card: The card.
        notes: Takes what cannot be read.

    Example:
        >>> card = Card(columns=[("SR", "ggH"), ("SR", "qqH"), ("SR", "bkg")], signals={"ggH", "qqH"})
        >>> physics = Physics([".*/ggH:r_ggH[1,-5,5]", ".*/qqH:r_qqH[1,0,20]"], card, Notes(None))
        >>> physics.pois, physics.factor(("SR", "qqH")), physics.factor(("SR", "bkg"))
        (['r_ggH', 'r_qqH'], 'r_qqH', 1.0)
    """

    def __init__(self, maps: Sequence[str], card: Card, notes: Notes) -> None:
        self.card = card
        self.settings: dict[str, _Poi] = {}
        self.rules: list[tuple[str, str]] = []
        for text in maps:
            self._read(text.removeprefix("map="), notes)
        if not maps:
            self.settings["r"] = _Poi(1.0, 0.0, 20.0)

    def _read(self, text: str, notes: Notes) -> None:
        found = _MAP.match(text)
        try:
            numbers = [float(word) for word in (found["numbers"] or "1,0,20").split(",")] if found else []
            patterns = found["pattern"].split(",") if found else []
            for pattern in patterns:
                re.compile(pattern)
        except (ValueError, re.error):
            numbers = []
        if found is None or len(numbers) != 3:
            notes.fault(0, f"the map {text!r} is not bin/process:parameter[start,low,high]")
            return
        name = found["name"]
        if name not in ("0", "1"):
            self.settings.setdefault(name, _Poi(*numbers))
        self.rules.extend((pattern, name) for pattern in patterns)

    @property
    def pois(self) -> list[str]:
        return list(self.settings)

    def factor(self, column: Column) -> str | float:
        """The parameter that scales a column, or a constant."""
        if not self.rules:
            return "r" if column[1] in self.card.signals else 1.0
        names = [name for pattern, name in self.rules if re.match(pattern, f"{column[0]}/{column[1]}")]
        name = names[-1] if names else "1"
        return float(name) if name in ("0", "1") else name
