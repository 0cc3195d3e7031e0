"""Read schema files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyhf_func.exceptions import SchemaNotFound
from pyhf_func.schema import variables

__all__ = ["load_schema", "read_schema"]


def load_schema(schema_id: str) -> dict[str, Any]:
    """Read a schema, or return it as read before.

    Args:
        schema_id: Path below the schema folder, such as ``"1.0.0/workspace.json"``.

    Returns:
        The schema.

    Raises:
        SchemaNotFound: There is no such file.

    Example:
        >>> from pyhf_func import schema
        >>> schema.load_schema("1.0.0/workspace.json")["$ref"]
        'defs.json#/$defs/workspace'
    """
    key = Path(schema_id).as_posix()
    if key not in variables.SCHEMA_CACHE:
        variables.SCHEMA_CACHE[key] = read_schema(schema_id)
    return variables.SCHEMA_CACHE[key]


def read_schema(schema_id: str) -> dict[str, Any]:
    """Read a schema from its file, see :func:`load_schema`."""
    file = Path(variables.schemas) / schema_id
    if not file.is_file():
        known = sorted(path.name for path in Path(variables.schemas).glob("*") if path.is_dir())
        raise SchemaNotFound(
            f"there is no schema {schema_id!r} in {variables.schemas}. Versions there: {', '.join(known) or 'none'}"
        )
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema
