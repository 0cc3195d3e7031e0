"""Parameters of a workspace."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyhf_func.core.modifiers import MODIFIERS
from pyhf_func.schema.extended import walk
from pyhf_func.workspace import Workspace


def parameters_of(workspace: Workspace, configs: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """All parameters with the constraints that they have."""
    usual = {name: MODIFIERS[kind].constraint for name, kind in workspace.modifiers}
    asked = {modifier["name"]: modifier["constraint"] for *_, modifier in walk(workspace) if "constraint" in modifier}
    asked |= {config["name"]: config["constraint"] for config in configs if "constraint" in config}
    words = {"none": "unconstrained", "gauss": "constrained_by_normal"}
    found = {name: asked.get(name, word) for name, word in usual.items()}
    return [[name, words.get(word, f"constrained_by_{word}")] for name, word in found.items()]
