"""The documented API has two names, and is loaded once."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import pyhf_func
from pyhf_func import _wings
from tests.documented.models import two_bins

EVERY = """
import importlib, pkgutil, sys
import pyhf_func
from pyhf_func._wings import DOCUMENTED, SHARED
from pyhf_func.exceptions import ImportBackendError

found = 0
for module in pkgutil.walk_packages(pyhf_func.__path__, "pyhf_func."):
    room = module.name.split(".")[1]
    if room in DOCUMENTED | SHARED:
        names = [module.name, module.name.replace("pyhf_func.", "pyhf_func.pyhf.", 1)][:: int(sys.argv[1])]
        try:
            one, other = map(importlib.import_module, names)
        except (ImportError, ImportBackendError):
            continue  # of an optional package
        assert one is other, names
        found += 1
assert found > 100, found
assert isinstance(pyhf_func.interpolators.code0, type) and isinstance(pyhf_func.tensor.numpy_backend, type)
"""
TOGETHER = """
import importlib, sys, threading
import jax  # whose own import bears no threads
import pyhf_func

names = ["infer.mle", "pyhf.tensor.manager", "optimize", "pyhf.infer.calculators", "tensor", "pyhf.pdf", "pdf", "pyhf"]
start, failed = threading.Barrier(len(names)), []

def load(name):
    start.wait()
    try:
        importlib.import_module(f"pyhf_func.{name}")
        assert pyhf_func.infer.hypotest and pyhf_func.pdf.Model and pyhf_func.pyhf.tensor.manager.get_backend
    except BaseException as error:
        failed.append((name, error))

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=load, args=(name,)) for name in names]
[thread.start() for thread in threads], [thread.join() for thread in threads]
assert not failed, failed
"""


def run(program: str, *arguments: str) -> None:
    found = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.parametrize("order", ["1", "-1"])
def test_every_module_has_two_names_and_is_loaded_once(order: str) -> None:
    run(EVERY, order)


@pytest.mark.slow
def test_threads_may_import_under_both_names_at_once() -> None:
    run(TOGETHER)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infer.mle", "tensor.numpy_backend"])
def test_any_module_may_be_imported_first(name: str) -> None:
    run(f"import pyhf_func.{name}")


def test_every_room_of_the_wing_is_known() -> None:
    folder = Path(pyhf_func.__file__).with_name("pyhf")
    rooms = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__"} == _wings.DOCUMENTED
    assert not [name for name in _wings.DOCUMENTED if (folder.parent / name).with_suffix(".py").exists()]


def test_the_wing_has_the_names_that_programs_for_pyhf_know() -> None:
    import pyhf_func.pyhf as pyhf

    for name in set(pyhf.__all__) - {"__version__"}:
        assert getattr(pyhf, name) is getattr(pyhf_func, name), name
    with pytest.raises(AttributeError, match="nothing"):
        _ = pyhf.nothing


def test_pickles_are_the_same_under_both_names() -> None:
    model, _ = two_bins(pyhf_func)
    back = pickle.loads(pickle.dumps(model.config.param_set("mu")))
    assert type(back) is pyhf_func.parameters.paramsets.unconstrained
    for name in (b"pyhf_func.pdf.model", b"pyhf_func.pyhf.pdf.model"):  # the first is that of older pickles
        assert pickle.loads(b"c" + name + b"\nModel\n.") is pyhf_func.Model
