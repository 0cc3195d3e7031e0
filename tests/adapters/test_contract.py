"""Every clause of the contract, for every framework, in both precisions."""

from __future__ import annotations

import doctest
import inspect
import math
import warnings
from typing import Any

import numpy as np
import pytest

from pyhf_func.adapters import contract
from pyhf_func.exceptions import Unsupported
from tests.adapters.clauses import CLAUSES, EXACT, FAULTS, Clause, Fault
from tests.adapters.frameworks import BACKENDS, QUICKLY, TAPES, backend, gradients

PRECISIONS = ("64b", "32b")
TOLERANCE = {"64b": 1e-10, "32b": 1e-6}
SLOPE_TOLERANCE = {"64b": 1e-8, "32b": 1e-4}
"""Of gradients against fourth-order finite differences."""

each_backend = pytest.mark.parametrize("name", BACKENDS)
each_precision = pytest.mark.parametrize("precision", PRECISIONS)


OPERATIONS = sorted({clause.operation for clause in CLAUSES})
DIFFERENTIATED = sorted({clause.operation for clause in CLAUSES if clause.gradient and clause.inputs})


@pytest.mark.slow
@each_precision
@each_backend
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value|overflow):RuntimeWarning")
def test_values(operation: str, name: str, precision: str) -> None:
    tb = backend(name, precision)
    tolerance = TOLERANCE[precision]
    clauses = clauses_of(operation)
    inputs = [[tb.astensor(array) for array in clause.inputs] for clause in clauses]
    for clause, tensors, tensor in zip(clauses, inputs, evaluated(tb, clauses, inputs), strict=True):
        result = tb.to_numpy(tensor)
        expected = clause.expected(*(tb.to_numpy(tensor).astype(np.float64) for tensor in tensors))
        assert result.shape == expected.shape, clause
        assert result.dtype == {"64b": np.float64, "32b": np.float32}[precision], clause
        np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance * clause.scale, err_msg=str(clause))


def evaluated(tb: Any, clauses: list[Clause], inputs: list[list[Any]]) -> list[Any]:
    """The results of clauses; JAX compiles those that it can, together."""

    def results(inputs: list[list[Any]]) -> list[Any]:
        return [clause.call(tb, *tensors) for clause, tensors in zip(clauses, inputs, strict=True)]

    if tb.name == "jax" and all(clause.tracing for clause in clauses):
        import jax

        return jax.jit(results, compiler_options=QUICKLY)(inputs)
    return results(inputs)


@pytest.mark.slow
@each_precision
@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("operation", DIFFERENTIATED)
def test_gradients(operation: str, name: str, precision: str) -> None:
    """Gradients of weighted sums of the results, by the framework, against finite differences of the reference."""
    tb = backend(name, precision)
    tolerance = SLOPE_TOLERANCE[precision]
    clauses = [clause for clause in clauses_of(operation) if clause.gradient and clause.inputs]
    if name == "jax":
        clauses = [clause for clause in clauses if clause.tracing]
    weights = [tb.astensor(weights_of(clause)) for clause in clauses]

    def loss(*tensors: Any) -> Any:
        remaining = list(tensors)
        sums = []
        for clause, weight in zip(clauses, weights, strict=True):
            mine, remaining = remaining[: len(clause.inputs)], remaining[len(clause.inputs) :]
            sums.append(tb.sum(clause.call(tb, *mine) * weight))
        return tb.sum(tb.stack(sums))

    if not clauses:
        return
    found = gradients(tb, loss, [array for clause in clauses for array in clause.inputs])
    expected = [(clause, slopes) for clause in clauses for slopes in slopes_of(clause)]
    for gradient, (clause, slopes) in zip(found, expected, strict=True):
        assert gradient.shape == slopes.shape, clause
        np.testing.assert_allclose(gradient, slopes, rtol=tolerance, atol=tolerance, err_msg=str(clause))


