"""The origin of a result, put into words when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pyhf_func._version import __version__


class About:
    """The origin of a result.

    Args:
        verb: The function that made it.
        source: What the model was built from: something with a ``digest`` and the name of a ``measurement``; None where
            it is not known, or the model is a changed copy.
        settings: All arguments but data and model.
    """

    def __init__(self, verb: str, source: Any, settings: Mapping[str, Any]) -> None:
        self._verb, self._source, self._settings = verb, source, settings

    def __reduce__(self) -> Any:
        return restored, (self.content,)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Verb, versions, digest of the workspace, measurement, settings and seed, as JSON has them."""
        settings = {name: _plain(value) for name, value in self._settings.items()}
        return {
            "verb": self._verb,
            "versions": {"pyhf_func": __version__, **{name: version(name) for name in ("jax", "numpy")}},
            "digest": self._source and self._source.digest,
            "measurement": self._source and self._source.measurement,
            "settings": settings,
            "seed": settings.pop("key", None),
        }


def restored(content: dict[str, Any]) -> About:
    """The origin that was read from a file, or a pickle."""
    about = About("", None, {})
    about.__dict__["content"] = content
    return about


def _plain(value: Any) -> Any:
    """A setting as JSON has it: arrays as lists, other objects by their ``repr``; None for what is traced."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, jax.core.Tracer):
        return None
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [*map(_plain, value)]
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return f"the {type(value).__name__} of another call" if hasattr(value, "_fields") else repr(value)
