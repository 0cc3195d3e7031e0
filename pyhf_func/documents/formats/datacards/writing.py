"""Write a document as a datacard with its file of histograms."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.core.expression import parse
from pyhf_func.documents.formats.datacards.card import Column
from pyhf_func.exceptions import (
    Fault,
    ImportBackendError,
    InvalidSpecification,
    WorkspaceWarning,
    json_path,
    raise_faults,
)
from pyhf_func.schema.extended import walk

__all__ = ["text_of", "write"]

Histograms = dict[str, tuple[Any, Any]]
Steps = tuple[str | int, ...]


def write(
    document: Mapping[str, Any], path: str | os.PathLike[str], *, strict: bool = False, source: str | None = None
) -> None:
    """Write a datacard, and beside it ``NAME.shapes.root`` where channels have several bins.

    Args:
        document: A document of the model language. Of several measurements the first is written.
        path: The card.
        strict: Whether what is otherwise warned of is refused.
        source: The file that the document came from, for messages.

    Raises:
        InvalidSpecification: A card cannot hold what the document says; all at once.
        ImportBackendError: Histograms are needed and uproot is not installed.

    Warns:
        WorkspaceWarning: Combine would compute a part a little otherwise.
    """
    path = Path(path)
    text, histograms = text_of(document, f"{path.stem}.shapes.root", strict=strict, source=source)
    if histograms:
        _write_histograms(path.with_name(f"{path.stem}.shapes.root"), histograms)
    path.write_text(text, encoding="utf-8")


def text_of(
    document: Mapping[str, Any], shapes: str = "shapes.root", *, strict: bool = False, source: str | None = None
) -> tuple[str, Histograms]:
    """The text of a card, and the contents and errors of its histograms.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "s", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "b", "data": [9.0], "modifiers": []}]}],
        ...     "parameters": [{"name": "mu", "bounds": [[0.0, 20.0]]}]}, poi_name="mu")
        >>> print(text_of(pf.Workspace.build(model, [12.0]))[0])
        imax 1
        jmax 1
        kmax *
        bin SR
        observation 12.0
        bin SR SR
        process s b
        process 0 1
        rate 5.0 9.0
        <BLANKLINE>
    """
    writer = _Writer(document, source)
    writer.read()
    raise_faults(writer.faults)
    if strict:
        raise_faults(writer.doubts)
    if writer.doubts:
        warnings.warn(WorkspaceWarning(writer.doubts), stacklevel=2)
    return writer.text(shapes), writer.histograms


class _Writer:
    """Lines of a card, as the document is walked."""

    def __init__(self, document: Mapping[str, Any], source: str | None) -> None:
        self.document = document
        self.source = source
        config = document["measurements"][0]["config"]
        self.poi: str = config["poi"]
        self.configs = {parameter["name"]: parameter for parameter in config["parameters"]}
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []
        self.columns: list[Column] = []
        self.rates: dict[Column, float] = {}
        self.effects: dict[tuple[str, str], dict[Column, str]] = {}
        self.lines: list[str] = []
        self.histograms: Histograms = {}
        self.signals: set[str] = set()

    def fault(self, steps: Steps, message: str) -> None:
        self.faults.append(Fault(json_path(steps), message, InvalidSpecification, self.source))

    def doubt(self, steps: Steps, message: str) -> None:
        self.doubts.append(Fault(json_path(steps), message, InvalidSpecification, self.source))

    @property
    def has_shapes(self) -> bool:
        return any(len(sample["data"]) > 1 for channel in self.document["channels"] for sample in channel["samples"])

    def read(self) -> None:
        """Fill the lines."""
        self.signals = {s["name"] for _, _, s, m in walk(self.document) if m["name"] == self.poi != ""}
        if not self.signals:
            self.fault(
                ("measurements", 0, "config", "poi"), "a card needs a parameter of interest that scales a sample"
            )
        if self.configs.get(self.poi, {}).get("bounds", [[0.0, 20.0]]) != [[0.0, 20.0]]:
            self.doubt(
                ("measurements", 0), "the range of the parameter of interest is an option of Combine's, not the card's"
            )
        observed = {observation["name"]: observation["data"] for observation in self.document["observations"]}
        for c, channel in enumerate(self.document["channels"]):
            for s, sample in enumerate(channel["samples"]):
                self._sample(("channels", c, "samples", s), channel["name"], sample)
            counts = np.asarray(observed[channel["name"]], dtype=float)
            if self.has_shapes:
                self.histograms[f"{channel['name']}/data_obs"] = counts, np.sqrt(np.abs(counts))
        for _, measurement in enumerate(self.document["measurements"][:1]):
            if "correlations" in measurement["config"]:
                self.fault(("measurements", 0, "config", "correlations"), "a card has no correlated constraints")

    def _sample(self, steps: Steps, channel: str, sample: Mapping[str, Any]) -> None:
        column = (channel, sample["name"])
        for place, name in zip((2, 4), column, strict=True):
            if not re.fullmatch(r"[^\s#*/:$-][^\s#*/:$]*", name):
                self.fault((*steps[:place], "name"), f"{name!r} is no name that a card can hold")
        self.columns.append(column)
        data = np.asarray(sample["data"], dtype=float)
        self.rates[column] = float(np.sum(data))
        has_poi = any(modifier["name"] == self.poi for modifier in sample["modifiers"])
        if sample["name"] in self.signals and not has_poi:
            self.fault((*steps, "modifiers"), f"{sample['name']!r} is a signal elsewhere, and here nothing scales it")
        if self.has_shapes:
            self.histograms[f"{channel}/{sample['name']}"] = data, np.zeros_like(data)
        if not sample["modifiers"] and float(f"{self.rates[column]:g}") != self.rates[column]:
            self.doubt(steps, "nothing scales the sample: Combine rounds its yield to six digits")
        for m, modifier in enumerate(sample["modifiers"]):
            self._modifier((*steps, "modifiers", m), column, data, modifier, _norm_of(modifier, sample["modifiers"]))

    def _modifier(
        self, steps: Steps, column: Column, data: Any, modifier: Mapping[str, Any], norm: Mapping[str, float] | None
    ) -> None:
        name, kind = modifier["name"], modifier["type"]
        if kind == "normsys" and norm is None:
            self._log_normal(steps, column, modifier)
        elif kind == "histosys" and len(data) > 1:
            self._shape(steps, column, data, modifier, norm or {"lo": 1.0, "hi": 1.0})
        elif kind == "normsys":
            pass  # in the templates of the same name
        elif "expression" in modifier:
            self._formula(steps, column, modifier)
        elif kind in ("normfactor", "lumi"):
            self._factor(steps, column, name, kind)
        else:
            self.fault(steps, f"a card cannot hold the {kind} {name!r}")

    def _formula(self, steps: Steps, column: Column, modifier: Mapping[str, Any]) -> None:
        """A rateParam of others; those that scale nothing themselves are declared."""
        expression = parse(modifier["expression"], modifier.get("arguments", []))
        places = {name: f"@{i}" for i, name in enumerate(expression.names)}
        formula = re.sub(r"\s", "", expression.with_names(places, modifier.get("arguments", [])))
        line = f"{modifier['name']} rateParam {column[0]} {column[1]} {formula} {','.join(expression.names)}"
        self.lines.append(line.rstrip())
        if self.poi in expression.names:
            self.fault((*steps, "expression"), "the parameter of interest of a card is in no formula")
        for name in expression.names:
            if not any(m["name"] == name for *_, m in walk(self.document) if "expression" not in m):
                self._declare((*steps, "expression"), name)

    def _declare(self, steps: Steps, name: str) -> None:
        config = self.configs.get(name, {})
        low, high = config.get("bounds", [[0.0, 10.0]])[0]
        ends = f"[{float(low)!r},{float(high)!r}]"
        match config.get("constraint", "none"):
            case "none":
                self.lines.append(f"{name} extArg {float(config.get('inits', [1.0])[0])!r} {ends}")
            case "gauss":
                self.lines.append(f"{name} param {float(config['auxdata'][0])!r} {float(config['sigmas'][0])!r} {ends}")
            case "bifurcated":
                widths = f"-{float(config['sigmas_down'][0])!r}/+{float(config['sigmas'][0])!r}"
                self.lines.append(f"{name} param {float(config['auxdata'][0])!r} {widths} {ends}")
            case other:
                self.fault(steps, f"a card cannot hold the parameter {name!r} with the constraint {other!r}")

    def _log_normal(self, steps: Steps, column: Column, modifier: Mapping[str, Any]) -> None:
        data, code = modifier["data"], modifier.get("interpolation", "code4")
        constraint = modifier.get("constraint", "gauss")
        symmetric = abs(data["lo"] * data["hi"] - 1) < 1e-12
        if constraint not in ("gauss", "none") or min(data.values()) <= 0:
            self.fault(steps, f"a card cannot hold the normsys {modifier['name']!r} with {constraint} and {data}")
            return
        if code != "asympow" and not (code == "code1" and symmetric):
            self.doubt(steps, f"{modifier['name']!r}: Combine's log-normal is not the interpolation {code}")
        value = repr(float(data["hi"])) if symmetric else f"{float(data['lo'])!r}/{float(data['hi'])!r}"
        kind = "lnU" if constraint == "none" else "lnN"
        self._effect(steps, modifier["name"], kind, column, value)

    def _effect(self, steps: Steps, name: str, kind: str, column: Column, value: str) -> None:
        self.effects.setdefault((name, kind), {})[column] = value

    def _shape(
        self, steps: Steps, column: Column, data: Any, modifier: Mapping[str, Any], norm: Mapping[str, float]
    ) -> None:
        """A shape; the normalisation of the same name goes into its templates, whose integrals Combine compares."""
        name, code = modifier["name"], modifier.get("interpolation", "code4p")
        kind = {"code4p": "shape", "shapen": "shapeN"}.get(code)
        sides = {side: np.asarray(modifier["data"][f"{side}_data"], dtype=float) for side in ("lo", "hi")}
        if kind is None or modifier.get("smooth", 1.0) != 1.0 or modifier.get("constraint", "gauss") != "gauss":
            self.fault(steps, f"a card cannot hold the histosys {name!r} with its interpolation or constraint")
            return
        for side, word in (("hi", "Up"), ("lo", "Down")):
            ratio = float(np.sum(sides[side]) / np.sum(data))
            if abs(ratio - 1) > 1e-9:
                self.doubt(
                    steps, f"{name!r}: Combine takes a change of the integral, {ratio:.6g}, for a log-normal one"
                )
            scaled = sides[side] * norm[side]
            self.histograms[f"{column[0]}/{column[1]}_{name}{word}"] = scaled, np.zeros_like(data)
        self._effect(steps, name, kind, column, "1")

    def _factor(self, steps: Steps, column: Column, name: str, kind: str) -> None:
        config = self.configs.get(name, {})
        constraint = config.get("constraint", "gauss" if kind == "lumi" else "none")
        start = float(config.get("inits", [1.0])[0])
        low, high = config.get("bounds", [[0.0, 10.0]])[0]
        if name == self.poi:
            return
        if constraint == "none":
            self.lines.append(f"{name} rateParam {column[0]} {column[1]} {start!r} [{float(low)!r},{float(high)!r}]")
        elif constraint == "gauss":
            self.lines.append(f"{name}_factor rateParam {column[0]} {column[1]} @0 {name}")
            self.configs[name] = {**config, "constraint": "gauss"}
            self._declare(steps, name)
        elif constraint == "poisson" and config.get("factors", [1.0]) == [1.0] and config["auxdata"][0] % 1 == 0:
            count = int(config["auxdata"][0])
            self._effect(steps, name, f"gmN {count}", column, repr(self.rates[column]))
            self.rates[column] *= count
        else:
            self.fault(steps, f"a card cannot hold the factor {name!r} with the constraint {constraint!r}")

    def text(self, shapes: str) -> str:
        """The card."""
        channels = [channel["name"] for channel in self.document["channels"]]
        observed = {o["name"]: repr(float(sum(o["data"]))) for o in self.document["observations"]}
        processes = list(dict.fromkeys(process for _, process in self.columns))
        signals = [process for process in processes if process in self.signals]
        backgrounds = [process for process in processes if process not in self.signals]
        ids = {process: 1 - len(signals) + i for i, process in enumerate([*signals, *backgrounds])}
        header = f"shapes * * {shapes} $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC"
        lines = [
            *(f"imax {len(channels)}", f"jmax {len(processes) - 1}", "kmax *"),
            *([header] if self.has_shapes else []),
            *(" ".join(["bin", *channels]), " ".join(["observation", *(observed[c] for c in channels)])),
            *(" ".join(["bin", *(c for c, _ in self.columns)]), " ".join(["process", *(p for _, p in self.columns)])),
            " ".join(["process", *(str(ids[p]) for _, p in self.columns)]),
            " ".join(["rate", *(repr(self.rates[column]) for column in self.columns)]),
        ]
        for (name, kind), effects in _joined(self.effects).items():
            lines.append(" ".join([name, kind, *(effects.get(column, "-") for column in self.columns)]))
        lines.extend(dict.fromkeys(self.lines))
        frozen = [name for name, config in self.configs.items() if config.get("fixed") is True]
        lines.extend(f"nuisance edit freeze {re.escape(name)}" for name in frozen)
        return "\n".join(lines) + "\n"


def _norm_of(modifier: Mapping[str, Any], modifiers: Sequence[Mapping[str, Any]]) -> Mapping[str, float] | None:
    """The factors of the normsys that belongs to a histosys, or that is this one and has one; Combine's are alike."""
    kinds = {other["type"]: other for other in modifiers if other["name"] == modifier["name"]}
    if not {"normsys", "histosys"} <= kinds.keys() or kinds["normsys"].get("constraint", "gauss") != "gauss":
        return None
    if kinds["normsys"].get("interpolation", "code4") not in ("asympow", "code1"):
        return None
    data: Mapping[str, float] = kinds["normsys"]["data"]
    return data if min(data.values()) > 0 else None


def _joined(effects: Mapping[tuple[str, str], Mapping[Column, str]]) -> dict[tuple[str, str], dict[Column, str]]:
    """A name with log-normals and shapes has one line ``shape?``: a shape where there are histograms."""
    kinds: dict[str, list[str]] = {}
    for name, kind in effects:
        kinds.setdefault(name, []).append(kind)
    made: dict[tuple[str, str], dict[Column, str]] = {}
    for (name, kind), columns in effects.items():
        other = next((other for other in kinds[name] if other in ("shape", "shapeN") and "lnN" in kinds[name]), None)
        made.setdefault((name, kind if other is None else f"{other}?"), {}).update(columns)
    return made


def _write_histograms(path: Path, histograms: Histograms) -> None:
    try:
        import uproot
    except ImportError as error:
        raise ImportBackendError("writing ROOT files needs uproot: python -m pip install 'pyhf-func[xmlio]'") from error
    with uproot.recreate(path) as file:
        for name, (contents, _) in histograms.items():
            file[name] = np.asarray(contents, dtype=float), np.arange(len(contents) + 1.0)
