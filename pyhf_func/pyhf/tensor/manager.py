"""The current backend and optimizer: the only state of the library.

The setting belongs to the context (`contextvars`): a thread or an asynchronous task that calls `set_backend`
changes nothing for the others. A thread that never called it sees the setting of the main thread.
"""

from __future__ import annotations

import importlib
import threading
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import pyhf_func.pyhf.tensor as retriever
from pyhf_func._lookup import shown
from pyhf_func.adapters.registry import FRAMEWORKS
from pyhf_func.exceptions import InvalidBackend, InvalidOptimizer, Unsupported
from pyhf_func.pyhf import events

PRECISIONS = ("32b", "64b")
_OPTIMIZERS = "pyhf_func.pyhf.optimize"  # by name: the optimizers are built on this module
_OPTIMIZER_NAMES = ("newton", "scipy", "minuit")


class Setting:
    """A backend and the optimizer that goes with it, which is made when first asked for."""

    def __init__(self, backend: Any, optimizer: Any = None) -> None:
        self.backend = backend
        self._optimizer = optimizer

    @property
    def optimizer(self) -> Any:
        """The optimizer; our own unless another was chosen."""
        if self._optimizer is None:
            self._optimizer = importlib.import_module(_OPTIMIZERS).newton_optimizer()
        return self._optimizer

    def pair(self) -> tuple[Any, Any]:
        """``(backend, optimizer)``."""
        return self.backend, self.optimizer


_here: ContextVar[Setting | None] = ContextVar("pyhf_func_backend", default=None)
_default: Setting | None = None
_of_main_thread: Setting | None = None  # what threads without a setting of their own see


def _default_setting() -> Setting:
    global _default
    if _default is None:
        _default = Setting(retriever.BackendRetriever.numpy_backend())
    return _default


def _setting() -> Setting:
    here = _here.get()
    if here is not None:
        return here
    if _of_main_thread is not None and not _in_main_thread():
        return _of_main_thread
    return _default_setting()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def backend(default: bool = False) -> Any:
    """The current, or the default, backend alone, without making an optimizer."""
    return (_default_setting() if default else _setting()).backend


def current_backend() -> Any:
    """The current backend."""
    return _setting().backend


def get_backend(default: bool = False) -> tuple[Any, Any]:
    """The current backend and the associated optimizer; or the default ones.

    Example:
        >>> backend, optimizer = get_backend()
        >>> backend.name, backend.precision
        ('numpy', '64b')
    """
    return (_default_setting() if default else _setting()).pair()


class Restore:
    """The value of `set_backend`: a context manager that restores the previous setting on exit.

    It prints nothing at a prompt, so that ``set_backend(...)`` reads there as a statement.
    """

    def __init__(self, before: Setting | None, default_before: Setting) -> None:
        self._before = before
        self._default_before = default_before

    def __enter__(self) -> Any:
        """The backend that was set."""
        return current_backend()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _change(self._before, self._default_before)

    def __repr__(self) -> str:
        return ""


@events.register("change_backend")
def set_backend(
    backend: Any,
    custom_optimizer: Any = None,
    precision: str | bytes | None = None,
    default: bool = False,
) -> Restore:
    """Set the backend, whose tensors the documented API returns, and the optimizer.

    Args:
        backend: A name in any case, ``"numpy"``, ``"jax"``, ``"pytorch"``, ``"tensorflow"`` or ``"mxnet"``; or a
            backend object.
        custom_optimizer: ``"newton"`` (our own, the default), ``"scipy"``, ``"minuit"``, or an optimizer object.
        precision: ``"32b"`` or ``"64b"``; where it is silent, that of the backend object, or 64b.
        default: Make it the default backend, too: the one that threads and tasks start with.

    Returns:
        A context manager: ``with set_backend("pytorch"):`` restores the previous setting on exit. Called as a plain
        function it sets the backend until the next call.

    Raises:
        InvalidBackend: There is no such backend.
        ImportBackendError: Its framework is not installed.
        InvalidOptimizer: There is no such optimizer.
        Unsupported: There is no such precision.
        AttributeError: A backend or optimizer object carries the name of one of ours and is none of them.

    Example:
        >>> import pyhf_func as pf
        >>> with pf.set_backend("jax", precision="32b"):
        ...     print(pf.tensorlib.name, pf.tensorlib.precision)
        jax 32b
        >>> pf.tensorlib.name
        'numpy'
    """
    new = Setting(_chosen_backend(backend, _precision(precision)), _chosen_optimizer(custom_optimizer))
    restore = Restore(_here.get(), _default_setting())
    _change(new, new if default else _default_setting())
    return restore