def clauses_of(operation: str) -> list[Clause]:
    return [clause for clause in CLAUSES if clause.operation == operation]


def weights_of(clause: Clause) -> np.ndarray:
    shape = clause.expected(*clause.inputs).shape
    return 1.0 + np.cos(np.arange(math.prod(shape))).reshape(shape)


SLOPES: dict[int, list[np.ndarray]] = {}


def slopes_of(clause: Clause) -> list[np.ndarray]:
    """Gradients of the weighted sum of the reference, by finite differences."""
    if id(clause) not in SLOPES:
        weights = weights_of(clause)

        def reference(arrays: list[np.ndarray]) -> float:
            return float(np.sum(clause.expected(*arrays) * weights))

        numbers = range(len(clause.inputs))
        SLOPES[id(clause)] = [finite_differences(reference, list(clause.inputs), number) for number in numbers]
    return SLOPES[id(clause)]


def finite_differences(function: Any, arrays: list[np.ndarray], number: int, step: float = 4e-4) -> np.ndarray:
    """Slopes in one of several arrays, to the fourth order."""
    array = np.asarray(arrays[number], dtype=np.float64)
    slopes = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        values = []
        for shift in (-2, -1, 1, 2):
            moved = array.copy()
            moved[place] += shift * step
            values.append(function([*arrays[:number], moved, *arrays[number + 1 :]]))
        slopes[place] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    return slopes


@each_precision
@each_backend
@pytest.mark.parametrize("operation", sorted({clause.operation for clause in EXACT}))
def test_exact(operation: str, name: str, precision: str) -> None:
    tb = backend(name, precision)
    for clause in EXACT:
        if clause.operation == operation:
            assert clause.call(tb) == clause.expected, clause


@each_backend
@pytest.mark.parametrize("clause", FAULTS, ids=str)
def test_faults(clause: Fault, name: str) -> None:
    tb = backend(name)
    with pytest.raises(Exception) as caught:
        clause.call(tb)
    assert {cls.__name__ for cls in type(caught.value).__mro__} & set(clause.exceptions)


def test_every_operation_has_a_clause() -> None:
    operations = {
        name for name, value in vars(contract.TensorBackend).items() if callable(value) and not name.startswith("_")
    }
    assert {clause.operation for clause in [*CLAUSES, *EXACT]} == operations


def test_operations_are_those_of_pyhf() -> None:
    pyhf_backend = pytest.importorskip("pyhf.tensor.numpy_backend").numpy_backend
    for name, operation in vars(pyhf_backend).items():
        if inspect.isfunction(operation) and not name.startswith("_"):
            ours = getattr(contract.TensorBackend, name)
            wanted = operation.__code__.co_varnames[: operation.__code__.co_argcount]
            assert ours.__code__.co_varnames[: ours.__code__.co_argcount] == wanted, name
            assert len(ours.__defaults__ or ()) == len(operation.__defaults__ or ()), name


@each_backend
def test_no_operation_is_left_out(name: str) -> None:
    assert not type(backend(name)).__abstractmethods__


