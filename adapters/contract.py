"""The tensor operations of every backend, each documented once and tested against each framework.

A backend is an adapter of one framework. `TensorBackend` documents the operations and writes down, once, all
that follows from a few *primitives* (the methods with a leading underscore), which an adapter supplies.

Rules that hold for every operation:

- A *tensor* is one of the backend's framework. Numbers, lists and NumPy arrays are accepted, too, and become tensors
  (of the backend's float type, where no tensor stands beside them that says otherwise).
- Operands of different types are brought to one: bool below int below float, and of two floats the wider.
  Functions of real numbers (`log`, `divide`, `power`, ...) compute in floats.
- Shapes broadcast as in NumPy. Shapes that don't fit raise the framework's own error (ValueError, TypeError,
  RuntimeError, or TensorFlow's InvalidArgumentError).
- Shape () and empty tensors are tensors like others. NaN in gives NaN out.
- What is differentiable in mathematics is differentiable on the framework's tape (NumPy has none).

In the examples, ``tb`` is a backend; they are run for every one of them.
"""

from __future__ import annotations

import abc
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from pyhf_func.adapters.distributions import Normal, Poisson
from pyhf_func.exceptions import ImportBackendError, Unsupported

__all__ = ["Precision", "Shape", "Tensor", "TensorBackend", "TensorLike", "missing_framework"]

Tensor: TypeAlias = Any
"""A tensor of the backend's framework."""

TensorLike: TypeAlias = Any
"""A tensor, a number, a NumPy array, or nested lists of these."""

Shape: TypeAlias = Sequence[int]
Precision: TypeAlias = Literal["32b", "64b"]
Interpolation: TypeAlias = Literal["linear", "lower", "higher", "midpoint", "nearest"]

_FLOATS: dict[str, np.dtype[Any]] = {"32b": np.dtype(np.float32), "64b": np.dtype(np.float64)}
_INTS: dict[str, np.dtype[Any]] = {"32b": np.dtype(np.int32), "64b": np.dtype(np.int64)}
_BOOL: np.dtype[Any] = np.dtype(np.bool_)
_KINDS = "biuf"

log = logging.getLogger("pyhf_func.tensor")


def __dir__() -> list[str]:
    return __all__


def missing_framework(framework: str, command: str) -> ImportBackendError:
    """The error of a backend whose framework can't be imported, with the command that installs it."""
    return ImportBackendError(
        f"The backend needs {framework}, which can't be imported here. Install it with: {command}"
    )


