"""Events: functions and methods that run when something happens, such as a change of the backend.

Subscribers are held weakly: a subscription does not keep an object alive, and ends with it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

__all__ = ["Callables", "disable", "enable", "noop", "register", "subscribe", "trigger"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Reference = tuple["weakref.ref[Any]", "weakref.ref[Any] | None"]
"""A function, and for a method the object that it is bound to."""


def __dir__() -> list[str]:
    return __all__


def noop(*args: Any, **kwargs: Any) -> None:
    """Do nothing: what an event without subscribers calls."""


def _alive(reference: Reference) -> bool:
    function, bound_to = reference
    return function() is not None and (bound_to is None or bound_to() is not None)


class Callables:
    """The subscribers of one event; calling it calls them in the order in which they subscribed."""

    def __init__(self) -> None:
        self._callbacks: list[Reference] = []

    @property
    def callbacks(self) -> list[Reference]:
        """Weak references to the subscribers that are alive."""
        self._callbacks = [reference for reference in self._callbacks if _alive(reference)]
        return self._callbacks

    def append(self, callback: Callable[..., Any]) -> None:
        """Add a function or a bound method."""
        owner = getattr(callback, "__self__", None)
        function = getattr(callback, "__func__", None)
        if owner is None or function is None:
            self._callbacks.append((weakref.ref(callback), None))
        else:
            self._callbacks.append((weakref.ref(function), weakref.ref(owner)))

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        for function, bound_to in list(self.callbacks):
            called, owner = function(), None if bound_to is None else bound_to()
            if called is None or (bound_to is not None and owner is None):
                continue  # died while the others were called
            called(*((owner,) if bound_to is not None else ()), *args, **kwargs)

    def __iter__(self) -> Iterator[Reference]:
        return iter(self.callbacks)

    def __getitem__(self, index: int) -> Reference:
        return self.callbacks[index]

    def __len__(self) -> int:
        return len(self.callbacks)

    def __repr__(self) -> str:
        return f"Callables({self.callbacks})"


__events: dict[str, Callables] = {}
__disabled_events: set[str] = set()


def subscribe(event: str) -> Callable[[F], F]:
    """A decorator that subscribes a function or method to an event.

    Example:
        >>> @subscribe("greeting")
        ... def answer(name):
        ...     print("hello", name)
        >>> trigger("greeting")("world")
        hello world
    """

    def decorate(function: F) -> F:
        __events.setdefault(event, Callables()).append(function)
        return function

    return decorate


def register(event: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that makes a function trigger ``event::before`` and ``event::after`` around each call.

    Example:
        >>> @register("work")
        ... def work():
        ...     print("working")
        >>> @subscribe("work::after")
        ... def rest():
        ...     print("resting")
        >>> work()
        working
        resting
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            trigger(f"{event}::before")()
            result = function(*args, **kwargs)
            trigger(f"{event}::after")()
            return result

        return wrapper

    return decorate


def trigger(event: str) -> Callable[..., None]:
    """The function to call when the event happens: its subscribers, or `noop` where it has none or is disabled."""
    if event in __disabled_events or event not in __events:
        return noop
    return __events[event]


def disable(event: str) -> None:
    """Keep an event from calling its subscribers."""
    __disabled_events.add(event)


def enable(event: str) -> None:
    """Let a disabled event call its subscribers again.

    Raises:
        KeyError: The event is not disabled.
    """
    __disabled_events.remove(event)
