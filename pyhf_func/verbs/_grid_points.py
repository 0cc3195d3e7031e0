"""The points of a signal grid: from a patch, or from yields, to numbers, wherever that is done.

A grid has up to 10^5 points, of which most of a model never changes. What they share is checked once, and travels once
to each worker; what a patch adds is checked and compiled there.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import numpy as np
from jsonpatch import JsonPatch, JsonPatchException, JsonPointerException

from pyhf_func.core.collecting import old_objects_kept
from pyhf_func.core.compiler import padding
from pyhf_func.core.fit import Status
from pyhf_func.core.inference.grid import N_NUMBERS, PointResult, no_point, numbers_of
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.core.packed import packed, unpacked
from pyhf_func.core.statistics import Statistic
from pyhf_func.core.values import as_list, is_array
from pyhf_func.exceptions import PyhfFuncError
from pyhf_func.model import Model, Options, compiled_plainly
from pyhf_func.schema.changes import identities
from pyhf_func.schema.extended import conforms
from pyhf_func.schema.report import ModelSpec
from pyhf_func.verbs._arguments import check_poi
from pyhf_func.workspace import Workspace
from pyhf_func.workspace.patching import patched

_BAD_POINT = (
    PyhfFuncError,
    JsonPatchException,
    JsonPointerException,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)
"""Exceptions of patches or yields that are invalid, or do not fit the workspace."""


class Built(NamedTuple):
    """A point as numbers."""

    likelihood: Likelihood
    parameters: tuple[Any, ...]
    """Names that tell its parameters from those of another point."""
    data: np.ndarray


class Invalid(NamedTuple):
    """A point that can't be built, and why."""

    message: str


class Settings(NamedTuple):
    """Settings that are the same for every point, in the order in which `core.inference.grid.run` takes them."""

    minimiser: Any
    statistic: Statistic
    limits: bool
    many: bool
    """Whether there are so many points that the program is worth optimising at once."""
    mu: float
    level: float
    size: int
    """Points of one computation."""


