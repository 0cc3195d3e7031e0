"""Utilities: digests, options of the shell, schemas under their older names, and the older statistics functions.

Importing this module loads no array library.
"""

from __future__ import annotations

import importlib
from typing import Any

from pyhf_func import schema
from pyhf_func._version import __version__
from pyhf_func.options import EqDelimStringParamType as EqDelimStringParamType
from pyhf_func.options import VolumeMountPath as VolumeMountPath
from pyhf_func.options import options_from_eqdelimstring as options_from_eqdelimstring
from pyhf_func.schema.variables import SCHEMA_BASE as SCHEMA_BASE
from pyhf_func.schema.variables import SCHEMA_CACHE as SCHEMA_CACHE
from pyhf_func.schema.variables import SCHEMA_VERSION as SCHEMA_VERSION
from pyhf_func.schema.writing import digest as digest

_STATISTICS = (
    "generate_asimov_data",
    "hypotest",
    "loglambdav",
    "pvals_from_teststat",
    "pvals_from_teststat_expected",
    "qmu",
)

__all__ = [
    "SCHEMA_BASE",
    "SCHEMA_CACHE",
    "SCHEMA_VERSION",
    "EqDelimStringParamType",
    "VolumeMountPath",
    "citation",
    "digest",
    "load_schema",
    "options_from_eqdelimstring",
    "remove_prefix",
    "validate",
    *_STATISTICS,
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in _STATISTICS:
        return getattr(importlib.import_module("pyhf_func.pyhf.infer.classic"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def citation(oneline: bool = False) -> str:
    """References in BibTeX: pyhf, whose format and interface this is, this software, and the papers behind both.

    Args:
        oneline: Whether to leave out line breaks.
    """
    text = _CITATION % {"version": __version__}
    return "".join(text.splitlines()) if oneline else text


_CITATION = """\
@software{pyhf,
  author = {Heinrich, Lukas and Feickert, Matthew and Stark, Giordon},
  title = {{pyhf}},
  doi = {10.5281/zenodo.1169739}
}

@article{pyhf_joss,
  author = {Heinrich, Lukas and Feickert, Matthew and Stark, Giordon and Cranmer, Kyle},
  title = {{pyhf: pure-Python implementation of HistFactory statistical models}},
  journal = {Journal of Open Source Software},
  volume = {6},
  number = {58},
  pages = {2823},
  year = {2021},
  doi = {10.21105/joss.02823}
}

@software{pyhf_func,
  author = {{pyhf_func developers}},
  title = {{pyhf_func: HistFactory likelihoods as pure functions in JAX}},
  version = {%(version)s}
}

@techreport{histfactory,
  author = {Cranmer, Kyle and Lewis, George and Moneta, Lorenzo and Shibata, Akira and Verkerke, Wouter},
  title = {{HistFactory: A tool for creating statistical models for use with RooFit and RooStats}},
  number = {CERN-OPEN-2012-016},
  year = {2012}
}

@article{asymptotic,
  author = {Cowan, Glen and Cranmer, Kyle and Gross, Eilam and Vitells, Ofer},
  title = {{Asymptotic formulae for likelihood-based tests of new physics}},
  journal = {Eur. Phys. J. C},
  volume = {71},
  pages = {1554},
  year = {2011},
  eprint = {1007.1727},
  archivePrefix = {arXiv}
}"""


def remove_prefix(text: str, prefix: str) -> str:
    """The text without the prefix, or as it is where it has another one."""
    return text.removeprefix(prefix)


def load_schema(schema_id: str, version: str | None = None) -> dict[str, Any]:
    """Read a schema: :func:`pyhf_func.schema.load_schema` with the version as an argument of its own.

    Args:
        schema_id: Name of the schema, such as ``"workspace.json"``, with or without a version before it.
        version: Version of the format; by default the one in ``schema_id``, or else the usual one.

    Raises:
        SchemaNotFound: There is no such schema.
    """
    if version is None and "/" in schema_id:
        return schema.load_schema(schema_id)
    return schema.load_schema(f"{version or schema.version}/{schema_id}")


def validate(spec: Any, schema_name: str, version: str | None = None) -> None:
    """Check that a document follows a schema: the older name of :func:`pyhf_func.schema.validate`."""
    schema.validate(spec, schema_name, version=version)
