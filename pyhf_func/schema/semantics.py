"""The semantic check: what a document that follows the schema must satisfy besides, to define a likelihood.

Two kinds of findings. What has no defined meaning is a fault, and all faults are raised at once. What gives
finite
numbers though it may not be meant (published files hold unused configurations, empty and negative bins) is a
doubt: one warning names them all, and ``strict`` turns them into faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func.schema.parameters import check_parameters, check_poi, signed_parameters
from pyhf_func.schema.report import Report
from pyhf_func.schema.samples import check_channels
from pyhf_func.schema.sharing import check_sharing

__all__ = ["check_model"]


def check_model(
    spec: Mapping[str, Any],
    poi_name: str | None,
    *,
    strict: bool = False,
    modifier_settings: Mapping[str, Mapping[str, str]] | None = None,
    clipped: bool = False,
) -> None:
    """Check a model spec that follows the schema.

    Args:
        spec: ``{"channels": [...], "parameters": [...]}``; a ``ModelSpec`` where it comes from a workspace,
            so that paths refer to that.
        poi_name: The parameter of interest; None or "" for a model without one.
        strict: Refuse what is otherwise warned about.
        modifier_settings: Interpolation codes by modifier type: they decide which scale factors have a
            meaning.
        clipped: Whether expected yields are clipped from below, so that negative ones do no harm.

    Raises:
        InvalidModel: The spec has no defined meaning. It is the class of the first fault, so it can also be
            InvalidModifier or InvalidNameReuse; ``faults`` holds all of them.

    Warns:
        WorkspaceWarning: Once, naming everything that gives finite numbers and is dubious.
    """
    report = Report(spec)
    uses = check_channels(
        spec,
        report,
        normsys_code=(modifier_settings or {}).get("normsys", {}).get("interpcode", "code4"),
        signed=signed_parameters(spec),
        clipped=clipped,
    )
    if not uses and not report.faults:
        report.fault(("channels",), "no sample has a modifier, so the model has no parameters. Add one")
    parameters = check_sharing(uses, report)
    check_parameters(spec, set(uses), parameters, report)
    check_poi(poi_name, set(uses), parameters, report)
    report.finish(strict=strict)