class Background:
    """The common part of all points of a grid: the workspace, and how models are made of it.

    Args:
        workspace: The workspace.
        options: Of `Workspace.model`.
        by_yields: Whether points are yields by (channel, sample), rather than patches.
    """

    def __init__(self, workspace: Workspace, options: Mapping[str, Any], by_yields: bool) -> None:
        self.workspace, self.options, self.by_yields = workspace, dict(options), by_yields

    def __reduce__(self) -> Any:
        return Background, (self.workspace, self.options, self.by_yields)

    @cached_property
    def packed(self) -> bytes:
        """The same for other processes, which unpack it once."""
        return packed(self)

    def build(self, content: Any) -> Built | Invalid:
        """The numbers of a point; a message instead, where there are none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same warning for every point
                return self._changed(content) if self.by_yields else self._patched(content)
        except _BAD_POINT as error:
            return Invalid(told(error))

    @cached_property
    def base(self) -> tuple[Model, Built]:
        """The model without changes."""
        model = self.workspace.model(**self.options)
        check_poi(model)
        return model.frozen(), self._of_model(model)

    def _changed(self, changes: Mapping[tuple[str, str], Any]) -> Built:
        model, built = self.base
        nominal: Any = model.changed_yields(changes)
        values = replace(built.likelihood.values, nominal=nominal)
        return built._replace(likelihood=replace(built.likelihood, values=values))

    def _patched(self, patch: Any) -> Built:
        if self._plain is None:
            model = self.workspace.model(patches=[patch], **self.options)
            check_poi(model)
            return self._of_model(model)
        content, known, options = self._plain
        spec = ModelSpec(patched(content, [patch]), self.workspace._patched_origin())
        found = compiled_plainly(spec, options, known)
        auxdata = [value for parameter in found.parameters for value in parameter.auxdata]
        parameters = tuple((parameter.name, parameter.n_parameters) for parameter in found.parameters)
        nbins = found.order.channel_nbins
        config = SimpleNamespace(channel_nbins=nbins, channels=list(found.order.channels), auxdata=auxdata)
        data = np.asarray(self.workspace.data(SimpleNamespace(config=config)), dtype=float)
        return Built(_as_jax_has_it(found.likelihood), parameters, data)

    def _of_model(self, model: Any) -> Built:
        data = np.asarray(self.workspace.data(model), dtype=float)
        return Built(jax.tree.map(np.asarray, model.likelihood), tuple(model.config.par_names), data)

    @cached_property
    def _plain(self) -> tuple[dict[str, Any], frozenset[int], Options] | None:
        """Spec, its parts that need no check any more, and options; None where only a whole model will do."""
        options = dict(self.options)
        place = options.pop("measurement_name", None), options.pop("measurement_index", None)
        config = self.workspace.get_measurement(*place)["config"]
        options = {"poi_name": config["poi"], "strict": self.workspace.strict, **options}
        options = {**self.workspace.settings, **options}
        usual = {field.name for field in fields(Options)} - {"schema", "version"}
        if not options.keys() <= usual or not isinstance(options["poi_name"], str) or not options["poi_name"]:
            return None
        content = {"channels": self.workspace["channels"], "parameters": config["parameters"]}
        content |= {"correlations": config["correlations"]} if "correlations" in config else {}
        known = identities(content) if conforms(content, "model.json", allow_tensors=False) else frozenset[int]()
        return content, known, Options(**options)


def compute(
    solve: Callable[..., PointResult],
    shared: Background | bytes,
    contents: Sequence[Any],
    sizes: padding.Sizes | None,
    settings: Settings,
) -> tuple[np.ndarray, list[str | None]]:
    """The numbers of some points, a row each, and why there are none; in a worker.

    Args:
        solve: `core.inference.grid.run`.
        shared: What all points share.
        contents: Patches or yields, or points that are built already.
        sizes: Those that points are padded to; None for those of these points.
        settings: What is asked of every point.
    """
    background: Background = shared if isinstance(shared, Background) else unpacked(shared)
    with old_objects_kept():
        points = [one if isinstance(one, Built | Invalid) else background.build(one) for one in contents]
    messages: list[str | None] = [one.message if isinstance(one, Invalid) else None for one in points]
    rows = np.empty((len(points), N_NUMBERS))
    rows[:] = numbers_of(no_point(Status.INVALID_MODEL))
    for places in _kinds(points):
        here: Any = [points[place] for place in places]
        common = padding.enough_for([one.likelihood for one in here], sizes)
        padded = [padding.pad(one.likelihood, one.data, common) for one in here]
        models, data = zip(*padded, strict=True)
        names = [None, *(one.parameters for one in here)]
        alike = [own == before for own, before in zip(names[1:], names, strict=False)]
        asked = settings[:-1]
        rows[places] = numbers_of(solve(*asked, list(data), list(models), alike, settings.size))
    return rows, messages


def _kinds(points: Sequence[Built | Invalid]) -> list[list[int]]:
    """Places of points that can be padded to one shape."""
    groups: dict[Any, list[int]] = {}
    for place, point in enumerate(points):
        if isinstance(point, Built):
            groups.setdefault(padding.kind(point.likelihood), []).append(place)
    return list(groups.values())


def _as_jax_has_it(likelihood: Likelihood) -> Any:
    """NumPy's arrays of the types that JAX computes with."""
    if jax.config.values["jax_enable_x64"]:
        return likelihood
    return jax.tree.map(lambda x: x.astype(jax.dtypes.canonicalize_dtype(x.dtype)), likelihood)


def content_of(point: Any) -> Any:
    """A patch as other processes take it."""
    return list(point.patch) if isinstance(point, JsonPatch) else point


def fingerprint(*parts: Any) -> str:
    """Of documents, patches and yields: the same wherever they are read, and from whatever kind of arrays."""
    text = json.dumps([_as_lists(part) for part in parts], sort_keys=True, default=_as_json)
    return sha256(text.encode()).hexdigest()[:32]


def _as_lists(part: Any) -> Any:
    """Yields by (channel, sample) as JSON can have them."""
    return [[list(key), value] for key, value in part.items()] if _is_changes(part) else part


def _is_changes(part: Any) -> bool:
    return isinstance(part, Mapping) and any(isinstance(key, tuple) for key in part)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if is_array(value):
        return as_list(value)
    return list(value) if isinstance(value, Iterable) else f"{type(value).__qualname__}: {value}"


def told(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}"
