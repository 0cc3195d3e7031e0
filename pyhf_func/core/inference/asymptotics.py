"""Asymptotic distributions of the test statistics (arXiv:1007.1727): from q and its Asimov value to p-values."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.special import log_ndtr

from pyhf_func.core.statistics import Statistic

EXPECTED_SIGMAS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""The background-only fluctuations of the expected band."""


class PValues(NamedTuple):
    """Tail probabilities under signal plus background and background only, and their ratio."""

    clsb: Array
    clb: Array
    cls: Array


def square_root(q: Array) -> Array:
    """The square root, with derivative 0 at 0 instead of infinity; 0 below it, and NaN stays NaN."""
    positive = q > 0
    root = jnp.sqrt(jnp.where(positive, q, 1.0))
    return jnp.where(positive, root, jnp.where(jnp.isnan(q), q, 0.0))


def transformed(q: Array, q_asimov: Array, statistic: Statistic) -> Array:
    """The test statistic on a scale on which it is standard normal for background only.

    ``sqrt(q) - sqrt(q_A)``; above the Asimov value, where the best value is kept from being negative,
    ``(q - q_A) / (2 sqrt(q_A))``: Equations (65), (66).
    """
    return _in_sigmas(q, q_asimov, statistic)[0]


def _in_sigmas(q: Array, q_asimov: Array, statistic: Statistic) -> tuple[Array, Array]:
    """The transformed test statistic under background only and under the tested hypothesis, ``sqrt(q_A)`` higher."""
    root, root_asimov = square_root(q), square_root(q_asimov)
    linear = root - root_asimov
    if not statistic.not_negative:
        return linear, root
    beyond = (q > q_asimov) & (q_asimov > 0)
    twice = 2 * jnp.where(beyond, root_asimov, 1.0)
    return jnp.where(beyond, (q - q_asimov) / twice, linear), jnp.where(beyond, (q + q_asimov) / twice, root)


def log_p_values(q: Array, q_asimov: Array, statistic: Statistic) -> PValues:
    """The logarithms of `p_values`, which keep the digits of small ones."""
    t, signal = _in_sigmas(q, q_asimov, statistic)
    log_clsb, log_clb = log_ndtr(-signal), log_ndtr(-t)
    return PValues(log_clsb, log_clb, jnp.where(t == jnp.inf, -jnp.inf, _log_ratio(log_clsb, log_clb)))


def _log_ratio(log_clsb: Array, log_clb: Array) -> Array:
    """The logarithm of CLs, at most zero also where tails that are alike are rounded; the derivative is the same."""
    ratio = log_clsb - log_clb
    return jnp.where(ratio > 0, ratio - lax.stop_gradient(ratio), ratio)


def p_values(q: Array, q_asimov: Array, statistic: Statistic) -> PValues:
    """Tail probabilities of a test statistic with its Asimov value: Equations (57) and (59).

    Where both are infinite, the second is not a number.
    """
    return PValues(*map(jnp.exp, log_p_values(q, q_asimov, statistic)))


def expected_p_values(q_asimov: Array) -> PValues:
    """The same for background-only data at -2, -1, 0, 1, 2 standard deviations; shape (5,) each."""
    sigmas = jnp.asarray(EXPECTED_SIGMAS, q_asimov.dtype)
    log_clsb, log_clb = log_ndtr(sigmas - square_root(q_asimov)), log_ndtr(sigmas)
    return PValues(jnp.exp(log_clsb), jnp.exp(log_clb), jnp.exp(_log_ratio(log_clsb, log_clb)))
