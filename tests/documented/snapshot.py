"""Every public name of the documented API with its parameters, as text.

``python -m tests.documented.snapshot`` shows it; with ``--write`` it becomes what `test_public_names` compares with.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyhf_func

FILE = Path(__file__).with_name("public_names.txt")
UNDOCUMENTED = (
    "pyhf_func.pyhf",
    "pyhf_func._wings",
    "pyhf_func.core",
    "pyhf_func.adapters",
    "pyhf_func.__main__",
    "pyhf_func._version",
)
"""The engine and the adapters are offered through other names."""


def modules() -> list[str]:
    """The modules of the documented API."""
    found = [module.name for module in pkgutil.walk_packages(pyhf_func.__path__, "pyhf_func.")]
    return ["pyhf_func", *sorted(name for name in found if not name.startswith(UNDOCUMENTED))]


def public_names(module: ModuleType) -> list[str]:
    """``__all__`` where there is one, and what the module itself defines."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)
    ]
    return sorted({*getattr(module, "__all__", ()), *own})


def parameters(function: Any) -> str:
    """Parameters with their defaults, without annotations."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def members(owner: type) -> Iterator[str]:
    """The constructor, methods and properties of a class, with what it inherits from the package."""
    for name in sorted(dir(owner)):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        defined = next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None)
        home = next((base for base in owner.__mro__ if name in vars(base)), object)
        if not home.__module__.startswith("pyhf_func"):
            continue
        value = getattr(owner, name)
        if callable(value) and not isinstance(value, type):
            yield f"{name}{parameters(value)}"
        elif isinstance(defined, property) or name in getattr(owner, "__annotations__", {}):
            yield name


def lines() -> Iterator[str]:
    """The snapshot, line by line."""
    for module_name in modules():
        module = importlib.import_module(module_name)
        yield module_name
        for name in public_names(module):
            value = getattr(module, name)
            if isinstance(value, type):
                yield f"  class {name}"
                yield from (f"    {member}" for member in members(value))
            elif inspect.isfunction(value) or inspect.ismethod(value):
                yield f"  {name}{parameters(value)}"
            else:
                yield f"  {name}"


def main() -> None:
    """Show the snapshot, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    text = "".join(f"{line}\n" for line in lines())
    if parser.parse_args().write:
        FILE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
