"""Names that a card, and RooFit behind it, can hold."""

from __future__ import annotations

import re

__all__ = ["Names"]


class Names:
    """Makes names of one kind safe, and different from each other.

    Args:
        taken: Names that something else has.
        pattern: What a name may be.

    Example:
        >>> names = Names(taken=["r"])
        >>> names.of("jes"), names.of("two words"), names.of("two:words"), names.of("r"), names.of("2mu")
        ('jes', 'two_words', 'two_words_', 'r_', 'p2mu')
    """

    def __init__(self, *, taken: list[str] | None = None, pattern: str = r"[A-Za-z_]\w*") -> None:
        self.taken = set(taken or ())
        self.pattern = re.compile(pattern, re.ASCII)
        self.known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The name to write, always the same for one name."""
        if name not in self.known:
            safe = name if self.pattern.fullmatch(name) else re.sub(r"\W", "_", name, flags=re.ASCII)
            safe = safe if safe and self.pattern.fullmatch(safe) else f"p{safe}"
            while safe in self.taken:
                safe += "_"
            self.taken.add(safe)
            self.known[name] = safe
        return self.known[name]

    @property
    def changed(self) -> dict[str, str]:
        """The names that are written otherwise."""
        return {name: safe for name, safe in self.known.items() if name != safe}
