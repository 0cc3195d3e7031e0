"""One report on a likelihood: what our engine and every other installed program say of it, and whether they agree."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyhf_func.documents.certifying.ours import Engine
from pyhf_func.documents.certifying.programs import NotComparable, Program, Pyhf, WithHS3, installed
from pyhf_func.documents.formats import hs3
from pyhf_func.documents.plain import plain
from pyhf_func.documents.reading import read, read_document
from pyhf_func.exceptions import PyhfFuncError, UnsupportedExtension, WorkspaceWarning
from pyhf_func.schema.extended import is_extended
from pyhf_func.workspace import Workspace

__all__ = ["Certificate", "Comparison", "Pyhf", "WithHS3", "certify"]

_YIELDS = 1e-9
"""Relative difference of yields, at most, in units of the largest yield of a channel."""
_NLL = 1e-6
"""Difference of differences of 2NLL, at most; relative where they are larger than one."""
_FIT = 1e-4
"""By how much another program may find a lower 2NLL than ours: our fits end lower than theirs."""
_CLS = 2e-3
"""Difference of CLs, at most, where both programs minimise."""
_BEST = 0.05
"""Difference of best values, at most, in standard deviations."""
_LIMIT = 0.01
"""Relative difference of upper limits, at most."""
_HIGHER = 1e-6
"""By how much a fit from another start may end below the usual one."""


class Comparison(NamedTuple):
    """One thing that two programs say."""

    program: str
    """the other program."""
    quantity: str
    """what is compared."""
    where: str
    """parameter, channel or point with the largest difference."""
    ours: Any
    """there, by our engine."""
    theirs: Any
    """there, by the other program."""
    difference: float
    """size of the difference, in units of ``tolerance``'s; infinite where one of both has nothing."""
    tolerance: float
    """how large it may be."""
    agrees: bool
    """whether it is not larger."""


class Certificate(NamedTuple):
    """What is known of a likelihood, and whether all agree."""

    agrees: bool
    """whether nothing disagrees, no fit failed, and no other start led to a lower minimum."""
    ours: dict[str, Any]
    """of our engine: best value, 2NLL, q, CLs, limits, and yields after the fit by channel."""
    minima: list[dict[str, Any]]
    """fits from random starts: ``above`` is 2NLL over that of the usual fit, and ``status`` how it ended."""
    comparisons: list[Comparison]
    """with the other programs."""
    programs: dict[str, str]
    """other programs, and their version or why they were not compared."""
    formats: dict[str, list[str]]
    """what each other format could not carry."""

    def table(self) -> list[dict[str, Any]]:
        """The comparisons as rows."""
        return [
            {
                **one._asdict(),
                "agrees": "yes" if one.agrees else "NO",
                "ours": _cell(one.ours),
                "theirs": _cell(one.theirs),
            }
            for one in self.comparisons
        ]

    def disagreements(self) -> list[str]:
        """What does not agree, in words."""
        found = [
            f"{one.program}: {one.quantity} of {one.where}: {_cell(one.ours)} here, {_cell(one.theirs)} there"
            for one in self.comparisons
            if not one.agrees
        ]
        lower = [one for one in self.minima if one["above"] < -_HIGHER]
        found += [f"start {one['start']}: a minimum lower by {-one['above']:.3g}" for one in lower]
        if self.ours["status"] != "CONVERGED":
            found.append(f"our fit ended with {self.ours['status']}")
        return found


