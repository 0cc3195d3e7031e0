"""Modifier types as objects: builders that walk a spec, and appliers that give shifts and factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyhf_func.exceptions import InvalidModel, InvalidModifier

ModifierSet = Mapping[str, tuple[Any, Any]]
"""``{type: (builder, applier)}``."""


def finished_builders(
    spec: Mapping[str, Any], config: Any, modifier_set: ModifierSet, kinds: Iterable[str]
) -> dict[str, tuple[Any, Any]]:
    """The builders of some modifier types after a walk over all channels and samples, and what they collected.

    Raises:
        InvalidModifier: The spec uses a type that is not in the set, or a modifier does not fit its sample.
        InvalidModel: A type whose parameters cannot be shared has one name on several samples.
    """
    builders = {kind: modifier_set[kind][0](config) for kind in kinds}
    samples = {
        (channel["name"], sample["name"]): (sample, _modifiers(sample, modifier_set))
        for channel in spec["channels"]
        for sample in channel["samples"]
    }
    _check_sharing(samples, builders)
    for channel in config.channels:
        for sample in config.samples:
            defined, modifiers = samples.get((channel, sample), (None, {}))
            for name, kind in config.modifiers:
                if kind in builders:
                    key = f"{kind}/{name}"
                    builders[kind].append(key, channel, sample, modifiers.get(key), defined)
    return {kind: (builder, builder.finalize()) for kind, builder in builders.items()}


def made_appliers(
    builders: Mapping[str, tuple[Any, Any]], config: Any, modifier_set: ModifierSet, batch_size: int | None
) -> dict[str, Any]:
    """The applier of each type, from what its builder collected."""
    return {
        kind: modifier_set[kind][1](
            modifiers=[modifier for modifier in config.modifiers if modifier[1] == kind],
            pdfconfig=config,
            builder_data=collected,
            batch_size=batch_size,
            **config.modifier_settings.get(kind, {}),
        )
        for kind, (_, collected) in builders.items()
    }


def modifications(appliers: Mapping[str, Any], pars: Any) -> tuple[list[Any], list[Any]]:
    """Shifts and factors of all types at the parameters; shape (modifiers, samples, batch, bins) each."""
    effects: dict[str, list[Any]] = {"addition": [], "multiplication": []}
    for applier in appliers.values():
        effect = applier.apply(pars)
        if effect is not None and applier.op_code in effects:
            effects[applier.op_code].append(effect)
    return effects["addition"], effects["multiplication"]


def _modifiers(sample: Mapping[str, Any], modifier_set: ModifierSet) -> dict[str, Mapping[str, Any]]:
    """The modifiers of a sample by ``type/name``."""
    for modifier in sample["modifiers"]:
        if modifier["type"] not in modifier_set:
            raise InvalidModifier(
                f"Sample {sample['name']!r} has a modifier of type {modifier['type']!r}; "
                f"the types of this model are {', '.join(modifier_set)}."
            )
    return {f"{modifier['type']}/{modifier['name']}": modifier for modifier in sample["modifiers"]}


def _check_sharing(samples: Mapping[Any, Any], builders: Mapping[str, Any]) -> None:
    seen: set[str] = set()
    for (channel, sample), (_, modifiers) in samples.items():
        for key in modifiers:
            builder = builders.get(key.partition("/")[0])
            if builder is not None and not builder.is_shared and key in seen:
                raise InvalidModel(
                    f"The modifier {key} of sample {sample!r} in channel {channel!r} exists elsewhere, "
                    "and parameters of its type are not shared. Give it a name of its own."
                )
        seen.update(modifiers)
