"""Results of toys: numbers and errors from all toys of a run, merged, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.core.fit.result import FitResult, worst
from pyhf_func.core.inference.toy_files import read, write
from pyhf_func.core.inference.toy_records import CLOSE, FITS, ONCE, Record
from pyhf_func.core.inference.toys import Toys, summarise
from pyhf_func.results.base import Result
from pyhf_func.results.status import is_status, words
from pyhf_func.results.tables import Table, band

_COLUMNS = ("teststats", "status", "retries")

_summarise = jax.jit(summarise)


class ToysResult(Result):
    """A hypothesis test by toys with everything that it was made of.

    Each toy number has a toy of the tested hypothesis (sb) and one of the alternative, background only (b); for ``q0``
    background only is tested, and the alternative has the nominal signal. Probabilities are fractions of the
    toys whose fits converged; ``failed`` and ``cls_range`` tell what the others could change. Those that depend on a
    fit to the data that did not converge are not numbers (NaN).

    Returned by `pyhf_func.toys` and `pyhf_func.merge_toys`.
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
    """() the worst status of the fits to the data, and of the toys where there is none left of a hypothesis: a
    `Status`."""
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
    test: Array
    """(3,) digests of the model, of the data, and of the statistic with what is fixed; zero inside jit and vmap."""
    bounds: Array
    """(pars, 2) bounds of the parameters in all fits."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the tested value: what toys sb are drawn from."""
    asimov_fit: FitResult
    """fitted to the data with the POI at the alternative's value: what toys b are drawn from."""

    def _records(self) -> Table:
        arrays = {f"{name}_{h}": np.asarray(getattr(self, f"{name}_{h}")) for name in _COLUMNS for h in ("sb", "b")}
        columns = {name: words(x.tolist()) if is_status(name) else x for name, x in arrays.items()}
        toys = np.asarray(self.numbers)
        return Table([{"toy": toy, **{name: x[i] for name, x in columns.items()}} for i, toy in enumerate(toys)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "quantity": name,
                "observed": getattr(self, field),
                "observed_error": getattr(self, f"{field}_error"),
                **band("expected", getattr(self, f"{field}_expected")),
                "status": str(self.status),
            }
            for name, field in (("CLs", "cls"), ("CLs+b", "clsb"), ("CLb", "clb"))
        ]

    @property
    def of_discovery(self) -> bool:
        """Whether background only is tested against the nominal signal (``q0``): else both are alike at zero."""
        tested, alternative = self.conditional_fit.pars, self.asimov_fit.pars
        return not float(self.mu) and not np.allclose(tested, alternative, rtol=CLOSE, atol=CLOSE, equal_nan=True)

    def merge(self, *others: ToysResult) -> ToysResult:
        """See `merge_toys`."""
        return merge_toys([self, *others])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result: as JSON, like all results, where the path ends in ``.json``; else in NumPy's format npz.

        A file that is there is replaced at once. What is in the format npz is read by `load`, too.
        """
        if os.fspath(path).endswith(".json"):
            super().save(path)
        else:
            write(record_of(self), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ToysResult:
        """Read a result that `save`, or a run with a checkpoint, wrote.

        Raises:
            ValueError: The file is not of this kind, or damaged.
            OSError: It can't be read.
        """
        return result_of(read(path))


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
    given = [results] if isinstance(results, ToysResult) or not isinstance(results, Iterable) else list(results)
    for result in given:
        if not isinstance(result, ToysResult):
            raise TypeError(
                f"results holds {shown(result)}; give what pyhf_func.toys returned, or ToysResult.load read."
            )
    if not given:
        raise ValueError("results is empty: there are no toys to merge; give at least one result.")
    records = [record_of(result) for result in given]
    merged = records[0]
    for record in records[1:]:
        merged.check_same(record)
        merged = merged.with_toys([(record.numbers, record.toys)])
    return result_of(merged)


def record_of(result: ToysResult) -> Record:
    """The record that a result was made from, in NumPy's arrays."""
    toys = Toys(*(np.stack([getattr(result, f"{name}_{h}") for h in ("sb", "b")], axis=1) for name in _COLUMNS))
    once = jax.device_get({name: getattr(result, name) for name in ONCE})
    return Record(**once, numbers=np.asarray(result.numbers), toys=toys)


def result_of(record: Record) -> ToysResult:
    """The result for all toys of a record."""
    ends = [getattr(record, name).status for name in FITS]
    summary = _summarise(record.teststat, _filled(record.toys), len(record.numbers), ends)
    columns = {
        f"{name}_{h}": column[:, place]
        for name, column in zip(_COLUMNS, record.toys, strict=True)
        for place, h in enumerate(("sb", "b"))
    }
    once: dict[str, Any] = {name: getattr(record, name) for name in ONCE}
    none = len(record.numbers) > 0 and jnp.any(jnp.all(jnp.isnan(record.toys.teststat), axis=0))
    once["status"] = jnp.where(none, worst(record.status, jnp.max(record.toys.status)), record.status)
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