def certify(
    source: Any,
    *,
    measurement_name: str | None = None,
    programs: Sequence[Program] | None = None,
    pythons: Mapping[str, str] | None = None,
    level: float = 0.05,
    starts: int = 5,
    fits: bool = True,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    **reading: Any,
) -> Certificate:
    """Compare a likelihood with every other program that is installed: pyhf, ROOT, pyhs3.

    Names, start values, bounds, data and auxiliary data; yields and differences of 2NLL at several points; the minimum,
    q and CLs at the observed upper limit, by the other program's own fits, which start from ours. A program that finds
    a lower minimum disagrees. Our fit is repeated from several starts.

    Args:
        source: A path or document of any format, as for `read`, or a workspace.
        measurement_name: The measurement; by default the first.
        programs: Other programs, in place of those that are installed.
        pythons: Interpreters that have ``ROOT`` or ``pyhs3``, which need not be this one.
        level: CLs at the upper limit.
        starts: Random starts of our fit.
        fits: Whether the other programs make fits of their own, which may take them long.
        seed: Of random points and starts.
        progress: Is called with a word on each step.
        reading: Further arguments of `read`: ``mass``, ``maps``, ...

    Returns:
        The certificate; ``agrees`` is what counts.

    Raises:
        InvalidDocument: The document, or a file that it names, cannot be read.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.certify(pf.Workspace.build(model, [51, 48]), programs=[], starts=1)
        >>> found.agrees, round(found.ours["limit_obs"], 4)
        (True, 1.0116)
    """
    tell = progress or (lambda _: None)
    tell("reading")
    workspace = source if isinstance(source, Workspace) else read(source, **reading)
    engine = Engine(workspace, measurement_name, level, seed)
    document = _document(source, workspace, reading)
    tell("our fits")
    ours = {**engine.results(), "yields": engine.values([np.asarray(engine.free.pars)])["yields"][0]}
    minima = engine.minima(starts)
    known: dict[str, str] = {}
    if programs is None:
        programs = list(_installed(source, workspace, document, measurement_name, pythons or {}, known))
    comparisons: list[Comparison] = []
    for program in programs:
        tell(program.name)
        try:
            comparisons.extend(_compared(engine, program, fits=fits))
            known[program.name] = program.version
        except NotComparable as error:
            known[program.name] = str(error)
    certificate = Certificate(True, ours, minima, comparisons, known, _carried(document, workspace))
    return certificate._replace(agrees=not certificate.disagreements())


