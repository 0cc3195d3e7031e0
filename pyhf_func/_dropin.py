"""This library under pyhf's name, for programs that import pyhf and cannot be changed.

Below the top, ``pyhf.infer`` and ``pyhf_func.infer`` are one module object. The top is a module of its own that reads
and writes the names of `pyhf_func`: only its version, that of the pyhf that it stands in for, is its own.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import runpy
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pyhf_func
from pyhf_func import pyhf as documented
from pyhf_func._wings import SameModule, second_name

__all__ = ["VERSION", "as_pyhf", "main"]

VERSION = "0.7.6"
"""The version of pyhf that the library stands in for."""

_STAND_IN = Path(__file__).parent / "stand_in"
"""A folder for the search path of other processes, in which ``import pyhf`` calls `as_pyhf`."""

_METADATA = {
    "METADATA": f"Metadata-Version: 2.1\nName: pyhf\nVersion: {VERSION}\nSummary: pyhf_func in place of pyhf\n",
    "entry_points.txt": "[console_scripts]\npyhf = pyhf.cli:cli\n",
}

_USAGE = """usage: python -m pyhf_func.as_pyhf SCRIPT [ARGUMENTS]
       python -m pyhf_func.as_pyhf -m MODULE [ARGUMENTS]

Run a program with pyhf_func in the place of pyhf."""


def as_pyhf() -> None:
    """Make ``import pyhf`` give this library, in this process and in those that `multiprocessing` starts from it.

    Call it before anything imports pyhf. ``pyhf.__version__`` and ``importlib.metadata.version("pyhf")`` are then
    "0.7.6", and levels and handlers of the logger ``"pyhf"`` hold for this library's loggers. A second call changes
    nothing. For a program that cannot be changed, run ``python -m pyhf_func.as_pyhf SCRIPT ARGUMENTS``.

    Raises:
        RuntimeError: pyhf itself was imported already.

    Example:
        >>> import pyhf_func
        >>> pyhf_func.as_pyhf()  # doctest: +SKIP
        >>> import pyhf  # doctest: +SKIP
        >>> pyhf.__version__  # doctest: +SKIP
        '0.7.6'
    """
    present = sys.modules.get("pyhf")
    if isinstance(present, _Top):
        return
    origin = str(getattr(present, "__file__", None))
    if present is not None and not origin.startswith(str(_STAND_IN)):
        raise RuntimeError(
            f"pyhf {getattr(present, '__version__', '')} was imported already, from {origin}. "
            "Call pyhf_func.as_pyhf() before the first import of pyhf and of packages that use it, "
            "or run the program with: python -m pyhf_func.as_pyhf SCRIPT."
        )
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    spec = finder.find_spec("pyhf")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["pyhf"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["pyhf"])
    if str(_STAND_IN) not in sys.path:
        sys.path.insert(1, str(_STAND_IN))  # after the program's own folder, before installed packages
    home = str(Path(pyhf_func.__file__).parent.parent)
    if home not in sys.path:  # found in the working directory, in the place of which the program's folder comes
        sys.path.append(home)
    logging.getLogger("pyhf_func").parent = logging.getLogger("pyhf")


def main(arguments: Sequence[str]) -> None:
    """Run a script, or with ``-m`` a module, with this library in the place of pyhf.

    Args:
        arguments: The script, or ``-m`` and the module, and the program's own arguments.

    Raises:
        SystemExit: There is nothing to run; or as the program ends.
    """
    asked = arguments[:1] in (["-h"], ["--help"])
    if asked or not arguments or list(arguments) == ["-m"] or (arguments[0][:1] == "-" and arguments[0] != "-m"):
        print(_USAGE, file=sys.stdout if asked else sys.stderr)
        raise SystemExit(0 if asked else 2)
    if arguments[0] != "-m":
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
    as_pyhf()
    inherited = [str(_STAND_IN), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(inherited)  # for other Python processes that the program starts
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        runpy.run_path(sys.argv[0], run_name="__main__")


class _Top(ModuleType):
    """The top-level module ``pyhf``; all names but those with two underscores are `pyhf_func`'s."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module 'pyhf' has no attribute {name!r}")
        return getattr(pyhf_func, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(pyhf_func, name, value)

    def __delattr__(self, name: str) -> None:
        if name.startswith("__"):
            super().__delattr__(name)
        else:
            delattr(pyhf_func, name)

    def __dir__(self) -> list[str]:
        return documented.__all__


class _TopLoader(Loader):
    """Makes the top-level module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Top(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__doc__, module.__file__ = pyhf_func.__doc__, pyhf_func.__file__
        vars(module).update(__all__=documented.__all__, __version__=VERSION)

    def get_resource_reader(self, name: str) -> Any:
        """The package's files, for `importlib.resources`."""
        loader: Any = pyhf_func.__spec__.loader
        return loader.get_resource_reader("pyhf_func")


class _VersionLoader(Loader):
    """Makes ``pyhf._version``."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        parts = tuple(map(int, VERSION.split(".")))
        vars(module).update(
            version=VERSION, __version__=VERSION, version_tuple=parts, __version_tuple__=parts, TYPE_CHECKING=False
        )


class _Finder(DistributionFinder):
    """Finds ``pyhf``, the modules below it, and the installed package of that name."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "pyhf":
            spec = ModuleSpec(name, _TopLoader(), origin=pyhf_func.__file__, is_package=True)
            spec.submodule_search_locations = list(pyhf_func.__path__)
            return spec
        if name in ("pyhf._version", "pyhf.version"):
            return importlib.util.spec_from_loader(name, _VersionLoader())
        if not name.startswith("pyhf."):
            return None
        ours = "pyhf_func" + name.removeprefix("pyhf")
        try:
            found = importlib.util.find_spec(ours)
        except ModuleNotFoundError:
            return None
        return found and second_name(name, SameModule(ours), found)

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:
        context = context or DistributionFinder.Context()
        return [_Installed()] if context.name in (None, "pyhf") else []


class _Installed(Distribution):
    """The installed package ``pyhf`` as `importlib.metadata` sees it."""

    def read_text(self, filename: str) -> str | None:
        return _METADATA.get(filename)

    def locate_file(self, path: Any) -> Path:
        return Path(pyhf_func.__file__).parent / path
