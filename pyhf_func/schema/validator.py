"""Validate documents against the schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from numbers import Real
from pathlib import PurePosixPath
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from pyhf_func.core.values import as_list, is_array
from pyhf_func.exceptions import Fault, InvalidSpecification, json_path
from pyhf_func.schema import variables
from pyhf_func.schema.loader import load_schema, read_schema
from pyhf_func.schema.predicate import Predicate, compile_predicate
from pyhf_func.schema.wording import explain, named

__all__ = ["conforms", "not_too_deep", "of_file", "validate"]


def validate(
    spec: Any,
    schema_name: str,
    *,
    version: str | None = None,
    allow_tensors: bool = True,
) -> None:
    """Check that a document follows a schema.

    Args:
        spec: The document.
        schema_name: ``"workspace.json"``, ``"model.json"``, ``"measurement.json"``, ``"patchset.json"`` or
            ``"jsonpatch.json"``.
        version: Version of the format; by default ``schema.version``.
        allow_tensors: Whether arrays (of NumPy, JAX, ...) are taken for lists of numbers.

    Raises:
        InvalidSpecification: The document does not follow the schema; ``faults`` holds what is wrong, of very
            much the first part.
        SchemaNotFound: There is no such schema in that version.

    Example:
        >>> from pyhf_func import schema
        >>> schema.validate({"name": "SR", "data": [3.0]}, "measurement.json")
        Traceback (most recent call last):
            ...
        pyhf_func.exceptions.InvalidSpecification: 2 faults:
          $: lacks 'config'. Add it
          $: has 'data', which is not part of the format. Known: name, config
    """
    compiled = _compiled(schema_name, version, allow_tensors)
    with not_too_deep():
        if compiled.predicate(spec):
            return
        plain = _plain(spec) if allow_tensors else spec
        errors = list(islice(compiled.errors(plain), _MOST_ERRORS))
        order = _Order(plain)
        errors.sort(key=order.of)
        if errors:
            found = dict.fromkeys(fault for error in errors for fault in explain(error))
            faults = [_fault(plain, steps, message) for steps, message in found]
            if len(errors) == _MOST_ERRORS:
                faults.append(Fault("$", "may have further faults, which were not looked for", InvalidSpecification))
            raise InvalidSpecification(errors[0], schema_name, faults=faults)


def conforms(spec: Any, schema_name: str, *, version: str | None = None, allow_tensors: bool = True) -> bool:
    """Whether a document surely follows a schema; see :func:`validate`."""
    with not_too_deep():
        return bool(_compiled(schema_name, version, allow_tensors).predicate(spec))


@contextmanager
def not_too_deep() -> Iterator[None]:
    """Turn Python's limit of recursion, which only nesting reaches, into a fault of the document."""
    try:
        yield
    except RecursionError:
        fault = Fault("$", "is nested too deeply to be a document of this format", InvalidSpecification)
        raise InvalidSpecification(faults=[fault]) from None


@contextmanager
def of_file(file: str | None) -> Iterator[None]:
    """Name the file in the messages of what is raised inside."""
    try:
        yield
    except InvalidSpecification as error:
        if file is None:
            raise
        faults = [replace(fault, file=file) for fault in error.faults]
        raise type(error)(error.parent, error.schema, faults=faults) from None


@dataclass(frozen=True)
class _Compiled:
    """A schema ready to use: the fast predicate and jsonschema's own judgement."""

    predicate: Predicate
    errors: Callable[[Any], Iterator[jsonschema.ValidationError]]


_MOST_ERRORS = 200
"""Errors that are asked of jsonschema, which takes long to find them."""

_COMPILED: dict[tuple[str, str, bool], tuple[dict[str, Any], _Compiled]] = {}


def _compiled(schema_name: str, version: str | None, allow_tensors: bool) -> _Compiled:
    """The schema in a form that is compiled once, and again where another schema folder is in use."""
    # What is not even shaped like a version is the document's fault: the default schema says so.
    folder = version if version and _is_version(version) else variables.SCHEMA_VERSION
    schema = load_schema(f"{folder}/{schema_name}")
    key = (schema_name, folder, allow_tensors)
    known = _COMPILED.get(key)
    if known is None or known[0] is not schema:
        known = _COMPILED[key] = schema, _compile(schema, folder, allow_tensors)
    return known[1]


def _is_version(version: Any) -> bool:
    return isinstance(version, str) and len(version) < 30 and re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) is not None


def _compile(schema: dict[str, Any], folder: str, allow_tensors: bool) -> _Compiled:
    resources: dict[str, Resource[Any]] = {}

    def retrieve(uri: str) -> Resource[Any]:
        """A schema of the same folder, under whatever address another one calls it."""
        name = PurePosixPath(uri).name
        if name not in resources:
            resources[name] = _resource(read_schema(f"{folder}/{name}"))
        return resources[name]

    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
    base: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    checker = base.TYPE_CHECKER.redefine("number", _is_number)
    resolver = registry.resolver_with_root(_resource(schema))
    parts: dict[int, Predicate] = {}
    predicate = compile_predicate(schema, resolver, allow_tensors=allow_tensors, parts=parts)
    extended = jsonschema.validators.extend(base, _skipping(base.VALIDATORS, parts), type_checker=checker)
    return _Compiled(predicate, extended(schema, registry=registry).iter_errors)


def _skipping(keywords: dict[str, Any], parts: dict[int, Predicate]) -> dict[str, Any]:
    """The keywords of objects and arrays for jsonschema, without the parts that predicates know to be valid.

    Args:
        keywords: The keywords as jsonschema has them.
        parts: The predicates of schemas, by the identity of these.
    """

    def properties(validator: Any, schemas: Any, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
        if validator.is_type(instance, "object"):
            for key, part in schemas.items():
                if key in instance and not _is_valid(part, instance[key]):
                    yield from validator.descend(instance[key], part, path=key, schema_path=key)

    def items(validator: Any, part: Any, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
        if id(part) not in parts or "prefixItems" in schema or not isinstance(instance, list):
            yield from keywords["items"](validator, part, instance, schema) or ()
            return
        for index, item in enumerate(instance):
            if not _is_valid(part, item):
                yield from validator.descend(item, part, path=index)

    def _is_valid(part: Any, instance: Any) -> bool:
        predicate = parts.get(id(part))
        return predicate is not None and predicate(instance)

    return {"properties": properties, "items": items}


def _resource(schema: dict[str, Any]) -> Resource[Any]:
    return Resource.from_contents(schema, default_specification=DRAFT202012)


def _is_number(_: Any, value: Any) -> bool:
    """Numbers as JSON has them: neither true and false nor complex ones."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """The document with its arrays as lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return as_list(value) if is_array(value) else value


class _Order:
    """Sorts errors by where they stand in a document."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.places: dict[int, dict[str, int]] = {}

    def of(self, error: jsonschema.ValidationError) -> list[int]:
        """The place of an error."""
        order, here = [], self.document
        for step in error.absolute_path:
            order.append(step if isinstance(step, int) else self._place(here, step))
            here = here[step]
        return order

    def _place(self, document: Any, key: str) -> int:
        if id(document) not in self.places:
            self.places[id(document)] = {key: place for place, key in enumerate(document)}
        return self.places[id(document)][key]


def _fault(document: Any, steps: tuple[str | int, ...], message: str) -> Fault:
    names = named(document, steps)
    return Fault(json_path(steps), f"{names}: {message}" if names else message, InvalidSpecification)
