"""Test statistics of toys that a backend has drawn: two fits each, by the engine's program for toys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult

from pyhf_func.core.compiler import Start
from pyhf_func.core.fit import Minimiser, Status
from pyhf_func.core.inference.toys import Toys
from pyhf_func.core.inference.toys import teststatistics as fit_toys
from pyhf_func.core.statistics import Statistic
from pyhf_func.core.threads import in_order
from pyhf_func.exceptions import FailedMinimization
from pyhf_func.pyhf.infer.mle import check_start, check_value
from pyhf_func.pyhf.optimize.arrays import to_numpy

_BATCH = 64
"""One size, so that one program is compiled: the last batch is filled up."""


def teststatistics(
    minimiser: Minimiser,
    statistic: Statistic,
    mu: float,
    samples: np.ndarray,
    origin: np.ndarray,
    pdf: Any,
    start: tuple[Any, Any, Any],
) -> Iterator[np.ndarray]:
    """The test statistics of toys, shape (toys, nmaindata + nauxdata), batch after batch.

    Their fits start from ``origin``, shape (npars,): the parameters that they were drawn with.

    Raises:
        ValueError: The tested value or a start value lies outside of its bounds.
        FailedMinimization: A fit did not converge.
    """
    init, bounds, fixed = to_numpy(start[0]), to_numpy(start[1]), np.asarray(start[2], bool)
    check_start(init, bounds)
    check_value(mu, bounds[pdf.config.poi_index], pdf.config.poi_index)
    own = Start(*(jnp.asarray(x) for x in (init, bounds[:, 0], bounds[:, 1], fixed)))
    inits = np.broadcast_to(origin, (_BATCH, *origin.shape))

    def fitted(first: int) -> np.ndarray:
        batch = samples[first : first + _BATCH]
        filled = np.concatenate([batch, np.repeat(batch[-1:], _BATCH - len(batch), axis=0)])
        wanted = np.arange(_BATCH) < len(batch)
        toys: Toys = jax.device_get(
            fit_toys(
                minimiser,
                statistic,
                jnp.asarray(mu),
                filled,
                wanted,
                inits,
                pdf.likelihood,
                own,
                jnp.zeros_like(own.init),
            )
        )
        _check(toys.status[: len(batch)])
        return toys.teststat[: len(batch)]

    yield from in_order(fitted, range(0, len(samples), _BATCH))


def _check(statuses: np.ndarray) -> None:
    failed = statuses[statuses != Status.CONVERGED]
    if failed.size:
        worst = Status(int(failed.max()))
        message = f"Fits to {failed.size} of {statuses.size} toys failed. {worst.sentence}"
        raise FailedMinimization(OptimizeResult(success=False, status=int(worst), message=message))
