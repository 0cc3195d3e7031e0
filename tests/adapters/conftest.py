"""The contract broadcasts as NumPy does, whatever JAX is told of the library's own shapes."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _broadcasting() -> Iterator[None]:
    with jax.numpy_rank_promotion("allow"):
        yield
