"""Expected yields with error bands, by linear propagation of a covariance of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.fit.result import where_known
from pyhf_func.core.inference.asymptotics import square_root
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.core.inference.covariance import CovarianceResult
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import entry_yields, expected_main
from pyhf_func.results.base import Result
from pyhf_func.results.names import ModelNames
from pyhf_func.results.tables import Table


class YieldBand(Result):
    """Expected yields at one point, with standard errors.

    Samples, channels and bins are in the order of ``model.config``; a sample that a channel lacks yields zero there.

    The fields ``prefit`` and ``postfit`` of what `pyhf_func.yields` returns.
    """

    pars: Array
    """(pars,) the parameters."""
    covariance: Array
    """(pars, pars) their covariance."""
    samples: Array
    """(samples, bins) yield of each sample."""
    samples_error: Array
    """(samples, bins) its standard error."""
    total: Array
    """(bins,) yield of all samples."""
    total_error: Array
    """(bins,) its standard error: correlations between samples count."""
    channel_samples: Array
    """(samples, channels) yield of each sample in all bins of a channel."""
    channel_samples_error: Array
    """(samples, channels) its standard error: correlations between bins count."""
    channels: Array
    """(channels,) yield of all samples in all bins of a channel."""
    channels_error: Array
    """(channels,) its standard error."""

    def _keys(self, _: Table) -> tuple[str, ...]:
        return "channel", "sample"

    def _rows(self) -> list[dict[str, Any]]:
        return _rows_of_yields(self._known_names(), {"yield": self})


class YieldsResult(Result):
    """Expected yields before and after the fit, beside the observed ones.

    Returned by `pyhf_func.yields`.
    """

    observed: Array
    """(bins,) main data."""
    prefit: YieldBand
    """before the fit: constrained parameters where the auxiliary data put them, with the widths of their constraints;
    others at their start, without an error."""
    postfit: YieldBand
    """at the minimum, with the covariance from the exact Hessian there."""
    status: Array
    """() status of the fit and the covariance, on which ``postfit`` depends: a `Status`."""
    covariance: CovarianceResult
    """the fit, with its covariance."""

    def table(self, bins: bool = False) -> Table:
        """Events by channel and sample, before and after the fit, with errors that contain all correlations.

        Args:
            bins: Whether each bin has rows of its own; without, its channel has, with the sums over its bins.
        """
        return Table(self._rows_of_bins()) if bins else super().table()

    def _keys(self, _: Table) -> tuple[str, ...]:
        return "channel", "sample"

    def _root_objects(self) -> dict[str, Any]:
        objects, start = self.covariance._root_objects(), 0
        names = self._known_names()
        for channel, size in names.channels:
            here = slice(start, start := start + size)
            for stage, band in (("prefit", self.prefit), ("postfit", self.postfit)):
                seen = np.asarray(self.observed)[here]
                histograms = {"data": (seen, np.sqrt(seen)), "total": (band.total[here], band.total_error[here])}
                for s, sample in enumerate(names.samples):
                    histograms[sample] = band.samples[s, here], band.samples_error[s, here]
                for name, (values, errors) in histograms.items():
                    objects[f"{stage}/{channel}/{name}"] = np.asarray(values, float), np.asarray(errors, float)
        return objects

    def _rows(self) -> list[dict[str, Any]]:
        rows = _rows_of_yields(self._known_names(), {"prefit": self.prefit, "postfit": self.postfit})
        starts = np.cumsum([0, *(size for _, size in self._known_names().channels)])[:-1]
        seen = np.add.reduceat(np.asarray(self.observed), starts)
        return _with_data(rows, dict(zip((name for name, _ in self._known_names().channels), seen, strict=True)))

    def _rows_of_bins(self) -> list[dict[str, Any]]:
        names = self._known_names()
        places = [(name, i) for name, size in names.channels for i in range(size)]
        single = replace(names, channels=tuple((f"{name}[{i}]", 1) for name, i in places))
        stages = {"prefit": _by_bin(self.prefit), "postfit": _by_bin(self.postfit)}
        rows = _rows_of_yields(single, stages)
        return _with_data(rows, dict(zip((name for name, _ in single.channels), self.observed, strict=True)))


def _by_bin(band: YieldBand) -> YieldBand:
    """A band whose channels are its bins."""
    return band._replace(
        channel_samples=band.samples,
        channel_samples_error=band.samples_error,
        channels=band.total,
        channels_error=band.total_error,
    )


def _rows_of_yields(names: ModelNames, stages: Mapping[str, YieldBand]) -> list[dict[str, Any]]:
    """A row for each channel and sample that has events there, and for their sum."""
    arrays = {
        stage: [np.asarray(x) for x in (b.channel_samples, b.channel_samples_error, b.channels, b.channels_error)]
        for stage, b in stages.items()
    }
    rows = []
    for c, (channel, _) in enumerate(names.channels):
        for s, sample in enumerate(names.samples):
            cells = {stage: (own[0][s, c], own[1][s, c]) for stage, own in arrays.items()}
            if any(value != 0 or error != 0 for value, error in cells.values()):
                rows.append({"channel": channel, "sample": sample, **_cells(cells)})
        total = {stage: (own[2][c], own[3][c]) for stage, own in arrays.items()}
        rows.append({"channel": channel, "sample": "total", **_cells(total)})
    return rows


def _cells(cells: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {key: x for stage, pair in cells.items() for key, x in zip((stage, f"{stage}_error"), pair, strict=True)}


def _with_data(rows: list[dict[str, Any]], seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows with one of observed events after those of each channel."""
    columns = [name for name in rows[0] if name not in ("channel", "sample")]
    every = []
    for row in rows:
        every.append(row)
        if row["sample"] == "total":
            cells = {name: None if name.endswith("_error") else float(seen[row["channel"]]) for name in columns}
            every.append({"channel": row["channel"], "sample": "data", **cells})
    return every