def _document(source: Any, workspace: Workspace, reading: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document in the model language, which may hold more than the workspace."""
    if isinstance(source, Workspace):
        return workspace
    options = {name: value for name, value in reading.items() if name != "strict"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkspaceWarning)
        return read_document(source, **options) if not hasattr(source, "read") and source != "-" else workspace


def _installed(
    source: Any,
    workspace: Workspace,
    document: Mapping[str, Any],
    measurement: str | None,
    pythons: Mapping[str, str],
    known: dict[str, str],
) -> Iterator[Program]:
    """The programs that are there; of the others ``known`` says so."""
    if installed("pyhf"):
        yield _with_pyhf(source, workspace, document, measurement)
    else:
        known["pyhf"] = "not installed"
    for name in ("ROOT", "pyhs3"):
        python = pythons.get(name)
        if python is None and not installed(name):
            known[name] = "not installed"
            continue
        if name == "pyhs3" and (reason := _misread(document)):
            known[name] = reason
            continue
        try:
            program = _with_hs3(name, document, workspace, measurement)
        except (PyhfFuncError, KeyError) as error:
            known[name] = f"HS3 cannot hold the likelihood: {error}"[:500]
            continue
        if python is not None:
            program.python = python
        yield program


def _with_pyhf(source: Any, workspace: Workspace, document: Mapping[str, Any], measurement: str | None) -> Pyhf:
    """pyhf with what it reads: HistFactory's XML by its own reader, and else pyhf's format where that is exact."""
    if (parsed := _xml_by_pyhf(source)) is not None:
        return Pyhf(parsed, measurement, workspace.settings)
    if not is_extended({key: value for key, value in document.items() if key not in ("metadata", "settings")}):
        return Pyhf(dict(workspace), measurement, workspace.settings)
    try:
        same = plain(document)
    except UnsupportedExtension:
        return Pyhf(dict(workspace), measurement, workspace.settings)  # which it refuses in its own words
    theirs, scales = same.metadata.get("foreign_names", {}), same.metadata.get("scales", {})
    ours, units = workspace.metadata.get("scales", {}), {}
    for owner, entry in workspace.foreign_names.items():
        name, unit = theirs.get(owner, entry), scales.get(owner, 1.0) / ours.get(owner, 1.0)
        if unit != 1.0 or name.partition("[")[0] != entry.partition("[")[0]:
            units[entry.partition("[")[0]] = (name.partition("[")[0], float(unit))
    return Pyhf(same.document, measurement, same.settings, units)


def _xml_by_pyhf(source: Any) -> Mapping[str, Any] | None:
    """HistFactory's XML as pyhf reads it; None where it is something else, or pyhf cannot read it."""
    if not isinstance(source, str | os.PathLike) or not str(source).endswith(".xml"):
        return None
    import pyhf.readxml

    path = Path(source).resolve()
    for folder in (path.parent, path.parent.parent):  # HistFactory runs in the folder above config
        try:
            parsed: Mapping[str, Any] = pyhf.readxml.parse(path, folder)
            return parsed
        except Exception:
            continue
    return None


def _misread(document: Mapping[str, Any]) -> str:
    """What pyhs3 0.4.2 reads otherwise than ROOT, whose meaning we write; empty where there is none of it."""
    for channel in document["channels"]:
        for sample in channel["samples"]:
            kinds = [modifier["type"] for modifier in sample["modifiers"]]
            if "shapesys" in kinds:
                return "it takes the relative errors of shapesys, as ROOT writes them, for events"
            if kinds.count("histosys") > 1:
                return "it takes the second histosys of a sample from the yields that the first one gives"
    return ""


def _with_hs3(name: str, document: Mapping[str, Any], workspace: Workspace, measurement: str | None) -> WithHS3:
    """A program that reads HS3: what we write, with its names of our parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkspaceWarning)
        written = hs3.write({key: value for key, value in document.items() if key != "metadata"})
        back = read(written)
    chosen = workspace.get_measurement(measurement)["name"]
    analyses = [one["name"] for one in written["analyses"]]
    scales = back.metadata.get("scales", {})
    owners = {}
    for owner, entry in back.foreign_names.items():
        parameter, _, component = entry.partition("[")
        place = int(component.rstrip("]")) if component else 0
        owners[owner] = (parameter, place, float(scales.get(owner, 1.0)))
    return WithHS3(name, written, owners, chosen if chosen in analyses else None)


def _carried(document: Mapping[str, Any], workspace: Workspace) -> dict[str, list[str]]:
    """What other formats could not hold: nothing, or what they refuse, or warn of."""

    def of_pyhf() -> None:
        same = plain(document)
        if same.settings or workspace.settings:
            raise UnsupportedExtension(f"the model needs the settings {same.settings or workspace.settings}")

    def of_hs3() -> None:
        hs3.write({key: value for key, value in document.items() if key != "metadata"})

    found = {}
    for name, carry in (("pyhf", of_pyhf), ("HS3", of_hs3)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", WorkspaceWarning)
            try:
                carry()
                found[name] = [str(one.message) for one in caught]
            except (PyhfFuncError, KeyError) as error:
                faults = getattr(error, "faults", ())
                found[name] = [str(fault) for fault in faults] or [str(error)]
    return found


def _compared(engine: Engine, program: Program, *, fits: bool) -> Iterator[Comparison]:
    """All comparisons with one program."""
    theirs = program.describe()
    units: Mapping[str, tuple[str, float]] = getattr(program, "units", {})
    apart = {*units, *(name for name, _ in units.values())}  # which differ there on purpose
    for quantity, ours in engine.describe().items() if theirs else ():
        both = [{name: one[name] for name in one if name not in apart} for one in (ours, theirs[quantity])]
        yield _same(program.name, quantity, *both)
    points = engine.points
    values, other = engine.values(points), program.evaluate([engine.named(point) for point in points])
    if "yields" in other:
        yield _same_yields(program.name, values["yields"], other["yields"])
    yield _same_nll(program.name, values["twice_nll"], other["twice_nll"])
    if engine.model.config.poi_index is None:
        return
    best, held = (engine.named(one.pars) for one in (engine.test.free_fit, engine.test.conditional_fit))
    at_ours = program.evaluate([best, held])["twice_nll"]
    q = engine.results()["q"]
    if engine.results()["best"] <= engine.tested:
        yield _number(program.name, "q at our minima", q, at_ours[1] - at_ours[0], _NLL * max(1.0, abs(q)))
    found = program.test(engine.tested, best, held) if fits else None
    if found is not None:
        yield from _same_test(program.name, engine, found, at_ours[0])


def _same(program: str, quantity: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Comparison:
    """Values by name: those that one of both lacks, else the largest difference."""
    missing = [name for name in [*ours, *theirs] if name not in ours or name not in theirs]
    if missing:
        name = missing[0]
        return Comparison(program, quantity, name, ours.get(name), theirs.get(name), math.inf, 0.0, False)
    worst = ("all", None, None, 0.0)
    for name, value in ours.items():
        difference = _difference(value, theirs[name])
        if difference > worst[3]:
            worst = (name, value, theirs[name], difference)
    return Comparison(program, quantity, *worst, _YIELDS, worst[3] <= _YIELDS)


def _difference(ours: Any, theirs: Any) -> float:
    """Of numbers, flags and lists of them, relative to their size; of words, whether they differ."""
    one, other = np.atleast_1d(ours), np.atleast_1d(theirs)
    if one.shape != other.shape or one.dtype.kind not in "bif" or other.dtype.kind not in "bif":
        return 0.0 if one.shape == other.shape and np.all(one == other) else math.inf
    if not one.size:
        return 0.0
    one, other = one.astype(float), other.astype(float)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    size = max(1.0, float(np.max(np.abs(one[np.isfinite(one)]), initial=0.0)))
    difference = np.where(same, 0.0, np.abs(one - other) / size)
    return float(np.max(np.where(np.isnan(difference), np.inf, difference)))


def _same_yields(program: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Comparison:
    """Yields of each channel at each point."""
    by_place = {
        f"{channel} at point {p}": (counts, theirs[p].get(channel, []))
        for p, one in enumerate(ours)
        for channel, counts in one.items()
    }
    return _same(
        program,
        "yields",
        {place: counts for place, (counts, _) in by_place.items()},
        {place: counts for place, (_, counts) in by_place.items()},
    )


def _same_nll(program: str, ours: Sequence[float], theirs: Sequence[float]) -> Comparison:
    """Differences of 2NLL to the first point, as large as they are."""
    one, other = np.array(ours) - ours[0], np.array(theirs) - theirs[0]
    difference = np.abs(one - other) / np.maximum(1.0, np.abs(one))
    difference = np.where(np.isfinite(difference), difference, np.inf)
    p = int(np.argmax(difference))
    size = float(difference[p])
    return Comparison(program, "2NLL", f"point {p}", float(one[p]), float(other[p]), size, _NLL, size <= _NLL)


def _number(program: str, quantity: str, ours: float, theirs: float, tolerance: float, where: str = "") -> Comparison:
    difference = abs(ours - theirs)
    difference = difference if math.isfinite(difference) else math.inf
    return Comparison(
        program, quantity, where or "the test", ours, theirs, difference, tolerance, difference <= tolerance
    )


def _same_test(program: str, engine: Engine, found: Mapping[str, Any], at_ours: float) -> Iterator[Comparison]:
    """The other program's own fits: no lower minimum, and the same CLs at our limit."""
    lower = max(at_ours - found["minimum"], 0.0) if math.isfinite(found["minimum"]) else math.inf
    yield Comparison(program, "minimum", "2NLL", at_ours, found["minimum"], lower, _FIT, lower <= _FIT)
    ours = engine.results()
    name = f"mu = {engine.tested:.6g}, our limit" if math.isfinite(ours["limit_obs"]) else f"mu = {engine.tested:.6g}"
    width = (engine.tested - ours["best"]) / ours["q"] ** 0.5 if ours["q"] > 0 else 1.0
    yield _number(program, "best value", ours["best"], found["best"], _BEST * width, str(engine.model.config.poi_name))
    yield _number(program, "q", ours["q"], found["q"], 10 * _CLS, name)
    yield _number(program, "CLs", ours["cls_obs"], found["cls_obs"], _CLS, name)
    if math.isfinite(ours["limit_obs"]) and engine.slope < 0:
        limit = engine.tested - (found["cls_obs"] - engine.level) / engine.slope
        yield _number(
            program, "upper limit", ours["limit_obs"], limit, _LIMIT * ours["limit_obs"], "by CLs and its slope"
        )
    for sigmas, one, other in zip(range(-2, 3), ours["cls_exp"], found["cls_exp"], strict=True):
        yield _number(program, "expected CLs", one, other, _CLS, f"{name}, {sigmas:+d} sigma")


def _cell(value: Any) -> str:
    """A value as a table shows it."""
    if isinstance(value, float):
        return f"{value:.8g}"
    text = "-" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
