"""Builders: they walk a spec, and collect what one modifier type does to every sample and bin.

A builder's result is ``{"type/name": {sample: {"data": {field: array over all bins}}}}``. Samples and channels without
the modifier hold what changes nothing, and ``mask`` says where it acts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import InvalidModifier

_TYPES = {"none": "unconstrained", "normal": "constrained_by_normal", "poisson": "constrained_by_poisson"}


def requirement(parameter: ParameterSet) -> dict[str, Any]:
    """The parameter set that a modifier requires, in the words of `pyhf_func.parameters`."""
    flags = set(parameter.fixed)
    required: dict[str, Any] = {
        "paramset_type": _TYPES[parameter.constraint],
        "n_parameters": parameter.n_parameters,
        "is_scalar": parameter.is_scalar,
        "inits": parameter.inits,
        "bounds": parameter.bounds,
        "fixed": flags.pop() if parameter.is_scalar and len(flags) == 1 else parameter.fixed,
    }
    if parameter.constraint != "none":
        required["auxdata"] = parameter.auxdata
    if parameter.constraint == "poisson":
        required["factors"] = parameter.factors
    return required


class Builder(ABC):
    """Collects the modifiers of one type.

    Args:
        config: The model's configuration: channels, samples and numbers of bins.
    """

    is_shared: ClassVar[bool] = True
    sized: ClassVar[tuple[str, ...]] = ()
    """Fields that hold one number for each bin of the sample, beside ``nom_data``."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.builder_data: dict[str, dict[str, Any]] = {}
        self.required_parsets: dict[str, list[dict[str, Any]]] = {}

    @abstractmethod
    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """The fields of one modifier on one sample of one channel with yields ``nom``; None for no modifier."""

    @abstractmethod
    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any] | None:
        """The parameter set that the modifier requires; None where that is known only in the end."""

    def append(
        self,
        key: str,
        channel: str,
        sample: str,
        thismod: Mapping[str, Any] | None,
        defined_samp: Mapping[str, Any] | None,
    ) -> None:
        """Add one sample of one channel; both are None where the spec has no such sample."""
        nom = defined_samp["data"] if defined_samp else [0.0] * self.config.channel_nbins[channel]
        fields = self.builder_data.setdefault(key, {}).setdefault(sample, {}).setdefault("data", {})
        for name, values in self.collect(thismod, nom).items():
            fields.setdefault(name, []).append(values)
        if thismod:
            required = self.required(thismod, nom)
            if required is not None:
                self.required_parsets.setdefault(thismod["name"], [required])

    def finalize(self) -> dict[str, dict[str, Any]]:
        """Everything collected, with the channels joined.

        Raises:
            InvalidModifier: A modifier has other bins than its sample.
        """
        for key, samples in self.builder_data.items():
            for sample, content in samples.items():
                fields = {name: np.concatenate(values) for name, values in content["data"].items()}
                for name in self.sized:
                    if len(fields[name]) != len(fields["nom_data"]):
                        kind, _, modifier = key.partition("/")
                        raise InvalidModifier(
                            f"The {kind} modifier {modifier!r} of sample {sample!r} has {len(fields[name])} values "
                            f"({name}), and the sample has {len(fields['nom_data'])} bins. Give one value for each bin."
                        )
                content["data"] = fields
        return self.builder_data