class Tables(NamedTuple):
    """Where entries and bins go in tables of yields."""

    place: Array  # (entries,) place of each entry in the flattened table (samples, bins)
    channel: Array  # (bins,) channel of each bin


class _Yields(NamedTuple):
    samples: Array
    total: Array
    channel_samples: Array
    channels: Array


def yields(shape: tuple[int, int], problem: Problem, fitted: CovarianceResult, tables: Tables) -> YieldsResult:
    """Yields before and after the fit; ``shape`` is the number of samples and of channels."""
    before = jnp.diag(prefit_widths(problem) ** 2)
    model, status = problem.model, fitted.status
    after = band(model, shape, tables, fitted.fit.pars, fitted.covariance)
    return YieldsResult(
        observed=problem.data[: model.n_bins],
        prefit=band(model, shape, tables, prefit_pars(problem), before),
        postfit=where_known(status, after),
        status=status,
        covariance=fitted,
    )


def band(model: Likelihood, shape: tuple[int, int], tables: Tables, pars: Array, covariance: Array) -> YieldBand:
    """Yields at one point, and their errors: the square root of ``J C J'`` with the Jacobian ``J`` of the yields.

    Not a number where a parameter without a known variance moves a yield.
    """
    n_samples, n_channels = shape

    def tabulate(pars: Array) -> _Yields:
        samples = segment_sum(entry_yields(model, pars), tables.place, n_samples * model.n_bins)
        samples, total = samples.reshape(n_samples, model.n_bins), expected_main(model, pars)
        by_channel = segment_sum(samples.T, tables.channel, n_channels).T
        return _Yields(samples, total, by_channel, segment_sum(total, tables.channel, n_channels))

    unknown = jnp.isnan(jnp.diagonal(covariance))
    finite = jnp.where(jnp.isnan(covariance), 0.0, covariance)

    def error(jacobian: Array) -> Array:
        size = square_root(jnp.sum((jacobian @ finite) * jacobian, axis=-1))
        return jnp.where(
            jnp.any((jacobian != 0) & unknown.reshape(*[1] * (jacobian.ndim - 1), -1), axis=-1), jnp.nan, size
        )

    values = tabulate(pars)
    errors = jax.tree.map(error, jax.jacfwd(tabulate)(pars))
    named = {f"{name}_error": value for name, value in errors._asdict().items()}
    return YieldBand(pars=pars, covariance=covariance, **values._asdict(), **named)
