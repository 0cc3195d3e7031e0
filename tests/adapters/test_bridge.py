"""The bridge: what JAX computes and differentiates, on the tapes of PyTorch, TensorFlow and MXNet."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.adapters import bridge
from tests.adapters.frameworks import backend, gradients

FRAMEWORKS = ("pytorch", "tensorflow", "mxnet")
each_framework = pytest.mark.parametrize("name", FRAMEWORKS)

SPEC = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                {
                    "name": "signal",
                    "data": [12.0, 11.0],
                    "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                },
                {
                    "name": "background",
                    "data": [50.0, 52.0],
                    "modifiers": [{"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.15}}],
                },
            ],
        }
    ]
}
PARS = np.array([0.8, 0.3])


@pytest.fixture(scope="module")
def model() -> pf.Model:
    return pf.Model(SPEC)


@pytest.fixture(scope="module")
def data(model: pf.Model) -> np.ndarray:
    return np.array([63.0, 55.0, *model.config.auxdata])


def logpdf(model: pf.Model, pars: Any, data: Any) -> Any:
    return model.logpdf(pars, data)


def expected_data(model: pf.Model, pars: Any, data: Any) -> Any:
    return jnp.sum(model.expected_data(pars) * jnp.arange(1.0, 4.0)) + 0.0 * jnp.sum(data)


def fitted(model: pf.Model, pars: Any, data: Any) -> Any:
    return jnp.sum(pf.fit(data, model).pars * pars)


def cls(model: pf.Model, pars: Any, data: Any) -> Any:
    return pf.hypotest(pars[0], data, model).cls


@pytest.mark.slow
@each_framework
@pytest.mark.parametrize(
    "quantity",
    [logpdf, expected_data, fitted, cls],
)
def test_gradients_are_those_of_jax(name: str, quantity: Callable[..., Any], model: pf.Model, data: np.ndarray) -> None:
    """Of likelihoods, with respect to parameters, data, and the yields in the model."""
    tb = backend(name)
    nominal = np.asarray(model.likelihood.values.nominal)

    def on_tape(pars: Any, data: Any, nominal: Any) -> Any:
        return bridge.apply(quantity, with_nominal(model, nominal), pars, data)

    arguments = (PARS, data, nominal)
    expected, slopes = in_jax(quantity, model, *arguments)
    for found, wanted in zip(gradients(tb, on_tape, arguments), slopes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)
    value = on_tape(*map(tb.astensor, arguments))
    assert isinstance(value, tb.array_type)
    np.testing.assert_allclose(tb.to_numpy(value), expected, rtol=1e-12)


IN_JAX: dict[Callable[..., Any], Any] = {}


def in_jax(quantity: Callable[..., Any], model: pf.Model, *arguments: Any) -> Any:
    """The quantity and its gradients, without a bridge; kept for the next framework."""
    if quantity not in IN_JAX:

        def function(pars: Any, data: Any, nominal: Any) -> Any:
            return quantity(with_nominal(model, nominal), pars, data)

        IN_JAX[quantity] = jax.jit(jax.value_and_grad(function, argnums=(0, 1, 2)))(*map(jnp.asarray, arguments))
    return IN_JAX[quantity]


def with_nominal(model: pf.Model, nominal: Any) -> Any:
    """The model with another leaf, of whatever kind, in place of its nominal yields."""
    leaves, structure = jax.tree.flatten(model)
    places = [number for number, leaf in enumerate(leaves) if leaf is model.likelihood.values.nominal]
    leaves[places[0]] = nominal
    return jax.tree.unflatten(structure, leaves)


class Result(NamedTuple):
    """A result of several kinds."""

    total: Any
    parts: dict[str, Any]


def several(tree: dict[str, Any], scale: float, word: str) -> Result:
    assert word == "static"
    x, n = tree["x"], tree["n"]
    return Result(jnp.sum(x) * scale, {"twice": 2 * x, "places": n + 1, "positive": x > 0, "none": jnp.zeros((0, 2))})


@each_framework
@pytest.mark.parametrize("precision", ["32b", "64b"])
def test_trees_types_and_constants(name: str, precision: str) -> None:
    """Pytrees in and out; ints and bools stay what they are; floats have the inputs' type."""
    tb = backend(name, precision)
    x, n = tb.astensor([0.5, -1.5]), tb.astensor([3, 4], dtype="int")
    result = bridge.apply(several, {"x": x, "n": n}, 3.0, "static")
    assert isinstance(result, Result)
    assert tb.tolist(result.total) == -3.0
    assert tb.tolist(result.parts["twice"]) == [1.0, -3.0]
    assert tb.tolist(result.parts["places"]) == [4, 5]
    assert tb.tolist(result.parts["positive"]) == [True, False]
    assert tb.shape(result.parts["none"]) == (0, 2)
    assert result.total.dtype == result.parts["none"].dtype == tb.dtypemap["float"]
    assert result.parts["places"].dtype == tb.dtypemap["int"]
    assert result.parts["positive"].dtype == tb.dtypemap["bool"]
    slopes = gradients(tb, lambda x: bridge.apply(several, {"x": x, "n": n}, 3.0, "static").total, [np.ones(2)])
    np.testing.assert_array_equal(slopes[0], [3.0, 3.0])


