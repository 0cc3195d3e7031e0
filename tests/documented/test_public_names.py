"""The public names: as the snapshot has them, and as pyhf has them."""

import importlib
import importlib.util
import inspect
import pkgutil
from typing import Any

import pytest

from tests.documented import snapshot

pyhf = pytest.importorskip("pyhf", minversion="0.7.6")
for framework in ("torch", "tensorflow", "mxnet", "iminuit"):
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed, and with it some of the modules", allow_module_level=True)

OTHERS = {
    "pyhf._version": "the version of another package",
    "pyhf.cli": "a command line of its own, described in the README",
    "pyhf.contrib.cli": "likewise",
    "pyhf.data": "holds a citation",
    "pyhf.typing": "types for annotations; the names are there, and have no parameters",
    "pyhf.schemas": "files",
}
"""Modules of pyhf that are not compared, and why."""

DIFFERENT = {
    "pyhf.pdf._ModelConfig.set_parameters": "called while a model is built; ours is built at once",
    "pyhf.pdf._ModelConfig.set_auxinfo": "called while a model is built; ours is built at once",
    "pyhf.schema.Schema": "the type of the callable module; ours is callable, too",
    "pyhf.tensor.manager.HasState": "a type for annotations",
    "pyhf.tensor.manager.State": "a type for annotations",
}
"""Names of pyhf that we don't offer, or with other parameters, and why."""


def test_the_snapshot_is_up_to_date() -> None:
    """What is public changes only on purpose: ``python -m tests.documented.snapshot --write``."""
    assert snapshot.FILE.read_text(encoding="utf-8").splitlines() == list(snapshot.lines())


def _modules() -> list[str]:
    names = ["pyhf", *(module.name for module in pkgutil.walk_packages(pyhf.__path__, "pyhf."))]
    return [name for name in names if not any(name == other or name.startswith(f"{other}.") for other in OTHERS)]


def _names(module: Any) -> list[str]:
    """What users of a module can reach: ``__all__``, and the functions and classes that it defines."""
    here = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]
    return sorted({*(name for name in getattr(module, "__all__", ()) if "." not in name), *here})


def _parameters(function: Any) -> dict[str, Any] | None:
    """Names and defaults, in order; None where Python does not know them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name: p.default for p in parameters if p.name != "self" and p.kind not in variable}


def _same_parameters(ours: Any, theirs: Any) -> str | None:
    """What differs; ours may take more parameters, and have defaults where pyhf has none."""
    expected, found = _parameters(theirs), _parameters(ours)
    if expected is None or found is None:
        return None
    needed = inspect.Parameter.empty
    shared = [name for name in found if name in expected]
    keywords = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(theirs).parameters.values())
    more_needed = [name for name in found if name not in expected and found[name] is needed and not keywords]
    defaults = [name for name in shared if expected[name] is not needed and not _alike(found[name], expected[name])]
    if shared == list(expected) and not more_needed and not defaults:
        return None
    return f"parameters {found}, pyhf has {expected}"


def _alike(ours: Any, theirs: Any) -> bool:
    return repr(ours) == repr(theirs) or bool(ours == theirs)


def _differences(path: str, ours: Any, theirs: Any) -> list[str]:
    if path in DIFFERENT:
        return []
    if inspect.isclass(theirs):
        found = []
        for name, member in vars(theirs).items():
            if name.startswith("_") and name != "__init__":
                continue
            where = f"{path}.{name}"
            if where in DIFFERENT:
                continue
            if not (hasattr(ours, name) or name in getattr(ours, "__annotations__", {})):
                found.append(f"{where} is missing")
            elif inspect.isfunction(member):
                different = _same_parameters(getattr(ours, name), member)
                found += [f"{where}: {different}"] if different else []
        return found
    if inspect.isfunction(theirs):
        different = _same_parameters(ours, theirs)
        return [f"{path}: {different}"] if different else []
    return []


@pytest.mark.parametrize("name", _modules())
def test_what_pyhf_has_is_here(name: str) -> None:
    """Every name of pyhf 0.7.6, with its parameters, their order and their defaults."""
    try:
        theirs = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"pyhf itself lacks a package: {error}")
    ours = importlib.import_module(f"pyhf_func{name.removeprefix('pyhf')}")
    found = []
    for public in _names(theirs):
        path = f"{name}.{public}"
        if path in DIFFERENT:
            continue
        if not hasattr(ours, public):
            found.append(f"{path} is missing")
        else:
            found += _differences(path, getattr(ours, public), getattr(theirs, public))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", DIFFERENT)
def test_exceptions_are_still_needed(path: str) -> None:
    module_name, _, name = path.rpartition(".")
    owner = None
    if "_ModelConfig" in module_name:
        module_name, _, owner = module_name.rpartition(".")
    places = [importlib.import_module(m) for m in (module_name, f"pyhf_func{module_name.removeprefix('pyhf')}")]
    theirs, ours = (getattr(place, owner) if owner else place for place in places)
    assert hasattr(theirs, name)
    assert not hasattr(ours, name)
