"""Types for annotations: the documents of the published format, and what backends and optimizers are."""

from __future__ import annotations

import os
from collections.abc import MutableSequence, Sequence
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias, TypedDict

__all__ = [
    "Channel",
    "HistoSys",
    "Literal",
    "LumiSys",
    "Measurement",
    "Modifier",
    "ModifierBase",
    "NormFactor",
    "NormSys",
    "Observation",
    "Parameter",
    "ParameterBase",
    "PathOrStr",
    "Protocol",
    "Sample",
    "ShapeFactor",
    "ShapeSys",
    "StatError",
    "TypedDict",
    "Workspace",
]

PathOrStr: TypeAlias = "str | os.PathLike[str]"
Shape: TypeAlias = tuple[int, ...]
ShapeLike: TypeAlias = SupportsIndex | Sequence[SupportsIndex]


class ParameterBase(TypedDict, total=False):
    """The settings of a parameter in a measurement."""

    auxdata: Sequence[float]
    bounds: Sequence[Sequence[float]]
    inits: Sequence[float]
    sigmas: Sequence[float]
    fixed: bool


class Parameter(ParameterBase):
    """The configuration of a parameter."""

    name: str


class Config(TypedDict):
    """The configuration of a measurement."""

    poi: str
    parameters: MutableSequence[Parameter]


class Measurement(TypedDict):
    """A parameter of interest and the configuration of parameters."""

    name: str
    config: Config


class ModifierBase(TypedDict):
    """The keys that all modifiers have."""

    name: str


class NormSysData(TypedDict):
    """Factors at -1 and +1."""

    lo: float
    hi: float


class NormSys(ModifierBase):
    """A systematic uncertainty of a normalisation."""

    type: Literal["normsys"]
    data: NormSysData


class NormFactor(ModifierBase):
    """A free normalisation."""

    type: Literal["normfactor"]
    data: None


class HistoSysData(TypedDict):
    """Yields at -1 and +1."""

    lo_data: Sequence[float]
    hi_data: Sequence[float]


class HistoSys(ModifierBase):
    """A systematic uncertainty of a shape."""

    type: Literal["histosys"]
    data: HistoSysData


class StatError(ModifierBase):
    """Statistical uncertainties of the simulation."""

    type: Literal["staterror"]
    data: Sequence[float]


class ShapeSys(ModifierBase):
    """Independent uncertainties of the bins."""

    type: Literal["shapesys"]
    data: Sequence[float]


class ShapeFactor(ModifierBase):
    """A free shape."""

    type: Literal["shapefactor"]
    data: None


class LumiSys(ModifierBase):
    """The uncertainty of the luminosity."""

    type: Literal["lumi"]
    data: None


Modifier: TypeAlias = NormSys | NormFactor | HistoSys | StatError | ShapeSys | ShapeFactor | LumiSys


class SampleBase(TypedDict, total=False):
    """The further keys of a sample while it is read from ROOT files."""

    parameter_configs: Sequence[Parameter]


class Sample(SampleBase):
    """Yields and the modifiers that change them."""

    name: str
    data: Sequence[float]
    modifiers: Sequence[Modifier]


class Channel(TypedDict):
    """Samples in common bins."""

    name: str
    samples: Sequence[Sample]


class Observation(TypedDict):
    """The counts in a channel."""

    name: str
    data: Sequence[float]


class Workspace(TypedDict):
    """A whole document."""

    measurements: Sequence[Measurement]
    channels: Sequence[Channel]
    observations: Sequence[Observation]


class TensorBackend(Protocol):
    """A backend for `set_backend`; all operations are in ``pyhf_func.adapters.contract``."""

    name: str
    precision: str
    default_do_grad: bool

    def _setup(self) -> None:
        """Make settings of the framework, when the backend is chosen."""


class Optimizer(Protocol):
    """An optimizer for `set_backend`."""

    name: str


class PDF(Protocol):
    """A distribution."""

    def sample(self, sample_shape: Shape) -> Any:
        """Random data."""

    def log_prob(self, value: Any) -> Any:
        """Log density of data."""
