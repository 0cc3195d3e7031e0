"""Frameworks are imported when asked for, and missed with a word on how to install them."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest

from pyhf_func.adapters import mxnet_import
from pyhf_func.exceptions import ImportBackendError
from tests.adapters.frameworks import backend

COMMANDS = {
    "torch": r"pip install 'pyhf-func\[torch\]'",
    "tensorflow": r"pip install 'pyhf-func\[tensorflow\]'",
    "mxnet": r"pip install 'pyhf-func\[mxnet\]' && pip install --no-deps mxnet==1.9.1",
}


@pytest.mark.parametrize("framework", COMMANDS)
def test_missing_frameworks(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, framework, None)
    monkeypatch.delitem(sys.modules, f"pyhf_func.adapters.{framework}", raising=False)
    with pytest.raises(ImportBackendError, match=COMMANDS[framework]):
        importlib.import_module(f"pyhf_func.adapters.{framework}")


@pytest.mark.parametrize("module", ["bridge", "jax", "mxnet_import", "numpy"])
def test_documented_examples(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"pyhf_func.adapters.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_only_what_is_asked_for() -> None:
    """The bridge loads no framework, and the NumPy backend does not even load JAX."""
    program = (
        "import sys, numpy\n"
        "from pyhf_func.adapters.numpy import numpy_backend\n"
        "numpy_backend().poisson(3.0, 2.0)\n"
        "assert 'jax' not in sys.modules\n"
        "from pyhf_func.adapters import bridge\n"
        "assert bridge.kind([1.0, numpy.ones(2)]) is None\n"
        "assert not {'torch', 'tensorflow', 'mxnet'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_names_are_lent_and_taken_back() -> None:
    before = set(vars(np))
    with mxnet_import.lent_names():
        assert np.inf == np.PINF  # type: ignore[attr-defined] # noqa: NPY201
        assert np.bool is np.bool_
    assert set(vars(np)) == before


def test_numpy_is_as_it_was_once_mxnet_is_loaded() -> None:
    backend("mxnet")
    assert not {"float_", "object", "PZERO", "product", "alltrue"} & set(vars(np))
