"""Signal grids: CLs and limits for every signal point of an analysis, as batched computations.

Points of one structure share one compiled program. Real points differ in the systematics that they carry: those are
padded to one shape, so that they run in the same batch.
"""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import jax
import numpy as np
from jsonpatch import JsonPatchException, JsonPointerException

import pyhf_func
from pyhf_func._lookup import shown, unknown
from pyhf_func._version import __version__
from pyhf_func.core.compiler import padding
from pyhf_func.core.fit import HostMinimiser, Minimiser, Status
from pyhf_func.core.inference.grid import PointResult, no_point, run
from pyhf_func.core.inference.grid_files import Kept, Row
from pyhf_func.core.interrupts import exit_on_signals, note
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.core.likelihood.fingerprint import of_model, of_numbers
from pyhf_func.core.processes import check_process
from pyhf_func.core.statistics import TestStat
from pyhf_func.core.threads import pool as threads_for
from pyhf_func.exceptions import PyhfFuncError, Unsupported
from pyhf_func.model import is_model
from pyhf_func.patchset import PatchSet
from pyhf_func.results.about import About
from pyhf_func.results.base import Result, named
from pyhf_func.results.tables import Table, band
from pyhf_func.verbs._arguments import (
    check_flag,
    check_path,
    check_poi,
    count,
    level_of,
    number,
    statistic_of,
    traced_minimiser,
)
from pyhf_func.workspace import Workspace
from pyhf_func.workspace.source import Built

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


_BAD_POINT = (
    PyhfFuncError,
    JsonPatchException,
    JsonPointerException,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)
"""Exceptions of patches or yields that are invalid, or do not fit the workspace."""


class _Point(NamedTuple):
    name: str
    values: tuple[float | str, ...]
    likelihood: Likelihood | None
    parameters: tuple[str, ...]
    data: np.ndarray
    message: str


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
            ``{"m500": {("SR", "signal"): [1.0, 2.0]}}``.
        mu: Tested value of the POI.
        level: CLs at the upper limits.
        limits: Whether to search limits.
        test_stat: ``"qtilde"`` or ``"q"``.
        measurement_name: The measurement; the first one where it is None.
        batch: How many points run in one computation. On a CPU each core runs a batch of its own; several devices
            share a batch where it is a multiple of their number.
        progress: Whether to show a progress bar.
        executor: Runs batches in other processes or on other machines: anything with the ``submit`` of
            `concurrent.futures`, such as ``ProcessPoolExecutor(4, multiprocessing.get_context("spawn"))``, Dask's
            ``client.get_executor()`` or mpi4py's. Workers made by fork are refused.
        checkpoint: A file to which the points are written as they end, one JSON object a line. Where it is there
            already, the run goes on with the points that it lacks: after Ctrl-C, SIGTERM (it then exits with code 143),
            a full disk or lost workers. Jobs with some of the points each may share it.
        minimiser: The minimiser of all fits, as for `fit`; not SciPy or Minuit.
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
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor is {shown(executor)}; give one with a method submit, such as ProcessPoolExecutor.")
    labels = tuple(points.labels) if isinstance(points, PatchSet) else ()
    built = list(_points(whole, points, options))
    if not built:
        raise ValueError("points is empty: there are no points; give at least one patch, or one set of signal yields.")
    common = {"mu": tested, "level": level, "limits": limits, "test_stat": statistic}
    kept = Kept(checkpoint, {**common, "test_stat": statistic.name}, map(_row, built))
    computed = [*kept.known.items(), *_computed(kept, built, chosen, common, batch, progress, executor)]
    found = [no_point(Status.INVALID_MODEL)] * len(built)
    messages = [point.message for point in built]
    for place, result in computed:
        if isinstance(result, Exception):
            found[place] = no_point(Status.NOT_COMPUTED)
            messages[place] = _told(result)
        else:
            found[place] = result
            ended = Status(int(result.status))
            messages[place] = "" if ended == Status.CONVERGED else ended.sentence
    columns = {name: np.stack([getattr(row, name) for row in found]) for name in PointResult._fields}
    names, values = tuple(point.name for point in built), tuple(point.values for point in built)
    table = GridResult(labels, names, values, tested, level, message=tuple(messages), **columns)
    place = whole._measurement_index(measurement_name, options.get("measurement_index"))
    about = About("grid", Built.whole(whole, place), {**common, "minimiser": minimiser, **model_options})
    return kept.checked(named(table, None, about))


def _computed(
    kept: Kept,
    points: Sequence[_Point],
    minimiser: Minimiser,
    common: Mapping[str, Any],
    batch: int,
    progress: bool,
    executor: Executor | None,
) -> Iterator[tuple[int, PointResult | Exception]]:
    """Place and result of each point that was not known, kept as they end; or what was raised instead."""
    broken, done = [], len(kept.known)
    with exit_on_signals() if kept.path is not None else nullcontext():
        try:
            for where, result in _results(points, kept.known, minimiser, common, batch, progress, executor):
                if isinstance(result, Exception):
                    broken.append(result)
                    yield from ((place, result) for place in where)
                else:
                    rows = {place: PointResult(*(field[i] for field in result)) for i, place in enumerate(where)}
                    kept.add(rows)
                    done += len(rows)
                    yield from rows.items()
        except BaseException as error:
            note(error, kept.told(error, done))
            raise
    if broken and not done:
        raise broken[0]


