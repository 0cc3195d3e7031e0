"""Parameter names as ROOT's HistFactory has them."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["interpret_rootname", "paramset_to_rootnames"]


def __dir__() -> list[str]:
    return __all__


def paramset_to_rootnames(paramset: Any) -> str | list[str]:
    """The names that ROOT gives to the components of a parameter.

    Args:
        paramset: What ``model.config.param_set(name)`` returns.

    Returns:
        One name for a scalar parameter, a list of names otherwise.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> paramset_to_rootnames(model.config.param_set("mu"))
        'mu'
        >>> paramset_to_rootnames(model.config.param_set("uncorr_bkguncrt"))
        ['gamma_uncorr_bkguncrt_0', 'gamma_uncorr_bkguncrt_1']
    """
    name: str = paramset.name
    if name == "lumi":
        return "Lumi"
    if not paramset.is_scalar:
        return [f"gamma_{name}_{component}" for component in range(paramset.n_parameters)]
    return f"alpha_{name}" if paramset.constrained else name


def interpret_rootname(rootname: str) -> dict[str, Any]:
    """The parameter that a parameter name of ROOT stands for.

    Returns:
        ``constrained``, ``is_scalar``, ``name`` and ``element`` (the component); "n/a" for what it does not say.

    Raises:
        ValueError: It starts as a name of ROOT does and does not end so.

    Example:
        >>> interpret_rootname("gamma_stat_SR_3")
        {'constrained': 'n/a', 'is_scalar': False, 'name': 'stat_SR', 'element': 3}
        >>> interpret_rootname("alpha_scale")
        {'constrained': True, 'is_scalar': True, 'name': 'scale', 'element': 'n/a'}
        >>> interpret_rootname("Lumi")["name"]
        'lumi'
    """
    if rootname.startswith("gamma_"):
        name, component = _match(r"gamma_(.+)_(\d+)", rootname)
        return {"constrained": "n/a", "is_scalar": False, "name": name, "element": int(component)}
    if rootname.startswith("alpha_"):
        (name,) = _match(r"alpha_(.+)", rootname)
        return {"constrained": True, "is_scalar": True, "name": name, "element": "n/a"}
    name = "lumi" if rootname == "Lumi" else rootname
    return {"constrained": False, "is_scalar": True, "name": name, "element": "n/a"}


def _match(pattern: str, rootname: str) -> tuple[str, ...]:
    found = re.fullmatch(pattern, rootname)
    if found is None:
        raise ValueError(f"{rootname!r} is no parameter name of ROOT: {pattern} was expected")
    return found.groups()
