"""Histograms that a card names, in ROOT files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.documents.formats.datacards.card import Card, Notes
from pyhf_func.histfactory.histograms import load_uproot

__all__ = ["Histogram", "Shapes"]

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Histogram:
    """A histogram: contents, their errors and integral."""

    exact: Array
    errors: Array
    integral: float
    edges: tuple[float, ...]

    @property
    def contents(self) -> Array:
        """In single precision, as Combine copies them."""
        return self.exact.astype(np.float32).astype(np.float64)

    def scaled_to(self, integral: float) -> Array:
        """The contents for another integral, in single precision."""
        return (self.exact * (integral / self.integral)).astype(np.float32).astype(np.float64)


class Shapes:
    """Finds the histograms of processes.

    Args:
        card: The card.
        folder: The folder that files are in; None where there is none.
        mass: What ``$MASS`` stands for.
        keywords: What other words after ``$`` stand for.
        allow_outside: Whether files outside of the folder may be read.
        notes: Takes what is missing.
    """

    def __init__(
        self,
        card: Card,
        folder: Path | None,
        mass: float,
        keywords: Mapping[str, str],
        allow_outside: bool,
        notes: Notes,
    ) -> None:
        self.card = card
        self.folder = folder
        self.words = {**keywords, "MASS": str(int(mass) if mass % 1 == 0 else mass)}
        self.allow_outside = allow_outside
        self.notes = notes
        self.files: dict[str, Any] = {}

    def names(self, channel: str, process: str) -> tuple[int, list[str]] | None:
        """The file and histograms of a process; None where it is only counted."""
        if not self.card.shapes:
            return None
        for row in (self.card.shapes.get(channel, {}), self.card.shapes.get("*", {})):
            for key in (process, "*"):
                if key in row:
                    return None if row[key][1] == ["FAKE"] else row[key]
        self.notes.fault(0, f"no shapes line covers {process!r} in {channel!r}")
        return None

    def get(self, channel: str, process: str, systematic: str = "", *, optional: bool = False) -> Histogram | None:
        """The histogram of a process, or of it under a systematic; None, with a fault, where it is missing."""
        found = self.names(channel, process)
        if found is None:
            return None
        line, names = found
        place = 2 if systematic else 1
        if len(names) <= place:
            if not optional:
                self.notes.fault(line, f"names no {'histograms of systematics' if systematic else 'histogram'}")
            return None
        file, name = (self._filled(text, channel, process, systematic) for text in (names[0], names[place]))
        if ":" in name and file.endswith(".root"):
            self.notes.fault(line, f"{process!r} in {channel!r} is {name}, an object of a workspace, which is not read")
            return None
        return self._histogram(line, file, name, optional)

    def _filled(self, text: str, channel: str, process: str, systematic: str) -> str:
        words = {**self.words, "PROCESS": process, "CHANNEL": channel, "SYSTEMATIC": systematic}
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(f"${word}", words[word])
        return text

    def _histogram(self, line: int, file: str, name: str, optional: bool) -> Histogram | None:
        opened = self._file(line, file)
        if opened is None:
            return None
        try:
            found = opened["/".join(filter(None, name.split("/")))]
        except KeyError:
            if not optional:
                self.notes.fault(line, f"{file} has no histogram {name}")
            return None
        if not getattr(found, "classname", "").startswith("TH1"):
            self.notes.fault(line, f"{name} in {file} is no histogram of one dimension")
            return None
        contents, edges = found.values(), found.axis().edges()
        squares = found.variances() if found.weighted else np.abs(contents)
        if not (np.all(np.isfinite(contents)) and np.all(np.isfinite(squares) & (squares >= 0))):
            self.notes.fault(line, f"{name} in {file} has contents or errors that are not finite")
            return None
        errors = np.sqrt(squares)
        exact = contents.astype(np.float64)
        return Histogram(exact, errors.astype(np.float64), float(np.sum(exact)), tuple(map(float, edges)))

    def _file(self, line: int, name: str) -> Any:
        if name not in self.files:
            self.files[name] = self._opened(line, name)
        return self.files[name]

    def _opened(self, line: int, name: str) -> Any:
        if self.folder is None:
            self.notes.fault(line, f"{name} cannot be found: read the card from a path")
            return None
        path = (self.folder / name).resolve()
        if not self.allow_outside and not path.is_relative_to(self.folder.resolve()):
            self.notes.fault(line, f"{name} is outside of the card's folder: allow_outside reads it")
            return None
        if path.suffix != ".root":
            self.notes.fault(line, f"{name} is no ROOT file: histograms in other files are not read")
            return None
        if not path.is_file():
            self.notes.fault(line, f"there is no file {name}")
            return None
        uproot = load_uproot()
        try:
            return uproot.open(path)
        except (OSError, ValueError, NotImplementedError) as error:
            self.notes.fault(line, f"{name} cannot be read: {error}")
            return None
