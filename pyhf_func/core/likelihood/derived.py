"""Derived factors: what scales entries and is more than a parameter, each a function of few parameters.

Such are expressions, histosys terms that multiply, normsys terms that add up to one factor, morphed yields that are
scaled to their sum, and the spreads of bins that several samples share. The rest of the engine takes them for further
parameters, and their derivatives by the chain rule: with ``w`` the derivatives of the likelihood by the factors ``f``,

    grad += f'^T w,        Hess v += f'^T (Hess_f f' v) + (sum_j w_j f_j'') v.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.likelihood.groups import (
    histosys_code,
    histosys_templates,
    normsys_factors,
)
from pyhf_func.core.likelihood.interpolation import Coefficients, shift_code
from pyhf_func.core.likelihood.structure import Group, Likelihood, Morphs, Spreads

Program = Sequence[str | int | float]


def with_one(x: Array) -> Array:
    """``x`` with a one behind its last element: the neutral factor that padded indices point to."""
    return with_last(x, 1.0)


def with_last(x: Array, last: float) -> Array:
    """``x`` with one more element: what padded indices point to."""
    return jnp.concatenate([x, jnp.full(1, last, x.dtype)])


def take(x: Array, places: Array) -> Array:
    """``x[places]`` for places that exist, none of them counted from the end: less to compile."""
    return x.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def prepare_derived(model: Likelihood) -> tuple[Coefficients, ...]:
    """Coefficients of the histosys terms of each group that is no shift of the yields."""
    groups = [group for group in model.histosys if group.effect != "shift"]
    return tuple(histosys_code(group).prepare(*histosys_templates(model, group)) for group in groups)


def base(model: Likelihood) -> Array:
    """The yields to which shifts are added: the nominal ones, and one where a derived factor is the morphed yield."""
    nominal, derived = model.values.nominal, model.derived
    if derived is None or derived.morphs is None:
        return nominal
    return nominal.at[derived.morphs.entry].set(1.0)


def derived_factors(
    model: Likelihood, coefficients: tuple[Coefficients, ...], normsys: tuple[Coefficients, ...], pars: Array
) -> Array:
    """Every derived factor at the parameters, with the coefficients of `prepare_derived` and `prepare_normsys`."""
    derived, indices = model.derived, model.indices
    assert derived is not None
    effects = _effects(model, coefficients, pars)
    found = [effect for group, effect in effects if group.effect == "factor"]
    found += [evaluate(formulas.program, pars[formulas.args].T) for formulas in derived.formulas]
    factors = normsys_factors(model, normsys, pars[indices.normsys_par])
    found.append(1 + jnp.sum(with_last(factors - 1, 0.0)[derived.sums], axis=-1))
    if derived.morphs is not None:
        found.append(_morphed(model, derived.morphs, [e for e in effects if e[0].effect == "morph"]))
    if derived.spreads is not None:
        rows = jnp.prod(with_one(factors)[indices.row_normsys], axis=-1)
        found.append(_spread(derived.spreads, rows, pars, jnp.concatenate(found)))
    return jnp.concatenate(found)


def _effects(model: Likelihood, coefficients: tuple[Coefficients, ...], pars: Array) -> list[tuple[Group, Array]]:
    """Factors and shifts of the histosys terms of each group that is no shift of the yields."""
    groups = [group for group in model.histosys if group.effect != "shift"]
    found = []
    for group, mine in zip(groups, coefficients, strict=True):
        alpha = pars[model.of_group("histosys", group, model.indices.histosys_par)]
        found.append((group, histosys_code(group).evaluate(mine, alpha)))
    return found


def _morphed(model: Likelihood, morphs: Morphs, effects: list[tuple[Group, Array]]) -> Array:
    """``n exp(sum of shifts in the logarithm)``, at least the floor, scaled to the sum of n over the row."""
    nominal = model.values.nominal
    yields, logarithms = nominal, jnp.zeros_like(nominal)
    for group, effect in effects:
        entry = model.of_group("histosys", group, model.indices.histosys_entry)
        here = segment_sum(effect, entry, nominal.shape[0], indices_are_sorted=True)
        if shift_code(group.code).in_logarithm:
            logarithms = logarithms + here
        else:
            yields = yields + here
    yields = (yields * jnp.exp(logarithms))[morphs.entry]
    add = partial(segment_sum, segment_ids=morphs.row, num_segments=morphs.floor.shape[0])
    total = add(nominal[morphs.entry])
    least = (morphs.floor * jnp.maximum(total, 0.0))[morphs.row]
    yields = jnp.where(yields > least, yields, least)
    now = add(yields)
    return yields * (total / jnp.where(now == 0, 1.0, now))[morphs.row]


def _spread(spreads: Spreads, rows: Array, pars: Array, factors: Array) -> Array:
    scales = jnp.prod(with_one(pars)[spreads.row_scales], axis=-1) * jnp.prod(
        with_one(factors)[spreads.row_factors], axis=-1
    )
    size = (rows[: scales.shape[0]] * scales)[spreads.error_row] * spreads.error
    variance = segment_sum(size**2, spreads.error_spread, spreads.size)
    return _sqrt(variance)


def _sqrt(x: Array) -> Array:
    """The square root, with a derivative of zero at zero; not a number below."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), jnp.where(x < 0, jnp.nan, 0.0))


def _power(x: Array | float, exponent: Array | float) -> Array:
    """Whole exponents keep derivatives finite where the base is zero or negative."""
    whole = isinstance(exponent, float) and exponent == int(exponent) and abs(exponent) < 100
    return jnp.asarray(x) ** int(exponent) if whole else jnp.power(x, exponent)


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "+": jnp.add,
    "-": jnp.subtract,
    "*": jnp.multiply,
    "/": jnp.divide,
    "pow": _power,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": lambda x: _sqrt(jnp.asarray(x)),
    "abs": jnp.abs,
    "min": jnp.minimum,
    "max": jnp.maximum,
}
_SINGLE = ("exp", "log", "sqrt", "abs")


def evaluate(program: Program, args: Array) -> Array:
    """The value of an expression in postfix order for arguments of shape (arguments, n); shape (n,)."""
    stack: list[Array | float] = []
    for step in program:
        if isinstance(step, str):
            count = 1 if step in _SINGLE else 2
            operands = stack[-count:]
            del stack[-count:]
            stack.append(_FUNCTIONS[step](*operands))
        else:
            stack.append(args[step] if isinstance(step, int) else step)
    return jnp.broadcast_to(jnp.asarray(stack[0], args.dtype), args.shape[1:])


def linearised(
    factors: Callable[[Array], Array], pars: Array
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The derivative of derived factors as a function of a vector (pars,), and its transposed of one (factors,)."""
    forward = jax.linearize(factors, pars)[1]
    backward = jax.linear_transpose(forward, pars)
    return forward, lambda weights: backward(weights)[0]


def curvature(factors: Callable[[Array], Array], pars: Array, weights: Array) -> Callable[[Array], Array]:
    """``(sum_j w_j f_j'') v`` as a function of a vector ``v`` (pars,)."""
    return jax.linearize(jax.grad(lambda at: jnp.dot(weights, factors(at))), pars)[1]