class TensorBackend(abc.ABC):
    """The tensor operations of one framework in one precision.

    Args:
        precision: ``"64b"`` or ``"32b"``: the width of the floats and ints that the backend makes.
        ignored: Options of backends of other times (``session``, ``poisson_from_normal``); without effect.

    Attributes:
        name: Name of the backend, such as ``"pytorch"``.
        precision: ``"64b"`` or ``"32b"``.
        dtypemap: The framework's types of ``"float"``, ``"int"`` and ``"bool"``.
        default_do_grad: Whether minimisers get gradients unless told otherwise.
        array_type: Class of the framework's tensors.
        array_subtype: Class of what they hold.

    Raises:
        Unsupported: There is no such precision.
    """

    __slots__ = ("default_do_grad", "dtypemap", "name", "precision")

    name: str
    precision: str
    dtypemap: Mapping[str, Any]
    default_do_grad: bool

    framework: ClassVar[str]
    differentiable: ClassVar[bool] = True
    array_type: ClassVar[Any]
    array_subtype: ClassVar[Any]
    _tensor_types: ClassVar[tuple[type, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not cls._tensor_types and hasattr(cls, "array_type"):
            cls._tensor_types = (cls.array_type,)

    def __init__(self, precision: str = "64b", **ignored: object) -> None:
        if precision not in _FLOATS:
            raise Unsupported(f"Precision {precision!r} is not supported: choose '32b' or '64b'.")
        self.name = self.framework
        self.precision = precision
        self.default_do_grad = self.differentiable
        self.dtypemap = {
            "float": self._native(_FLOATS[precision]),
            "int": self._native(_INTS[precision]),
            "bool": self._native(_BOOL),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}(precision={self.precision!r})"

    def _setup(self) -> None:
        """Make settings of the framework as a whole, when the backend is chosen; none, by default."""
        return

    # Making tensors, and leaving them

    def astensor(self, tensor_in: TensorLike, dtype: str = "float") -> Tensor:
        """A tensor of the given values; one that has the type already is returned as it is.

        Args:
            tensor_in: Numbers, nested sequences of numbers or tensors (whose gradients are kept), NumPy arrays.
            dtype: ``"float"``, ``"int"`` or ``"bool"``.

        Raises:
            KeyError: There is no such ``dtype``.

        Example:
            >>> tb.tolist(tb.astensor([[1, 2], [3, 4]]))
            [[1.0, 2.0], [3.0, 4.0]]
            >>> tb.tolist(tb.astensor([1, 0], dtype="bool"))
            [True, False]
        """
        target = self._dtype(dtype)
        if isinstance(tensor_in, (list, tuple)) and _holds(tensor_in, self._tensor_types):
            parts = [self._cast(self._tensor(part), target) for part in tensor_in]
            return self._stack(parts, 0)
        if isinstance(tensor_in, self._tensor_types):
            return self._cast(tensor_in, target)
        return self._convert(tensor_in, target)

    def ones(self, shape: Shape, dtype: str = "float") -> Tensor:
        """A tensor of ones.

        Raises:
            KeyError: There is no such ``dtype``.

        Example:
            >>> tb.tolist(tb.ones((2, 3)))
            [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
        """
        return self._full(_as_shape(shape), 1, self._dtype(dtype))

    def zeros(self, shape: Shape, dtype: str = "float") -> Tensor:
        """A tensor of zeros.

        Raises:
            KeyError: There is no such ``dtype``.

        Example:
            >>> tb.tolist(tb.zeros((0, 2))), tb.tolist(tb.zeros((2,), dtype="int"))
            ([], [0, 0])
        """
        return self._full(_as_shape(shape), 0, self._dtype(dtype))

    def tolist(self, tensor_in: TensorLike) -> Any:
        """The values as Python numbers in nested lists; a number for shape (). Lists are searched for tensors.

        Raises:
            TypeError: There are no numbers in ``tensor_in``.

        Example:
            >>> tb.tolist(tb.astensor([[1, 2]])), tb.tolist(tb.astensor(3)), tb.tolist([[1], 2])
            ([[1.0, 2.0]], 3.0, [[1], 2])
        """
        if isinstance(tensor_in, self._tensor_types):
            return self.to_numpy(tensor_in).tolist()
        if isinstance(tensor_in, (list, tuple)):
            return [self.tolist(part) for part in tensor_in]
        if hasattr(tensor_in, "__array__"):
            return np.asarray(tensor_in).tolist()
        if isinstance(tensor_in, (bool, int, float)):
            return tensor_in
        raise TypeError(f"tolist takes tensors, numbers and lists of these, not {type(tensor_in).__name__}")

    @abc.abstractmethod
    def to_numpy(self, tensor_in: Tensor) -> Any:
        """The values as a NumPy array, which may share the tensor's memory; gradients end here.

        Example:
            >>> tb.to_numpy(tb.astensor([1.0, 2.0]))
            array([1., 2.])
        """

    def shape(self, tensor: TensorLike) -> tuple[int, ...]:
        """The shape, as a tuple of ints.

        Example:
            >>> tb.shape(tb.ones((2, 3))), tb.shape(tb.astensor(1.0)), tb.shape(tb.astensor([]))
            ((2, 3), (), (0,))
        """
        return tuple(self._tensor(tensor).shape)

    # Elementwise

    def clip(self, tensor_in: TensorLike, min_value: TensorLike | None, max_value: TensorLike | None) -> Tensor:
        """Values limited to [min_value, max_value]; None for no limit. Where the limits cross, the upper one wins.

        Example:
            >>> a = tb.astensor([-2, -1, 0, 1, 2])
            >>> tb.tolist(tb.clip(a, -1, 1)), tb.tolist(tb.clip(a, None, 0))
            ([-1.0, -1.0, 0.0, 1.0, 1.0], [-2.0, -1.0, 0.0, 0.0, 0.0])
        """
        tensor = self._tensor(tensor_in)
        for limit, bound in ((self._maximum, min_value), (self._minimum, max_value)):
            if bound is not None:
                tensor = limit(*self._meeting(tensor, bound, floats=False))
        return tensor

    def abs(self, tensor: TensorLike) -> Tensor:
        """Absolute values.

        Example:
            >>> tb.tolist(tb.abs(tb.astensor([-1, 2])))
            [1.0, 2.0]
        """
        return self._abs(self._tensor(tensor))

    @abc.abstractmethod
    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        """Square roots; NaN below 0.

        Example:
            >>> tb.tolist(tb.sqrt(tb.astensor([4, 9])))
            [2.0, 3.0]
        """

    @abc.abstractmethod
    def log(self, tensor_in: TensorLike) -> Tensor:
        """Natural logarithms; -inf at 0, NaN below.

        Example:
            >>> tb.tolist(tb.log(tb.astensor([1.0, 0.0])))
            [0.0, -inf]
        """

    @abc.abstractmethod
    def exp(self, tensor_in: TensorLike) -> Tensor:
        """Exponentials.

        Example:
            >>> tb.tolist(tb.exp(tb.astensor([0.0, float("-inf")])))
            [1.0, 0.0]
        """

    @abc.abstractmethod
    def erf(self, tensor_in: TensorLike) -> Tensor:
        """The error function.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.erf(tb.astensor([-1.0, 0.0, 2.0])))]
            [-0.842701, 0.0, 0.995322]
        """

    @abc.abstractmethod
    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        """The inverse of the error function; infinite at -1 and 1, NaN outside.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.erfinv(tb.erf(tb.astensor([-1.0, 0.5]))))]
            [-1.0, 0.5]
        """

    def power(self, tensor_in_1: TensorLike, tensor_in_2: TensorLike) -> Tensor:
        """``tensor_in_1`` to the power of ``tensor_in_2``, in floats; 0 to the power of 0 is 1.

        Example:
            >>> tb.tolist(tb.power(tb.astensor([2, 3]), 2))
            [4.0, 9.0]
        """
        return self._power(*self._meeting(tensor_in_1, tensor_in_2))

    def divide(self, tensor_in_1: TensorLike, tensor_in_2: TensorLike) -> Tensor:
        """Quotients, in floats; infinite or NaN where the divisor is 0.

        Example:
            >>> tb.tolist(tb.divide(tb.astensor([4, 9]), tb.astensor([2, 3])))
            [2.0, 3.0]
        """
        numerator, denominator = self._meeting(tensor_in_1, tensor_in_2)
        return numerator / denominator

    @abc.abstractmethod
    def isfinite(self, tensor: TensorLike) -> Tensor:
        """Where values are neither infinite nor NaN, as a tensor of bools.

        Example:
            >>> tb.tolist(tb.isfinite(tb.astensor([1.0, float("nan"), float("inf")])))
            [True, False, False]
        """

    def where(self, mask: TensorLike, tensor_in_1: TensorLike, tensor_in_2: TensorLike) -> Tensor:
        """``tensor_in_1`` where ``mask`` is true, else ``tensor_in_2``; all three broadcast.

        Example:
            >>> tb.tolist(tb.where(tb.astensor([1, 0, 1], dtype="bool"), tb.astensor([1, 1, 1]), 2))
            [1.0, 2.0, 1.0]
        """
        return self._where(self.astensor(mask, dtype="bool"), *self._alike(tensor_in_1, tensor_in_2))

    def conditional(
        self,
        predicate: TensorLike,
        true_callable: Callable[[], Tensor],
        false_callable: Callable[[], Tensor],
    ) -> Tensor:
        """The value of ``true_callable()`` if the predicate is true, else that of ``false_callable()``.

        Only one of them is called, except while JAX or TensorFlow traces: then both are traced, and must return
        tensors of one shape and type.

        Args:
            predicate: One value: a bool, or a tensor of shape ().

        Raises:
            ValueError, RuntimeError, TypeError: The predicate has several values.

        Example:
            >>> a, b = tb.astensor(4), tb.astensor(5)
            >>> tb.tolist(tb.conditional(a < b, lambda: a + b, lambda: a - b))
            9.0
        """
        return true_callable() if predicate else false_callable()

    # Sums

    def sum(self, tensor_in: TensorLike, axis: int | Shape | None = None) -> Tensor:
        """Sum over all axes, or over those named; 0 of nothing. Bools are counted. Shape () is its own sum.

        Example:
            >>> a = tb.astensor([[1, 2, 3], [4, 5, 6]])
            >>> tb.tolist(tb.sum(a)), tb.tolist(tb.sum(a, axis=0)), tb.tolist(tb.sum(tb.astensor([])))
            (21.0, [5.0, 7.0, 9.0], 0.0)
        """
        return self._reduced(self._sum, tensor_in, axis)

    def product(self, tensor_in: TensorLike, axis: int | Shape | None = None) -> Tensor:
        """Product over all axes, or over those named; 1 of nothing. Shape () is its own product.

        Example:
            >>> a = tb.astensor([[1, 2, 3], [4, 5, 6]])
            >>> tb.tolist(tb.product(a)), tb.tolist(tb.product(a, axis=1)), tb.tolist(tb.product(tb.astensor([])))
            (720.0, [6.0, 120.0], 1.0)
        """
        return self._reduced(self._product, tensor_in, axis)

    @abc.abstractmethod
    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        """Sums of products in Einstein's notation: implicit and explicit output, ellipses, repeated labels.

        Raises:
            ValueError, RuntimeError, TypeError: Subscripts and shapes don't fit.

        Example:
            >>> tb.tolist(tb.einsum("i,j->ij", tb.astensor([1, 2]), tb.astensor([3, 4])))
            [[3.0, 4.0], [6.0, 8.0]]
            >>> tb.tolist(tb.einsum("...j->j...", tb.astensor([[1, 2, 3]])))
            [[1.0], [2.0], [3.0]]
        """

    def outer(self, tensor_in_1: TensorLike, tensor_in_2: TensorLike) -> Tensor:
        """All products of a value of the first with a value of the second; shape (n1, n2). Bools become floats.

        Example:
            >>> tb.tolist(tb.outer(tb.astensor([1, 2]), tb.astensor([4, 5])))
            [[4.0, 5.0], [8.0, 10.0]]
        """
        left, right = self._alike(tensor_in_1, tensor_in_2)
        if self._dtype_of(left) == _BOOL:
            left, right = self._floats(left, right)
        return self.reshape(left, (-1, 1)) * self.reshape(right, (1, -1))

    def percentile(
        self,
        tensor_in: TensorLike,
        q: TensorLike,
        axis: int | Shape | None = None,
        interpolation: Interpolation = "linear",
    ) -> Tensor:
        r"""The :math:`q`-th percentiles of the values, over all axes or over those named.

        With ``n`` sorted values the place is :math:`(n - 1)\,q/100`. Between two values, ``interpolation`` decides:
        ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"``, or ``"nearest"`` (halves go to the even place).

        Args:
            tensor_in: At least one value along the axes.
            q: Between 0 and 100; its shape comes first in the result's.
            axis: An axis, several, or None for all.
            interpolation: See above.

        Raises:
            ValueError: There is no such interpolation.

        Example:
            >>> a = tb.astensor([[10, 7, 4], [3, 2, 1]])
            >>> tb.tolist(tb.percentile(a, 50)), tb.tolist(tb.percentile(a, [0, 50], axis=1))
            (3.5, [[4.0, 1.0], [7.0, 2.0]])
            >>> tb.tolist(tb.percentile(a, 50, interpolation="higher"))
            4.0
        """
        if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
            raise ValueError(f"There is no interpolation {interpolation!r} between values")
        values, fractions = self._floats(tensor_in, q)
        values = self._sorted(self._axes_first(values, axis))
        place = fractions / 100 * (self.shape(values)[0] - 1)
        below = self._floor(place)
        above = -self._floor(-place)
        weight = self._percentile_weight(place - below, below, interpolation)
        weight = self.reshape(weight, self.shape(weight) + (1,) * (len(self.shape(values)) - 1))
        low, high = (self._gather(values, self._cast(index, np.dtype(np.int64))) for index in (below, above))
        between = self._where(weight == 0, low, self._where(weight == 1, high, low + (high - low) * weight))
        faulty = self._sum(self._cast(values != values, self._dtype_of(values)), (0,)) > 0
        return self._where(faulty, self._full((), math.nan, self._dtype_of(values)), between)

    # Shapes and selections

    def reshape(self, tensor: TensorLike, newshape: int | Shape) -> Tensor:
        """The values in another shape; one length may be -1.

        Example:
            >>> tb.tolist(tb.reshape(tb.ones((1, 2, 3)), (-1,)))
            [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        """
        return self._reshape(self._tensor(tensor), _as_shape(newshape))

    def ravel(self, tensor: TensorLike) -> Tensor:
        """The values in one axis.

        Example:
            >>> tb.tolist(tb.ravel(tb.astensor([[1, 2], [3, 4]])))
            [1.0, 2.0, 3.0, 4.0]
        """
        return self.reshape(tensor, (-1,))

    def transpose(self, tensor_in: TensorLike) -> Tensor:
        """The axes in reverse order.

        Example:
            >>> tb.tolist(tb.transpose(tb.astensor([[1, 2, 3], [4, 5, 6]])))
            [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
        """
        tensor = self._tensor(tensor_in)
        return self._transpose(tensor, tuple(reversed(range(len(tensor.shape)))))

    def concatenate(self, sequence: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
        """Tensors joined along an existing axis, or, where it is None, one after the other in one axis.

        Raises:
            ValueError: The sequence is empty.

        Example:
            >>> tb.tolist(tb.concatenate([tb.astensor([1, 2]), tb.astensor([3])]))
            [1.0, 2.0, 3.0]
        """
        tensors = self._sequence("concatenate", sequence)
        if axis is None:
            return self._concatenate([self.ravel(tensor) for tensor in tensors], 0)
        return self._concatenate(tensors, axis)

    def stack(self, sequence: Sequence[TensorLike], axis: int = 0) -> Tensor:
        """Tensors of one shape joined along a new axis.

        Raises:
            ValueError: The sequence is empty.

        Example:
            >>> tb.tolist(tb.stack([tb.astensor([1, 2]), tb.astensor([3, 4])], axis=1))
            [[1.0, 3.0], [2.0, 4.0]]
        """
        return self._stack(self._sequence("stack", sequence), axis)

    def tile(self, tensor_in: TensorLike, repeats: int | Shape) -> Tensor:
        """The tensor repeated along its axes; more repeats than axes make new axes in front.

        Fewer repeats than axes are filled up with ones in front, but TensorFlow raises InvalidArgumentError.

        Example:
            >>> tb.tolist(tb.tile(tb.astensor([[1], [2]]), (1, 2))), tb.tolist(tb.tile(tb.astensor([1, 2]), (2, 1)))
            ([[1.0, 1.0], [2.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]])
        """
        tensor, times = self._tensor(tensor_in), _as_shape(repeats)
        new_axes = len(times) - len(tensor.shape)
        if new_axes > 0:
            tensor = self._reshape(tensor, (1,) * new_axes + tuple(tensor.shape))
        return self._tile(tensor, times)

    def simple_broadcast(self, *args: TensorLike) -> list[Tensor]:
        """The tensors, each with the shape that all have in common by broadcasting.

        Raises:
            ValueError: They have none.

        Example:
            >>> [tb.tolist(part) for part in tb.simple_broadcast(tb.astensor([1]), tb.astensor([2, 3]))]
            [[1.0, 1.0], [2.0, 3.0]]
        """
        tensors = [self._tensor(arg) for arg in args]
        shape = np.broadcast_shapes(*(self.shape(tensor) for tensor in tensors))
        return [self._broadcast_to(tensor, shape) for tensor in tensors]

    def gather(self, tensor: TensorLike, indices: TensorLike) -> Tensor:
        """The entries of the first axis with the given indices; shape ``indices.shape + tensor.shape[1:]``.

        Negative indices count from the end. Those out of range raise the framework's error, or are undefined
        (JAX, MXNet).

        Example:
            >>> a = tb.astensor([[1, 2], [3, 4], [5, 6]])
            >>> tb.tolist(tb.gather(a, tb.astensor([2, 0], dtype="int")))
            [[5.0, 6.0], [1.0, 2.0]]
        """
        return self._gather(self._tensor(tensor), self.astensor(indices, dtype="int"))

    def boolean_mask(self, tensor: TensorLike, mask: TensorLike) -> Tensor:
        """The entries where the mask is true, in one axis (before those that the mask does not have).

        The result's shape depends on values, so that JAX can't compile it.

        Args:
            tensor: Shape (a..., b...).
            mask: Bools; shape (a...).

        Example:
            >>> a = tb.astensor([[1, 2], [3, 4]])
            >>> tb.tolist(tb.boolean_mask(a, tb.astensor([[True, False], [True, True]], dtype="bool")))
            [1.0, 3.0, 4.0]
        """
        return self._boolean_mask(self._tensor(tensor), self.astensor(mask, dtype="bool"))

    # Probability

    def poisson_logpdf(self, n: TensorLike, lam: TensorLike) -> Tensor:
        r"""Logarithm of the Poisson probability of ``n``, continued to real counts:

        .. math:: \log \mathrm{Pois}(n\,|\,\lambda) = n \log\lambda - \lambda - \log\Gamma(n + 1)

        where :math:`0 \log 0 = 0`: at rate 0 it is 0 for ``n`` = 0, and -inf for more.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.poisson_logpdf([5.0, 9.0, 0.0], [6.0, 8.0, 0.0]))]
            [-1.828694, -2.086854, 0.0]
        """
        n, lam = self._meeting(n, lam)
        one = self._full((), 1, self._dtype_of(lam))
        argument = self._where(n == 0, self._where(lam <= 0, one, lam), lam)
        return n * self.log(argument) - lam - self._log_gamma(n + 1)

    def poisson(self, n: TensorLike, lam: TensorLike) -> Tensor:
        """Poisson probability of ``n`` events at the rate ``lam``, continued to real counts.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.poisson([5.0, 0.0, 1.0], [6.0, 0.0, 0.0]))]
            [0.160623, 1.0, 0.0]
        """
        return self.exp(self.poisson_logpdf(n, lam))

    def normal_logpdf(self, x: TensorLike, mu: TensorLike, sigma: TensorLike) -> Tensor:
        r"""Logarithm of the normal density:

        .. math:: -\frac{1}{2}\left(\frac{x - \mu}{\sigma}\right)^2 - \log\left(\sigma\sqrt{2\pi}\right)

        NaN where ``sigma`` is not positive; PyTorch's own distributions, and so its backend, raise ValueError.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.normal_logpdf([0.5, 2.0], [0.0, 2.3], [1.0, 0.8]))]
            [-1.043939, -0.766107]
        """
        x, mu, sigma = self._meeting(x, mu, sigma)
        pull = (x - mu) / sigma
        return -0.5 * pull * pull - self.log(sigma) - 0.5 * math.log(2 * math.pi)

    def normal(self, x: TensorLike, mu: TensorLike, sigma: TensorLike) -> Tensor:
        """The normal density.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.normal([0.5, 2.0], [0.0, 2.3], [1.0, 0.8]))]
            [0.352065, 0.464819]
        """
        return self.exp(self.normal_logpdf(x, mu, sigma))

    def normal_cdf(self, x: TensorLike, mu: TensorLike = 0.0, sigma: TensorLike = 1.0) -> Tensor:
        r"""The normal distribution function :math:`\mathrm{erfc}(-(x - \mu)/(\sqrt{2}\sigma))/2`, exact in its tails.

        Example:
            >>> [round(value, 6) for value in tb.tolist(tb.normal_cdf([0.8, 2.0]))]
            [0.788145, 0.97725]
        """
        x, mu, sigma = self._meeting(x, mu, sigma)
        return 0.5 * self._erfc((mu - x) / (sigma * math.sqrt(2)))

    def poisson_dist(self, rate: TensorLike) -> Poisson:
        """The Poisson distribution: an object with ``sample(shape)``, ``log_prob(value)`` and ``expected_data()``.

        Samples come from the framework's global generator (NumPy's for NumPy and JAX), and can't be compiled by JAX.

        Args:
            rate: Expected numbers of events.

        Example:
            >>> poissons = tb.poisson_dist(tb.astensor([5, 8]))
            >>> [round(value, 6) for value in tb.tolist(poissons.log_prob(tb.astensor([4, 9])))]
            [-1.740302, -2.086854]
            >>> tb.shape(poissons.sample((100,)))
            (100, 2)
        """
        return Poisson(self, self._floats(rate)[0])

    def normal_dist(self, mu: TensorLike, sigma: TensorLike) -> Normal:
        """The normal distribution: an object with ``sample(shape)``, ``log_prob(value)`` and ``expected_data()``.

        Samples as for `poisson_dist`.

        Example:
            >>> normals = tb.normal_dist(tb.astensor([5, 8]), tb.astensor([1, 0.5]))
            >>> [round(value, 6) for value in tb.tolist(normals.log_prob(tb.astensor([4, 9])))]
            [-1.418939, -2.225791]
        """
        return Normal(self, *self._floats(mu, sigma))

    # What operations share

    def _dtype(self, name: str) -> np.dtype[Any]:
        if name not in self.dtypemap:
            message = f"Invalid dtype: dtype must be one of {list(self.dtypemap)}, not {name!r}."
            log.error(message)
            raise KeyError(message)
        return {"float": _FLOATS[self.precision], "int": _INTS[self.precision], "bool": _BOOL}[name]

    def _tensor(self, value: TensorLike) -> Tensor:
        """The value as a tensor: itself, where it is one."""
        return value if isinstance(value, self._tensor_types) else self.astensor(value)

    def _alike(self, *values: TensorLike, floats: bool = False) -> list[Tensor]:
        """The values as tensors of one type: the widest of the tensors', which numbers and lists adopt."""
        dtypes = [self._dtype_of(value) for value in values if isinstance(value, self._tensor_types)]
        others = [value for value in values if not isinstance(value, self._tensor_types)]
        target = max(dtypes, key=_width, default=_FLOATS[self.precision])
        if target.kind != "f" and (floats or any(_holds_floats(value) for value in others)):
            target = _FLOATS[self.precision]
        return [self._cast(self._tensor(value), target) for value in values]

    def _floats(self, *values: TensorLike) -> list[Tensor]:
        """The values as tensors of one float type."""
        return self._alike(*values, floats=True)

    def _meeting(self, *values: TensorLike, floats: bool = True) -> list[Tensor]:
        """The values as tensors of one type that broadcast against each other."""
        return self._alike(*values, floats=floats)

    def _sequence(self, operation: str, sequence: Sequence[TensorLike]) -> list[Tensor]:
        parts = list(sequence)
        if not parts:
            raise ValueError(f"{operation} needs at least one tensor")
        return self._alike(*parts)

    def _reduced(
        self, reduction: Callable[[Tensor, tuple[int, ...]], Tensor], tensor_in: TensorLike, axis: Any
    ) -> Tensor:
        tensor = self._tensor(tensor_in)
        if self._dtype_of(tensor) == _BOOL:
            tensor = self._cast(tensor, _INTS[self.precision])
        n_axes = len(tensor.shape)
        axes = tuple(range(n_axes)) if axis is None else _as_shape(axis)
        return reduction(tensor, axes) if n_axes and axes else tensor

    def _axes_first(self, tensor: Tensor, axis: int | Shape | None) -> Tensor:
        """The given axes as one, in front of the others."""
        n_axes = len(tensor.shape)
        axes = tuple(range(n_axes)) if axis is None else tuple(range(n_axes)[index] for index in _as_shape(axis))
        rest = tuple(index for index in range(n_axes) if index not in axes)
        turned = self._transpose(tensor, axes + rest)
        return self._reshape(turned, (-1, *(turned.shape[len(axes) :])))

    def _percentile_weight(self, fraction: Tensor, below: Tensor, interpolation: Interpolation) -> Tensor:
        """How much of the value above the place counts, by the place's fraction of the way to it."""
        one = self._full((), 1, self._dtype_of(fraction))
        zero = one * 0
        if interpolation == "linear":
            return fraction
        if interpolation == "lower":
            return fraction * 0
        if interpolation == "higher":
            return fraction * 0 + 1
        if interpolation == "midpoint":
            return self._where(fraction > 0, one / 2, zero)
        odd = below / 2 != self._floor(below / 2)
        at_half = self._where(odd, one, zero)
        return self._where(fraction > 0.5, one, self._where(fraction == 0.5, at_half, zero))

    # Primitives: what an adapter supplies

    @staticmethod
    @abc.abstractmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        """The framework's type of the same name."""

    @staticmethod
    @abc.abstractmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        """NumPy's type of the tensor's entries."""

    @abc.abstractmethod
    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        """A tensor of values that are not a tensor yet."""

    @abc.abstractmethod
    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        """The tensor with another type; itself where it has this one."""

    @abc.abstractmethod
    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        """A tensor of one value."""

    @abc.abstractmethod
    def _abs(self, tensor: Tensor) -> Tensor:
        """Absolute values."""

    @abc.abstractmethod
    def _floor(self, tensor: Tensor) -> Tensor:
        """The largest integers that are not above the values."""

    @abc.abstractmethod
    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        """The larger of two."""

    @abc.abstractmethod
    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        """The smaller of two."""

    @abc.abstractmethod
    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        """Powers of floats."""

    @abc.abstractmethod
    def _erfc(self, tensor: Tensor) -> Tensor:
        """1 - erf, without loss where that is small."""

    @abc.abstractmethod
    def _log_gamma(self, tensor: Tensor) -> Tensor:
        """Logarithm of the gamma function."""

    @abc.abstractmethod
    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        """A choice between tensors of one type."""

    @abc.abstractmethod
    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Sum over axes."""

    @abc.abstractmethod
    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Product over axes."""

    @abc.abstractmethod
    def _sorted(self, tensor: Tensor) -> Tensor:
        """The values in ascending order along the first axis."""

    @abc.abstractmethod
    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The values in another shape."""

    @abc.abstractmethod
    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        """The axes in another order."""

    @abc.abstractmethod
    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The tensor repeated to a shape."""

    @abc.abstractmethod
    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        """The tensor repeated along its axes."""

    @abc.abstractmethod
    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        """Tensors of one type joined along an axis."""

    @abc.abstractmethod
    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        """Tensors of one type and shape joined along a new axis."""

    @abc.abstractmethod
    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        """Entries of the first axis."""

    @abc.abstractmethod
    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        """Entries where a mask of the leading axes is true."""

    @abc.abstractmethod
    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Poisson counts, as floats, of the given shape, which ends in the rate's."""

    @abc.abstractmethod
    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Normal numbers of the given shape, which ends in that of ``loc`` and ``scale``."""


def _as_shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in shape) if np.iterable(shape) else (int(shape),)


def _width(dtype: np.dtype[Any]) -> tuple[int, int]:
    return _KINDS.index(dtype.kind), dtype.itemsize


def _holds(sequence: TensorLike, kind: Any) -> bool:
    """Whether nested lists hold a tensor."""
    if isinstance(sequence, (list, tuple)):
        return any(_holds(part, kind) for part in sequence)
    return isinstance(sequence, kind)


def _holds_floats(value: TensorLike) -> bool:
    return np.asarray(value).dtype.kind == "f"
