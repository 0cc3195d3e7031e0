"""The semantic check of parameters that modifiers share, and how many components each parameter has."""

from __future__ import annotations

from collections.abc import Mapping

from pyhf_func.core.modifiers import MODIFIERS
from pyhf_func.exceptions import InvalidNameReuse
from pyhf_func.schema.report import Report
from pyhf_func.schema.samples import Uses

__all__ = ["check_sharing"]


def check_sharing(uses: Uses, report: Report) -> dict[str, tuple[str, int]]:
    """Check that modifiers of one name can share their parameter.

    Returns:
        Type and number of components of each parameter; those that cannot be shared as they are do not occur.
    """
    parameters: dict[str, tuple[str, int]] = {}
    for name, kinds in uses.items():
        kind = next(iter(kinds))
        if len(kinds) > 1 and not all(MODIFIERS[each].in_deviations for each in kinds):
            for other in list(kinds)[1:]:
                message = f"{kind} and {other} need different parameters, so they cannot both be called {name!r}"
                report.fault((*kinds[other][0].steps, "name"), f"{message}. Rename one", InvalidNameReuse)
            continue
        count = MODIFIERS[kind].components(kinds[kind], report)
        if count:
            parameters[name] = kind, count
    _check_names(parameters, report)
    return parameters


def _check_names(parameters: Mapping[str, tuple[str, int]], report: Report) -> None:
    """Components are called ``name[i]``: no parameter should be called so itself."""
    if not any(name.endswith("]") for name in parameters):
        return
    for name, (kind, count) in parameters.items():
        for i in range(count if MODIFIERS[kind].binwise else 0):
            if f"{name}[{i}]" in parameters:
                message = f"the name of parameter {name}[{i}] is that of a component of {name!r}"
                report.doubt(("channels",), message)
