"""Workspaces: published likelihoods as immutable documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

from pyhf_func import schema
from pyhf_func.exceptions import (
    InvalidMeasurement,
    InvalidWorkspaceOperation,
    Unsupported,
    raise_faults,
)
from pyhf_func.pdf import Model
from pyhf_func.schema.frozen import FrozenDict, freeze, thaw
from pyhf_func.schema.observations import measurement_doubts, observation_doubts, observation_faults
from pyhf_func.schema.reading import Source, load, load_patch
from pyhf_func.schema.report import ModelSpec, Origin
from pyhf_func.schema.values import as_list

__all__ = ["Workspace", "load", "load_patch"]


def __dir__() -> list[str]:
    return __all__


class Workspace(FrozenDict):
    """A likelihood as published: channels, observations and measurements, in one immutable document.

    It is a dictionary to everything that reads. To change something, change a copy,
    ``copy.deepcopy(workspace)``, and make a new workspace from it.

    Args:
        spec: The document, a dictionary that follows ``workspace.json``. It is copied.
        validate: Whether to check it against the schema.
        strict: Whether models and data are refused for what is otherwise warned about.
        source: The file that the document came from, for messages.
        config_kwargs: ``schema`` and ``version``, to validate against other ones.

    Raises:
        InvalidSpecification: The document does not follow the schema.
        SchemaNotFound: The document's version is not known.
        Unsupported: Another keyword was given.

    Example:
        >>> import pyhf_func as pf
        >>> workspace = pf.Workspace({
        ...     "channels": [{"name": "SR", "samples": [
        ...         {"name": "signal", "data": [5.0], "modifiers": [
        ...             {"name": "mu", "type": "normfactor", "data": None}]},
        ...         {"name": "background", "data": [50.0], "modifiers": [
        ...             {"name": "b", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]}]}],
        ...     "observations": [{"name": "SR", "data": [52]}],
        ...     "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}],
        ...     "version": "1.0.0"})
        >>> model = workspace.model()
        >>> model.config.par_order, workspace.data(model)
        (['mu', 'b'], [52, 0.0])
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        validate: bool = True,
        *,
        strict: bool = False,
        source: str | None = None,
        **config_kwargs: Any,
    ) -> None:
        self.schema: str = config_kwargs.pop("schema", "workspace.json")
        given = spec.get("version") if isinstance(spec, dict) else None
        self.version: str | None = config_kwargs.pop("version", given)
        if config_kwargs:
            raise Unsupported(f"a workspace takes no {', '.join(config_kwargs)}, only schema and version")
        self.strict = strict
        self.source = source
        if validate:
            schema.validate(spec, self.schema, version=self.version, source=source)
        self._validated = validate and self.schema == "workspace.json"
        super().__init__(freeze(dict(spec)))

    @classmethod
    def load(cls, source: Source, **kwargs: Any) -> Workspace:
        """Read a workspace from a path or stream.

        Args:
            source: A path, or a stream open for reading.
            kwargs: Passed on to :class:`Workspace`.

        Raises:
            InvalidDocument: The content is no JSON object.
        """
        name = source if isinstance(source, str) else getattr(source, "name", str(source))
        return cls(load(source), source=str(name), **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = ", ".join(self.measurement_names)
        return f"Workspace({len(self['channels'])} channels, measurements {names})"

    def __reduce__(self) -> Any:
        return _restore, (thaw(self), self._validated, self.strict, self.source, self.schema, self.version)

    @cached_property
    def channels(self) -> list[str]:
        """Channel names, sorted."""
        return sorted({channel["name"] for channel in self["channels"]})

    @cached_property
    def samples(self) -> list[str]:
        """Sample names of all channels, sorted."""
        return sorted({sample["name"] for channel in self["channels"] for sample in channel["samples"]})

    @cached_property
    def modifiers(self) -> list[tuple[str, str]]:
        """(name, type) of all modifiers, sorted."""
        samples = [sample for channel in self["channels"] for sample in channel["samples"]]
        return sorted(
            {(modifier["name"], modifier["type"]) for sample in samples for modifier in sample["modifiers"]}
        )

    @cached_property
    def parameters(self) -> list[str]:
        """Names of the parameters that the modifiers use, sorted."""
        return sorted({name for name, _ in self.modifiers})

    @cached_property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel, in sorted order."""
        nbins = {channel["name"]: len(channel["samples"][0]["data"]) for channel in self["channels"]}
        return {name: nbins[name] for name in self.channels}

    @cached_property
    def channel_slices(self) -> dict[str, slice]:
        """Where each channel's bins lie in the main data."""
        ends = accumulate(self.channel_nbins.values())
        return {
            name: slice(end - n, end) for (name, n), end in zip(self.channel_nbins.items(), ends, strict=True)
        }

    @cached_property
    def measurement_names(self) -> list[str]:
        """Names of the measurements, in document order."""
        return [measurement["name"] for measurement in self.get("measurements", ())]

    @cached_property
    def observations(self) -> dict[str, list[float]]:
        """The observed counts of each channel."""
        return {observation["name"]: observation["data"] for observation in self["observations"]}

    def get_measurement(
        self, measurement_name: str | None = None, measurement_index: int | None = None
    ) -> dict[str, Any]:
        """A measurement, by name, else by index, else the first.

        Raises:
            InvalidMeasurement: There is no such measurement, or none at all.
        """
        measurement: dict[str, Any] = self["measurements"][
            self._measurement_index(measurement_name, measurement_index)
        ]
        if not self._validated:
            schema.validate(measurement, "measurement.json", version=self.version, source=self.source)
        return measurement

    def _measurement_index(self, name: str | None, index: int | None) -> int:
        names = self.measurement_names
        if not names:
            raise InvalidMeasurement("the workspace has no measurements")
        if name is not None:
            if name not in names:
                known = ", ".join(names)
                raise InvalidMeasurement(f"there is no measurement {name!r}. The workspace has {known}")
            return names.index(name)
        index = 0 if index is None else index
        if not -len(names) <= index < len(names):
            raise InvalidMeasurement(
                f"there is no measurement {index}: they are counted from 0 to {len(names) - 1}"
            )
        return index % len(names)

    def model(
        self,
        measurement_name: str | None = None,
        measurement_index: int | None = None,
        patches: Iterable[Any] | None = None,
        **config_kwargs: Any,
    ) -> Model:
        """The model of a measurement.

        Args:
            measurement_name: Name of the measurement.
            measurement_index: Its index, where no name is given; by default the first.
            patches: JSON patches (lists of operations, ``jsonpatch.JsonPatch`` objects or patches of a patch
                set) to the model spec ``{"channels": ..., "parameters": ...}``, applied one after the other.
            config_kwargs: Passed on to :class:`Model`: ``poi_name`` (by default the measurement's; None for
                a model without one), ``modifier_settings``, ``strict``, ...

        Raises:
            InvalidMeasurement: There is no such measurement.
            InvalidWorkspaceOperation: A patch does not fit the workspace.
            InvalidModel: The document has no defined meaning; all faults at once. (InvalidModifier or
                InvalidNameReuse where these name the first fault better.)

        Warns:
            WorkspaceWarning: Once, naming everything that gives finite numbers and is dubious.
        """
        measurement = self.get_measurement(measurement_name, measurement_index)
        config = measurement["config"]
        config_kwargs.setdefault("poi_name", config["poi"])
        config_kwargs.setdefault("strict", self.strict)
        patches = list(patches or ())
        content = {"channels": self["channels"], "parameters": config["parameters"]}
        if patches:
            content = _patched(content, patches)
            origin = self._patched_origin()
        else:
            if self._validated:
                config_kwargs["validate"] = False
            origin = self._origin(self._measurement_index(measurement_name, measurement_index))
        return Model(ModelSpec(content, origin), **config_kwargs)

    def _origin(self, measurement_index: int) -> Origin:
        """Where the model spec of a measurement stands in the workspace."""
        config = ("measurements", measurement_index, "config")
        return Origin(
            document=self,
            parameters=(*config, "parameters"),
            poi=(*config, "poi"),
            source=self.source,
            doubts=(*measurement_doubts(self, self.source), *observation_doubts(self, self.source)),
            faults=tuple(observation_faults(self, self.channel_nbins, self.source)),
        )

    def _patched_origin(self) -> Origin:
        """A patched model spec stands for itself: it is what paths refer to."""
        return Origin(source=f"{self.source or 'the workspace'}, patched")

    def data(self, model: Any, include_auxdata: bool = True) -> list[float]:
        """The observed data, in the order of a model.

        Args:
            model: The model, made from this workspace.
            include_auxdata: Whether the model's auxiliary data follow.

        Returns:
            The counts of all bins of the model's channels, and the auxiliary data.

        Raises:
            MissingObservation: A channel has no observation; it is an InvalidPdfData and a KeyError.
            InvalidPdfData: The observations do not fit the channels; all faults at once.
        """
        raise_faults(observation_faults(self, model.config.channel_nbins, self.source))
        counts = [as_list(self.observations[channel]) for channel in model.config.channels]
        observed = [count for channel in counts for count in channel]
        return observed + list(model.config.auxdata) if include_auxdata else observed


def _restore(
    spec: dict[str, Any],
    validated: bool,
    strict: bool,
    source: str | None,
    schema_name: str,
    version: str | None,
) -> Workspace:
    """Make a pickled workspace again; it is validated again where it was."""
    return Workspace(spec, validated, strict=strict, source=source, schema=schema_name, version=version)


def _patched(spec: dict[str, Any], patches: Sequence[Any]) -> dict[str, Any]:
    """A model spec with patches applied."""
    for number, patch in enumerate(patches):
        try:
            spec = jsonpatch.JsonPatch(patch).apply(spec)
        except (jsonpatch.JsonPatchException, JsonPointerException) as error:
            raise InvalidWorkspaceOperation(f"patch {number} does not fit the workspace: {error}") from error
    return spec
