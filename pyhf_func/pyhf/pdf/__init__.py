"""Models: what a spec compiles to, and its configuration."""

import importlib
import logging
from typing import Any

from pyhf_func.pyhf.pdf.config import _ModelConfig as _ModelConfig
from pyhf_func.pyhf.pdf.model import Model as Model

log = logging.getLogger("pyhf_func.pdf")  # programs written for pyhf set its level

__all__ = ["Model", "_ModelConfig"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "Workspace":  # where pyhf 0.1.2 has it
        return importlib.import_module("pyhf_func.workspace").Workspace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
