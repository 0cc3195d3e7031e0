"""Models: what a spec compiles to, and its configuration."""

from pyhf_func.pdf.config import _ModelConfig as _ModelConfig
from pyhf_func.pdf.model import Model as Model

__all__ = ["Model", "_ModelConfig"]


def __dir__() -> list[str]:
    return __all__
