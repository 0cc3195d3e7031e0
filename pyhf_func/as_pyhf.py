"""This library in the place of pyhf: ``pyhf_func.as_pyhf()`` in a program, or around one that cannot be changed.

From the shell::

    python -m pyhf_func.as_pyhf SCRIPT [ARGUMENTS]
    python -m pyhf_func.as_pyhf -m MODULE [ARGUMENTS]
"""

from __future__ import annotations

import sys
from types import ModuleType

from pyhf_func._dropin import as_pyhf, main

__all__ = ["as_pyhf"]


def __dir__() -> list[str]:
    return __all__


class _AsPyhf(ModuleType):
    """The module itself, callable."""

    def __call__(self) -> None:
        """Call `as_pyhf`."""
        as_pyhf()


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    sys.modules[__name__].__class__ = _AsPyhf