@pytest.mark.slow
@each_backend
def test_documented_examples(name: str) -> None:
    """The examples in the contract, run for this backend."""
    tb = backend(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = doctest.testmod(contract, extraglobs={"tb": tb}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 50
    assert found.failed == 0


@each_precision
@each_backend
def test_attributes(name: str, precision: str) -> None:
    tb = backend(name, precision)
    width = {"64b": "64", "32b": "32"}[precision]
    assert (tb.name, tb.precision, tb.default_do_grad) == (name, precision, name != "numpy")
    assert f"float{width}" in str(tb.dtypemap["float"])
    assert f"int{width}" in str(tb.dtypemap["int"])
    assert "bool" in str(tb.dtypemap["bool"])
    assert isinstance(tb.ones((2,)), tb.array_type)
    assert tb.array_subtype is not None
    assert tb.ones((2,)).dtype == tb.dtypemap["float"]
    assert tb.ones((2,), dtype="int").dtype == tb.dtypemap["int"]


@each_backend
def test_default_precision_and_foreign_options(name: str) -> None:
    backend_class = type(backend(name))
    assert backend_class(poisson_from_normal=True).precision == "64b"
    with pytest.raises(Unsupported, match="16b"):
        backend_class(precision="16b")


@each_backend
def test_wider_floats_win(name: str) -> None:
    """A tensor of 64 bits in a backend of 32 stays one, and numbers adopt the type of the tensor beside them."""
    narrow, wide = backend(name, "32b"), backend(name)
    assert wide.tolist(narrow.divide(wide.astensor([0.1]), narrow.astensor([1.0]))) == [0.1]
    assert wide.power(narrow.astensor([2.0]), 2.0).dtype == narrow.dtypemap["float"]


@each_backend
def test_samples(name: str) -> None:
    """Shapes, types, means and variances of random numbers."""
    tb = backend(name)
    rates = tb.astensor([[0.0, 5.0, 200.0]])
    counts = tb.to_numpy(tb.poisson_dist(rates).sample((4000,)))
    assert counts.shape == (4000, 1, 3)
    assert counts.dtype == np.float64
    np.testing.assert_array_equal(counts, np.round(counts))
    rate = np.array([[0.0, 5.0, 200.0]])
    np.testing.assert_array_less(np.abs(counts.mean(axis=0) - rate), 5 * np.sqrt(rate / 4000) + 1e-12)
    np.testing.assert_allclose(counts.var(axis=0)[0, 1:], rate[0, 1:], rtol=0.15)
    values = tb.to_numpy(tb.normal_dist(tb.astensor([5.0, -8.0]), tb.astensor([1.0, 0.5])).sample((2000, 2)))
    assert values.shape == (2000, 2, 2)
    np.testing.assert_allclose(values.mean(axis=(0, 1)), [5.0, -8.0], atol=0.1)
    np.testing.assert_allclose(values.std(axis=(0, 1)), [1.0, 0.5], rtol=0.1)
    for shape, expected in (((), (2,)), (3, (3, 2)), ((0,), (0, 2))):
        assert tb.shape(tb.poisson_dist(tb.astensor([1.0, 2.0])).sample(shape)) == expected
        assert tb.shape(tb.normal_dist(tb.astensor([1.0, 2.0]), 1.0).sample(shape)) == expected
    assert tb.shape(tb.poisson_dist(tb.astensor(3.0)).sample((5,))) == (5,)


@each_backend
def test_large_poisson_counts_keep_their_spread(name: str) -> None:
    """Means at which single precision has lost the integers."""
    tb, n = backend(name), 20_000
    means = np.array([4e6, 1e8, 1e12])
    pulls = (tb.to_numpy(tb.poisson_dist(tb.astensor(means)).sample((n,))) - means) / np.sqrt(means)
    np.testing.assert_array_less(np.abs(pulls.mean(axis=0)), 5 / np.sqrt(n))
    np.testing.assert_allclose(pulls.var(axis=0), 1.0, atol=5 * np.sqrt(2 / n))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_samples_can_be_repeated(name: str) -> None:
    """NumPy's seed makes the samples of these two repeatable: they are the ones that pyhf draws."""
    tb = backend(name)
    tensorlib = pytest.importorskip("pyhf").tensor.numpy_backend()
    rates, means, widths = np.array([3.0, 70.0]), np.array([1.0, 2.0]), np.array([0.1, 3.0])
    np.random.seed(7)  # noqa: NPY002
    ours = tb.poisson_dist(tb.astensor(rates)).sample((5,)), tb.normal_dist(means, widths).sample((5,))
    np.random.seed(7)  # noqa: NPY002
    theirs = tensorlib.poisson_dist(rates).sample((5,)), tensorlib.normal_dist(means, widths).sample((5,))
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(tb.to_numpy(our), their, rtol=1e-14)
