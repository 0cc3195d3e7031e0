"""Where schemas are looked for and what has been read already: changed by calling :mod:`pyhf_func.schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

schemas: Path = Path(__file__).parent / "files"
SCHEMA_VERSION: str = "1.0.0"
SCHEMA_BASE: str = "urn:pyhf-func:schema:"
SCHEMA_CACHE: dict[str, dict[str, Any]] = {}
