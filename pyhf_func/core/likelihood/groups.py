"""Groups of terms that one interpolation code evaluates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.interpolation import Additive, Coefficients, Multiplicative, factor_code, shift_code
from pyhf_func.core.likelihood.structure import Group, Likelihood

Templates = tuple[Array, Array, Array]
"""Down, nominal and up."""


def histosys_code(group: Group) -> Additive | Multiplicative:
    """The code of a group of histosys terms."""
    return (factor_code if group.effect == "factor" else shift_code)(group.code, group.smooth)


def histosys_templates(model: Likelihood, group: Group) -> Templates:
    """Templates of the terms of a group; of factors, in units of the nominal yield, and one where that is zero."""
    take = partial(model.of_group, "histosys", group)
    lo, hi = take(model.values.histosys_lo), take(model.values.histosys_hi)
    nominal = model.values.nominal[take(model.indices.histosys_entry)]
    if group.effect != "factor":
        return lo, nominal, hi
    empty, one = nominal == 0, jnp.ones_like(lo)
    nominal = jnp.where(empty, 1.0, nominal)
    return jnp.where(empty, one, lo / nominal), one, jnp.where(empty, one, hi / nominal)


def normsys_templates(model: Likelihood, group: Group) -> Templates:
    """Templates of the terms of a group."""
    lo = model.of_group("normsys", group, model.values.normsys_lo)
    return lo, jnp.ones_like(lo), model.of_group("normsys", group, model.values.normsys_hi)


def shift_groups(model: Likelihood) -> tuple[Group, ...]:
    """The groups of histosys terms that are added to the yields."""
    return tuple(group for group in model.histosys if group.effect == "shift")


def every_group(model: Likelihood) -> Iterator[tuple[Additive | Multiplicative, Templates, Array]]:
    """Code, templates and parameters of the terms of each group."""
    for group in model.histosys:
        par = model.of_group("histosys", group, model.indices.histosys_par)
        yield histosys_code(group), histosys_templates(model, group), par
    for group in model.normsys:
        par = model.of_group("normsys", group, model.indices.normsys_par)
        yield factor_code(group.code), normsys_templates(model, group), par


def prepare_normsys(model: Likelihood) -> tuple[Coefficients, ...]:
    """Coefficients of the normsys terms of each group."""
    return tuple(factor_code(group.code).prepare(*normsys_templates(model, group)) for group in model.normsys)


def normsys_factors(model: Likelihood, coefficients: tuple[Coefficients, ...], alpha: Array) -> Array:
    """The factor of each normsys term, at its parameter ``alpha``; shape (normsys,)."""
    parts = [
        factor_code(group.code).evaluate(mine, model.of_group("normsys", group, alpha))
        for group, mine in zip(model.normsys, coefficients, strict=True)
    ]
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts)