def _change(new: Setting | None, new_default: Setting) -> None:
    """Put settings in place and tell the subscribers."""
    global _default, _of_main_thread
    before, default_before = _setting(), _default_setting()
    _here.set(new)
    _default = new_default
    if _in_main_thread():
        _of_main_thread = new
    now = _setting()
    now.backend._setup()
    _tell("default_", default_before, new_default)
    _tell("", before, now)


def _tell(which: str, before: Setting, now: Setting) -> None:
    """Trigger the events of what differs. An optimizer that is not made yet is a new one."""
    old, new = before.backend, now.backend
    if (old.name, old.precision) != (new.name, new.precision):
        events.trigger(f"{which}tensorlib_changed")()
    if now is not before and (now._optimizer is None or now._optimizer is not before._optimizer):
        events.trigger(f"{which}optimizer_changed")()


def _text(value: Any) -> Any:
    """Names may come as bytes and in any case."""
    value = value.decode() if isinstance(value, bytes) else value
    return value.lower() if isinstance(value, str) else value


def _precision(precision: str | bytes | None) -> str | None:
    if not precision:
        return None
    chosen = _text(precision)
    if chosen not in PRECISIONS:
        raise Unsupported(f"There is no precision {precision!r}: choose one of {', '.join(PRECISIONS)}.")
    return str(chosen)


def _chosen_backend(backend: Any, precision: str | None) -> Any:
    backend = _text(backend)
    if isinstance(backend, str):
        if backend not in FRAMEWORKS:
            raise InvalidBackend(
                f"There is no backend {backend!r}: choose one of {', '.join(FRAMEWORKS)}, or pass a backend object."
            )
        options = {} if precision is None else {"precision": precision}
        return getattr(retriever, f"{backend}_backend")(**options)
    if not hasattr(backend, "name"):
        raise InvalidBackend(f"backend is {shown(backend)}; give a name, such as 'numpy', or a backend object.")
    known = backend.name in FRAMEWORKS
    if known and not isinstance(backend, getattr(retriever, f"{backend.name}_backend")):
        raise AttributeError(
            f"{type(backend)} is named {backend.name!r} and is not that backend: "
            "give a backend of your own another name."
        )
    if precision is not None and backend.precision != precision:
        if not known:
            raise Unsupported(
                f"The backend {backend.name!r} has precision {backend.precision}: make it with {precision}."
            )
        return getattr(retriever, f"{backend.name}_backend")(precision=precision)
    return backend


def _chosen_optimizer(optimizer: Any) -> Any:
    if optimizer is None:
        return None
    optimizer = _text(optimizer)
    optimizers = importlib.import_module(_OPTIMIZERS)
    if isinstance(optimizer, str):
        if optimizer not in _OPTIMIZER_NAMES:
            raise InvalidOptimizer(
                f"There is no optimizer {optimizer!r}: choose 'newton', 'scipy' or 'minuit', "
                "or pass an optimizer object."
            )
        return getattr(optimizers, f"{optimizer}_optimizer")()
    if not hasattr(optimizer, "name"):
        raise InvalidOptimizer(f"custom_optimizer is {shown(optimizer)}; give a name, or an optimizer object.")
    known = optimizer.name in _OPTIMIZER_NAMES
    if known and not isinstance(optimizer, getattr(optimizers, f"{optimizer.name}_optimizer")):
        raise AttributeError(
            f"{type(optimizer)} is named {optimizer.name!r} and is not that optimizer: "
            "give an optimizer of your own another name."
        )
    return optimizer


def __getattr__(name: str) -> Any:
    if name == "state":  # as pyhf shows it
        return {"default": _default_setting().pair(), "current": _setting().pair()}
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
