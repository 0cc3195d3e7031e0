"""``nuisance edit``: changes to the nuisances of a card, in the order of its lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pyhf_func.documents.formats.datacards.card import Card, Column, Effect, Notes, Nuisance

__all__ = ["edit"]


def edit(card: Card, line: int, words: list[str], notes: Notes) -> None:
    """Carry out one edit.

    Args:
        card: The card, which changes.
        line: The line of the edit.
        words: The action and its arguments.
        notes: Takes what cannot be carried out.
    """
    actions = {
        "add": (_add, 5),
        "drop": (_drop, 3),
        "rename": (_rename, 4),
        "changepdf": (_change, 2),
        "freeze": (_freeze, 1),
        "split": (_split, 7),
        "merge": (_merge, 4),
        "flip": (_flip, 3),
    }
    action, *arguments = words or [""]
    if action == "rename" and len(arguments) == 2:
        arguments = ["*", "*", *arguments]
    if action not in actions:
        notes.fault(line, f"nuisance edit {action!r} is not read, only {', '.join(actions)}")
        return
    function, count = actions[action]
    if len(arguments) < count:
        notes.fault(line, f"nuisance edit {action} needs {count} arguments")
        return
    try:
        message = function(card, arguments[:count], arguments[count:], line)
    except _FoundNothing as error:
        note = notes.doubt if action == "add" or (action != "rename" and arguments[1] == "*") else notes.fault
        note(line, f"nuisance edit {action}: {error}")
        return
    except (ValueError, re.error) as error:
        message = str(error)
    if message:
        notes.fault(line, f"nuisance edit {action}: {message}")


class _FoundNothing(Exception):
    """Nothing is there to be changed, which Combine only warns of where all channels are meant."""


def _matching(card: Card, process: str, channel: str) -> list[Column]:
    """Columns whose process and channel match these expressions; ``*`` matches all."""
    patterns = [".*" if text == "*" else text for text in (channel.replace("+", r"\+"), process)]
    return [(b, p) for b, p in card.columns if re.fullmatch(patterns[0], b) and re.fullmatch(patterns[1], p)]


def _named(card: Card, name: str) -> Iterator[Nuisance]:
    return (nuisance for nuisance in card.nuisances if re.fullmatch(name, nuisance.name))


def _effect(value: str) -> Effect:
    numbers = [float(word) for word in value.split("/")]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else numbers[0]


def _add(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    process, channel, name, kind, value = arguments
    return _put(card, _matching(card, process, channel), name, kind, _effect(value), options, line)


def _put(
    card: Card, columns: list[Column], name: str, kind: str, effect: Effect, options: list[str], line: int
) -> str | None:
    known = [nuisance for nuisance in card.nuisances if nuisance.name == name]
    if any(nuisance.kind != kind for nuisance in known):
        return f"{name!r} is there as {known[0].kind}"
    if kind not in ("lnN", "lnU", "gmM", "shape", "shapeN", "shapeU", "shape?", "shapeN?", "shapeU?"):
        return f"a {kind} cannot be added"
    if not columns:
        raise _FoundNothing("no channel and process match")
    if not known:
        known = [Nuisance(name, kind, line, effects=dict.fromkeys(card.columns, 0.0))]
        card.nuisances.extend(known)
        card.lines.setdefault(name, line)
    for column in columns:
        before = known[0].effects.get(column, 0.0)
        if effect in (0.0, 1.0):
            continue
        if before in (0.0, 1.0) or "overwrite" in options:
            known[0].effects[column] = effect
        elif "addq" in options and kind in ("lnN", "lnU"):
            known[0].effects[column] = _in_quadrature(before, effect)
        elif "addq" in options:
            return f"{name!r} is a {kind}, of which there is no sum in quadrature"
        else:
            return f"{name!r} has an effect on {column[1]!r} in {column[0]!r} already: say addq or overwrite"
    return None


def _in_quadrature(one: Effect, other: Effect) -> Effect:
    """Two log-normal effects as one, each side in quadrature."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        first = one if isinstance(one, tuple) else (1 / one, one)
        second = other if isinstance(other, tuple) else (1 / other, other)
        down, up = (_in_quadrature(a, b) for a, b in zip(first, second, strict=True))
        assert isinstance(down, float)
        assert isinstance(up, float)
        return down, up
    logs = math.log(one), math.log(other)
    if logs[0] * logs[1] < 0:
        raise ValueError(f"{one} and {other} go in different directions")
    return math.exp(math.copysign(math.hypot(*logs), logs[0]))


