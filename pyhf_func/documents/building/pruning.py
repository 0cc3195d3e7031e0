"""Leaving out uncertainties that change next to nothing, and by how much that changes the results."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyhf_func.workspace import Workspace

__all__ = ["pruned", "verified"]

Document = dict[str, Any]


def pruned(document: Document, threshold: float) -> tuple[Document, list[dict[str, Any]]]:
    """A document without the uncertainties whose relative effect on their sample is below a threshold.

    A change of the yield (``normsys``) goes where it is below the threshold up and down, a change of templates
    (``histosys``) where it is in every bin.

    Returns:
        The document, and what was left out: channel, sample, modifier, type and its largest relative effect.

    Example:
        >>> from pyhf_func.documents.building.pruning import pruned
        >>> small = {"name": "jes", "type": "normsys", "data": {"hi": 1.001, "lo": 0.999}}
        >>> document = {"channels": [{"name": "SR", "samples": [{"name": "b", "data": [5.0], "modifiers": [small]}]}]}
        >>> found, left_out = pruned(document, 0.01)
        >>> found["channels"][0]["samples"][0]["modifiers"], [(one["modifier"], one["type"]) for one in left_out]
        ([], [('jes', 'normsys')])
    """
    left_out: list[dict[str, Any]] = []
    channels = []
    for channel in document["channels"]:
        samples = []
        for sample in channel["samples"]:
            kept = []
            for modifier in sample["modifiers"]:
                size = _effect(modifier, sample["data"])
                if size is None or size >= threshold:
                    kept.append(modifier)
                    continue
                place = {"channel": channel["name"], "sample": sample["name"]}
                left_out.append({**place, "modifier": modifier["name"], "type": modifier["type"], "effect": size})
            samples.append({**sample, "modifiers": kept})
        channels.append({**channel, "samples": samples})
    used = {m["name"] for channel in channels for sample in channel["samples"] for m in sample["modifiers"]}
    gone = {one["modifier"] for one in left_out} - used
    measurements = [
        {**one, "config": {**one["config"], "parameters": _without(one["config"]["parameters"], gone)}}
        for one in document.get("measurements", [])
    ]
    return {**document, "channels": channels, "measurements": measurements}, left_out


def _without(configs: list[Document], names: set[str]) -> list[Document]:
    return [config for config in configs if config["name"] not in names]


def _effect(modifier: Document, nominal: list[float]) -> float | None:
    """The largest relative change that an uncertainty makes; None of what is not judged by its size."""
    data = modifier["data"]
    match modifier["type"]:
        case "normsys":
            return max(abs(data["hi"] - 1), abs(data["lo"] - 1))
        case "histosys":
            counts = np.array(nominal)
            changes = np.abs(np.array([data["hi_data"], data["lo_data"]]) - counts)
            there = counts > 0
            if np.any(changes[:, ~there]):
                return float("inf")
            return float(np.max(changes[:, there] / counts[there], initial=0.0))
    return None


def verified(before: Workspace, after: Workspace) -> dict[str, Any]:
    """What fits and limits are before and after a change of the document.

    Returns:
        For the best value of the parameter of interest, its error, and the observed and expected (median) limits:
        ``[before, after]``, and under ``change`` the largest change over the error before; None where a computation
        failed.
    """
    both = [_results(workspace) for workspace in (before, after)]
    found: dict[str, Any] = {name: [one[name] for one in both] for name in both[0]}
    error = both[0]["error"]
    shifts = [abs(b - a) for a, b in (found[name] for name in found) if a is not None and b is not None]
    found["change"] = max(shifts) / error if error and len(shifts) == len(both[0]) else None
    return found


def _results(workspace: Workspace) -> dict[str, float | None]:
    from pyhf_func.verbs import covariance, upper_limit

    model = workspace.model()
    data = workspace.data(model)
    around, limit = covariance.covariance(data, model), upper_limit.upper_limit(data, model)
    poi = model.config.poi_index
    numbers = {
        "best": around.fit.pars[poi] if not int(around.fit.status) else np.nan,
        "error": around.errors[poi],
        "limit_obs": limit.observed,
        "limit_exp": limit.expected[2],
    }
    return {name: float(value) if np.isfinite(float(value)) else None for name, value in numbers.items()}
