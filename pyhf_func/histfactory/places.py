"""Places of files that a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pyhf_func.exceptions import Fault, InvalidSpecification

__all__ = ["Mounts", "Resolver", "guarded", "resolver_factory"]

Resolver = Callable[[str], Path]


Mounts = Iterable[tuple[Path, Path]]


def resolver_factory(rootdir: Path, mounts: Mounts) -> Resolver:
    """A function that finds the place of a file here from its name in the configuration.

    Example:
        >>> find = resolver_factory(Path("/here"), [(Path("/data"), Path("/eos/analysis"))])
        >>> find("a.root").as_posix(), find("/eos/analysis/b.root").as_posix(), find("/c.root").as_posix()
        ('/here/a.root', '/data/b.root', '/c.root')
    """
    places = [(Path(here), Path(there)) for here, there in mounts]

    def resolver(filename: str) -> Path:
        path = Path(filename)
        for here, there in places:
            if path.is_relative_to(there):
                path = here / path.relative_to(there)
                break
        return rootdir / path

    return resolver


def guarded(resolver: Resolver, folders: Sequence[Path]) -> Resolver:
    """The resolver, which refuses files outside of some folders."""
    known = [folder.resolve() for folder in folders]

    def guarded(filename: str) -> Path:
        path = resolver(filename)
        place = path.resolve()  # where a link leads
        if path.exists() and not any(place.is_relative_to(folder) for folder in known):
            message = (
                f"{filename!r} lies outside of the base folder {folders[0]}. If the configuration is to be trusted, "
                "name its folder as a mount, or allow it with allow_outside (in the shell --allow-outside)"
            )
            raise InvalidSpecification(faults=[Fault("$", message, InvalidSpecification)])
        return path

    return guarded
