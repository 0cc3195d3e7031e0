"""The workspace: a validated document that gives models and data."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import pyhf_func
from pyhf_func._lookup import shown, unknown
from pyhf_func.core.values import as_list, values_as_lists
from pyhf_func.exceptions import (
    InvalidMeasurement,
    Unsupported,
    raise_faults,
)
from pyhf_func.mixins import _ChannelSummaryMixin
from pyhf_func.schema import extended
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.observations import measurement_doubts, observation_doubts, observation_faults
from pyhf_func.schema.reading import Source, load, name_of
from pyhf_func.schema.report import ModelSpec, Origin
from pyhf_func.schema.validator import not_too_deep
from pyhf_func.workspace.belongings import joined_belongings, with_new_names
from pyhf_func.workspace.build import built
from pyhf_func.workspace.edit import pruned, renamed
from pyhf_func.workspace.join import VALID_JOINS, joined
from pyhf_func.workspace.order import ordered
from pyhf_func.workspace.patching import listed, patched
from pyhf_func.workspace.saving import document_of, save
from pyhf_func.workspace.source import Built

if TYPE_CHECKING:
    from typing import Self

    from pyhf_func.pyhf.pdf import Model

__all__ = ["Workspace"]

log = logging.getLogger("pyhf_func.workspace")


def __dir__() -> list[str]:
    return __all__


class Workspace(_ChannelSummaryMixin, dict[str, Any]):
    """A likelihood as published: channels, observations and measurements, in one document.

    It is a dictionary, and a copy of the one that it is made from. What it gives, models and data, is made from its
    content at that time and does not change with it later; what summarises it (``channels``, ``samples``,
    ``modifiers``, ``measurement_names``, ...) is that of the document it was made from.

    Args:
        spec: The document, a dictionary that follows ``workspace.json``. It is copied.
        validate: Whether to check it against the schema.
        strict: Whether models and data are refused for what is otherwise warned about.
        source: The file that the document came from, for messages.
        settings: Arguments of :class:`Model` that belong to the document, such as ``modifier_settings``.
        metadata: What belongs to it and changes no likelihood, such as the owner's names of parameters.
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

    valid_joins: ClassVar[list[str]] = VALID_JOINS

    def __init__(
        self,
        spec: Mapping[str, Any],
        validate: bool = True,
        *,
        strict: bool = False,
        source: str | None = None,
        settings: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **config_kwargs: Any,
    ) -> None:
        self.settings: dict[str, Any] = dict(settings or {})
        self.metadata: dict[str, Any] = thaw(dict(metadata or {}))
        self._options = {"validate": validate, "strict": strict, **config_kwargs}
        self.schema: str = config_kwargs.pop("schema", "workspace.json")
        given = spec.get("version") if isinstance(spec, dict) else None
        self.version: str | None = config_kwargs.pop("version", given)
        if config_kwargs:
            raise Unsupported(f"a workspace takes no {', '.join(config_kwargs)}, only schema and version")
        self.strict = strict
        self.source = source
        if validate:
            extended.validate(spec, self.schema, self.version, source)
        with not_too_deep():
            content: dict[str, Any] = values_as_lists(dict(spec))
        super().__init__(content, channels=content["channels"])
        self.measurement_names: list[str] = [measurement["name"] for measurement in self.get("measurements", ())]
        self.observations: dict[str, list[float]] = {
            observation["name"]: observation["data"] for observation in self.get("observations", ())
        }

    @classmethod
    def load(cls, source: Source, **kwargs: Any) -> Workspace:
        """Read a workspace from a path or stream.

        Args:
            source: A path, or a stream open for reading.
            kwargs: Passed on to :class:`Workspace`.

        Raises:
            InvalidDocument: The content is no JSON object.
        """
        return cls(load(source), source=name_of(source), **kwargs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the workspace as JSON, packed where the path ends in ``.gz``; a file that is there is replaced at once.

        `pyhf_func.read` reads it back, with ``metadata`` and ``settings``. It is a document of pyhf's format, unless
        one of these or an optional key of the model language is in it.

        Args:
            path: The file.

        Raises:
            InvalidDocument: A number is NaN or infinite.
            Unsupported: The workspace was made with a setting that no file holds.
            OSError: The file can't be written.

        Example:
            >>> import tempfile
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
            >>> workspace = pf.Workspace.build(model, [51.0, 48.0, *model.config.auxdata])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     workspace.save(f"{folder}/workspace.json.gz")
            ...     pf.read(f"{folder}/workspace.json.gz") == workspace
            True
        """
        save(document_of(self, self.settings, self.metadata), path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        names = ", ".join(self.measurement_names)
        return f"Workspace({len(self['channels'])} channels, measurements {names})"

    def __reduce__(self) -> Any:
        return _restore, (type(self), thaw(self), vars(self))

    @property
    def spec(self) -> dict[str, Any]:
        """The document: an older name of the workspace as a dictionary."""
        return self

    @property
    def foreign_names(self) -> dict[str, str]:
        """The entry of ``model.config.par_names`` of each parameter of the program whose file was read.

        ``metadata["scales"]`` has the unit of those that are not in the same one: theirs is so many times ours.
        """
        return dict(self.metadata.get("foreign_names", {}))

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that the modifiers use, sorted."""
        return sorted({name for name, _ in self.modifiers})

    def get_measurement(
        self,
        measurement_name: str | None = None,
        measurement_index: int | None = None,
        *,
        poi_name: str | None = None,
    ) -> dict[str, Any]:
        """A measurement, by name, else by index, else the first.

        Args:
            measurement_name: Its name.
            measurement_index: Its place.
            poi_name: Make a new measurement of this parameter of interest instead, without configurations of
                parameters, as pyhf 0.1.2 does.

        Raises:
            InvalidMeasurement: There is no such measurement, or none at all.
            InvalidSpecification: It does not follow the schema (of a workspace that was not validated).
        """
        if poi_name:
            return {"name": "NormalMeasurement", "config": {"poi": poi_name, "parameters": []}}
        place = self._measurement_index(measurement_name, measurement_index)
        measurement: dict[str, Any] = self["measurements"][place]
        extended.validate(measurement, "measurement.json", self.version, self.source)
        return measurement

    def _measurement_index(self, name: str | None, index: int | None) -> int:
        names = self.measurement_names
        if not names:
            raise InvalidMeasurement("No measurements have been defined in the workspace")
        if name is not None:
            if name not in names:
                raise InvalidMeasurement(f"measurement_name: {unknown('measurement', name, names, 'The workspace')}")
            return names.index(name)
        index = 0 if index is None else index
        if not isinstance(index, int | np.integer) or isinstance(index, bool):
            raise InvalidMeasurement(f"measurement_index is {shown(index)}; give an integer")
        if not -len(names) <= index < len(names):
            raise InvalidMeasurement(
                f"measurement index {index} is out of bounds: they are counted from 0 to {len(names) - 1}"
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
        config_kwargs = {**self.settings, **config_kwargs}
        patches = listed(patches)
        content = {"channels": self["channels"], "parameters": config["parameters"]}
        content |= {"correlations": config["correlations"]} if "correlations" in config else {}
        if patches:
            content = patched(content, patches)
            origin = self._patched_origin()
        else:
            origin = self._origin(self._measurement_index(measurement_name, measurement_index))
        model = pyhf_func.Model(ModelSpec(content, origin), **config_kwargs)
        place = self._measurement_index(measurement_name, measurement_index)
        model._built_from.workspace = Built(self, model._built_from.given, place)
        return model

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

    def data(self, model: Any, include_auxdata: bool = True, *, with_aux: bool | None = None) -> list[float]:
        """The observed data, in the order of a model.

        Args:
            model: The model, made from this workspace.
            include_auxdata: Whether the model's auxiliary data follow.
            with_aux: An older name of ``include_auxdata``.

        Returns:
            The counts of all bins of the model's channels, and the auxiliary data.

        Raises:
            MissingObservation: A channel has no observation; it is an InvalidPdfData and a KeyError.
            InvalidPdfData: The observations do not fit the channels; all faults at once.
        """
        if not hasattr(model, "config"):
            raise TypeError(
                f"model is of type {type(model).__name__}; give a model of this workspace: workspace.model()."
            )
        try:
            raise_faults(observation_faults(self, model.config.channel_nbins, self.source))
            observations = {observation["name"]: observation["data"] for observation in self["observations"]}
            counts = [as_list(observations[channel]) for channel in model.config.channels]
        except KeyError as error:
            log.error("Invalid channel: %s", error)
            raise
        observed = [count for channel in counts for count in channel]
        wanted = include_auxdata if with_aux is None else with_aux
        return observed + list(model.config.auxdata) if wanted else observed

    def prune(
        self,
        modifiers: Collection[str] | None = None,
        modifier_types: Collection[str] | None = None,
        samples: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        measurements: Collection[str] | None = None,
    ) -> Self:
        """A new workspace without some of its parts. A channel goes with its observation.

        Args:
            modifiers: Names of modifiers to leave out, with the configurations of their parameters.
            modifier_types: Types of modifiers to leave out.
            samples: Names of samples to leave out of every channel.
            channels: Names of channels to leave out.
            measurements: Names of measurements to leave out.

        Raises:
            InvalidWorkspaceOperation: There is no part of such a name.
            InvalidSpecification: What is left is no workspace: no channel, no measurement, a channel without sample.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
            >>> pf.Workspace.build(model, [52.0]).prune(samples=["signal"], modifiers=["mu"]).samples
            ['background']
        """
        return self._made_of(pruned(self, modifiers, modifier_types, samples, channels, measurements))

    def rename(
        self,
        modifiers: Mapping[str, str] | None = None,
        samples: Mapping[str, str] | None = None,
        channels: Mapping[str, str] | None = None,
        measurements: Mapping[str, str] | None = None,
    ) -> Self:
        """A new workspace with other names, each argument a dictionary from old to new name.

        A modifier is renamed with its parameter configuration and, where it is one, as parameter of interest;
        a channel with its observation. Two modifiers that get one name share their parameter from then on.

        Raises:
            InvalidWorkspaceOperation: There is no part of such a name, or two parts would get the same one.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
            >>> pf.Workspace.build(model, [52.0]).rename(modifiers={"mu": "strength"}).parameters
            ['strength', 'uncorr_bkguncrt']
        """
        metadata = with_new_names(self.metadata, modifiers or {}, channels or {}, measurements or {})
        return self._made_of(renamed(self, modifiers, samples, channels, measurements), metadata)

    @classmethod
    def combine(
        cls,
        left: Mapping[str, Any],
        right: Mapping[str, Any],
        join: str = "none",
        merge_channels: bool = False,
        validate: bool = True,
    ) -> Self:
        """A new workspace of two. Modifiers of one name share their parameter across both.

        Args:
            left: A workspace.
            right: Another one.
            join: What happens to channels, observations and measurements that both have under one name.
                ``none``: it is an error. ``outer``: they must be equal; measurements of one POI are merged.
                ``left outer``: the left one is taken, whatever the right one is. ``right outer``: the right one.
            merge_channels: Whether channels of one name are joined sample by sample (not with ``none``).
            validate: Whether to check the result against the schema.

        Raises:
            ValueError: There is no such join, or it cannot merge channels.
            InvalidWorkspaceOperation: The two cannot be joined so, or their versions differ.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
            >>> one = pf.Workspace.build(model, [52.0])
            >>> other = one.rename(channels={"singlechannel": "another"})
            >>> pf.Workspace.combine(one, other, join="outer").channels
            ['another', 'singlechannel']
        """
        for name, workspace in (("left", left), ("right", right)):
            _require_document(workspace, name)
        if join not in cls.valid_joins:
            raise ValueError(f"{join!r} is no join operation. There are {', '.join(cls.valid_joins)}")
        if merge_channels and join == "none":
            raise ValueError(f"channels cannot be merged with the join {join!r}, only with an outer one")
        if join in ("left outer", "right outer"):
            log.warning("You are using an unsafe join operation: where the two disagree, one is dropped in silence.")
        return cls(joined(left, right, join, merge_channels), **_options(left, validate, right))

    @classmethod
    def sorted(cls, workspace: Mapping[str, Any]) -> Self:
        """A new workspace with everything that has a name sorted by it, so that equal content looks equal."""
        _require_document(workspace, "workspace")
        return cls(ordered(workspace), **_options(workspace))

    @classmethod
    def build(cls, model: Any, data: Any, name: str = "measurement", validate: bool = True) -> Self:
        """A workspace from a model and observed data; it gives an equal model and the same data again.

        Args:
            model: The model.
            data: The observed counts in the order of the model, with or without auxiliary data.
            name: Name of the measurement.
            validate: Whether to check the result against the schema.

        Raises:
            TypeError: There is no model that was built from a spec, or there are no data.
            InvalidPdfData: The data have another length, or are not counts.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
            >>> workspace = pf.Workspace.build(model, [52.0])
            >>> workspace.measurement_names, workspace.observations
            (['measurement'], {'singlechannel': [52.0]})
        """
        workspace = cls(built(model, data, name), validate=validate)
        if validate:
            raise_faults(observation_faults(workspace, workspace.channel_nbins))
        return workspace

    def _made_of(self, spec: dict[str, Any], metadata: Mapping[str, Any] | None = None) -> Self:
        """A workspace of a changed document, with this one's options."""
        belongings = {"settings": self.settings, "metadata": self.metadata if metadata is None else metadata}
        return type(self)(spec, **{**self._options, **{key: value for key, value in belongings.items() if value}})


def _require_document(document: Any, name: str) -> None:
    """Raise unless this is a document.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(document, Mapping) or "channels" not in document:
        raise TypeError(f"{name} is of type {type(document).__name__}; give a pyhf_func.Workspace, or its document.")


def _options(workspace: Any, validate: bool = True, other: Any = None) -> dict[str, Any]:
    """The options of a workspace that comes from another one, or from a plain document."""
    options = workspace._options if isinstance(workspace, Workspace) else {}
    belongings = joined_belongings(*(w for w in (workspace, other) if isinstance(w, Workspace)))
    return {**options, **belongings, "validate": validate and options.get("validate", True)}


def _restore(cls: type[Workspace], spec: dict[str, Any], attributes: dict[str, Any]) -> Workspace:
    """Make a copied or pickled workspace again, as it was."""
    workspace = cls.__new__(cls)
    workspace.update(spec)
    vars(workspace).update(attributes)
    return workspace
