"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import pyhf_func

ELSEWHERE = (
    "pyhf_func.adapters.contract",  # whose examples run with the tensors of every framework
    "pyhf_func.pyhf",  # the same modules under their other names
)
MODULES = [
    module.name
    for module in pkgutil.walk_packages(pyhf_func.__path__, "pyhf_func.")
    if not module.name.endswith("__main__") and not module.name.startswith(ELSEWHERE)
]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


@pytest.mark.slow
def test_there_are_examples() -> None:
    """The verbs, the model and the workspace show how they are used."""
    for thing in (pyhf_func.fit, pyhf_func.hypotest, pyhf_func.Model, pyhf_func.Workspace):
        assert ">>>" in (thing.__doc__ or "")
