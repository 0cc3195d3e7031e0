"""Two names of one module: ``pyhf_func.infer`` and ``pyhf_func.pyhf.infer``.

The rooms of the documented API lie in ``pyhf_func/pyhf/``, and their documented names are those of pyhf: directly
below the top. A module is loaded once, where it lies; its other name gives the same object. The library itself
imports it from where it lies only, so that threads that import under different names wait for each other in one order.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType
from typing import Any

DOCUMENTED = frozenset(
    (
        "constraints",
        "events",
        "infer",
        "interpolators",
        "modifiers",
        "optimize",
        "parameters",
        "paramsets",
        "pdf",
        "probability",
        "simplemodels",
        "tensor",
    )
)
"""Modules that lie in ``pyhf_func/pyhf/``, and are ``pyhf_func.NAME``, too."""

SHARED = frozenset(
    (
        "_version",
        "cli",
        "compat",
        "contrib",
        "exceptions",
        "mixins",
        "patchset",
        "readxml",
        "schema",
        "typing",
        "utils",
        "workspace",
        "writexml",
    )
)
"""Names of pyhf for what lies in the library's own rooms, and is ``pyhf_func.pyhf.NAME``, too."""


class SameModule:
    """A loader that gives a module, as it is, a second name.

    Args:
        name: Its first name.
        spec: The spec that it shall have; its own where this is None.
    """

    def __init__(self, name: str, spec: ModuleSpec | None = None) -> None:
        self._name = name
        self._spec = spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = self._spec or module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        second, module.__spec__ = module.__spec__, self._spec  # which the import of the second name has replaced
        for name, value in list(vars(module).items()):
            below = sys.modules.get(f"{self._name}.{name}", value)
            if below is not value and second is not None:  # `code0` is a class there, which an import would replace
                sys.modules[f"{second.name}.{name}"] = below

    def get_code(self, name: str) -> CodeType | None:
        """The code of the module, for ``python -m``."""
        spec: Any = self._spec or importlib.import_module(self._name).__spec__
        code: CodeType | None = spec.loader.get_code(spec.name)
        return code


class Finder:
    """Finds the second names. It has to come before the finders of files, which would load the modules again."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        top, _, rest = name.partition(".")
        if top != "pyhf_func" or target is not None:  # which is to be loaded again
            return None
        room, _, below = rest.partition(".")
        if room in DOCUMENTED:
            found = PathFinder.find_spec(name, path)
            first = f"pyhf_func.pyhf.{rest}"
            known: Any = sys.modules.get(first)
            if known is not None and known.__spec__.name == name:  # loaded, and then removed: it is to be loaded anew
                del sys.modules[first]
            return found and second_name(name, SameModule(first, found), found)
        if room == "pyhf" and below.partition(".")[0] in SHARED:
            first = f"pyhf_func.{below}"
            found = PathFinder.find_spec(first, sys.modules[first.rpartition(".")[0]].__path__)
            return found and second_name(name, SameModule(first), found)
        return None


def second_name(name: str, loader: SameModule, found: ModuleSpec) -> ModuleSpec:
    """The spec of the second name of what was found."""
    is_package = found.submodule_search_locations is not None
    return ModuleSpec(name, loader, origin=found.origin, is_package=is_package)  # type: ignore[arg-type]


def install() -> None:
    """Let Python find the second names."""
    sys.meta_path.insert(0, Finder)
