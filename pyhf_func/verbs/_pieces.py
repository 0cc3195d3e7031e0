"""Long computations in pieces, so that a progress bar can move: one program, called for some members after others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from pyhf_func.core.fit import FitResult
from pyhf_func.core.values import as_numpy
from pyhf_func.results.base import Result

R = TypeVar("R", bound=Result)

_PIECES = 12
_ALIKE = 1e-6
"""By how much fits that all pieces make may differ in 2NLL: where they do, one of them met a better minimum."""


def in_pieces(function: Callable[[Any], R], members: Any, inputs: Any, shared: Collection[str], unit: str) -> R:
    """The result for all members piece by piece, with a progress bar on standard error.

    Numbers agree with those of one computation to the precision of the fits. Inside transformations of JAX, which run
    no Python, it is one computation without a bar.

    Args:
        function: Gives the result for some members, always as many.
        members: What there is a result for; shape (n, ...).
        inputs: All else that the function uses.
        shared: Fields of the result that all members share; the others have an axis of members in front.
        unit: The word for a member in the bar.
    """
    n = members.shape[0]
    if n < 2 or any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((members, inputs))):
        return function(members)
    import tqdm

    members, size, parts = as_numpy(members), -(-n // _PIECES), []
    with tqdm.tqdm(total=n, unit=unit, leave=False) as bar:
        for first in range(0, n, size):
            some = members[first : first + size]
            padded = np.concatenate([some, np.repeat(some[-1:], size - len(some), axis=0)])
            parts.append(function(jnp.asarray(padded)))
            bar.update(len(some))
    for name in shared:
        fits = [fit for part in parts if isinstance(fit := getattr(part, name), FitResult)]
        if fits and np.ptp([float(as_numpy(fit.twice_nll)) for fit in fits]) > _ALIKE:
            return function(jnp.asarray(members))  # a piece met a minimum that the others did not: all go on from there
    return _joined(parts, n, shared)


def _joined(parts: list[R], n: int, shared: Collection[str]) -> R:
    """One result, without the members by which the last piece was filled."""

    def join(*leaves: Any) -> Any:
        return jnp.asarray(np.concatenate([as_numpy(leaf) for leaf in leaves])[:n])

    first = parts[0]
    fields = enumerate(first._fields)
    own = {name: jax.tree.map(join, *(part[place] for part in parts)) for place, name in fields if name not in shared}
    return first._replace(**own)
