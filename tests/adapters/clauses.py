"""The contract, clause by clause: an operation, tensors that it is called with, and what NumPy or SciPy say.

A `Clause` with values is compared within the precision's tolerance and, unless it says otherwise, differentiated.
An `Exact` clause is a Python value; a `Fault` an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special, stats

A = np.array([[10.0, 7.0, 4.0], [3.0, 2.0, 1.0]])
B = np.array([[0.5, -1.5, 2.5], [1.25, 0.75, -0.25]])
C = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.1
V = np.array([0.3, -1.2, 2.0, 0.7])
W = np.array([1.5, 0.6, 3.0, 2.2])
RATES = np.array([6.0, 8.0, 0.4, 12.0])
COUNTS = np.array([5.0, 9.0, 0.0, 13.0])
EMPTY = np.zeros(0)


@dataclass(frozen=True)
class Clause:
    """An operation on tensors of floats.

    Attributes:
        operation: The operation's name.
        case: What is special here.
        call: The call: backend and tensors in, tensor out.
        reference: The same for arrays of 64 bits, by NumPy or SciPy; or the expected values.
        inputs: The values of the tensors.
        gradient: Whether it can be differentiated at these values.
        tracing: Whether JAX can compile it.
        scale: Size of the largest number on the way to the result, to which rounding errors of 32 bits are relative.
    """

    operation: str
    case: str
    call: Callable[..., Any]
    reference: Any
    inputs: tuple[np.ndarray, ...] = ()
    gradient: bool = True
    tracing: bool = True
    scale: float = 1.0

    def expected(self, *arrays: np.ndarray) -> np.ndarray:
        """What should come out for the given inputs."""
        return np.asarray(self.reference(*arrays) if callable(self.reference) else self.reference)

    def __str__(self) -> str:
        return f"{self.operation}-{self.case}".replace(" ", "_")


@dataclass(frozen=True)
class Exact:
    """An operation whose result, as Python values, is exactly known."""

    operation: str
    case: str
    call: Callable[[Any], Any]
    expected: Any

    def __str__(self) -> str:
        return f"{self.operation}-{self.case}".replace(" ", "_")


@dataclass(frozen=True)
class Fault:
    """A call that raises."""

    operation: str
    case: str
    call: Callable[[Any], Any]
    exceptions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operation}-{self.case}".replace(" ", "_")


def _poisson_logpdf(n: Any, rate: Any) -> Any:
    return special.xlogy(n, rate) - rate - special.gammaln(np.asarray(n) + 1.0)


def _unary(name: str, reference: Any, values: np.ndarray) -> list[Clause]:
    """One value at a time: vector, matrix, shape (), nothing."""
    matrix = np.stack([values, values[::-1]])
    return [
        Clause(name, case, lambda tb, x: getattr(tb, name)(x), reference, (array,))
        for case, array in (("vector", values), ("matrix", matrix), ("scalar", values[1]), ("empty", EMPTY))
    ]


def _binary(name: str, reference: Any, left: np.ndarray, right: np.ndarray, scale: float = 1.0) -> list[Clause]:
    """Two values at a time: vectors, broadcasting, shape () with a vector, a number, nothing."""
    pairs = {
        "vectors": (left, right),
        "broadcast": (left[:, None], right),
        "scalar with vector": (left[1], right),
        "empty": (EMPTY, EMPTY),
    }
    clauses = [
        *(
            Clause(name, case, lambda tb, x, y: getattr(tb, name)(x, y), reference, pair)
            for case, pair in pairs.items()
        ),
        Clause(name, "number", lambda tb, x: getattr(tb, name)(x, 2.5), lambda x: reference(x, 2.5), (left,)),
        Clause(
            name, "list", lambda tb, x: getattr(tb, name)(x, right.tolist()), lambda x: reference(x, right), (left,)
        ),
    ]
    return [replace(clause, scale=scale) for clause in clauses]


def _einsum(subscripts: str, *arrays: np.ndarray) -> Clause:
    return Clause(
        "einsum",
        subscripts,
        lambda tb, *tensors: tb.einsum(subscripts, *tensors),
        lambda *tensors: np.einsum(subscripts, *tensors),
        arrays,
    )


def _percentile(case: str, array: np.ndarray, q: Any, **options: Any) -> Clause:
    method = options.get("interpolation", "linear")
    return Clause(
        "percentile",
        case,
        lambda tb, x: tb.percentile(x, q, **options),
        lambda x: np.percentile(x, q, axis=options.get("axis"), method=method),
        (array,),
    )


POSITIVE = np.array([0.5, 1.0, 2.5, 7.0])
INNER = np.array([-0.9, -0.1, 0.4, 0.7])

CLAUSES: list[Clause] = [
    *_unary("sqrt", np.sqrt, POSITIVE),
    *_unary("log", np.log, POSITIVE),
    *_unary("exp", np.exp, V),
    *_unary("abs", np.abs, V),
    *_unary("erf", special.erf, np.array([-3.0, -0.4, 0.1, 1.7])),
    *_unary("erfinv", special.erfinv, INNER),
    *_binary("power", np.power, POSITIVE, W),
    *_binary("divide", np.divide, V, W),
    *_binary("poisson_logpdf", _poisson_logpdf, COUNTS + 0.5, RATES, scale=33.0),
    *_binary("poisson", lambda n, rate: np.exp(_poisson_logpdf(n, rate)), COUNTS[:3] + 0.5, RATES[:3], scale=20.0),
    Clause("sqrt", "zero and below", lambda tb, x: tb.sqrt(x), [0.0, np.nan], (np.array([0.0, -1.0]),), False),
    Clause("log", "zero and below", lambda tb, x: tb.log(x), [-np.inf, np.nan], (np.array([0.0, -1.0]),), False),
    Clause("log", "whole numbers", lambda tb: tb.log(tb.astensor([1, 3], dtype="int")), np.log([1.0, 3.0])),
    Clause("exp", "infinities", lambda tb, x: tb.exp(x), [0.0, np.inf], (np.array([-np.inf, np.inf]),), False),
    Clause(
        "erfinv",
        "limits",
        lambda tb, x: tb.erfinv(x),
        [-np.inf, np.inf, np.nan, 0.0],
        (np.array([-1.0, 1.0, 1.5, 0.0]),),
        False,
    ),
    Clause(
        "erfinv",
        "near one",
        lambda tb, x: tb.erfinv(x),
        special.erfinv,
        (np.array([0.999, -0.9999]),),
        False,
        scale=10.0,
    ),
    Clause(
        "power", "zero to zero", lambda tb, x, y: tb.power(x, y), [1.0, 0.0], (np.zeros(2), np.array([0.0, 2.0])), False
    ),
    Clause("power", "square of negative", lambda tb, x: tb.power(x, 2), np.square, (V,)),
    Clause("power", "whole numbers", lambda tb: tb.power(tb.astensor([2, 3], dtype="int"), 2), [4.0, 9.0]),
    Clause(
        "divide",
        "by zero",
        lambda tb, x: tb.divide(x, 0.0),
        [np.inf, -np.inf, np.nan],
        (np.array([1.0, -1.0, 0.0]),),
        False,
    ),
    Clause("divide", "whole numbers", lambda tb: tb.divide(tb.astensor([1, 3], dtype="int"), 2), [0.5, 1.5]),
    Clause("clip", "two numbers", lambda tb, x: tb.clip(x, -1.0, 1.0), lambda x: np.clip(x, -1.0, 1.0), (V,)),
    Clause("clip", "no lower", lambda tb, x: tb.clip(x, None, 0.5), lambda x: np.minimum(x, 0.5), (V,)),
    Clause("clip", "no upper", lambda tb, x: tb.clip(x, 0.5, None), lambda x: np.maximum(x, 0.5), (V,)),
    Clause("clip", "no limits", lambda tb, x: tb.clip(x, None, None), lambda x: x, (V,)),
    Clause("clip", "tensors", lambda tb, x, y: tb.clip(x, -y, y), lambda x, y: np.clip(x, -y, y), (V, W / 3)),
    Clause("clip", "crossed", lambda tb, x: tb.clip(x, 1.0, -1.0), lambda x: np.clip(x, 1.0, -1.0), (V,)),
    Clause("clip", "scalar", lambda tb, x: tb.clip(x, 0.0, 0.1), 0.1, (V[0],)),
    Clause("clip", "empty", lambda tb, x: tb.clip(x, -1, 1), EMPTY, (EMPTY,)),
    Clause("clip", "nan", lambda tb, x: tb.clip(x, -1, 1), [np.nan], (np.array([np.nan]),), False),
    Clause(
        "where", "tensors", lambda tb, x, y: tb.where(x > y, x, y * 2), lambda x, y: np.where(x > y, x, y * 2), (V, W)
    ),
    Clause("where", "numbers", lambda tb: tb.where(tb.astensor([1, 0, 1], dtype="bool"), 1, 2), [1.0, 2.0, 1.0]),
    Clause(
        "where",
        "broadcast",
        lambda tb, x, y: tb.where(x > 0, y, 0.0),
        lambda x, y: np.where(x > 0, y, 0.0),
        (V[:, None], W),
    ),
    Clause(
        "where",
        "list as mask",
        lambda tb, x: tb.where([True, False, True, False], x, -x),
        lambda x: x * [1, -1, 1, -1],
        (V,),
    ),
    Clause("where", "empty", lambda tb, x: tb.where(x > 0, x, 1.0), EMPTY, (EMPTY,)),
    Clause(
        "conditional",
        "true",
        lambda tb, x, y: tb.conditional(x < y, lambda: x + y, lambda: x - y),
        lambda x, y: x + y,
        (V[0], W[0]),
    ),
    Clause(
        "conditional",
        "false",
        lambda tb, x, y: tb.conditional(x > y, lambda: x + y, lambda: x - y),
        lambda x, y: x - y,
        (V[0], W[0]),
    ),
    Clause(
        "conditional", "bool", lambda tb, x: tb.conditional(True, lambda: 3.0 * x, lambda: x), lambda x: 3 * x, (V,)
    ),
    Clause("sum", "all", lambda tb, x: tb.sum(x), np.sum, (A,)),
    Clause("sum", "axis", lambda tb, x: tb.sum(x, axis=0), lambda x: np.sum(x, axis=0), (A,)),
    Clause("sum", "last axis", lambda tb, x: tb.sum(x, -1), lambda x: np.sum(x, axis=-1), (C,)),
    Clause("sum", "axes", lambda tb, x: tb.sum(x, axis=(0, 2)), lambda x: np.sum(x, axis=(0, 2)), (C,)),
    Clause("sum", "scalar", lambda tb, x: tb.sum(x), lambda x: x, (V[1],)),
    Clause("sum", "axis of scalar", lambda tb, x: tb.sum(x, axis=0), lambda x: x, (V[1],)),
    Clause("sum", "empty", lambda tb, x: tb.sum(x), 0.0, (EMPTY,)),
    Clause("sum", "empty axis", lambda tb, x: tb.sum(x, axis=0), np.zeros(2), (np.zeros((0, 2)),)),
    Clause("product", "all", lambda tb, x: tb.product(x), np.prod, (A / 5,)),
    Clause("product", "axis", lambda tb, x: tb.product(x, axis=0), lambda x: np.prod(x, axis=0), (A,)),
    Clause("product", "last axis", lambda tb, x: tb.product(x, axis=-1), lambda x: np.prod(x, axis=-1), (C,)),
    Clause("product", "axes", lambda tb, x: tb.product(x, axis=(0, 2)), lambda x: np.prod(x, axis=(0, 2)), (C,)),
    Clause(
        "product",
        "zeros",
        lambda tb, x: tb.product(x, axis=1),
        lambda x: np.prod(x, axis=1),
        (np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 2.0]]),),
    ),
    Clause("product", "scalar", lambda tb, x: tb.product(x, axis=0), lambda x: x, (V[1],)),
    Clause("product", "empty", lambda tb, x: tb.product(x), 1.0, (EMPTY,)),
    Clause("product", "empty axis", lambda tb, x: tb.product(x, axis=0), np.ones(2), (np.zeros((0, 2)),)),
    Clause("outer", "vectors", lambda tb, x, y: tb.outer(x, y), np.outer, (V, W[:3])),
    Clause("outer", "list", lambda tb, x: tb.outer(x, [1.0, 2.0]), lambda x: np.outer(x, [1.0, 2.0]), (V,)),
    Clause(
        "outer",
        "bools",
        lambda tb: tb.outer(tb.astensor([True, False], dtype="bool"), tb.astensor([2.0, 3.0])),
        [[2.0, 3.0], [0.0, 0.0]],
    ),
    # MXNet leaves gradients of nothing undefined: not differentiated.
    Clause("outer", "empty", lambda tb, x, y: tb.outer(x, y), np.zeros((0, 4)), (EMPTY, W), gradient=False),
    _einsum("ij->ji", A),
    _einsum("i,j->ij", V, W),
    _einsum("ij,jk", A, B.T),
    _einsum("ij,ij->i", A, B),
    _einsum("ii->i", C[:, :2, 0]),
    _einsum("ii", C[:, :2, 0]),
    _einsum("i->", V),
    _einsum(",->", V[0], W[0]),
    _einsum("...j->j...", C),
    _einsum("j...->...j", C),
    _einsum("ij...->ji...", C),
    _einsum("ijk...->kji...", C),
    _einsum("sa,shb->shab", A, C),
    _einsum("sa,s,shb->shab", A, V[:2], C),
    _einsum("msab,m->msab", C[None], V[:1]),
    _einsum("msab,xa->msab", C[None], B[:1]),
    _einsum("mab,s->msab", C, W),
    _einsum("ij,j->i", np.zeros((0, 3)), B[0]),
    _percentile("median", A, 50),
    _percentile("list", A, [0.0, 12.5, 100.0]),
    _percentile("axis", A, 40.0, axis=1),
    _percentile("negative axis", C, [10.0, 90.0], axis=-1),
    _percentile("axes", C, 30.0, axis=(0, 2)),
    _percentile("one value", V[:1], 70.0),
    _percentile("scalar", V[0], 70.0),
    *(
        _percentile(name, A, [50.0, 33.0, 0.0, 70.0, 100.0], interpolation=name)
        for name in ("linear", "lower", "higher", "midpoint", "nearest")
    ),
    _percentile("nearest even", A[0], [25.0, 75.0], interpolation="nearest"),
    Clause(
        "percentile",
        "nan",
        lambda tb, x: tb.percentile(x, 0.0, axis=0),
        [np.nan, 2.0],
        (np.array([[np.nan, 3.0], [1.0, 2.0]]),),
        False,
    ),
    Clause("reshape", "flat", lambda tb, x: tb.reshape(x, (-1,)), np.ravel, (C,)),
    Clause("reshape", "number", lambda tb, x: tb.reshape(x, 6), np.ravel, (A,)),
    Clause("reshape", "to scalar", lambda tb, x: tb.reshape(x, ()), lambda x: x[0], (V[:1],)),
    Clause("reshape", "from scalar", lambda tb, x: tb.reshape(x, (1, 1)), lambda x: x[None, None], (V[0],)),
    Clause("reshape", "empty", lambda tb, x: tb.reshape(x, (0, 3)), np.zeros((0, 3)), (EMPTY,)),
    Clause("ravel", "matrix", lambda tb, x: tb.ravel(x), np.ravel, (A,)),
    Clause("ravel", "scalar", lambda tb, x: tb.ravel(x), np.ravel, (V[0],)),
    Clause("ravel", "turned", lambda tb, x: tb.ravel(tb.transpose(x)), lambda x: np.ravel(x.T), (A,)),
    Clause("transpose", "matrix", lambda tb, x: tb.transpose(x), np.transpose, (A,)),
    Clause("transpose", "three axes", lambda tb, x: tb.transpose(x), np.transpose, (C,)),
    Clause("transpose", "vector", lambda tb, x: tb.transpose(x), lambda x: x, (V,)),
    Clause("transpose", "scalar", lambda tb, x: tb.transpose(x), lambda x: x, (V[0],)),
    Clause(
        "concatenate",
        "vectors",
        lambda tb, x, y: tb.concatenate([x, y]),
        lambda x, y: np.concatenate([x, y]),
        (V, W[:2]),
    ),
    Clause(
        "concatenate",
        "last axis",
        lambda tb, x, y: tb.concatenate([x, y], axis=-1),
        lambda x, y: np.concatenate([x, y], axis=-1),
        (A, B),
    ),
    Clause(
        "concatenate",
        "no axis",
        lambda tb, x, y: tb.concatenate([x, y], axis=None),
        lambda x, y: np.concatenate([x, y], axis=None),
        (A, V),
    ),
    Clause("concatenate", "with empty", lambda tb, x: tb.concatenate([x, tb.astensor([])]), lambda x: x, (V,)),
    Clause(
        "concatenate",
        "tuple and list",
        lambda tb, x: tb.concatenate((x, [1.0, 2.0])),
        lambda x: np.append(x, [1.0, 2.0]),
        (V,),
    ),
    Clause("stack", "vectors", lambda tb, x, y: tb.stack([x, y]), lambda x, y: np.stack([x, y]), (V, W)),
    Clause(
        "stack", "last axis", lambda tb, x, y: tb.stack([x, y], axis=-1), lambda x, y: np.stack([x, y], axis=-1), (A, B)
    ),
    Clause(
        "stack", "scalars", lambda tb, x, y: tb.stack([x, y, 2.0]), lambda x, y: np.stack([x, y, 2.0]), (V[0], V[1])
    ),
    Clause("tile", "axes", lambda tb, x: tb.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), (A,)),
    Clause("tile", "number", lambda tb, x: tb.tile(x, 2), lambda x: np.tile(x, 2), (V,)),
    Clause("tile", "new axes", lambda tb, x: tb.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), (V,)),
    Clause("tile", "scalar", lambda tb, x: tb.tile(x, (2,)), lambda x: np.tile(x, 2), (V[0],)),
    Clause("tile", "never", lambda tb, x: tb.tile(x, (0,)), EMPTY, (V,)),
    Clause(
        "simple_broadcast", "vectors", lambda tb, x, y: tb.simple_broadcast(x, y)[0] * y, lambda x, y: x * y, (V[:1], W)
    ),
    Clause(
        "simple_broadcast", "scalar", lambda tb, x, y: tb.simple_broadcast(x, y)[0], lambda x, y: x + 0 * y, (V[0], W)
    ),
    Clause(
        "simple_broadcast", "matrix", lambda tb, x, y: tb.simple_broadcast(x, y)[1], lambda x, y: y + 0 * x, (A, V[:3])
    ),
    Clause(
        "gather",
        "vector",
        lambda tb, x: tb.gather(x, tb.astensor([3, 0, 2, 0], dtype="int")),
        lambda x: x[[3, 0, 2, 0]],
        (V,),
    ),
    Clause(
        "gather", "matrix of indices", lambda tb, x: tb.gather(x, [[3, 0], [2, 1]]), lambda x: x[[[3, 0], [2, 1]]], (V,)
    ),
    Clause(
        "gather", "rows", lambda tb, x: tb.gather(x, tb.astensor([1, 0, 1], dtype="int")), lambda x: x[[1, 0, 1]], (C,)
    ),
    Clause("gather", "from the end", lambda tb, x: tb.gather(x, [-1, -4]), lambda x: x[[-1, -4]], (V,)),
    Clause("gather", "one", lambda tb, x: tb.gather(x, 2), lambda x: x[2], (V,)),
    Clause("gather", "none", lambda tb, x: tb.gather(x, tb.astensor([], dtype="int")), np.zeros((0, 3)), (A,)),
    Clause(
        "boolean_mask",
        "vector",
        lambda tb, x: tb.boolean_mask(x, tb.astensor([True, False, True, True], dtype="bool")),
        lambda x: x[[0, 2, 3]],
        (V,),
        tracing=False,
    ),
    Clause(
        "boolean_mask", "matrix", lambda tb, x: tb.boolean_mask(x, x > 2.5), lambda x: x[x > 2.5], (A,), tracing=False
    ),
    Clause(
        "boolean_mask", "rows", lambda tb, x: tb.boolean_mask(x, [False, True]), lambda x: x[[1]], (C,), tracing=False
    ),
    Clause("boolean_mask", "nothing", lambda tb, x: tb.boolean_mask(x, [False] * 4), EMPTY, (V,), tracing=False),
    Clause(
        "poisson_logpdf",
        "zero rate",
        lambda tb, n, r: tb.poisson_logpdf(n, r),
        [0.0, -1.0, -np.inf, -1.0],
        (np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1])),
        False,
    ),
    Clause(
        "poisson_logpdf",
        "zero count at zero rate",
        lambda tb, r: tb.poisson_logpdf(tb.astensor([0.0]), r),
        lambda r: -r,
        (np.zeros(1),),
    ),
    Clause(
        "poisson_logpdf",
        "zero count",
        lambda tb, n, r: tb.poisson_logpdf(n, r),
        lambda n, r: n * np.log(r) - r - special.gammaln(n + 1),
        (np.zeros(2), np.array([0.5, 3.0])),
    ),
    Clause(
        "poisson_logpdf",
        "large counts",
        lambda tb, n, r: tb.poisson_logpdf(n, r) / 1e4,
        lambda n, r: stats.poisson.logpmf(n, r) / 1e4,
        (np.array([10000.0]), np.array([11000.0])),
        False,
        scale=10.0,
    ),
    Clause(
        "poisson",
        "whole numbers",
        lambda tb: tb.poisson(tb.astensor([5, 0], dtype="int"), tb.astensor([6, 0], dtype="int")),
        [stats.poisson.pmf(5, 6), 1.0],
    ),
    Clause(
        "poisson",
        "zero rate",
        lambda tb, n, r: tb.poisson(n, r),
        [1.0, np.exp(-1.0), 0.0, np.exp(-1.0)],
        (np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1])),
        False,
    ),
    Clause("poisson", "numbers", lambda tb: tb.poisson(5.0, 6.0), stats.poisson.pmf(5, 6)),
    Clause(
        "normal_logpdf", "vectors", lambda tb, x, m, s: tb.normal_logpdf(x, m, s), stats.norm.logpdf, (V, W, POSITIVE)
    ),
    Clause(
        "normal_logpdf",
        "broadcast",
        lambda tb, x, m, s: tb.normal_logpdf(x, m, s),
        stats.norm.logpdf,
        (V[:, None], W, POSITIVE[0]),
    ),
    Clause("normal_logpdf", "empty", lambda tb, x: tb.normal_logpdf(x, 0.0, 1.0), EMPTY, (EMPTY,)),
    Clause("normal", "vectors", lambda tb, x, m, s: tb.normal(x, m, s), stats.norm.pdf, (V, W, POSITIVE)),
    Clause("normal", "numbers", lambda tb: tb.normal(0.5, 0.0, 1.0), stats.norm.pdf(0.5)),
    Clause("normal_cdf", "standard", lambda tb, x: tb.normal_cdf(x), stats.norm.cdf, (V,)),
    Clause(
        "normal_cdf",
        "three tensors",
        lambda tb, x, m, s: tb.normal_cdf(x, m, s),
        stats.norm.cdf,
        (V, W, POSITIVE + 0.5),
    ),
    Clause("normal_cdf", "number", lambda tb: tb.normal_cdf(0.8), stats.norm.cdf(0.8)),
    Clause(
        "normal_cdf",
        "tails",
        lambda tb, x: tb.log(tb.normal_cdf(x)) / 100,
        lambda x: stats.norm.logcdf(x) / 100,
        (np.array([-12.0, -8.5]),),
    ),
    Clause("normal_cdf", "empty", lambda tb, x: tb.normal_cdf(x), EMPTY, (EMPTY,)),
    Clause(
        "poisson_dist",
        "log_prob",
        lambda tb, n, r: tb.poisson_dist(r).log_prob(n),
        _poisson_logpdf,
        (COUNTS + 0.5, RATES),
        scale=33.0,
    ),
    Clause("poisson_dist", "expected_data", lambda tb, r: tb.poisson_dist(r).expected_data(), lambda r: r, (RATES,)),
    Clause(
        "poisson_dist",
        "moments",
        lambda tb, r: tb.poisson_dist(r).mean + tb.poisson_dist(r).variance,
        lambda r: 2 * r,
        (RATES,),
    ),
    Clause(
        "normal_dist",
        "log_prob",
        lambda tb, x, m, s: tb.normal_dist(m, s).log_prob(x),
        stats.norm.logpdf,
        (V, W, POSITIVE),
    ),
    Clause("normal_dist", "expected_data", lambda tb, m: tb.normal_dist(m, 1.0).expected_data(), lambda m: m, (V,)),
    Clause(
        "normal_dist",
        "moments",
        lambda tb, m, s: tb.normal_dist(m, s).mean * tb.normal_dist(m, s).variance,
        lambda m, s: m * s**2,
        (V, POSITIVE),
    ),
    Clause(
        "astensor",
        "tensors in lists",
        lambda tb, x, y: tb.astensor([[x, y], [1.0, x]]),
        lambda x, y: np.array([[x, y], [1.0, x]]),
        (V[0], V[1]),
    ),
    Clause("astensor", "tensor", lambda tb, x: tb.astensor(x), lambda x: x, (A,)),
    Clause("astensor", "bools", lambda tb: tb.astensor(tb.astensor([2.0, 0.0]) > 1.0), [1.0, 0.0]),
    Clause("astensor", "tuple", lambda tb: tb.astensor((0.1, 2)), [0.1, 2.0]),
    Clause("astensor", "range", lambda tb: tb.astensor(range(3)), [0.0, 1.0, 2.0]),
    Clause(
        "astensor",
        "NumPy",
        lambda tb: tb.astensor(np.arange(6.0, dtype=np.float32).reshape(2, 3)[:, ::-1]),
        np.arange(6.0).reshape(2, 3)[:, ::-1],
    ),
    Clause("astensor", "number", lambda tb: tb.astensor(0.1), 0.1),
    Clause("astensor", "empty", lambda tb: tb.astensor([]), EMPTY),
    Clause("ones", "matrix", lambda tb: tb.ones((2, 3)), np.ones((2, 3))),
    Clause("ones", "scalar", lambda tb: tb.ones(()), 1.0),
    Clause("ones", "list", lambda tb: tb.ones([2]), np.ones(2)),
    Clause("zeros", "matrix", lambda tb: tb.zeros((4, 5)), np.zeros((4, 5))),
    Clause("zeros", "empty", lambda tb: tb.zeros((0, 2)), np.zeros((0, 2))),
]

EXACT: list[Exact] = [
    Exact("astensor", "ints", lambda tb: tb.tolist(tb.astensor([1.0, 2.0], dtype="int")), [1, 2]),
    Exact("astensor", "bools", lambda tb: tb.tolist(tb.astensor([1, 0], dtype="bool")), [True, False]),
    Exact("ones", "ints", lambda tb: tb.tolist(tb.ones((2,), dtype="int")), [1, 1]),
    Exact("ones", "bools", lambda tb: tb.tolist(tb.ones((2,), dtype="bool")), [True, True]),
    Exact("zeros", "bools", lambda tb: tb.tolist(tb.zeros((2,), dtype="bool")), [False, False]),
    Exact("tolist", "matrix", lambda tb: tb.tolist(tb.astensor([[1, 2], [3, 4]])), [[1.0, 2.0], [3.0, 4.0]]),
    Exact("tolist", "scalar", lambda tb: tb.tolist(tb.astensor(3)), 3.0),
    Exact("tolist", "empty", lambda tb: tb.tolist(tb.astensor([])), []),
    Exact("tolist", "lists", lambda tb: tb.tolist([[1, 2], 3, [4]]), [[1, 2], 3, [4]]),
    Exact("tolist", "tensors in lists", lambda tb: tb.tolist([tb.astensor([1]), 2]), [[1.0], 2]),
    Exact("tolist", "NumPy", lambda tb: tb.tolist(np.arange(3)), [0, 1, 2]),
    Exact("tolist", "number", lambda tb: tb.tolist(2.5), 2.5),
    Exact("tolist", "bool is a bool", lambda tb: tb.tolist(tb.astensor(1) < tb.astensor(2)) is True, True),
    Exact("to_numpy", "type", lambda tb: type(tb.to_numpy(tb.ones((2,)))) is np.ndarray, True),
    Exact("to_numpy", "values", lambda tb: tb.to_numpy(tb.astensor([[1, 2]])).tolist(), [[1.0, 2.0]]),
    Exact("to_numpy", "scalar", lambda tb: tb.to_numpy(tb.astensor(1.5)).shape, ()),
    Exact("shape", "matrix", lambda tb: tb.shape(tb.ones((1, 2, 3, 4, 5))), (1, 2, 3, 4, 5)),
    Exact("shape", "scalar", lambda tb: tb.shape(tb.astensor(1.0)), ()),
    Exact("shape", "empty", lambda tb: tb.shape(tb.astensor([])), (0,)),
    Exact("shape", "lengths are ints", lambda tb: {type(n) for n in tb.shape(tb.ones((2, 3)))}, {int}),
    Exact("shape", "list", lambda tb: tb.shape([[1.0, 2.0]]), (1, 2)),
    Exact(
        "isfinite",
        "vector",
        lambda tb: tb.tolist(tb.isfinite(tb.astensor([1.0, np.nan, np.inf]))),
        [True, False, False],
    ),
    Exact("isfinite", "ints", lambda tb: tb.tolist(tb.isfinite(tb.astensor([1], dtype="int"))), [True]),
    Exact("isfinite", "empty", lambda tb: tb.tolist(tb.isfinite(tb.astensor([]))), []),
    Exact("abs", "ints", lambda tb: tb.tolist(tb.abs(tb.astensor([-1, 2], dtype="int"))), [1, 2]),
    Exact("sum", "bools are counted", lambda tb: tb.tolist(tb.sum(tb.astensor([True, True, False], dtype="bool"))), 2),
    Exact("sum", "ints", lambda tb: tb.tolist(tb.sum(tb.astensor([[1, 2], [3, 4]], dtype="int"), axis=1)), [3, 7]),
    Exact(
        "product", "ints", lambda tb: tb.tolist(tb.product(tb.astensor([[1, 2], [3, 4]], dtype="int"), axis=1)), [2, 12]
    ),
    Exact("where", "ints", lambda tb: tb.tolist(tb.where([True, False], tb.astensor([1, 2], dtype="int"), 0)), [1, 0]),
    Exact(
        "where",
        "bools",
        lambda tb: tb.tolist(tb.where([True, False], tb.ones((2,), "bool"), tb.zeros((2,), "bool"))),
        [True, False],
    ),
    Exact("gather", "ints", lambda tb: tb.tolist(tb.gather(tb.astensor([5, 6, 7], dtype="int"), [2, 0])), [7, 5]),
    Exact("gather", "bools", lambda tb: tb.tolist(tb.gather(tb.astensor([1, 0], dtype="bool"), [1, 0])), [False, True]),
    Exact(
        "concatenate",
        "ints",
        lambda tb: tb.tolist(tb.concatenate([tb.astensor([1], dtype="int"), tb.astensor([2], dtype="int")])),
        [1, 2],
    ),
    Exact(
        "concatenate",
        "bools",
        lambda tb: tb.tolist(tb.concatenate([tb.ones((1,), "bool"), tb.zeros((1,), "bool")])),
        [True, False],
    ),
    Exact(
        "concatenate",
        "ints and floats",
        lambda tb: tb.tolist(tb.concatenate([tb.astensor([1], dtype="int"), tb.astensor([0.5])])),
        [1.0, 0.5],
    ),
    Exact(
        "stack",
        "bools",
        lambda tb: tb.tolist(tb.stack([tb.ones((1,), "bool"), tb.zeros((1,), "bool")])),
        [[True], [False]],
    ),
    Exact(
        "transpose", "bools", lambda tb: tb.tolist(tb.transpose(tb.astensor([[1, 0]], dtype="bool"))), [[True], [False]]
    ),
    Exact(
        "tile", "bools", lambda tb: tb.tolist(tb.tile(tb.astensor([1, 0], dtype="bool"), 2)), [True, False, True, False]
    ),
    Exact("reshape", "ints", lambda tb: tb.tolist(tb.reshape(tb.astensor([1, 2], dtype="int"), (2, 1))), [[1], [2]]),
    Exact(
        "outer",
        "ints",
        lambda tb: tb.tolist(tb.outer(tb.astensor([1, 2], dtype="int"), tb.astensor([3], dtype="int"))),
        [[3], [6]],
    ),
    Exact(
        "einsum",
        "ints",
        lambda tb: tb.tolist(tb.einsum("i,i->", tb.astensor([1, 2], dtype="int"), tb.astensor([3, 4], dtype="int"))),
        11,
    ),
    Exact(
        "simple_broadcast",
        "list",
        lambda tb: [tb.tolist(t) for t in tb.simple_broadcast(tb.astensor([1]), tb.astensor([2, 3]))],
        [[1.0, 1.0], [2.0, 3.0]],
    ),
    Exact(
        "boolean_mask",
        "bools",
        lambda tb: tb.tolist(tb.boolean_mask(tb.astensor([1, 0, 1], dtype="bool"), [True, True, False])),
        [True, False],
    ),
    Exact("clip", "ints", lambda tb: tb.tolist(tb.clip(tb.astensor([-3, 0, 3], dtype="int"), -1, 1)), [-1, 0, 1]),
]

SHAPES = ("ValueError", "TypeError", "RuntimeError", "IndexError", "InvalidArgumentError", "MXNetError")

FAULTS: list[Fault] = [
    Fault("astensor", "dtype", lambda tb: tb.astensor([1, 2], dtype="long"), ("KeyError",)),
    Fault("ones", "dtype", lambda tb: tb.ones((2,), dtype="long"), ("KeyError",)),
    Fault("zeros", "dtype", lambda tb: tb.zeros((2,), dtype="long"), ("KeyError",)),
    Fault("tolist", "no numbers", lambda tb: tb.tolist(object()), ("TypeError",)),
    Fault("stack", "nothing", lambda tb: tb.stack([]), ("ValueError",)),
    Fault("stack", "shapes", lambda tb: tb.stack([tb.ones((2,)), tb.ones((3,))]), SHAPES),
    Fault("concatenate", "nothing", lambda tb: tb.concatenate([]), ("ValueError",)),
    Fault("concatenate", "shapes", lambda tb: tb.concatenate([tb.ones((2, 2)), tb.ones((3,))]), SHAPES),
    Fault("simple_broadcast", "shapes", lambda tb: tb.simple_broadcast(tb.ones((2,)), tb.ones((3,))), ("ValueError",)),
    Fault(
        "percentile",
        "interpolation",
        lambda tb: tb.percentile(tb.ones((2,)), 50, interpolation="cubic"),
        ("ValueError",),
    ),
    Fault("reshape", "size", lambda tb: tb.reshape(tb.ones((2,)), (3,)), SHAPES),
    Fault("einsum", "shapes", lambda tb: tb.einsum("i,i->", tb.ones((2,)), tb.ones((3,))), SHAPES),
    Fault("divide", "shapes", lambda tb: tb.divide(tb.ones((2,)), tb.ones((3,))), SHAPES),
    Fault(
        "conditional",
        "several values",
        lambda tb: tb.conditional(tb.astensor([1, 2]) < 3, lambda: 1, lambda: 2),
        SHAPES,
    ),
]
