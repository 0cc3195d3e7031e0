"""The JSON schemas of the published format, and validation against them.

``schema.path`` is the folder that schemas are read from and ``schema.version`` the version used by default.
Calling the module changes the folder, for good or for a ``with`` block::

    with pyhf_func.schema(pathlib.Path("my/schemas")):
        pyhf_func.schema.validate(spec, "workspace.json")
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from pyhf_func.schema import variables as variables
from pyhf_func.schema.loader import load_schema as load_schema
from pyhf_func.schema.validator import validate as validate

__all__ = ["load_schema", "path", "validate", "version"]


def __dir__() -> list[str]:
    return __all__


path: Path
version: str


class _Schema(ModuleType):
    """The module itself, callable and usable in a ``with`` statement."""

    _before: tuple[tuple[Path, dict[str, dict[str, Any]]], ...] = ()

    def __call__(self, new_path: Path) -> _Schema:
        """Read schemas from another folder.

        Args:
            new_path: A folder with one folder a version, as ``schema.path`` is.

        Returns:
            The module, so that the call can head a ``with`` block.
        """
        self._before = (*self._before, (variables.schemas, variables.SCHEMA_CACHE))
        variables.schemas, variables.SCHEMA_CACHE = Path(new_path), {}
        return self

    def __enter__(self) -> _Schema:
        return self

    def __exit__(self, *error: object) -> None:
        """Go back to the folder before."""
        *before, (variables.schemas, variables.SCHEMA_CACHE) = self._before
        self._before = tuple(before)

    @property
    def path(self) -> Path:
        """The folder that schemas are read from."""
        return variables.schemas

    @property
    def version(self) -> str:
        """The version of the format that is used by default."""
        return variables.SCHEMA_VERSION


sys.modules[__name__].__class__ = _Schema
