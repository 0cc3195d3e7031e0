"""Results of toys: numbers and errors from all toys of a run, merged, saved and loaded."""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.inference.toys import Toys, counting_error, ratio_error, summarise, tolerance

_FORMAT = "pyhf_func toys 3"
_FITS = ("free_fit", "conditional_fit", "asimov_fit")
_ONCE = ("mu", "teststat", "status", "key", "bounds", *_FITS)
_COLUMNS = ("teststats", "status", "retries")
_CLOSE = 1e-6  # how far the same fits on two machines may differ

_summarise = jax.jit(summarise)


class ToysResult(NamedTuple):
    """A hypothesis test by toys with everything that it was made of.

    Each toy number has a toy of the tested hypothesis (sb) and one of the alternative, background only (b); for ``q0``
    background only is tested, and the alternative has the nominal signal. Probabilities are fractions of the
    toys whose fits converged; ``failed`` and ``cls_range`` tell what the others could change. Those that depend on a
    fit to the data that did not converge are not numbers (NaN).
    """

    mu: Array
    """() tested value."""
    cls: Array
    """() CLs = CLs+b / CLb; not a number where no toy of the alternative is as extreme as the data: more are needed."""
    clsb: Array
    """() p-value of the tested hypothesis: the fraction of its toys at least as extreme as the data."""
    clb: Array
    """() p-value of the alternative, likewise."""
    cls_expected: Array
    """(5,) expected CLs: quantiles over toys of the alternative at -2, -1, 0, 1, 2 standard deviations."""
    clsb_expected: Array
    """(5,) expected CLs+b."""
    clb_expected: Array
    """(5,) expected CLb."""
    cls_error: Array
    """() Monte Carlo error of CLs; infinite where CLs is not a number."""
    clsb_error: Array
    """() Monte Carlo error of CLs+b."""
    clb_error: Array
    """() Monte Carlo error of CLb."""
    cls_expected_error: Array
    """(5,) Monte Carlo errors of the expected CLs."""
    cls_range: Array
    """(2,) the lowest and the highest CLs that the failed toys could have made."""
    failed: Array
    """() number of toys, of both hypotheses, of which a fit failed from every start."""
    retried: Array
    """() number of toys of which a fit was made again from another start."""
    status: Array
    """() the worst status of the fits to the data: a `Status`."""
    teststat: Array
    """() the test statistic for the data."""
    numbers: Array
    """(toys,) toy numbers: which toys of the key these are."""
    teststats_sb: Array
    """(toys,) test statistics of toys of the tested hypothesis; NaN where a fit failed."""
    teststats_b: Array
    """(toys,) test statistics of toys of the alternative; NaN where a fit failed."""
    status_sb: Array
    """(toys,) worst status of the fits to each toy: a `Status`."""
    status_b: Array
    """(toys,) worst status of the fits to each toy: a `Status`."""
    retries_sb: Array
    """(toys,) how often a fit was made again from another start."""
    retries_b: Array
    """(toys,) how often a fit was made again from another start."""
    key: Array
    """(words,) data of the PRNG key."""
    bounds: Array
    """(pars, 2) bounds of the parameters in all fits."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the tested value: what toys sb are drawn from."""
    asimov_fit: FitResult
    """fitted to the data with the POI at the alternative's value: what toys b are drawn from."""

    @property
    def of_discovery(self) -> bool:
        """Whether background only is tested against the nominal signal (``q0``): else both are alike at zero."""
        tested, alternative = self.conditional_fit.pars, self.asimov_fit.pars
        return not float(self.mu) and not np.allclose(tested, alternative, rtol=_CLOSE, atol=_CLOSE, equal_nan=True)

    def merge(self, *others: ToysResult) -> ToysResult:
        """See `merge_toys`."""
        return merge_toys([self, *others])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a file of NumPy's format npz; a file that is there is replaced at once."""
        write(record_of(self), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ToysResult:
        """Read a result that `save`, or a run with a checkpoint, wrote.

        Raises:
            ValueError: The file is not of this kind.
        """
        return result_of(read(path))


class Record(NamedTuple):
    """What a run has found so far: what a result is made from."""

    mu: Any
    teststat: Any
    status: Any
    key: Any
    bounds: Any  # (pars, 2)
    free_fit: FitResult
    conditional_fit: FitResult
    asimov_fit: FitResult
    numbers: Any  # (toys,)
    toys: Toys  # (toys, 2)

    def check_same(self, other: Record) -> None:
        """Refuse another run whose toys are not from the same test and key.

        Raises:
            ValueError: It tells what differs.
        """
        for name, known, given in (
            ("PRNG key", self.key, other.key),
            ("tested value", self.mu, other.mu),
            ("observed test statistic", self.teststat, other.teststat),
            ("set of bounds", self.bounds, other.bounds),
            ("fit at the tested value", self.conditional_fit.pars, other.conditional_fit.pars),
            ("fit at the alternative", self.asimov_fit.pars, other.asimov_fit.pars),
        ):
            exact = name == "PRNG key"
            if np.shape(known) != np.shape(given) or not (
                np.array_equal(known, given)
                if exact
                else np.allclose(known, given, rtol=_CLOSE, atol=_CLOSE, equal_nan=True)
            ):
                raise ValueError(f"These toys are of different tests and can't be merged: the {name} differs.")

    def with_toys(self, chunks: Sequence[tuple[Any, Toys]]) -> Record:
        """The record with more toys, given with their numbers; in the order of the numbers.

        Raises:
            ValueError: A number is there twice.
        """
        numbers = np.concatenate([self.numbers, *(chunk[0] for chunk in chunks)])
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        twice = numbers[1:][numbers[1:] == numbers[:-1]]
        if twice.size:
            raise ValueError(
                f"{twice.size} toys are there twice, such as number {twice[0]}: "
                "give each job numbers of its own (first=...)."
            )
        every = (self.toys, *(chunk[1] for chunk in chunks))
        toys = jax.tree.map(lambda *parts: np.concatenate(parts)[order], *every)
        return self._replace(numbers=numbers, toys=toys)


class ErrorCount:
    """The Monte Carlo error of CLs while toys are still added."""

    def __init__(self, record: Record) -> None:
        self._lowest = record.teststat - tolerance(record.teststat)
        self._extreme = self._good = np.zeros(2, int)
        self.add(record.toys)

    def add(self, toys: Toys) -> None:
        """Count more toys, shape (toys, 2)."""
        self._extreme = self._extreme + np.sum(toys.teststat >= self._lowest, axis=0)
        self._good = self._good + np.sum(np.isfinite(toys.teststat), axis=0)

    def of_cls(self) -> float:
        """The error of CLs so far; infinite as long as no toy of the alternative is as extreme as the data."""
        if not np.all(self._good) or not self._extreme[1]:
            return math.inf
        fractions = self._extreme / self._good
        return float(ratio_error(*fractions, *counting_error(self._extreme, self._good)))


def merge_toys(results: Iterable[ToysResult]) -> ToysResult:
    """Merge the toys of several jobs of one test, each with toy numbers of its own.

    Args:
        results: What `toys` returned, or `ToysResult.load` read: any number of them, in any order.

    Returns:
        What one job with all toys would have returned.

    Raises:
        ValueError: There is none, they are of different tests or keys, or toy numbers overlap.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data, key = [51, 48] + model.config.auxdata, jax.random.key(0)
        >>> jobs = [pf.toys(1.0, data, model, key, 50, first=first) for first in (0, 50)]
        >>> merged = pf.merge_toys(jobs)
        >>> merged.numbers.size, bool(merged.cls == pf.toys(1.0, data, model, key, 100).cls)
        (100, True)
    """
    records = [record_of(result) for result in ([results] if isinstance(results, ToysResult) else results)]
    if not records:
        raise ValueError("There are no toys to merge: give at least one result.")
    merged = records[0]
    for record in records[1:]:
        merged.check_same(record)
        merged = merged.with_toys([(record.numbers, record.toys)])
    return result_of(merged)


def record_of(result: ToysResult) -> Record:
    """The record that a result was made from, in NumPy's arrays."""
    toys = Toys(*(np.stack([getattr(result, f"{name}_{h}") for h in ("sb", "b")], axis=1) for name in _COLUMNS))
    once = jax.device_get({name: getattr(result, name) for name in _ONCE})
    return Record(**once, numbers=np.asarray(result.numbers), toys=toys)


def result_of(record: Record) -> ToysResult:
    """The result for all toys of a record."""
    ends = [getattr(record, name).status for name in _FITS]
    summary = _summarise(record.teststat, _filled(record.toys), len(record.numbers), ends)
    columns = {
        f"{name}_{h}": column[:, place]
        for name, column in zip(_COLUMNS, record.toys, strict=True)
        for place, h in enumerate(("sb", "b"))
    }
    once: dict[str, Any] = {name: getattr(record, name) for name in _ONCE}
    result = ToysResult(**summary._asdict(), **columns, **once, numbers=record.numbers)
    return jax.tree.map(jnp.asarray, result)


def _filled(toys: Toys) -> Toys:
    """Toys filled up to a power of two, so that runs of many lengths share a program; traced ones stay as they are."""
    if isinstance(toys.teststat, jax.core.Tracer):
        return toys
    n = len(toys.teststat)
    more = (1 << max(n - 1, 0).bit_length()) - n
    fill = Toys(np.nan, 0, 0)
    return jax.tree.map(lambda x, value: np.pad(x, ((0, more), (0, 0)), constant_values=value), toys, fill)


def read(path: str | os.PathLike[str]) -> Record:
    """Read the record of a result or of a run that was cut off.

    Raises:
        ValueError: The file is not of this kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a file of toys: {error}") from error
    if str(arrays.pop("format", "")) != _FORMAT:
        raise ValueError(f"{path} is not a file of toys that this version can read (it reads {_FORMAT!r}).")
    try:
        fits = {name: FitResult(*(arrays[f"{name}.{field}"] for field in FitResult._fields)) for name in _FITS}
        plain = {name: arrays[name] for name in _ONCE if name not in _FITS}
        toys = Toys(*(arrays[f"toys.{name}"] for name in Toys._fields))
        return Record(**plain, **fits, numbers=arrays["numbers"], toys=toys)
    except KeyError as error:
        raise ValueError(f"{path} is not a whole file of toys: it lacks {error}.") from None


def write(record: Record, path: str | os.PathLike[str]) -> None:
    """Write a record; the file that was there is replaced at once, or not at all."""
    arrays = {name: getattr(record, name) for name in (*_ONCE, "numbers") if name not in _FITS}
    for name in _FITS:
        arrays |= {f"{name}.{field}": value for field, value in getattr(record, name)._asdict().items()}
    arrays |= {f"toys.{field}": value for field, value in record.toys._asdict().items()}
    beside = Path(f"{os.fspath(path)}.part")
    with beside.open("wb") as file:
        np.savez_compressed(file, format=_FORMAT, **arrays)
    beside.replace(path)
