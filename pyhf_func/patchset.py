"""Patch sets: the signal points of one analysis, each a JSON patch to the same background-only workspace."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import jsonpatch

from pyhf_func import schema
from pyhf_func._lookup import shown, unknown
from pyhf_func.exceptions import (
    Fault,
    InvalidPatchLookup,
    InvalidPatchSet,
    PatchSetVerificationError,
    Unsupported,
    json_path,
    raise_faults,
)
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.writing import digest
from pyhf_func.workspace import Workspace
from pyhf_func.workspace.patching import apply, patched

log = logging.getLogger(__name__)  # programs written for pyhf set its level

__all__ = ["Patch", "PatchSet"]


def __dir__() -> list[str]:
    return __all__


class Patch(jsonpatch.JsonPatch):
    """One patch of a patch set: a ``jsonpatch.JsonPatch`` with a name and values.

    Args:
        spec: ``{"metadata": {"name": ..., "values": [...]}, "patch": [operations]}``.

    Example:
        >>> patch = Patch({"metadata": {"name": "m500", "values": [500]}, "patch": []})
        >>> patch.name, patch.values, patch.apply({"a": 1})
        ('m500', (500,), {'a': 1})
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__(list(thaw(spec["patch"])))
        self._metadata: dict[str, Any] = thaw(spec["metadata"])

    @property
    def metadata(self) -> dict[str, Any]:
        """All that is said of the patch: name, values, and what else the file says."""
        return self._metadata

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._metadata["name"])

    @property
    def values(self) -> tuple[float | str, ...]:
        """Its place in parameter space: a value for each label of the patch set."""
        return tuple(self._metadata["values"])

    def apply(self, obj: Any, in_place: bool = False, *args: Any, **options: Any) -> Any:
        """Apply the patch to a document, unless its copies would fill the memory.

        Args:
            obj: The document.
            in_place: Whether to change the document itself, rather than a copy.
            args, options: What else ``jsonpatch.JsonPatch.apply`` takes.

        Raises:
            JsonPatchException: It does not fit the document, or copies too much.
            JsonPointerException: A path in it is not valid.
        """
        return apply(self, obj, in_place, *args, **options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patch) and super().__eq__(other) and self._metadata == other._metadata

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.name, self.values))

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.Patch object '{self.name}{self.values}' at {hex(id(self))}>"


