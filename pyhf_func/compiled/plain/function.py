"""A traced function that NumPy runs, from JAX's arrays to JAX's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from pyhf_func.compiled.plain.program import Program, translate


@dataclass(frozen=True)
class Function:
    """A program with the structure of its result.

    Example:
        >>> import jax.numpy as jnp
        >>> norm = Function.of(jax.jit(lambda x: {"norm": jnp.sqrt(jnp.sum(x**2))}).trace(jnp.ones(2)))
        >>> norm([np.array([3.0, 4.0])], np.inf)
        {'norm': Array(5., dtype=float64)}
    """

    program: Program
    result: Any
    """The result's structure, with a number in place of each array."""

    @classmethod
    def of(cls, traced: jax.stages.Traced) -> Function:
        """The function that was traced.

        Raises:
            Unsupported: It does something that NumPy does not do here.
        """
        structure: Any = jax.tree.structure(traced.out_info)
        return cls(translate(traced.jaxpr), jax.tree.unflatten(structure, range(structure.num_leaves)))

    @property
    def size(self) -> int:
        """How many equations it has."""
        return self.program.size

    def __call__(self, leaves: Sequence[Any], until: float) -> Any:
        """The result for arrays; see `Program`.

        Raises:
            OutOfTime: It was not there by the time that was given.
        """
        with np.errstate(all="ignore"):
            found = self.program([np.asarray(leaf)[()] for leaf in leaves], until)
        arrays = jax.device_put([np.array(one) for one in found])  # copies: arguments may be among them
        return jax.tree.unflatten(jax.tree.structure(self.result), arrays)
