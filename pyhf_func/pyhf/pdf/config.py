"""The configuration of a model as its users see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from itertools import chain
from typing import Any

from pyhf_func.core.codes import settings_of
from pyhf_func.core.compiler.order import order_spec
from pyhf_func.core.compiler.parameters import collect_parameters
from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import Unsupported
from pyhf_func.model import Config, Model, Names, listed_bounds
from pyhf_func.pyhf.parameters import constrained_by_normal, constrained_by_poisson, paramset, unconstrained
from pyhf_func.pyhf.parameters.paramsets import constrained_otherwise


class _ModelConfig(Config):
    """The names of a model, where they lie in its vectors, and what it suggests to fits: ``model.config``.

    Equal and hashed by content. What is set in it is what its model has from then on.

    Args:
        spec: ``{"channels": [...], "parameters": [...]}``.
        config_kwargs: ``modifier_settings``, the interpolation codes by modifier type.

    Raises:
        Unsupported: Another option.
    """

    def __init__(self, spec: Mapping[str, Any], **config_kwargs: Any) -> None:
        settings = config_kwargs.pop("modifier_settings", None)
        refuse_options(config_kwargs)
        order = order_spec(spec)
        parameters = collect_parameters(order, spec.get("parameters", ()))
        settings = settings_of(settings)
        super().__init__(Names(order, parameters, None, None, settings, listed_bounds=listed_bounds(spec)))

    _agreed: tuple[Any, Any] | None = None
    """A start that was found to be the one that the model's arrays suggest: those arrays, and the start."""

    _seen: Any = None
    """The suggestions of parameter sets in users' hands when they were last read."""

    _applied: Model | None = None
    """The model with what was last set."""

    @classmethod
    def _of(cls, names: Names, live: Mapping[str, Any] | None = None) -> _ModelConfig:
        config = cls.__new__(cls)
        Config.__init__(config, names, live)
        return config

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ModelConfig) and self._settled() == other._settled()

    def __hash__(self) -> int:
        return hash(self._settled())

    def applied_to(self, model: Model) -> Model:
        """The model with the parameter of interest and the suggestions that are set here."""
        names = self._settled()
        if self._applied is None or self._applied.names is not names:
            self._applied = model.with_settings(names)
        return self._applied

    @cached_property
    def par_map(self) -> dict[str, dict[str, Any]]:
        """``{"slice": ..., "paramset": ...}`` of each parameter."""
        widths = {name for name, kind in self._names.order.modifiers if kind in ("lumi", "staterror")}
        return {
            name: {"slice": self._names.slices[name], "paramset": self._paramset(parameter, name in widths)}
            for name, parameter in self._names.parameters.items()
        }

    def param_set(self, name: str) -> paramset:
        """A parameter: components, constraint, suggested values.

        What is changed in it, such as ``suggested_fixed``, is what this config suggests from then on.

        Raises:
            UnknownParameter: There is no such parameter; it is an InvalidPdfParameters and a KeyError.
        """
        return self.par_map[self._known(name)]["paramset"]

    def set_poi(self, name: str | None) -> None:
        """Make another parameter the parameter of interest of this model; None for none.

        Raises:
            InvalidModel: There is no such parameter, or it has several components.
        """
        self._names = self._names.with_poi(name)

    def suggested_init(self) -> list[float]:
        """Start values for a fit."""
        if not self._handed_out:
            return super().suggested_init()
        return list(chain.from_iterable(entry["paramset"].suggested_init for entry in self.par_map.values()))

    def suggested_bounds(self) -> list[Sequence[float]]:
        """(lower, upper) bounds for a fit; lists where the measurement lists them."""
        if not self._handed_out:
            return super().suggested_bounds()
        return list(chain.from_iterable(entry["paramset"].suggested_bounds for entry in self.par_map.values()))

    def suggested_fixed(self) -> list[bool]:
        """Which parameters a fit should keep fixed."""
        if not self._handed_out:
            return super().suggested_fixed()
        return list(chain.from_iterable(entry["paramset"].suggested_fixed for entry in self.par_map.values()))

    @property
    def _handed_out(self) -> bool:
        """Whether users hold parameter sets, and may have changed what these suggest."""
        return "par_map" in self.__dict__

    def _settled(self) -> Names:
        """The names, with what users have changed in parameter sets.

        Raises:
            InvalidModel: What was set does not fit a parameter.
        """
        if self._handed_out:
            sets = [entry["paramset"] for entry in self.par_map.values()]
            found = [(each.suggested_init, each.suggested_bounds, each._fixed) for each in sets]
            if found != self._seen:
                self._names = self._names.with_suggestions(dict(zip(self.par_map, found, strict=True)))
                self._seen = deepcopy(found)
        return self._names

    def _paramset(self, parameter: ParameterSet, has_widths: bool) -> paramset:
        """A parameter as its users see it."""
        common: dict[str, Any] = {
            "name": parameter.name,
            "n_parameters": parameter.n_parameters,
            "inits": list(parameter.inits),
            "bounds": self._bounds_of(parameter),
            "fixed": list(parameter.fixed),
            "is_scalar": parameter.is_scalar,
        }
        live = self._live_of(parameter) if parameter.name in self._names.live else None
        match parameter.constraint:
            case "normal":
                widths = (live or list(parameter.sigmas)) if has_widths or set(parameter.sigmas) != {1.0} else None
                return constrained_by_normal(**common, auxdata=list(parameter.auxdata), sigmas=widths)
            case "poisson":
                factors = live or list(parameter.factors)
                return constrained_by_poisson(**common, auxdata=self._auxdata_of(parameter), factors=factors)
            case "none":
                return unconstrained(**common)
            case density:
                widths = live or list(parameter.sigmas)
                return constrained_otherwise(**common, auxdata=list(parameter.auxdata), sigmas=widths, pdf_type=density)


def refuse_options(options: Mapping[str, Any]) -> None:
    """Raise `Unsupported` where options are left over."""
    if options:
        raise Unsupported(f"Unsupported options: {', '.join(options)}.")