class PatchSet:
    """The patches of one analysis: a list of them, and a dictionary by name and by values.

    Args:
        spec: The document, as in ``patchset.json``. It is copied.
        config_kwargs: ``schema`` and ``version``, to validate against other ones.

    Raises:
        InvalidSpecification: The document does not follow the schema.
        InvalidPatchSet: Two patches have one name or the same values, or a patch has not one value for each label;
            all faults at once.

    Example:
        >>> import pyhf_func as pf
        >>> background = {"count": 5}
        >>> patchset = pf.PatchSet({
        ...     "version": "1.0.0",
        ...     "metadata": {"description": "signal points", "labels": ["mass"],
        ...                  "references": {"hepdata": "ins1234567"},
        ...                  "digests": {"md5": pf.utils.digest(background, "md5")}},
        ...     "patches": [{"metadata": {"name": "m500", "values": [500]},
        ...                  "patch": [{"op": "replace", "path": "/count", "value": 7}]}]})
        >>> len(patchset), patchset.labels, patchset["m500"] is patchset[500,]
        (1, ['mass'], True)
        >>> patchset.verify(background)
        >>> patchset["m500"].apply(background)
        {'count': 7}
    """

    def __init__(self, spec: Mapping[str, Any], **config_kwargs: Any) -> None:
        self.schema: str = config_kwargs.pop("schema", "patchset.json")
        self._version: str | None = config_kwargs.pop(
            "version", spec.get("version") if isinstance(spec, Mapping) else None
        )
        if config_kwargs:
            raise Unsupported(f"a patch set takes no {', '.join(config_kwargs)}, only schema and version")
        schema.validate(spec, self.schema, version=self._version)
        self._metadata: dict[str, Any] = thaw(spec["metadata"])
        self._patches = [Patch(patch) for patch in spec["patches"]]
        self._by_key: dict[Any, Patch] = {}
        raise_faults(list(self._faults()))
        for patch in self._patches:
            self._by_key[patch.name] = self._by_key[patch.values] = patch

    def _faults(self) -> Iterator[Fault]:
        """Checks beyond the schema."""
        first: dict[Any, int] = {}
        for p, patch in enumerate(self._patches):
            place = ("patches", p, "metadata")
            for key, value in (("name", patch.name), ("values", patch.values)):
                if first.setdefault(value, p) != p:
                    text = (
                        f"patch {patch.name!r}: multiple patches of the same {key}, as {first[value]} has {value!r} too"
                    )
                    yield Fault(json_path((*place, key)), text, InvalidPatchSet)
            if len(patch.values) != len(self.labels):
                text = f"patch {patch.name!r}: has {len(patch.values)} values for {len(self.labels)} labels"
                yield Fault(json_path((*place, "values")), text, InvalidPatchSet)

    @property
    def version(self) -> str | None:
        """Version of the format."""
        return self._version

    @property
    def metadata(self) -> dict[str, Any]:
        """All that is said of the patch set."""
        return self._metadata

    @property
    def references(self) -> dict[str, str]:
        """Where it comes from, such as ``{"hepdata": "ins1234567"}``."""
        references: dict[str, str] = self._metadata["references"]
        return references

    @property
    def description(self) -> str:
        """A description of the analysis."""
        return str(self._metadata["description"])

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the background-only workspace that the patches are for, by algorithm."""
        digests: dict[str, str] = self._metadata["digests"]
        return digests

    @property
    def labels(self) -> list[str]:
        """The names of the values of a patch."""
        labels: list[str] = self._metadata["labels"]
        return labels

    @property
    def patches(self) -> list[Patch]:
        """The patches, in document order."""
        return self._patches

    def __repr__(self) -> str:
        count = f"{len(self)} patch{'' if len(self) == 1 else 'es'}"
        return f"<{type(self).__module__}.PatchSet object with {count} at {hex(id(self))}>"

    def __iter__(self) -> Iterator[Patch]:
        return iter(self._patches)

    def __len__(self) -> int:
        return len(self._patches)

    def __getitem__(self, key: Any) -> Patch:
        """The patch of a name or of values (a tuple, list or array).

        Raises:
            InvalidPatchLookup: There is none.
        """
        wanted = key.tolist() if hasattr(key, "tolist") else key
        wanted = tuple(wanted) if isinstance(wanted, list) else wanted
        try:
            return self._by_key[wanted]
        except (KeyError, TypeError):
            names = [patch.name for patch in self._patches]
            raise InvalidPatchLookup(
                f"No patch associated with {shown(key)} is defined in the patch set. "
                f"{unknown('patch', key, names, 'It')}"
            ) from None

    def verify(self, spec: Mapping[str, Any]) -> None:
        """Check that a workspace is the one that the patches are for.

        Raises:
            PatchSetVerificationError: A digest differs.
        """
        for algorithm, expected in self.digests.items():
            found = digest(spec, algorithm=algorithm)
            if found != expected.lower():
                raise PatchSetVerificationError(
                    f"the workspace is not the one that this patch set was made for: its {algorithm} digest is "
                    f"{found}, not {expected}"
                )

    def apply(self, spec: Mapping[str, Any], key: Any) -> Workspace:
        """The background-only workspace with a patch applied.

        Args:
            spec: The background-only workspace; it is verified first and not changed.
            key: Name or values of the patch.

        Raises:
            PatchSetVerificationError: The workspace is another one.
            InvalidPatchLookup: There is no such patch.
            InvalidWorkspaceOperation: The patch does not fit the workspace.
            InvalidSpecification: The patched document is no workspace.
        """
        self.verify(spec)
        return Workspace(patched(spec, [self[key]]))
