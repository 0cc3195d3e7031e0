"""Fast answers to "is this surely valid?", compiled from a schema.

Published likelihoods hold thousands of modifiers and nearly all are valid. A predicate answers for them in
microseconds. It says True only where jsonschema finds nothing; False means that it does not know, and
jsonschema decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from numbers import Real
from typing import Any, Protocol

__all__ = ["Predicate", "compile_predicate"]

Predicate = Callable[[Any], bool]

_ANNOTATIONS = {"$schema", "$id", "$defs", "$comment", "definitions", "title", "description"}
_OBJECT = {"required", "properties", "additionalProperties", "minProperties"}
_ARRAY = {"items", "minItems", "maxItems"}
_PLAIN_NUMBERS = frozenset((int, float))


class Resolved(Protocol):
    """The target of a reference, and the resolver of the references in there."""

    @property
    def contents(self) -> Any: ...
    @property
    def resolver(self) -> Any: ...


class Resolver(Protocol):
    """Resolves references, as the resolvers of the package referencing do."""

    def lookup(self, ref: str) -> Resolved: ...


class _Unknown(Exception):
    """The schema uses something that predicates do not cover."""


def compile_predicate(
    schema: Any, resolver: Resolver, *, allow_tensors: bool, parts: dict[int, Predicate] | None = None
) -> Predicate:
    """The predicate of a schema; one that never knows where the schema uses something not covered.

    Args:
        schema: The schema.
        resolver: Resolves the references in it.
        allow_tensors: Whether arrays of numbers count as lists.
        parts: Takes the predicates of the schemas inside of this one, by the identity of these.
    """
    try:
        return _Compiler(allow_tensors, {} if parts is None else parts).compile(schema, resolver)
    except _Unknown:
        return lambda instance: False


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_tensor(value: Any) -> bool:
    """Whether a value is a (one-dimensional) array of real numbers, of NumPy, JAX or another framework."""
    dtype = getattr(value, "dtype", None)
    return getattr(value, "ndim", None) == 1 and getattr(dtype, "kind", None) in ("i", "u", "f")


_TYPES: dict[str, Predicate] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


class _Compiler:
    """Compiles schemas; remembers what a reference compiled to."""

    def __init__(self, allow_tensors: bool, parts: dict[int, Predicate]) -> None:
        self.allow_tensors = allow_tensors
        self.parts = parts
        self.references: dict[str, Predicate | None] = {}

    def compile(self, schema: Any, resolver: Resolver) -> Predicate:
        if not isinstance(schema, dict):
            raise _Unknown
        predicate = self.parts[id(schema)] = self._made(schema, resolver)
        return predicate

    def _made(self, schema: dict[str, Any], resolver: Resolver) -> Predicate:
        keywords = schema.keys() - _ANNOTATIONS
        if not keywords:
            return lambda value: True
        if keywords == {"$ref"}:
            return self._reference(schema["$ref"], resolver)
        kind = schema.get("type")
        if kind == "object" and keywords <= _OBJECT | {"type"}:
            return self._object(schema, resolver)
        if kind == "array" and keywords <= _ARRAY | {"type"}:
            return self._array(schema, resolver)
        if keywords == {"anyOf"}:
            return self._branches(schema["anyOf"], resolver)
        return self._scalar(schema, keywords)

    def _reference(self, reference: str, resolver: Resolver) -> Predicate:
        resolved = resolver.lookup(reference)
        key = f"{id(resolved.contents)}"
        if key not in self.references:
            self.references[key] = None
            self.references[key] = self.compile(resolved.contents, resolved.resolver)
        predicate = self.references[key]
        if predicate is None:  # the schema refers to itself
            raise _Unknown
        return predicate

    def _scalar(self, schema: dict[str, Any], keywords: set[str]) -> Predicate:
        if keywords == {"type"}:
            names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not set(names) <= _TYPES.keys():
                raise _Unknown
            if len(names) == 1:
                return _TYPES[names[0]]
            tests = [_TYPES[name] for name in names]
            return lambda value: any(test(value) for test in tests)
        if keywords == {"type", "pattern"} and schema["type"] == "string":
            search = re.compile(schema["pattern"]).search
            return lambda value: isinstance(value, str) and search(value) is not None
        values = frozenset(_constants(schema))
        if values and keywords in ({"const"}, {"enum"}):
            return lambda value: isinstance(value, str) and value in values
        raise _Unknown

    def _object(self, schema: dict[str, Any], resolver: Resolver) -> Predicate:
        required = frozenset(schema.get("required", ()))
        least = schema.get("minProperties", 0)
        closed = schema.get("additionalProperties", True)
        if not isinstance(closed, bool):
            raise _Unknown
        closed = not closed
        tests = {key: self.compile(sub, resolver) for key, sub in schema.get("properties", {}).items()}

        def predicate(value: Any) -> bool:
            if not isinstance(value, dict) or len(value) < least or not required <= value.keys():
                return False
            for key, item in value.items():
                test = tests.get(key)
                if test is None:
                    if closed:
                        return False
                elif not test(item):
                    return False
            return True

        return predicate

    def _array(self, schema: dict[str, Any], resolver: Resolver) -> Predicate:
        least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
        items = schema.get("items", {})
        if items == {"type": "number"}:
            return self._numbers(least, most)
        test = self.compile(schema["items"], resolver) if "items" in schema else lambda item: True

        def predicate(value: Any) -> bool:
            return isinstance(value, list) and least <= len(value) <= most and all(map(test, value))

        return predicate

    def _numbers(self, least: int, most: float) -> Predicate:
        allow_tensors = self.allow_tensors

        def predicate(value: Any) -> bool:
            if isinstance(value, list):
                plain = _PLAIN_NUMBERS.issuperset(map(type, value)) or all(map(_is_number, value))
                return plain and least <= len(value) <= most
            return allow_tensors and _is_tensor(value) and least <= len(value) <= most

        return predicate

    def _branches(self, branches: list[Any], resolver: Resolver) -> Predicate:
        """Choose the branch by the property with a constant in every branch, such as a modifier's type."""
        resolved = [self._resolve(branch, resolver) for branch in branches]
        keys = set.intersection(*({*branch.get("properties", {})} for branch in resolved))
        for key in sorted(keys):
            constants = [_constants(branch["properties"][key]) for branch in resolved]
            if all(constants):
                break
        else:
            raise _Unknown
        table: dict[str, Predicate] = {}
        for branch, values in zip(branches, constants, strict=True):
            table |= dict.fromkeys(values, self.compile(branch, resolver))

        def predicate(value: Any) -> bool:
            if not isinstance(value, dict):
                return False
            choice = value.get(key)
            test = table.get(choice) if isinstance(choice, str) else None
            return test is not None and test(value)

        return predicate

    @staticmethod
    def _resolve(schema: Any, resolver: Resolver) -> dict[str, Any]:
        contents = resolver.lookup(schema["$ref"]).contents if "$ref" in schema else schema
        if not isinstance(contents, dict):
            raise _Unknown
        return contents


def _constants(schema: Any) -> list[str]:
    """The strings that a schema allows, or none where it is not about constant strings alone."""
    if not isinstance(schema, dict):
        return []
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return values if all(isinstance(value, str) for value in values) else []
