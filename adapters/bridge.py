"""Pure functions of JAX as differentiable operations of PyTorch, TensorFlow and MXNet.

A bridged function is called with pytrees in which some leaves are another framework's tensors: the *inputs*. All other
arrays and numbers are constants. Its result is the function's, with that framework's tensors in place of arrays,
and on that framework's tape: gradients flow from the floats of the result to the floats among the inputs.

- Function and derivative are compiled by JAX once for each structure of the arguments, and each set of shapes
  and types. A function is known by its identity: pass one that stays, not a new ``lambda`` each time.
- Where no gradient is wanted, none is prepared. Where one is, the call keeps what the gradient needs, and nothing is
  computed twice on the way back (except for derivatives of derivatives).
- Tensors are not copied where both sides can read the same memory; results have memory of their own.
- The floats of the result have the widest type of floats among the inputs.

The bridge knows no likelihoods, and imports no framework that is not in use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from pyhf_func.adapters.registry import FRAMEWORKS

__all__ = ["apply", "as_mxnet", "as_tensorflow", "as_torch", "kind"]

_BRIDGED = {name: framework for name, framework in FRAMEWORKS.items() if framework.tape}


def __dir__() -> list[str]:
    return __all__


def kind(tree: Any) -> str | None:
    """Which framework's tensors are among the leaves of a pytree.

    Frameworks that are not loaded have none; none is loaded by asking.

    Returns:
        ``"pytorch"``, ``"tensorflow"``, ``"mxnet"``, or None where all leaves are JAX's, NumPy's or Python's.

    Raises:
        TypeError: There are tensors of several frameworks.

    Example:
        >>> import numpy as np
        >>> kind({"mu": 1.0, "data": [np.ones(3)]}) is None
        True
    """
    classes = {name: framework.tensor_classes() for name, framework in _BRIDGED.items() if framework.is_loaded}
    if not classes:
        return None
    try:
        types = set(map(type, jax.tree.leaves(tree)))
    except ValueError:  # keys that can't be sorted: whoever knows what they are for refuses them
        return None
    found = {name for name, tensors in classes.items() if any(issubclass(cls, tensors) for cls in types)}
    if len(found) > 1:
        raise TypeError(f"Tensors of one framework are needed, not of several: found {sorted(found)}.")
    return found.pop() if found else None


def apply(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a pure function of JAX with tensors of another framework among the leaves of its arguments.

    Args:
        function: A function of pytrees, of which JAX could compile and differentiate a call.
        args, kwargs: Its arguments; without foreign tensors, the function is just called. Strings, bools and
            other leaves that are no numbers are handed on as they are; they must be hashable.

    Returns:
        What the function returns, with the framework's tensors for arrays.

    Raises:
        TypeError: There are tensors of several frameworks, or tracers of JAX beside them.

    Example:
        >>> import jax.numpy as jnp
        >>> apply(jnp.sum, jnp.arange(4.0)).item()
        6.0
    """
    framework = kind((args, kwargs))
    return (
        function(*args, **kwargs) if framework is None else _BRIDGED[framework].load_tape().call(function, args, kwargs)
    )


def as_torch(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with PyTorch's tensors for JAX's arrays, in autograd.

    Raises:
        ImportBackendError: PyTorch is not installed.
    """
    return _as("pytorch", function)


def as_tensorflow(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with TensorFlow's tensors for JAX's arrays, on its tapes; in ``tf.function``, too.

    Raises:
        ImportBackendError: TensorFlow is not installed.
    """
    return _as("tensorflow", function)


def as_mxnet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with MXNet's arrays for JAX's, in ``mxnet.autograd``.

    Raises:
        ImportBackendError: MXNet is not installed.
    """
    return _as("mxnet", function)


def _as(framework: str, function: Callable[..., Any]) -> Callable[..., Any]:
    tape = _BRIDGED[framework].load_tape()

    def bridged(*args: Any, **kwargs: Any) -> Any:
        return tape.call(function, args, kwargs)

    bridged.__name__ = getattr(function, "__name__", "bridged")
    bridged.__doc__ = function.__doc__
    return bridged