def square(x: Any) -> Any:
    return x * x


def total(*trees: Any) -> Any:
    return sum(jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(trees))


@each_framework
@pytest.mark.parametrize("shape", [(), (0,), (0, 2), (1,), (2, 3), (2, 1, 3)])
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    tb = backend(name)
    array = np.arange(1.0, np.prod(shape, dtype=int) + 1).reshape(shape)
    np.testing.assert_array_equal(tb.to_numpy(bridge.apply(square, tb.astensor(array))), array**2)
    found = gradients(tb, lambda x, y: bridge.apply(total, x, [y]), [array, np.ones(1)])
    np.testing.assert_array_equal(found[0], 2 * array)
    assert found[0].shape == shape


@each_framework
@pytest.mark.parametrize("size", [1, 5, 8, 9, 30])
def test_vectors(name: str, size: int) -> None:
    """Few numbers in the result (whose gradients are computed at once), and many."""
    tb = backend(name)
    array, weights = np.linspace(-1.0, 2.0, size), np.cos(np.arange(size))

    def loss(x: Any) -> Any:
        values, turned = bridge.apply(two_outputs, x, tb.astensor([[0.5]]))
        return tb.sum(values * tb.astensor(weights)) + tb.sum(turned * tb.astensor(weights[::-1].copy()))

    (found,) = gradients(tb, loss, [array])
    np.testing.assert_allclose(found, 2 * array * weights + 0.5 * weights[::-1], rtol=1e-14, atol=1e-15)


@each_framework
def test_some_outputs_and_inputs_unused(name: str) -> None:
    """Gradients flow from one of several outputs, to one of several inputs."""
    tb = backend(name)

    def loss(x: Any, y: Any) -> Any:
        first, _ = bridge.apply(two_outputs, x, y)
        return tb.sum(first)

    found = gradients(tb, loss, [np.array([1.0, 2.0]), np.array(3.0)])
    np.testing.assert_array_equal(found[0], [2.0, 4.0])
    np.testing.assert_array_equal(found[1], 0.0)


def two_outputs(x: Any, y: Any) -> Any:
    return x * x, x * y.reshape(())


@each_framework
def test_widest_float_of_the_inputs(name: str) -> None:
    tb, narrow = backend(name), backend(name, "32b")
    assert bridge.apply(jnp.add, tb.ones((2,)), narrow.ones((2,))).dtype == tb.dtypemap["float"]
    assert bridge.apply(jnp.add, narrow.ones((2,)), np.ones(2)).dtype == narrow.dtypemap["float"]
    found = gradients(narrow, lambda x: bridge.apply(total, x, np.ones(2)), [np.ones(2)])
    assert found[0].dtype == np.float32


