"""Turn what jsonschema says into faults that a physicist can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jsonschema

from pyhf_func.core.values import short
from pyhf_func.exceptions import cut

__all__ = ["explain", "listed", "named"]

Steps = tuple[str | int, ...]

_LISTS = ("measurements", "observations", "channels", "samples", "modifiers", "parameters", "patches")
_NOUNS = {
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names with commas between, the first of them where there are many.

    Example:
        >>> listed("abc"), listed("abc", most=2)
        ('a, b, c', 'a, b and 1 more')
    """
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"


def named(document: Any, steps: Sequence[str | int]) -> str:
    """The names along a path, such as ``channel 'SR', sample 'bkg'``; "" where there are none."""
    names, here, list_name = [], document, ""
    for step in steps:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(step, str):
            list_name = step
        elif list_name in _LISTS and isinstance(here, dict):
            label = here.get("name", here.get("metadata"))
            label = label.get("name") if isinstance(label, dict) else label
            if isinstance(label, str):
                names.append(f"{'patch' if list_name == 'patches' else list_name[:-1]} {short(label, 120)}")
    return ", ".join(names)


def explain(error: jsonschema.ValidationError) -> Iterator[tuple[Steps, str]]:
    """Path and wording of each fault behind one error of jsonschema."""
    if error.validator in ("anyOf", "oneOf"):
        yield from _explain_branches(error)
    else:
        wording = _WORDINGS.get(error.validator)
        message = wording(error.instance, error.validator_value, error.schema) if wording else cut(error.message)
        yield tuple(error.absolute_path), message


def _explain_branches(error: jsonschema.ValidationError) -> Iterator[tuple[Steps, str]]:
    """Faults of the one branch that was meant, which a property with a constant in every branch tells."""
    count = len(error.validator_value)
    misses: dict[str | int, dict[int, Any]] = {}
    for sub in error.context:
        if sub.validator in ("const", "enum") and len(sub.relative_path) == 1:
            misses.setdefault(sub.relative_path[0], {})[sub.relative_schema_path[0]] = sub.validator_value
    for key, branches in misses.items():
        if len(branches) == count - 1:
            (meant,) = set(range(count)) - set(branches)
            for sub in error.context:
                if sub.relative_schema_path[0] == meant:
                    yield from explain(sub)
            return
        if len(branches) == count:
            known = [value for branch in branches.values() for value in _as_list(branch)]
            yield (
                (*error.absolute_path, key),
                f"{short(error.instance[key])} is no known {key}. Known: {', '.join(map(str, known))}",
            )
            return
    found = {(sub.relative_schema_path[0], fault) for sub in error.context for fault in _explain_each(sub)}
    in_all = [fault for fault, n in Counter(fault for _, fault in found).items() if n == count]
    yield from sorted(in_all) or [(tuple(error.absolute_path), cut(error.message))]


def _explain_each(error: jsonschema.ValidationError) -> Iterator[tuple[Steps, str]]:
    """Like ``explain``, with a fault for each missing key, so that branches can be compared."""
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield tuple(error.absolute_path), _missing(error.instance, [key], error.schema)
    else:
        yield from explain(error)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _wrong_type(instance: Any, expected: Any, _: Any) -> str:
    nouns = " or ".join(_NOUNS.get(name, name) for name in _as_list(expected))
    return f"must be {nouns}, not {short(instance)}"


def _missing(instance: Any, required: Any, _: Any) -> str:
    missing = [key for key in required if key not in instance]
    return f"lacks {listed(map(short, missing))}. Add {'it' if len(missing) == 1 else 'them'}"


def _unknown_keys(instance: Any, _: Any, schema: Any) -> str:
    known = schema.get("properties", {})
    unknown = [key for key in instance if key not in known]
    return f"has {listed(map(short, unknown))}, which is not part of the format. Known: {', '.join(known)}"


def _too_few(instance: Any, least: int, _: Any) -> str:
    if not len(instance):
        return "must not be empty"
    return f"must have {least} values, not {len(instance)}"


_WORDINGS: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": _wrong_type,
    "required": _missing,
    "additionalProperties": _unknown_keys,
    "minItems": _too_few,
    "minProperties": _too_few,
    "maxItems": lambda instance, most, _: f"must have {most} values, not {len(instance)}",
    "const": lambda instance, value, _: f"must be {short(value)}, not {short(instance)}",
    "enum": lambda instance, values, _: f"must be one of {values}, not {short(instance)}",
    "pattern": lambda instance, pattern, _: f"must match {pattern}, which {short(instance)} does not",
}
