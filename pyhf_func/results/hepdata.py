"""Tables for HEPData, in the format of its submissions: https://hepdata-submission.readthedocs.io."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyhf_func._version import __version__
from pyhf_func.results.base import Result
from pyhf_func.results.extras import needed
from pyhf_func.results.tables import Table

_LONGEST = 64  # characters of a table's name
_BAND = re.compile(r"(.+)_([+-]\d)")
_UNREMARKABLE = ("CONVERGED", "", None)


def to_hepdata(
    folder: str | os.PathLike[str],
    tables: Mapping[str, Result | Table],
    *,
    descriptions: Mapping[str, str] | None = None,
    keywords: Mapping[str, list[Any]] | None = None,
) -> None:
    """Write results as a submission to HEPData: ``submission.yaml``, and a file for each table.

    What tells the rows of a table apart, such as the tested value, the parameter or the masses of a grid, becomes its
    independent variables; every other column becomes a dependent variable. Members of an expected band have a qualifier
    with their standard deviations, errors stand with their values. Statuses are written where one is not ``CONVERGED``.
    A number that could not be computed is ``"-"``.

    Args:
        folder: Where to write; it is made if it is not there.
        tables: Results, or tables of them, by the names that they get (at most 64 characters).
        descriptions: What HEPData shows with the tables, by their names.
        keywords: HEPData's keywords of all tables, such as ``{"cmenergies": [13000.0], "observables": ["CLS"]}``.

    Raises:
        ImportBackendError: PyYAML is not installed (extra ``yaml``).
        TypeError: What is given is no result or table by its name.
        ValueError: A name is too long or used twice for a file, or a description belongs to no table.

    Example:
        >>> import pathlib, tempfile
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> limit = pf.upper_limit([51, 48, *model.config.auxdata], model)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pf.to_hepdata(folder, {"Upper limits": limit}, descriptions={"Upper limits": "At 95% confidence."})
        ...     print(*sorted(path.name for path in pathlib.Path(folder).iterdir()))
        submission.yaml upper_limits.yaml
    """
    yaml = needed("yaml", "HEPData tables", "yaml")
    if not isinstance(tables, Mapping):
        raise TypeError(f"tables is of type {type(tables).__name__}; give the folder, then {{name: result, ...}}.")
    for name, result in tables.items():
        if not isinstance(name, str) or not isinstance(result, Result | Table):
            raise TypeError(f"tables[{name!r}] is of type {type(result).__name__}; give results, or tables, by name.")
    descriptions = descriptions or {}
    if unknown := [name for name in descriptions if name not in tables]:
        raise ValueError(f"descriptions: there is no table {unknown[0]!r}.")
    words = [{"name": name, "values": list(values)} for name, values in (keywords or {}).items()]
    documents: list[dict[str, Any]] = [{"comment": f"Made by pyhf_func {__version__}."}]
    files = {}
    for name, result in tables.items():
        file = f"{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_') or 'table'}.yaml"
        if len(name) > _LONGEST:
            raise ValueError(f"tables: the name {name!r} is longer than {_LONGEST} characters.")
        if file in files:
            raise ValueError(f"tables: {name!r} would be written to the file of another table, {file}.")
        files[file] = _data(result)
        text = descriptions.get(name, name)
        documents.append({"name": name, "description": text, "keywords": words, "data_file": file})
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (place / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    submission = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    (place / "submission.yaml").write_text(submission, encoding="utf-8")


def _data(result: Result | Table) -> dict[str, Any]:
    """The document of one table."""
    table = result if isinstance(result, Table) else result.table()
    keys = table.columns[:1] if isinstance(result, Table) else result._independent(table)
    members = [name for name in ("member",) if name in table.columns and name not in keys]
    independent = [
        {"header": {"name": name}, "values": [{"value": _value(row[name])} for row in table.rows]}
        for name in (*members, *keys)
    ]
    return {
        "independent_variables": independent,
        "dependent_variables": [
            _variable(table, name) for name in table.columns if name not in (*members, *keys) and _is_shown(table, name)
        ],
    }


def _is_shown(table: Table, name: str) -> bool:
    """Whether a column is a variable: errors stand with their values, and statuses only where they say something."""
    if name.endswith("_error") and name.removesuffix("_error") in table.columns:
        return False
    cells = [row[name] for row in table.rows]
    return not all(cell in _UNREMARKABLE for cell in cells) or not any(isinstance(cell, str) for cell in cells)


def _variable(table: Table, name: str) -> dict[str, Any]:
    """A dependent variable."""
    error, found = f"{name}_error", _BAND.fullmatch(name)
    header = {"name": found[1] if found else name}
    qualifiers = [{"name": "standard deviations", "value": int(found[2])}] if found else []
    values: list[dict[str, Any]] = [{"value": _value(row[name])} for row in table.rows]
    if error in table.columns:
        for value, row in zip(values, table.rows, strict=True):
            if row[error]:  # HEPData refuses an error of zero
                value["errors"] = [{"symerror": _value(row[error]), "label": "total"}]
    return {"header": header, **({"qualifiers": qualifiers} if qualifiers else {}), "values": values}


def _value(cell: Any) -> Any:
    """A cell as HEPData has it: a number or a text."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