def _unless(found: bool, options: list[str], message: str) -> str | None:
    if not found and "ifexists" not in options:
        raise _FoundNothing(message)
    return None


def _drop(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    process, channel, name = arguments
    columns = _matching(card, process, channel)
    found = list(_named(card, name))
    for nuisance in found:
        nuisance.effects.update(dict.fromkeys(columns, 0.0))
    return _unless(bool(found and columns), options, f"there is no {name!r} to drop")


def _rename(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    process, channel, old, new = arguments
    found = [nuisance for nuisance in card.nuisances if nuisance.name == old]
    if not found and old in card.params and process == channel == "*":
        card.params[new] = card.params.pop(old)
        return None
    columns = _matching(card, process, channel)
    for nuisance in found:
        if nuisance.kind == "gmN":
            return f"{old!r} is a gmN, which cannot be renamed"
        everywhere = process == channel == "*" and not options
        known = [n for n in card.nuisances if n.name == new and n.kind == nuisance.kind and not everywhere]
        into = known[0] if known else Nuisance(new, nuisance.kind, nuisance.line, nuisance.arguments)
        if not known:
            card.nuisances.append(into)
        for column in columns:
            into.shape_names[column] = nuisance.shape_names.get(column, old)
            into.effects[column] = nuisance.effects.get(column, 0.0)
            nuisance.effects[column] = 0.0
        card.lines.setdefault(new, nuisance.line)
    if found and not columns and "ifexists" not in options:
        return "no channel and process match"
    return None if found else f"there is no {old!r} to rename"


def _change(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    name, kind = arguments
    found = list(_named(card, name))
    for nuisance in found:
        both = [{"lnN", "lnU"}, {"shape", "shapeN", "shapeU", "shape?", "shapeN?", "shapeU?"}]
        if nuisance.kind != kind and not any({nuisance.kind, kind} <= group for group in both):
            return f"a {nuisance.kind} cannot be changed into a {kind}, or that is not read"
        nuisance.kind = kind
    return None


def _freeze(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    (name,) = arguments
    found: set[str] = set()
    rates, effects = (param.name for param in card.rate_params), (nuisance.name for nuisance in card.nuisances)
    for known in ([*rates, *card.extra], [*effects, *card.params]):
        found = found or {other for other in known if re.fullmatch(name, other)}
    card.frozen |= found
    return None if found or "ifexists" in options else f"there is no {name!r} to freeze"


def _split(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    process, channel, old, first, second, one, other = arguments
    columns = _matching(card, process, channel)
    found = list(_named(card, old))
    for nuisance in found:
        acted = [column for column in columns if nuisance.effects.get(column, 0.0) not in (0.0, 1.0)]
        for name, value in ((first, one), (second, other)) if acted else ():
            message = _put(card, acted, name, nuisance.kind, _effect(value), ["overwrite"], line)
            if message:
                return message
        nuisance.effects.update(dict.fromkeys(columns, 0.0))
    return _unless(bool(found), options, f"there is no {old!r} to split")


def _merge(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    process, channel, into, old = arguments
    found = list(_named(card, old))
    for nuisance in found:
        for column in _matching(card, process, channel):
            effect = nuisance.effects.get(column, 0.0)
            message = _put(card, [column], into, nuisance.kind, effect, ["addq"], line) if effect else None
            if message:
                return message
            nuisance.effects[column] = 0.0
    return _unless(bool(found), options, f"there is no {old!r} to merge")


def _flip(card: Card, arguments: list[str], options: list[str], line: int) -> str | None:
    """Turn log-normal effects round: ``p2n`` those that rise, ``n2p`` those that fall; of two sides the first tells."""
    process, channel, name = arguments
    if not {"p2n", "n2p"} & set(options):
        return "needs p2n, n2p or both"
    columns, found = _matching(card, process, channel), list(_named(card, name))
    for nuisance in found:
        if nuisance.kind != "lnN":
            return f"{nuisance.name!r} is a {nuisance.kind}, and only lnN can be flipped"
        for column in columns:
            effect = nuisance.effects.get(column, 0.0)
            first = effect[0] if isinstance(effect, tuple) else effect
            falls = first < 1 if not isinstance(effect, tuple) else first > 1
            if effect not in (0.0, 1.0) and first != 1 and ("n2p" if falls else "p2n") in options:
                nuisance.effects[column] = (1 / effect[0], 1 / effect[1]) if isinstance(effect, tuple) else 1 / effect
    return _unless(bool(found and columns), options, f"there is no {name!r} to flip")
