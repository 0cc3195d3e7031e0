"""Names: parameters of HS3, each with a name of its own, and ours, which modifiers share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Use", "named"]

Owners = tuple[str, ...]
Use = tuple[str, str, str, Owners]
"""One use of parameters: channel, modifier type, the modifier's name and the owner's parameters."""

_SAYS_NOTHING = frozenset(("staterror", "mcstat", "Lumi", "lumi"))
"""Names that programs give to every modifier of a kind."""


def named(uses: Sequence[Use]) -> dict[Owners, str]:
    """A name of ours for each set of parameters: the modifier's where it is clear, else one made from the parameters.

    The staterrors of several channels are one, with one name, where their parameters are counted through.

    Example:
        >>> named([("SR", "normsys", "jes", ("alpha_jes",)), ("SR", "normfactor", "jes", ("jes",))])
        {('alpha_jes',): 'alpha_jes', ('jes',): 'jes'}
    """
    through = _counted_through(uses)
    candidates = {owners: _candidates(owners, uses) for _, _, _, owners in uses}
    level = dict.fromkeys(candidates, 0)
    while True:
        names = {owners: candidates[owners][level[owners]] for owners in candidates}
        shared = {through.get(owners, owners): name for owners, name in names.items()}
        counts = Counter(shared.values())
        clashing = [
            owners
            for owners, name in names.items()
            if (counts[name] > 1 or not name) and level[owners] + 1 < len(candidates[owners])
        ]
        if not clashing:
            return names
        for owners in clashing:
            level[owners] += 1


def _candidates(owners: Owners, uses: Iterable[Use]) -> list[str]:
    """What a set of parameters may be called, the best first."""
    mine = {(kind, name) for _, kind, name, used in uses if used == owners}
    if any(kind == "lumi" for kind, _ in mine):
        return ["lumi"]
    names = {name for _, name in mine}
    best = next(iter(names)) if len(names) == 1 and not names & _SAYS_NOTHING else ""
    whole = owners[0] if len(owners) == 1 else re.sub(r"_(bin_)?\d+$", "", owners[0])
    per_bin = any(kind in ("shapesys", "shapefactor", "staterror") for kind, _ in mine)
    if per_bin:
        whole = re.sub(r"_(bin_)?0$", "", whole)
        short = whole.removeprefix("gamma_")
    elif all(kind in ("normsys", "histosys") for kind, _ in mine):
        short = whole.removeprefix("alpha_")
    else:
        short = whole
    return [best, short, whole, owners[0], "+".join(owners)]


def _counted_through(uses: Iterable[Use]) -> Mapping[Owners, Owners]:
    """Staterrors of one name in several channels whose parameters are counted through: the first one's for each."""
    groups: dict[str, dict[str, Owners]] = {}
    for channel, kind, name, owners in uses:
        if kind == "staterror":
            groups.setdefault(name, {})[channel] = owners
    result: dict[Owners, Owners] = {}
    for name, channels in groups.items():
        ordered = [channels[channel] for channel in sorted(channels)]
        if [owner for owners in ordered for owner in owners] == numbered(name, sum(map(len, ordered))):
            result.update(dict.fromkeys(ordered, ordered[0]))
    return {**result, **_shared(uses)}


def _shared(uses: Iterable[Use]) -> Mapping[Owners, Owners]:
    """Shapefactors of one name that channels of fewer bins use the first components of: the longest for each."""
    groups: dict[str, set[Owners]] = {}
    for _, kind, name, owners in uses:
        if kind == "shapefactor":
            groups.setdefault(name, set()).add(owners)
    longest = {name: max(found, key=len) for name, found in groups.items()}
    return {
        owners: longest[name]
        for name, found in groups.items()
        for owners in found
        if all(longest[name][: len(other)] == other for other in found)
    }


def numbered(name: str, count: int) -> list[str]:
    """The parameters of a modifier with one a bin, as we call them in HS3."""
    return [f"gamma_{name}_bin_{i}" for i in range(count)]
