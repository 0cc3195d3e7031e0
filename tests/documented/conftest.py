"""Each test of the documented API starts with the NumPy backend, and may run in every backend."""

from collections.abc import Iterator
from typing import Any

import pytest

import pyhf_func as pf

BACKENDS = ("numpy", "jax", "pytorch", "tensorflow", "mxnet")


@pytest.fixture(autouse=True)
def _numpy_backend() -> Iterator[None]:
    """What a test sets, the next one does not see."""
    with pf.set_backend("numpy"):
        yield


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    """Each backend in turn, set; those that are not installed are skipped."""
    try:
        pf.set_backend(request.param)
    except pf.exceptions.ImportBackendError as error:
        pytest.skip(str(error))
    return pf.tensorlib
