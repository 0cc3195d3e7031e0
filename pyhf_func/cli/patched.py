"""Workspaces with patches applied."""

from typing import Any

from pyhf_func.schema.reading import load, name_of
from pyhf_func.workspace import Workspace
from pyhf_func.workspace.patching import patched
from pyhf_func.workspace.source import Built


def whole(opened: Any, patches: list[list[Any]]) -> Workspace:
    """The workspace of a file or stream, with patches to the document."""
    return Workspace(patched(load(opened), patches), source=name_of(opened))


def of_measurement(workspace: Workspace, measurement: str | None, patches: list[list[Any]]) -> Workspace:
    """A workspace with patches to its channels and to the parameters of one measurement, as models have them."""
    place = workspace.measurement_names.index(workspace.get_measurement(measurement)["name"])
    parameters = workspace["measurements"][place]["config"]["parameters"]
    content = patched({"channels": workspace["channels"], "parameters": parameters}, patches)
    return Workspace(
        Built(workspace, content, place).document,
        strict=workspace.strict,
        source=workspace.source,
        settings=workspace.settings,
        metadata=workspace.metadata,
    )
