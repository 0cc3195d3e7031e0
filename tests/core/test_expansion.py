"""The structured expansion of -log L against automatic differentiation of the plain log density."""

import zlib
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.core.likelihood import expected_main, logpdf
from pyhf_func.core.likelihood.expansion import expand, hessian_product, jacobian, value_at
from pyhf_func.core.likelihood.objective import constant, prepare
from pyhf_func.core.likelihood.structure import Likelihood
from tests import zoo
from tests.parity import cases

POINTS = 6


def two_factors() -> zoo.Spec:
    """A sample that three factors scale, beside one that none does."""
    scaled = zoo.sample(
        "scaled", [6.0, 9.0], zoo.normfactor("k"), zoo.normfactor(), zoo.normfactor("j"), zoo.normsys("tilt", 0.9, 1.3)
    )
    fixed = zoo.sample("fixed", [20.0, 11.0], zoo.histosys("tilt", [18.0, 12.0], [23.0, 10.5]))
    return zoo.workspace([zoo.channel("SR", scaled, fixed)], {"SR": [24.0, 0.0]})


class Case(NamedTuple):
    model: Any
    data: Array
    points: Array


@cache
def case(name: str) -> Case:
    """A model of the zoo (with "+codes" in other interpolations) and random points inside its bounds."""
    if name == "two_factors":
        workspace = pf.Workspace(two_factors())
        model = workspace.model()
        rng = np.random.default_rng(3)
        points = rng.uniform(0.1, 2.0, (POINTS, 4))
        for row, zeros in enumerate([(), ("mu",), ("mu", "k"), ("k", "j"), ("mu", "k", "j"), ("j",)]):
            points[row, [model.config.par_slice(z).start for z in zeros]] = 0.0
        return Case(model, jnp.array(workspace.data(model)), jnp.array(points))
    animal, _, codes = name.partition("+")
    model = cases.ours(animal)
    if codes:
        normsys, histosys = codes.split(",")
        settings = {"normsys": {"interpcode": normsys}, "histosys": {"interpcode": histosys}}
        model = pf.Workspace(zoo.ZOO[animal].spec).model(modifier_settings=settings)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    low, high = np.array(model.config.suggested_bounds()).T
    init = np.array(model.config.suggested_init())
    points = np.clip(init + 0.7 * rng.normal(size=(POINTS, len(init))), np.maximum(low, init - 1.5), high)
    points[1, model.config.poi_index or 0] = 0.0
    return Case(model, jnp.array(cases.observed(animal)), jnp.array(points))


class Everything(NamedTuple):
    value: Array
    alone: Array
    constant: Array
    gradient: Array
    jacobian: Array
    hessian: Array
    plain: tuple[Array, Array, Array, Array]


@jax.jit
def everything(model: Likelihood, data: Array, points: Array) -> Everything:
    """The expansion, and the same from the plain functions, at every point."""

    def nll(pars: Array) -> Array:
        return -logpdf(model, pars, data)

    def at(pars: Array) -> Everything:
        prepared = prepare(model, data)
        x = expand(prepared, pars)
        unit = jnp.eye(pars.shape[0])
        slopes, hessian = jax.vmap(jacobian(x).times, out_axes=1)(unit), jax.vmap(hessian_product(x))(unit)
        value, gradient = jax.value_and_grad(nll)(pars)
        plain = value, gradient, jax.jacfwd(lambda p: expected_main(model, p))(pars), jax.hessian(nll)(pars)
        return Everything(x.value, value_at(prepared, pars), constant(prepared), x.gradient, slopes, hessian, plain)

    return jax.vmap(at)(points)


@cache
def found(name: str) -> Everything:
    model, data, points = case(name)
    return jax.tree.map(np.asarray, everything(model.likelihood, data, points))


NAMES = [
    "two_factors",
    "everything",
    "everything+code1,code0",
    "asymmetric_systematics+code4,code2",
]
EVERY = pytest.mark.parametrize("name", NAMES)


def close(actual: Any, expected: Any, digits: float = 1e-11) -> None:
    """To so many digits of the largest element at the same point."""
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=digits, atol=digits * max(1.0, float(np.max(np.abs(e)))))


@pytest.mark.slow
@EVERY
def test_value(name: str) -> None:
    """The value leaves out a constant, and is the same whether or not derivatives are asked for."""
    x = found(name)
    close(x.value + x.constant, x.plain[0])
    close(x.alone, x.value, 1e-13)


@pytest.mark.slow
@EVERY
def test_gradient(name: str) -> None:
    close(found(name).gradient, found(name).plain[1])


@EVERY
def test_jacobian(name: str) -> None:
    close(found(name).jacobian, found(name).plain[2])


@EVERY
def test_hessian(name: str) -> None:
    x = found(name)
    close(x.hessian, x.plain[3], 1e-10)
    close(x.hessian, np.swapaxes(x.hessian, -1, -2), 1e-12)


def test_zero_factors_leave_what_the_others_do() -> None:
    """By hand: with mu = k = 0 only the mixed second derivative of the product is left."""
    model, data, points = case("two_factors")
    mu, k, j = (model.config.par_slice(name).start for name in ("mu", "k", "j"))
    pars = points[2]
    assert float(pars[mu]) == float(pars[k]) == 0.0
    x = found("two_factors")
    assert np.all(x.jacobian[2][:, [mu, k, j]] == 0.0)
    expected = jax.jit(pf.Model.expected_actualdata)
    rates = expected(model, pars)
    entry = model.with_yields("SR", "fixed", [0.0, 0.0]).with_histosys("SR", "fixed", "tilt", lo=[0.0, 0.0], hi=[0, 0])
    factor = expected(entry, pars.at[jnp.array([mu, k])].set(1.0))
    mixed = float(jnp.sum((1 - data[:2] / rates) * factor))
    assert mixed != 0.0
    assert x.hessian[2][mu, k] == pytest.approx(mixed, rel=1e-12)
    assert x.hessian[2][mu, mu] == 0.0


def test_no_density_is_infinite_not_nan() -> None:
    """An event where nothing is expected: the value is +inf, the gradient finite."""
    model, data, points = case("two_factors")
    empty = model.with_yields("SR", "fixed", [0.0, 11.0]).with_histosys("SR", "fixed", "tilt", lo=[0, 12], hi=[0, 10])
    x = everything(empty.likelihood, data, points)
    nothing = np.any(np.asarray(points)[:, [model.config.par_slice(n).start for n in ("mu", "k", "j")]] == 0.0, axis=1)
    np.testing.assert_array_equal(x.value[nothing], np.inf)
    np.testing.assert_array_equal(x.plain[0][nothing], np.inf)
    assert np.all(np.isfinite(x.value[~nothing]))
    assert np.all(np.isfinite(x.gradient))
    assert np.all(np.isfinite(x.hessian))
