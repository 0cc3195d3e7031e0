"""The origin of a model: its spec, and how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pyhf_func.exceptions import Unsupported
from pyhf_func.model.spec import copied, kept, numbers_as_lists
from pyhf_func.pyhf.modifiers import histfactory_set
from pyhf_func.pyhf.pdf.appliers import ModifierSet, finished_builders, made_appliers
from pyhf_func.schema.extended import is_extended


class Origin:
    """The spec of a model as it was given, and how it was read.

    Attributes:
        given: The spec; nothing that its owner changes later changes it.
        schema: The schema that it was checked against.
        version: The version of the schema.
        workspace: The workspace and the measurement that the spec is of, where it is known.
    """

    def __init__(
        self, spec: Mapping[str, Any], modifier_set: ModifierSet | None, schema: str, version: str | None
    ) -> None:
        self.given = kept(spec)
        self.schema = schema
        self.version = version
        self.workspace: Any = None
        self._modifier_set = modifier_set or histfactory_set
        self._appliers: dict[str, Any] | None = None

    @cached_property
    def spec(self) -> Any:
        """A copy of the spec, which its reader may change."""
        return copied(self.given)

    def appliers(self, config: Any, batch_size: int | None) -> dict[str, Any]:
        """The applier of each modifier type.

        Raises:
            Unsupported: The spec has modifiers that pyhf's builders and appliers lack.
        """
        if self._appliers is None:
            spec, kinds = numbers_as_lists(self.spec), self._modifier_set
            if is_extended(spec):
                raise Unsupported("the modifiers of this model have keys that pyhf's builders and appliers lack.")
            builders = finished_builders(spec, config, kinds, kinds)
            self._appliers = made_appliers(builders, config, kinds, batch_size)
        return self._appliers