class Counter:
    """A function that counts how often it is traced, differentiated, and run."""

    def __init__(self) -> None:
        self.traces = self.derivatives = self.runs = 0

        def run(x: Any) -> Any:
            self.runs += 1
            return np.asarray(x) ** 3

        def compute(x: Any) -> Any:
            return jax.pure_callback(run, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

        def forward(x: Any) -> Any:
            self.derivatives += 1
            return compute(x), x

        expensive = jax.custom_vjp(compute)
        expensive.defvjp(forward, lambda x, gradient: (3 * x**2 * gradient,))
        self._expensive = expensive

    def __call__(self, x: Any) -> Any:
        self.traces += 1
        return jnp.sum(self._expensive(x))


@each_framework
def test_no_more_work_than_is_wanted(name: str) -> None:
    """Compiled once; no derivative where none is wanted; nothing run again on the way back."""
    tb = backend(name)
    count = Counter()
    x = tb.astensor([1.0, 2.0])
    for _ in range(3):
        bridge.apply(count, x)
    assert (count.traces, count.derivatives, count.runs) == (1, 0, 3)
    count.runs = 0
    for _ in range(3):
        found = gradients(tb, lambda x: bridge.apply(count, x), [np.array([1.0, 2.0])])
        np.testing.assert_array_equal(found[0], [3.0, 12.0])
    assert (count.traces, count.derivatives, count.runs) == (2, 1, 3)
    bridge.apply(count, tb.astensor([1.0, 2.0, 3.0]))
    assert count.traces == 3


def first_and_all(x: Any) -> Any:
    return x, jnp.exp(x)


@pytest.mark.parametrize("name", ["pytorch", "mxnet"])  # tensors of TensorFlow do not change
def test_results_have_memory_of_their_own(name: str) -> None:
    """What happens to an input or a result afterwards changes neither results nor gradients."""
    tb = backend(name)
    x = tb.astensor([1.0, 2.0])
    same, _ = bridge.apply(first_and_all, x)
    x[:] = 5.0
    assert tb.tolist(same) == [1.0, 2.0]

    def loss(x: Any) -> Any:
        _, values = bridge.apply(first_and_all, x)
        changed = tb.to_numpy(values)
        changed[...] = 7.0  # where a result's memory is shared, this changes it
        return tb.sum(values)

    found = gradients(tb, loss, [np.array([0.0, 1.0])])
    np.testing.assert_allclose(found[0], np.exp([0.0, 1.0]), rtol=1e-14)


@each_framework
def test_constants_are_not_handed_out(name: str) -> None:
    tb = backend(name)
    constant = jnp.arange(3.0)
    _, result = bridge.apply(lambda x, y: (x, y), tb.ones((1,)), constant)
    assert tb.tolist(result) == [0.0, 1.0, 2.0]
    if name != "tensorflow":
        result[:] = 9.0
    assert constant.tolist() == [0.0, 1.0, 2.0]


@each_framework
def test_threads(name: str, model: pf.Model, data: np.ndarray) -> None:
    tb = backend(name)

    def slope(mu: float) -> Any:
        if name == "mxnet":
            tb._setup()
        return gradients(tb, lambda pars: bridge.apply(logpdf, model, pars, data), [np.array([mu, 0.1])])[0]

    values = np.linspace(0.2, 2.0, 16)
    expected = [slope(mu) for mu in values]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(slope, values))
    np.testing.assert_array_equal(found, expected)


@each_framework
def test_wrapped_functions(name: str) -> None:
    """`as_torch` and its like give that framework's tensors, whatever goes in; keywords, too."""
    tb = backend(name)
    wrap = {"pytorch": bridge.as_torch, "tensorflow": bridge.as_tensorflow, "mxnet": bridge.as_mxnet}[name]
    wrapped = wrap(square)
    assert isinstance(wrapped(3.0), tb.array_type)
    assert tb.tolist(wrapped(x=tb.astensor([2.0]))) == [4.0]
    np.testing.assert_array_equal(gradients(tb, lambda x: tb.sum(wrapped(x)), [np.array([3.0])])[0], [6.0])
    assert wrapped.__name__ == "square"


@each_framework
def test_kind(name: str) -> None:
    tb = backend(name)
    assert bridge.kind({"pars": [1.0, tb.ones((2,))], "data": np.ones(3)}) == name
    assert bridge.kind([np.ones(2), jnp.ones(2), 3, "word", None]) is None
    assert bridge.kind({5: 1.0, "mu": 2.0}) is None  # keys that JAX can't sort are for the verb to refuse
    assert bridge.apply(square, 3.0) == 9.0


def test_one_framework_at_a_time() -> None:
    tensors = backend("pytorch").ones((1,)), backend("tensorflow").ones((1,))
    with pytest.raises(TypeError, match=r"pytorch.*tensorflow"):
        bridge.apply(jnp.add, *tensors)


@each_framework
def test_not_while_jax_traces(name: str) -> None:
    tensor = backend(name).ones((1,))
    with pytest.raises(TypeError, match="JAX is tracing"):
        jax.jit(lambda x: bridge.apply(jnp.add, x, tensor))(1.0)
