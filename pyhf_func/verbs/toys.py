"""Hypothesis tests by toys."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from jax import Array
from jax.typing import ArrayLike

from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init, Start
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import HypotestResult, ToysResult
from pyhf_func.core.inference.statistics import bounded, tested_value
from pyhf_func.core.inference.toy_files import Checkpoint
from pyhf_func.core.inference.toy_records import ErrorCount, Record, digests
from pyhf_func.core.inference.toy_results import result_of
from pyhf_func.core.inference.toys import Packed, Toys, cut, origins, packed_chunk, toy_chunk
from pyhf_func.core.interrupts import exit_on_signals, note
from pyhf_func.core.statistics import TestStat
from pyhf_func.core.threads import check_executor, in_order
from pyhf_func.exceptions import CheckpointNotWritten
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_flag,
    check_path,
    check_tested,
    count,
    data_of,
    number,
    of_interest,
    random_key,
    start_of_test,
    statistic_of,
    traced_minimiser,
)
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.hypotest import hypotest

_CHUNK_ON_CPU = 64
_MEMORY = 2**31  # bytes that a chunk may need on an accelerator, about


@verb()
def toys(
    mu: ArrayLike,
    data: Numbers,
    model: AnyModel,
    key: Array,
    ntoys: int,
    *,
    test_stat: TestStat | str = "qtilde",
    first: int = 0,
    chunk: int | None = None,
    progress: bool = False,
    max_error: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> ToysResult:
    """Test one value of the parameter of interest with pseudo-experiments: CLs and its expected band.

    For each hypothesis, toys are drawn at the parameters fitted to the data with the POI at its value, auxiliary
    data fluctuating, too; and all parameters, then all but the POI, are fitted to each (CERN-OPEN-2011-005). Toy
    number i is drawn with ``jax.random.fold_in(key, i)``: chunks, jobs and resumed runs don't change it.

    Inside `jax.jit` or `jax.vmap` all toys are one computation, which can't report, stop early or be saved.

    Args:
        mu: The tested value; a scalar.
        key: A key of JAX's random numbers, such as ``jax.random.key(0)``.
        ntoys: Number of toys for each hypothesis.
        test_stat: ``"qtilde"`` or ``"q"``; ``"q0"`` for discovery, which tests 0 whatever ``mu`` is.
        first: Number of the first toy. Jobs with the same key and different toys can be merged: see `merge_toys`.
        chunk: Number of toys that are fitted by one call of the compiled program; None for what fits into memory. On a
            CPU several chunks run at once, one on each core.
        progress: Whether to show a progress bar on standard error.
        max_error: Stop after the first chunk after which the Monte Carlo error of CLs is not larger.
        checkpoint: A file in which all toys are kept from time to time, and when the run is broken off by Ctrl-C or
            by SIGTERM, as batch systems do (it then exits with code 143). Where it is there already, the run goes on
            with the toys that it lacks. Jobs of one test may share a file: the result has the toys of all.
        executor: Computes chunks in other processes or on other machines: see `grid`. The toys are the same.

    Returns:
        CLs and its parts, observed and expected, with Monte Carlo errors, all toys and their statuses. Toys that
        could not be fitted, from three starts, are counted, and what they could change is stated.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidTestStatistic: There is no such test statistic.
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.
        TypeError: ``key`` is not a random key, or an option needs values but the arguments are traced.
        ValueError: A number makes no sense.
        InvalidCheckpoint: The checkpoint is damaged, or of another test.
        CheckpointNotWritten: The disk was full at the end, say; the exception has the result.
        OSError: The checkpoint can't be written, before the first toy.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> result = pf.toys(1.0, data, model, jax.random.key(0), 1000)
        >>> result.teststats_b.shape, int(result.failed)
        ((1000,), 0)
        >>> bool(abs(result.cls - pf.hypotest(1.0, data, model).cls) < 3 * result.cls_error)
        True
    """
    model = of_interest(model, poi)
    tested, counts, typed = number(mu, "mu"), data_of(model, data), random_key(key)
    statistic = statistic_of(test_stat)
    check_flag(progress, "progress")
    check_executor(executor)
    ntoys, first = count(ntoys, "ntoys"), count(first, "first", least=0)
    size = chunk_size(model) if chunk is None else count(chunk, "chunk")
    if checkpoint is not None:
        check_path(checkpoint, "checkpoint")
    if max_error is not None:
        max_error = float(number(max_error, "max_error", above=0.0))
    chosen, start = traced_minimiser(minimiser, "toys"), start_of_test(model, init, bounds, fixed)
    start = bounded(statistic, start, model.likelihood.space.poi)
    check_tested(tested, statistic, model, start)
    tested = tested_value(statistic, tested)
    observed = hypotest.program(chosen, statistic, tested, counts, model.likelihood, start)
    args = chosen, statistic, size, tested, model.likelihood, start, origins(observed), typed
    draw = partial(toy_chunk, *args)
    record = _nothing(tested, typed, observed, start)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((observed, typed))):
        if progress or executor is not None or checkpoint is not None or max_error is not None:
            raise TypeError(
                "Inside jit or vmap toys can't report, stop early, be saved or go elsewhere: leave these options out."
            )
        return result_of(_all_at_once(draw, record, first, ntoys, size))
    record = jax.device_get(record)._replace(test=digests(model.likelihood, counts, statistic.name, start))

    def drawn(numbers: range) -> Toys:
        return cut(draw(numbers.start, numbers.stop), len(numbers))

    function = drawn if executor is None else partial(packed_chunk, Packed.of(*args))
    return _run(
        partial(in_order, function, executor=executor),
        record,
        range(first, first + ntoys),
        size,
        progress,
        max_error,
        checkpoint,
    )


def chunk_size(model: AnyModel) -> int:
    """How many toys of each hypothesis are fitted by one call of the compiled program.

    On a CPU they are fitted one after the other, and chunks run on all cores; elsewhere they are fitted together, as
    many as fit into some memory.
    """
    if jax.default_backend() == "cpu":
        return _CHUNK_ON_CPU
    likelihood = model.likelihood
    entries, n_pars = likelihood.values.nominal.shape[0], likelihood.n_pars
    numbers = (3 * entries + 6 * likelihood.n_bins + 100) * n_pars  # of the matrices of one fit
    return 1 << int(np.clip(np.log2(_MEMORY / (16 * numbers)), 5, 13))


def _nothing(tested: Array, key: Array, observed: HypotestResult, start: Start) -> Record:
    """The record of a run before its first toy."""
    fits = observed.free_fit, observed.conditional_fit, observed.asimov_fit
    none = np.zeros((0, 2))
    return Record(
        mu=tested,
        teststat=observed.teststat,
        status=jnp.max(jnp.stack([fit.status for fit in fits])),
        key=jax.random.key_data(key),
        test=np.zeros(3, np.uint32),
        bounds=jnp.stack([start.lower, start.upper], axis=-1),
        free_fit=fits[0],
        conditional_fit=fits[1],
        asimov_fit=fits[2],
        numbers=np.zeros(0, int),
        toys=Toys(none.astype(observed.teststat.dtype), none.astype(np.int32), none.astype(np.int32)),
    )


def _all_at_once(draw: Callable[..., Toys], record: Record, first: int, ntoys: int, size: int) -> Record:
    """All toys in one computation."""
    firsts = first + size * jnp.arange(-(-ntoys // size))
    chunks = jax.lax.map(lambda first_of_chunk: draw(first_of_chunk, first + ntoys), firsts)
    toys = jax.tree.map(lambda x: x.reshape(-1, 2)[:ntoys], chunks)
    return record._replace(numbers=first + jnp.arange(ntoys), toys=toys)


def _run(
    chunks_of: Callable[[Sequence[range]], Generator[Toys, None, None]],
    record: Record,
    wanted: range,
    size: int,
    progress: bool,
    max_error: float | None,
    checkpoint: str | os.PathLike[str] | None,
) -> ToysResult:
    """All toys that are wanted and not in the checkpoint, chunk after chunk."""
    kept = Checkpoint(checkpoint, record)
    missing = [*_chunks(wanted, kept.record.numbers, size)]
    lacking, error = sum(map(len, missing)), ErrorCount(kept.record)

    def enough() -> bool:
        return max_error is not None and error.of_cls() <= max_error

    if enough():
        missing = []

    with (
        exit_on_signals(checkpoint is not None) as ending,
        closing(chunks_of(missing)) as chunks,
        tqdm.tqdm(
            total=len(wanted),
            initial=len(wanted) - lacking,
            disable=not progress,
            unit="toy",
            desc="Toys",
            leave=False,
        ) as bar,
    ):
        try:
            for numbers, toys in zip(missing, chunks, strict=True):
                kept.add(numbers, toys)
                error.add(toys)
                bar.update(len(numbers))
                ending.check()
                if enough():
                    break
            return kept.finish(result_of)
        except CheckpointNotWritten:
            raise
        except BaseException as broken:  # first of all to the disk: what still computes may take a while
            kept.save()
            note(broken, kept.told(broken, wanted))
            raise


def _chunks(wanted: range, known: np.ndarray, size: int) -> Iterator[range]:
    """The wanted numbers that are not known, in order, up to ``size`` in a row."""
    numbers = np.setdiff1d(np.array(wanted), known)
    for row in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        for i in range(0, row.size, size):
            yield range(int(row[i]), int(row[i : i + size][-1]) + 1)