def _row(point: _Point) -> Row:
    """Name and fingerprint of a point, by which a checkpoint knows it."""
    whole = "" if point.likelihood is None else of_numbers(of_model(point.likelihood).hex(), point.data).hex()
    return str(point.name), whole


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


def _points(workspace: Workspace, points: Any, options: Mapping[str, Any]) -> Iterator[_Point]:
    """The model of every point; and a message instead, where it can't be built."""
    if isinstance(points, Mapping):
        base = workspace.model(**options)
        check_poi(base)
        data, parameters = np.asarray(workspace.data(base), dtype=float), tuple(base.config.par_names)
        shared = jax.tree.map(np.asarray, base.likelihood)

        def changed(changes: Mapping[tuple[str, str], Any]) -> tuple[Likelihood, tuple[str, ...], np.ndarray]:
            values = replace(shared.values, nominal=base.frozen().changed_yields(changes))
            return replace(shared, values=values), parameters, data

        for name, changes in points.items():
            yield _built(name, (), partial(changed, changes))
        return

    def patched(patch: Any) -> tuple[Likelihood, tuple[str, ...], np.ndarray]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same warning for every point
            model = workspace.model(patches=[patch], **options)
        check_poi(model)
        data = np.asarray(workspace.data(model), dtype=float)
        return model.likelihood, tuple(model.config.par_names), data

    for place, patch in enumerate(points):
        name, own = getattr(patch, "name", f"point{place}"), getattr(patch, "values", ())
        yield _built(name, () if callable(own) else tuple(own), partial(patched, patch))


def _built(
    name: str,
    values: tuple[float | str, ...],
    build: Callable[[], tuple[Likelihood, tuple[str, ...], np.ndarray]],
) -> _Point:
    try:
        likelihood, parameters, data = build()
        return _Point(name, values, likelihood, parameters, data, "")
    except _BAD_POINT as error:
        return _Point(name, values, None, (), np.zeros(0), _told(error))


def _results(
    points: Sequence[_Point],
    known: Collection[int],
    minimiser: Minimiser,
    common: Mapping[str, Any],
    batch: int,
    progress: bool,
    executor: Executor | None,
) -> Iterator[tuple[list[int], PointResult | Exception]]:
    """Places and results, batch after batch as they end; what was raised instead of a batch that broke off."""
    import tqdm

    jobs = []
    for places in _groups(points):
        sizes = padding.common_sizes([model for _, model in places])  # of all, so that they share one program
        size, missing = min(batch, len(places)), [one for one in places if one[0] not in known]
        for first in range(0, len(missing), size):
            some = missing[first : first + size]
            here = [place for place, _ in some]
            padded = [padding.pad(model, points[place].data, sizes) for place, model in some]
            models, data = zip(*padded, strict=True)
            names = [None, *(points[place].parameters for place in here)]
            alike = [own == before for own, before in zip(names[1:], names, strict=False)]
            settings = (common[name] for name in ("test_stat", "limits", "mu", "level"))
            jobs.append((here, (minimiser, *settings, list(data), list(models), alike, size)))
    threads = threads_for(len(jobs)) if executor is None and len(jax.devices()) == 1 else None
    with (
        threads or nullcontext(),
        tqdm.tqdm(
            total=sum(len(here) for here, _ in jobs) + len(known),
            initial=len(known),
            disable=not progress,
            unit="point",
        ) as bar,
    ):
        workers = executor or threads
        for here, compute in (
            _as_they_end(workers, jobs) if workers else ((here, partial(run, *job)) for here, job in jobs)
        ):
            outcome = _outcome(compute)
            bar.update(len(here))
            yield here, outcome


def _as_they_end(
    executor: Executor, jobs: Sequence[tuple[list[int], tuple[Any, ...]]]
) -> Iterator[tuple[list[int], Callable[[], PointResult]]]:
    """Places of jobs, and what gives their results, in the order in which they end."""
    ended: SimpleQueue[tuple[list[int], Future[PointResult]]] = SimpleQueue()
    begun = []
    try:
        for here, job in jobs:
            begun.append(_submitted(executor, job))
            begun[-1].add_done_callback(partial(lambda here, future: ended.put((here, future)), here))
        for _ in begun:
            here, future = ended.get()
            yield here, future.result
    finally:
        for future in begun:  # where the grid is broken off
            future.cancel()


def _submitted(executor: Executor, job: tuple[Any, ...]) -> Future[PointResult]:
    """A job; it raises what became of it where the executor is broken already."""
    try:
        return executor.submit(run, *job)
    except BrokenExecutor as error:
        lost: Future[PointResult] = Future()
        lost.set_exception(error)
        return lost


def _outcome(compute: Callable[[], PointResult]) -> PointResult | Exception:
    try:
        return compute()
    except Exception as error:  # whatever a worker, or too little memory, gives: the other batches go on
        return error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _groups(points: Sequence[_Point]) -> list[list[tuple[int, Likelihood]]]:
    """Places and likelihoods of points that can be padded to one shape."""
    groups: dict[Any, list[tuple[int, Likelihood]]] = {}
    for place, point in enumerate(points):
        if point.likelihood is not None:
            groups.setdefault(padding.kind(point.likelihood), []).append((place, point.likelihood))
    return list(groups.values())


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _word(status: Any) -> str:
    return Status(int(status)).name
