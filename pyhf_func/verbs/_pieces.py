"""Long computations in pieces, for progress bars and for workers elsewhere: one program, called for each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import tqdm

from pyhf_func.core.fit import FitResult
from pyhf_func.core.interrupts import note
from pyhf_func.core.packed import packed, unpacked
from pyhf_func.core.processes import check_process
from pyhf_func.core.threads import check_executor, in_order, workers_of
from pyhf_func.core.values import as_numpy
from pyhf_func.results.base import Result
from pyhf_func.verbs._arguments import check_flag

R = TypeVar("R", bound=Result)

_PIECES = 12
"""How many pieces there are, or as many as there are workers if these are more."""
_ALIKE = 1e-6
"""By how much fits that all pieces make may differ in 2NLL: where they do, one of them met a better minimum."""


def check_pieces(progress: object, executor: object) -> None:
    """Refuse what is neither a flag nor an executor.

    Raises:
        TypeError: One is something else.
    """
    check_flag(progress, "progress")
    check_executor(executor)


def in_pieces(
    function: Callable[[Any, Any], R],
    inputs: Any,
    members: Any,
    shared: Collection[str],
    unit: str,
    *,
    progress: bool = False,
    executor: Executor | None = None,
) -> R:
    """The result for all members: in one computation, or piece by piece with a progress bar or in other processes.

    Numbers of pieces agree with those of one computation to the precision of the fits. Inside transformations of JAX,
    which run no Python, it is one computation without a bar.

    Args:
        function: A function of ``inputs`` and some members, always as many: their result. It is found by name in
            other processes.
        inputs: All else that it uses; it is pickled for other processes.
        members: What there is a result for; shape (n, ...).
        shared: Fields of the result that all members share; the others have an axis of members in front.
        unit: The word for a member.
        progress: Whether to show a bar on standard error.
        executor: Computes the pieces; None for this process.

    Raises:
        TypeError: There is an executor inside a transformation.
    """
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((members, inputs))):
        if executor is not None:
            raise TypeError("Inside jit, vmap or grad nothing can be computed elsewhere: leave executor out.")
        return function(inputs, members)
    n = len(members)
    if n < 2 or (executor is None and not progress):
        return function(inputs, members)
    parts = _parts(function, inputs, as_numpy(members), unit, progress, executor)
    for name in shared:
        fits = [fit for part in parts if isinstance(fit := getattr(part, name), FitResult)]
        if fits and np.ptp([float(as_numpy(fit.twice_nll)) for fit in fits]) > _ALIKE:
            # A piece met a minimum that the others did not: all go on from there.
            return function(inputs, jnp.asarray(members))
    return _joined(parts, n, shared)


def _parts(
    function: Callable[[Any, Any], R],
    inputs: Any,
    members: np.ndarray,
    unit: str,
    progress: bool,
    executor: Executor | None,
) -> list[R]:
    """The results of the pieces, in order; the last member fills the last piece."""
    n, parts = len(members), list[R]()
    workers = None if executor is None else workers_of(executor)
    size = -(-n // max(_PIECES, workers or 0))
    pieces = [members[np.minimum(np.arange(first, first + size), n - 1)] for first in range(0, n, size)]
    results: Generator[R, None, None]
    if executor is None:
        results = (function(inputs, jnp.asarray(piece)) for piece in pieces)
    else:
        results = in_order(partial(_elsewhere, packed((function, inputs))), pieces, executor)
    with closing(results), tqdm.tqdm(total=n, unit=unit, leave=False, disable=not progress) as bar:
        try:
            for part in results:
                parts.append(part)
                bar.update(min(size, n - bar.n))
        except BaseException as error:
            done = len(parts) * size
            note(error, f"This happened at {unit}s {done + 1} to {min(done + size, n)} of {n}.")
            raise
    return parts


def _elsewhere(content: bytes, piece: np.ndarray) -> Any:
    """The result of a piece, in a worker, as NumPy's arrays."""
    check_process()
    function, inputs = unpacked(content)
    return jax.device_get(function(inputs, jnp.asarray(piece)))


def _joined(parts: list[R], n: int, shared: Collection[str]) -> R:
    """One result, without the members by which the last piece was filled."""

    def join(*leaves: Any) -> Any:
        return jnp.asarray(np.concatenate([as_numpy(leaf) for leaf in leaves])[:n])

    first = jax.tree.map(jnp.asarray, parts[0])
    fields = enumerate(first._fields)
    own = {name: jax.tree.map(join, *(part[place] for part in parts)) for place, name in fields if name not in shared}
    return first._replace(**own)
