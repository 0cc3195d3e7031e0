"""Signal grids: CLs and limits for every signal point of an analysis, as batched computations.

Points of one structure share one compiled program. Real points differ in the systematics that they carry: those are
padded to one shape, so that they run in the same batch.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import Executor
from contextlib import closing, nullcontext
from inspect import signature
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import tqdm

import pyhf_func
from pyhf_func._lookup import shown, unknown
from pyhf_func._version import __version__
from pyhf_func.core.collecting import old_objects_kept
from pyhf_func.core.compiler import padding
from pyhf_func.core.fit import HostMinimiser, Minimiser, Status
from pyhf_func.core.inference.grid import PointResult, no_point, numbers_of, results_of, run
from pyhf_func.core.inference.grid_files import Kept, Row
from pyhf_func.core.interrupts import exit_on_signals, note
from pyhf_func.core.processes import check_process
from pyhf_func.core.statistics import TestStat
from pyhf_func.core.threads import as_they_end, check_executor
from pyhf_func.core.threads import pool as threads_for
from pyhf_func.exceptions import Unsupported
from pyhf_func.model import is_model
from pyhf_func.patchset import PatchSet
from pyhf_func.results.about import About
from pyhf_func.results.base import Result, named
from pyhf_func.results.tables import Table, band
from pyhf_func.verbs._arguments import (
    check_flag,
    check_path,
    count,
    level_of,
    number,
    statistic_of,
    traced_minimiser,
)
from pyhf_func.verbs._grid_points import Background, Built, Settings, compute, content_of, fingerprint, told
from pyhf_func.verbs._verb import verb
from pyhf_func.workspace import Workspace
from pyhf_func.workspace.source import Built as Source

__all__ = ["GridResult", "grid"]


def __dir__() -> list[str]:
    return __all__


class GridResult(Result):
    """A table with one row for each signal point, in the order in which they were given.

    Returned by `pyhf_func.grid`.
    """

    labels: tuple[str, ...]
    """names of the values of a point, such as masses."""
    names: tuple[str, ...]
    """(points,) names of the points."""
    values: tuple[tuple[float | str, ...], ...]
    """(points, labels)."""
    mu: float
    """tested value of the POI."""
    level: float
    """CLs at the limits."""
    cls: np.ndarray
    """(points,) observed CLs."""
    cls_expected: np.ndarray
    """(points, 5) expected CLs at -2, -1, 0, 1, 2 standard deviations."""
    limit: np.ndarray
    """(points,) observed upper limits on the POI; not a number where none were asked for."""
    limit_expected: np.ndarray
    """(points, 5) expected upper limits; infinite where CLs never falls to the level."""
    status: np.ndarray
    """(points,) the worst `Status` of all that a row is made of."""
    message: tuple[str, ...]
    """(points,) what went wrong; empty where nothing did."""
    cls_status: np.ndarray
    """(points,) `Status` of ``cls``."""
    cls_expected_status: np.ndarray
    """(points,) of ``cls_expected``."""
    limit_status: np.ndarray
    """(points,) of ``limit``; ``NOT_COMPUTED`` where none were asked for."""
    limit_expected_status: np.ndarray
    """(points, 5) of each expected limit."""

    def rows(self) -> list[dict[str, Any]]:
        """The table as one dictionary for each point; numbers that are missing or infinite are None.

        Each number has the word for its own status beside it.
        """
        return [
            {
                "name": name,
                "values": dict(zip(self.labels, self.values[i], strict=False)) if self.labels else list(self.values[i]),
                "CLs_obs": _number(self.cls[i]),
                "CLs_exp": [_number(x) for x in self.cls_expected[i]],
                "limit_obs": _number(self.limit[i]),
                "limit_exp": [_number(x) for x in self.limit_expected[i]],
                "status": _word(self.status[i]),
                "message": self.message[i],
                "CLs_obs_status": _word(self.cls_status[i]),
                "CLs_exp_status": _word(self.cls_expected_status[i]),
                "limit_obs_status": _word(self.limit_status[i]),
                "limit_exp_status": [_word(x) for x in self.limit_expected_status[i]],
            }
            for i, name in enumerate(self.names)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The document of all results, with the table as ``points`` beside."""
        table = {"version": __version__, "mu": self.mu, "level": self.level, "points": self.rows()}
        return {**table, **super().to_dict()}

    def _independent(self, table: Table) -> tuple[str, ...]:
        return (*self.labels, "name") if self.labels else ("name", *(n for n in table.columns if n.startswith("value")))

    def table(self) -> Table:
        """The rows, with a column for each number."""
        labels = self.labels or tuple(f"value{i}" for i in range(max(map(len, self.values), default=0)))
        return Table(
            [
                {
                    "name": name,
                    **dict(zip(labels, (*self.values[i], *[None] * (len(labels) - len(self.values[i]))), strict=True)),
                    "CLs_obs": self.cls[i],
                    **band("CLs_exp", self.cls_expected[i]),
                    "limit_obs": self.limit[i],
                    **band("limit_exp", self.limit_expected[i]),
                    "status": _word(self.status[i]),
                    "message": self.message[i],
                }
                for i, name in enumerate(self.names)
            ]
        )

    def to_csv(self) -> str:
        """The table as comma-separated values, with a header; numbers that are missing are empty, infinite ones inf."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        labels = self.labels or tuple(f"value{i}" for i in range(max(map(len, self.values), default=0)))
        bands = [f"{kind}_exp_{sigma:+d}" for kind in ("CLs", "limit") for sigma in (-2, -1, 0, 1, 2)]
        own = [f"{name}_status" for name in ("CLs_obs", "CLs_exp", "limit_obs", *bands[5:])]
        writer.writerow(["name", *labels, "CLs_obs", *bands[:5], "limit_obs", *bands[5:], "status", "message", *own])
        for i, (row, values) in enumerate(zip(self.rows(), self.values, strict=True)):
            filled = [*values, *[""] * (len(labels) - len(values))]
            numbers = [self.cls[i], *self.cls_expected[i], self.limit[i], *self.limit_expected[i]]
            shown = ["" if np.isnan(x) else repr(float(x)) for x in numbers]
            words = [row["CLs_obs_status"], row["CLs_exp_status"], row["limit_obs_status"], *row["limit_exp_status"]]
            writer.writerow([row["name"], *filled, *shown, row["status"], row["message"], *words])
        return text.getvalue()


_PROBED = 32
"""How many points are built first, to see what sizes there are."""
_MANY = 128
"""Points whose program is optimised before the first one: that takes as long as a hundred by quicker ways."""
_EMPTY = "points is empty: there are no points; give at least one patch, or one set of signal yields."
_FORWARD = 2**20
"""Jobs of a grid whose number of points is not known."""


class _Point(NamedTuple):
    place: int
    name: str
    values: tuple[float | str, ...]
    content: Any
    """A patch, or yields."""


@verb()
def grid(
    workspace: Workspace | Mapping[str, Any],
    points: PatchSet | Iterable[Any] | Mapping[str, Mapping[tuple[str, str], Any]],
    *,
    mu: float = 1.0,
    level: float = 0.05,
    limits: bool = True,
    test_stat: TestStat | str = "qtilde",
    measurement_name: str | None = None,
    batch: int = 16,
    progress: bool = False,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
    **model_options: Any,
) -> GridResult:
    """CLs and upper limits for every signal point.

    Args:
        workspace: The workspace that all points share.
        points: A `PatchSet`, or patches (`Patch`, or anything with ``name`` and ``values`` that `Workspace.model`
            takes as a patch); or a mapping from names of points to the yields that they change:
            ``{"m500": {("SR", "signal"): [1.0, 2.0]}}``. Of a generator of patches, only those are in memory that are
            computed: it can give as many as you like.
        mu: Tested value of the POI.
        level: CLs at the upper limits.
        limits: Whether to search limits.
        test_stat: ``"qtilde"`` or ``"q"``.
        measurement_name: The measurement; the first one where it is None.
        batch: How many points, which follow each other, run in one computation. On a CPU each core runs a batch of its
            own; several devices share a batch where it is a multiple of their number. Each fit starts from that of the
            point before in the batch, on which the last digits of a result may depend.
        progress: Whether to show a progress bar.
        executor: Builds and computes batches in other processes or on other machines: anything with the ``submit`` of
            `concurrent.futures`, such as ``ProcessPoolExecutor(4, multiprocessing.get_context("spawn"))``, Dask's
            ``client.get_executor()`` or mpi4py's. Workers made by fork are refused.
        checkpoint: A file to which the points are written as they end, one JSON object a line. Where it is there
            already, the run goes on with the points that it lacks: after Ctrl-C, SIGTERM (it then exits with code 143),
            a full disk or lost workers. Jobs with some of the points each may share it.
        model_options: Options of `Workspace.model`.

    Returns:
        A table. A point whose model can't be built, whose fits fail, or that an executor lost keeps its row, with a
        status and a message.

    Raises:
        InvalidTestStatistic: There is no such test statistic for limits.
        ValueError: There are no points, or ``mu``, ``level`` or ``batch`` makes no sense.
        InvalidCheckpoint: The checkpoint is damaged, or of another grid.
        CheckpointNotWritten: The disk was full, say; the exception has the result.
        Exception: What broke off the computation, where nothing was computed.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
        >>> workspace = pf.Workspace.build(model, [51.0] + model.config.auxdata)
        >>> points = {"weak": {("singlechannel", "signal"): [12.0]}, "strong": {("singlechannel", "signal"): [40.0]}}
        >>> result = pf.grid(workspace, points)
        >>> result.names, [round(float(x), 4) for x in result.cls]
        (('weak', 'strong'), [0.1601, 0.0])
    """
    check_process()
    statistic, chosen = statistic_of(test_stat, limits=True), traced_minimiser(minimiser, "grid")
    tested = float(number(mu, "mu", "several grids"))
    level, batch = float(level_of(level)), count(batch, "batch")
    check_flag(limits, "limits")
    check_flag(progress, "progress")
    whole, options = _workspace(workspace), {"measurement_name": measurement_name, **model_options}
    _check_points(points)
    if checkpoint is not None:
        check_path(checkpoint, "checkpoint")
    _check_options(whole, options)
    check_executor(executor)
    labels = tuple(points.labels) if isinstance(points, PatchSet) else ()
    background = Background(whole, options, isinstance(points, Mapping))
    total = len(points) if isinstance(points, Sized) else None
    if total == 0:
        raise ValueError(_EMPTY)
    size = batch if total is None else min(batch, total)
    common = {"mu": tested, "level": level, "limits": limits, "test_stat": statistic.name}
    settings = Settings(chosen, statistic, limits, False, tested, level, size)
    found = _Found(_listed(points), total, background, Kept(checkpoint, common), settings, progress)
    found.compute(executor)
    place = whole._measurement_index(measurement_name, options.get("measurement_index"))
    about = About("grid", Source.whole(whole, place), {**common, "minimiser": minimiser, **model_options})
    return found.kept.checked(named(found.table(labels), None, about))


class _Found:
    """The points of a grid with what is found for each, while they come and end."""

    def __init__(
        self,
        points: Iterable[_Point],
        total: int | None,
        background: Background,
        kept: Kept,
        settings: Settings,
        progress: bool,
    ) -> None:
        self.total, self.kept, self.settings, self.progress = total, kept, settings, progress
        self._points, self._background = points, background
        self._names: list[str] = []
        self._values: list[tuple[float | str, ...]] = []
        self._rows: dict[int, np.ndarray] = {}
        self._messages: dict[int, str] = {}
        self._prints: dict[int, Row] = {}
        self._done = 0

    def compute(self, executor: Executor | None) -> None:
        """Compute what the checkpoint lacks, and keep it as it ends; raise what broke off all of it."""
        if self._background.by_yields:
            _ = self._background.base  # which raises what is wrong with all points
        broken = []
        with (
            old_objects_kept(),
            exit_on_signals(self.kept.path is not None) as ending,
            tqdm.tqdm(total=self.total, disable=not self.progress, unit="point") as bar,
            closing(self._outcomes(executor)) as outcomes,
        ):
            try:
                for here, outcome in outcomes:
                    self._take(here, outcome)
                    if isinstance(outcome, Exception):
                        broken.append(outcome)
                    bar.update(len(self._rows) - bar.n)
                    ending.check()
            except BaseException as error:
                note(error, self.kept.told(error, self._done, self.total))
                raise
        if broken and not self._done:
            raise broken[0]

    def _take(self, here: Sequence[_Point], outcome: Any) -> None:
        """Note the outcome of some points, which may be an exception."""
        places = [point.place for point in here]
        if isinstance(outcome, Exception):
            self._rows |= dict.fromkeys(places, numbers_of(no_point(Status.NOT_COMPUTED)))
            self._messages |= dict.fromkeys(places, told(outcome))
            return
        rows, messages = outcome
        self._done += len(places)
        self._rows |= dict(zip(places, rows, strict=True))
        self._messages |= {p: message for p, message in zip(places, messages, strict=True) if message is not None}
        if self.kept.path is not None:
            self.kept.add({self._prints[p]: self._rows[p] for p in places if p not in self._messages})

    def _outcomes(self, executor: Executor | None) -> Generator[tuple[list[_Point], Any], None, None]:
        """Points and what became of them, batch after batch as they end."""
        missing = self._missing()
        probed = list(islice(missing, _PROBED))
        if not probed:
            return
        whole = self.total is not None and self.total <= _PROBED
        ready = {point.place: self._background.build(point.content) for point in probed}
        models = [built.likelihood for built in ready.values() if isinstance(built, Built)]
        sizes = (padding.common_sizes if whole else padding.roomy)(models) if models else None
        settings = self.settings._replace(many=len(probed) == _PROBED and (self.total is None or self.total >= _MANY))
        several = len(jax.devices()) > 1
        n_jobs = _FORWARD if self.total is None else -(-self.total // self.settings.size)
        threads = threads_for(n_jobs) if executor is None and not several else None
        shared = self._background if executor is None else self._background.packed

        def jobs() -> Iterator[tuple[list[_Point], Callable[..., Any], tuple[Any, ...]]]:
            points = chain(probed, missing)
            while here := list(islice(points, self.settings.size)):
                contents = [ready.pop(point.place, None) or content_of(point.content) for point in here]
                light = [point._replace(content=None) for point in here]
                yield light, compute, (run, shared, contents, sizes, settings)

        with threads or nullcontext():
            yield from as_they_end(executor or threads, jobs())

    def _missing(self) -> Iterator[_Point]:
        """The points, without those that are in the checkpoint; all are noted."""
        prints = self._fingerprinted() if self.kept.path is not None else ((point, None) for point in self._points)
        for point, row in prints:
            self._names.append(point.name)
            self._values.append(point.values)
            known = None if row is None else self.kept.known(row)
            if known is not None:
                self._rows[point.place] = known
                self._done += 1
            else:
                if row is not None:
                    self._prints[point.place] = row
                yield point
        if not self._names:
            raise ValueError(_EMPTY)

    def _fingerprinted(self) -> Iterator[tuple[_Point, Row]]:
        """The points with what a checkpoint knows them by; of points that are there, all are compared with it first."""
        background = self._background
        base = fingerprint({**background.workspace}, background.workspace.settings, background.options)

        def row(point: _Point) -> Row:
            return point.name, fingerprint(base, content_of(point.content))

        if self.total is None:
            for point in self._points:
                yield point, self.kept.checked_row(row(point))
            return
        points = list(self._points)
        rows = [row(point) for point in points]
        self.kept.check(rows)
        yield from zip(points, rows, strict=True)

    def table(self, labels: tuple[str, ...]) -> GridResult:
        """The result of all."""
        found = results_of(np.stack([self._rows[place] for place in range(len(self._names))]))
        for place in np.flatnonzero(found.status != Status.CONVERGED):
            self._messages.setdefault(int(place), Status(int(found.status[place])).sentence)
        messages = tuple(self._messages.get(place, "") for place in range(len(self._names)))
        names, values = tuple(self._names), tuple(self._values)
        asked = self.settings.mu, self.settings.level
        columns = {name: getattr(found, name) for name in PointResult._fields}
        return GridResult(labels, names, values, *asked, message=messages, **columns)


def _listed(points: Any) -> Iterator[_Point]:
    """The points, one after the other, with their names and values."""
    if isinstance(points, Mapping):
        for place, (name, changes) in enumerate(points.items()):
            yield _Point(place, name, (), changes)
        return
    for place, patch in enumerate(points):
        name, own = getattr(patch, "name", f"point{place}"), getattr(patch, "values", ())
        yield _Point(place, name, () if callable(own) else tuple(own), patch)


def _workspace(given: Any) -> Workspace:
    if isinstance(given, Workspace):
        return given
    if isinstance(given, Mapping):
        return Workspace(given)
    hint = ", not a model of it" if is_model(given) else ""
    raise TypeError(f"workspace is {shown(given)}; give a pyhf_func.Workspace{hint}.")


def _check_points(points: Any) -> None:
    if isinstance(points, str | Path) or is_model(points) or not isinstance(points, Iterable):
        raise TypeError(f"points is {shown(points)}; give a PatchSet, patches, or a mapping from names to yields.")
    if isinstance(points, list | tuple) and (names := [point for point in points if isinstance(point, str)]):
        raise TypeError(f"points holds the name {shown(names[0])}; give patches: patchset[{shown(names[0])}].")


def _check_options(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Refuse what no point could be built with."""
    parameters = (*signature(Workspace.model).parameters, *signature(pyhf_func.Model).parameters)
    known = sorted({*parameters, "poiname", "schema", "version"} - {"self", "spec", "patches", "config_kwargs"})
    for name in options:
        if name not in known:
            raise Unsupported(unknown("option", name, known, "A grid"))
    workspace.get_measurement(options["measurement_name"], options.get("measurement_index"))


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _word(status: Any) -> str:
    return Status(int(status)).name
