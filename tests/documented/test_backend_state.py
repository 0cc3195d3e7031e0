"""The current backend: how it is set, who sees it, and what is told of it."""

import asyncio
import contextvars
import subprocess
import sys
import threading
from typing import Any

import pytest

import pyhf_func as pf
from pyhf_func.adapters.numpy import numpy_backend
from pyhf_func.exceptions import ImportBackendError, InvalidBackend, InvalidOptimizer, Unsupported

NAMES = ("numpy", "jax", "pytorch", "tensorflow", "mxnet")


def in_thread(function: Any) -> Any:
    """The function's result, from a thread of its own."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def current() -> tuple[str, str]:
    return pf.tensorlib.name, pf.tensorlib.precision


def test_importing_loads_no_framework() -> None:
    code = (
        "import sys, pyhf_func as pf\n"
        "assert not {'numpy', 'jax', 'torch'} & set(sys.modules)\n"
        "assert pf.tensorlib.name == pf.default_backend.name == 'numpy'\n"
        "assert 'jax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_objects(name: str) -> None:
    for given in (name, name.upper(), name.encode()):
        pf.set_backend(given)
        assert current() == (name, "64b")
    backend_class = getattr(pf.tensor, f"{name}_backend")
    assert isinstance(pf.tensorlib, backend_class)
    assert backend_class is getattr(backend_class, f"{name}_backend")
    assert backend_class is getattr(__import__(f"pyhf_func.tensor.{name}_backend", fromlist=["x"]), f"{name}_backend")
    single = backend_class(precision="32b")
    pf.set_backend(single)
    assert pf.tensorlib is single
    pf.set_backend(single, precision=b"64B")
    assert current() == (name, "64b")
    assert backend_class.array_type in pf.tensor.array_types


def test_what_does_not_exist() -> None:
    with pytest.raises(InvalidBackend, match="numpy, jax"):
        pf.set_backend("numbers")
    with pytest.raises(Unsupported, match="32b"):
        pf.set_backend("numpy", precision="16b")
    with pytest.raises(InvalidOptimizer, match="minuit"):
        pf.set_backend("numpy", "adam")
    with pytest.raises(AttributeError):
        _ = pf.tensor.paper_backend
    assert current() == ("numpy", "64b")


def test_a_missing_framework_names_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pf.set_backend("pytorch")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delattr(pf.tensor, "pytorch_backend")
    with pytest.raises(ImportBackendError, match=r"pyhf-func\[torch\]"):
        pf.set_backend("pytorch")


class Named(numpy_backend):
    """A backend or optimizer from elsewhere; whoever is told of a change can calculate with it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def test_objects_from_elsewhere_need_names_of_their_own() -> None:
    for arguments in ((Named("jax"),), ("numpy", Named("scipy"))):
        with pytest.raises(AttributeError, match="name"):
            pf.set_backend(*arguments)
    mine = Named("mine")
    pf.set_backend(mine, mine)
    assert pf.get_backend() == (mine, mine)


@pytest.mark.parametrize("name", ["newton", "scipy", "minuit"])
def test_optimizers(name: str) -> None:
    pf.set_backend("numpy", name.upper())
    assert isinstance(pf.optimizer, getattr(pf.optimize, f"{name}_optimizer"))
    assert pf.optimizer is pf.get_backend()[1]


def test_our_own_optimizer_is_the_default() -> None:
    assert isinstance(pf.optimizer, pf.optimize.newton_optimizer)
    assert pf.optimizer is pf.optimizer


def test_the_default_backend() -> None:
    with pf.set_backend("jax", "scipy", default=True):
        assert pf.default_backend is pf.tensorlib
        assert pf.default_optimizer is pf.optimizer
        pf.set_backend("pytorch")
        assert pf.default_backend.name == "jax"
        assert pf.get_backend(default=True)[0].name == "jax"
    assert pf.default_backend.name == "numpy"


def test_context_managers_restore() -> None:
    with pf.set_backend("jax", precision="32b") as backend:
        assert backend is pf.tensorlib
        with pf.set_backend("pytorch"):
            assert current() == ("pytorch", "64b")
        assert current() == ("jax", "32b")
        with pytest.raises(KeyError), pf.set_backend("pytorch"):
            raise KeyError
        assert pf.tensorlib is backend
    assert current() == ("numpy", "64b")


def test_a_prompt_shows_nothing() -> None:
    assert repr(pf.set_backend("numpy")) == ""


def test_threads_see_the_main_thread_and_keep_their_own() -> None:
    pf.set_backend("jax", precision="32b")
    assert in_thread(current) == ("jax", "32b")

    def own() -> tuple[str, str]:
        pf.set_backend("pytorch")
        return current()

    assert in_thread(own) == ("pytorch", "64b")
    assert current() == ("jax", "32b")


def test_threads_at_the_same_time() -> None:
    barrier, seen = threading.Barrier(2), {}

    def work(name: str) -> None:
        with pf.set_backend(name):
            barrier.wait()
            model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
            seen[name] = type(model.expected_data([1.0, 1.0]))
            barrier.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("numpy", "pytorch")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {name: getattr(pf.tensor, f"{name}_backend").array_type for name in ("numpy", "pytorch")}


def test_contexts_and_tasks_keep_their_own() -> None:
    contextvars.copy_context().run(pf.set_backend, "jax")
    assert pf.tensorlib.name == "numpy"

    async def task(name: str) -> str:
        pf.set_backend(name)
        await asyncio.sleep(0)
        return str(pf.tensorlib.name)

    async def both() -> list[str]:
        return list(await asyncio.gather(task("jax"), task("pytorch")))

    assert asyncio.run(both()) == ["jax", "pytorch"]
    assert pf.tensorlib.name == "numpy"


def test_events() -> None:
    told: list[str] = []
    listeners = {}
    for event in (
        "change_backend::before",
        "change_backend::after",
        "tensorlib_changed",
        "optimizer_changed",
        "default_tensorlib_changed",
    ):
        listeners[event] = lambda event=event: told.append(event)
        pf.events.subscribe(event)(listeners[event])
    pf.set_backend("numpy", "scipy")
    assert told == ["change_backend::before", "optimizer_changed", "change_backend::after"]
    told.clear()
    pf.set_backend("jax", pf.optimizer)
    assert told == ["change_backend::before", "tensorlib_changed", "change_backend::after"]
    told.clear()
    with pf.set_backend("numpy", pf.optimizer, precision="32b", default=True):
        assert "default_tensorlib_changed" in told
        told.clear()
    assert {"tensorlib_changed", "default_tensorlib_changed"} <= set(told)
    told.clear()
    pf.events.disable("tensorlib_changed")
    pf.set_backend("pytorch", pf.optimizer)
    pf.events.enable("tensorlib_changed")
    assert told == ["change_backend::before", "change_backend::after"]
    with pytest.raises(KeyError):
        pf.events.enable("tensorlib_changed")


def test_subscriptions_end_with_their_objects() -> None:
    class Listener:
        def listen(self) -> None:
            raise AssertionError("called after its end")

    listener = Listener()
    pf.events.subscribe("bell")(listener.listen)
    assert len(pf.events.trigger("bell")) == 1  # type: ignore[arg-type]
    del listener
    assert len(pf.events.trigger("bell")) == 0  # type: ignore[arg-type]
    pf.events.trigger("bell")()
    assert pf.events.trigger("nothing") is pf.events.noop
