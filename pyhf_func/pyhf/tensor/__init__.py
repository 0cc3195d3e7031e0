"""The tensor backends under their documented names, and which of them is the current one.

``tensor.numpy_backend``, ``jax_backend``, ``pytorch_backend``, ``tensorflow_backend`` and ``mxnet_backend`` are the
classes; each is also importable from the module of its name: ``from pyhf_func.tensor.numpy_backend import
numpy_backend``. A framework is imported when its backend is first asked for.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from pyhf_func.adapters.registry import FRAMEWORKS
from pyhf_func.exceptions import ImportBackendError

__all__ = ["BackendRetriever"]


class _Retriever(ModuleType):
    """This module, whose backends are attributes that are loaded when first used."""

    def __getattr__(self, name: str) -> Any:
        backend = name.removesuffix("_backend")
        if backend == name or backend not in FRAMEWORKS:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        framework = FRAMEWORKS[backend]
        try:
            if sys.modules.get(framework.module, self) is None:  # how Python marks what must not be imported
                raise ModuleNotFoundError(f"import of {framework.module} halted")
            self.__setattr__(name, importlib.import_module(f"pyhf_func.tensor.{name}"))
        except ImportError as error:
            if backend == "numpy":
                raise
            raise ImportBackendError(
                f"The {backend} backend needs {framework.module}, which cannot be imported ({error}): "
                f'install it with pip install "{framework.package}".'
            ) from error
        return self.__dict__[name]

    def __setattr__(self, name: str, value: object) -> None:
        """Keep the class where Python would put the submodule of the same name that defines it."""
        if isinstance(value, ModuleType) and name.removesuffix("_backend") in FRAMEWORKS:
            backend_class = getattr(value, name)
            setattr(backend_class, name, backend_class)  # so that tensor.numpy_backend.numpy_backend is the class too
            value = backend_class
        super().__setattr__(name, value)

    @property
    def array_types(self) -> tuple[type, ...]:
        """The array types of the backends in use."""
        return tuple(dict.fromkeys(backend.array_type for backend in self._loaded()))

    @property
    def array_subtypes(self) -> tuple[type, ...]:
        """The types of one element of these arrays."""
        return tuple(dict.fromkeys(backend.array_subtype for backend in self._loaded()))

    def _loaded(self) -> list[Any]:
        names = [f"{name}_backend" for name in FRAMEWORKS]
        return [getattr(self, name) for name in names if name == "numpy_backend" or name in self.__dict__]


sys.modules[__name__].__class__ = _Retriever
BackendRetriever: Any = sys.modules[__name__]
"""This module, under the name of the object that gives the backends."""
