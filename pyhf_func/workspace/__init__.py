"""Workspaces: published likelihoods as immutable documents."""

from __future__ import annotations

from pyhf_func.schema.reading import load as load
from pyhf_func.schema.reading import load_patch as load_patch
from pyhf_func.workspace.document import Workspace as Workspace
from pyhf_func.workspace.document import log as log
from pyhf_func.workspace.join import _join_channels as _join_channels
from pyhf_func.workspace.join import _join_items as _join_items
from pyhf_func.workspace.join import _join_measurements as _join_measurements
from pyhf_func.workspace.join import _join_observations as _join_observations
from pyhf_func.workspace.join import _join_parameter_configs as _join_parameter_configs
from pyhf_func.workspace.join import _join_versions as _join_versions

__all__ = ["Workspace", "load", "load_patch"]


def __dir__() -> list[str]:
    return __all__


Workspace.__module__ = __name__  # where users find it, also in pickles
