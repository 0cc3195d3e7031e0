"""MXNet beside today's NumPy.

The last release of MXNet (1.9.1) asks NumPy, while it is imported, for names that NumPy 2 no longer has. It is lent
them for as long as that takes. Its package claims to need an old NumPy, too; hence ``--no-deps`` in `COMMAND`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["COMMAND", "import_mxnet", "lent_names"]

COMMAND = "pip install 'pyhf-func[mxnet]' && pip install --no-deps mxnet==1.9.1"
"""How MXNet is installed."""

_CONSTANTS = {
    "Inf": np.inf,
    "Infinity": np.inf,
    "NAN": np.nan,
    "NINF": -np.inf,
    "NZERO": -0.0,
    "NaN": np.nan,
    "PINF": np.inf,
    "PZERO": 0.0,
    "infty": np.inf,
}
_TYPES = {
    "bool": bool,
    "complex_": np.complex128,
    "float": float,
    "float_": np.float64,
    "int": int,
    "object": object,
    "unicode_": np.str_,
}
_FUNCTIONS = {
    "alltrue": np.all,
    "cumproduct": np.cumprod,
    "product": np.prod,
    "round_": np.round,
    "row_stack": np.vstack,
    "sometrue": np.any,
}
# MXNet only asks whether NumPy has these, to offer them under its own name.
_MENTIONED = ("asfarray", "in1d", "mirr", "msort", "npv", "pmt", "ppmt", "pv", "rate", "trapz")


def __dir__() -> list[str]:
    return __all__


@contextlib.contextmanager
def lent_names() -> Iterator[None]:
    """NumPy with the names that it dropped, where it does not have them; afterwards it is as it was.

    Example:
        >>> with lent_names():
        ...     np.float_ is np.float64
        True
        >>> "float_" in vars(np)
        False
    """
    lent = {**_CONSTANTS, **_TYPES, **_FUNCTIONS, **dict.fromkeys(_MENTIONED, _gone)}
    missing = [name for name in lent if name not in vars(np)]
    for name in missing:
        setattr(np, name, lent[name])
    try:
        yield
    finally:
        for name in missing:
            delattr(np, name)


def import_mxnet() -> Any:
    """The package ``mxnet``.

    Raises:
        ImportError: It is not installed, or can't be loaded.
    """
    with lent_names(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its own deprecated spellings
        try:
            import mxnet
        except (AttributeError, OSError) as error:  # a NumPy that it does not know, a library that it can't load
            raise ImportError(f"mxnet can't be imported: {error}") from error
    return mxnet


def _gone(*args: Any, **kwargs: Any) -> Any:
    raise AttributeError("NumPy does not have this function any more")
