"""The register of modifier types, with a decorator that adds to it (names of pyhf 0.1.2).

The register says what a type is: how it is constrained and whether it shifts or scales. What a type of one's own does
to the yields is given to the model: ``Model(..., modifier_set=...)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pyhf_func._docs import read_whole
from pyhf_func.exceptions import InvalidModifier

__all__ = ["add_to_registry", "modifier", "registry", "validate_modifier_structure"]

C = TypeVar("C", bound=type)

registry: dict[str, Any] = {}
"""The class of each modifier type."""

_DENSITIES = ("normal", "poisson")
_OPERATIONS = ("addition", "multiplication")


def validate_modifier_structure(modifier: Any) -> bool:
    """True for a class that says what it requires of its parameter.

    Raises:
        InvalidModifier: It has no ``required_parset``.
    """
    if not hasattr(modifier, "required_parset"):
        raise InvalidModifier(f"{modifier.__name__} has no required_parset(n_parameters): add it as a class method.")
    return True


def add_to_registry(
    cls: Any,
    cls_name: str | None = None,
    constrained: bool = False,
    pdf_type: str = "normal",
    op_code: str = "addition",
) -> None:
    """Register a class as a modifier type, and note in it ``is_constrained``, ``pdf_type`` and ``op_code``.

    Args:
        cls: The class, with a ``required_parset``.
        cls_name: Name of the type; that of the class by default.
        constrained: Whether an auxiliary measurement constrains its parameter.
        pdf_type: ``"normal"`` or ``"poisson"``: the density of that measurement.
        op_code: ``"addition"`` for types that shift yields, ``"multiplication"`` for types that scale them.

    Raises:
        KeyError: The name is taken.
        InvalidModifier: The class has no ``required_parset``, or there is no such density or operation.
    """
    name = cls_name or cls.__name__
    if name in registry:
        raise KeyError(f"There is a modifier type {name!r} already: choose another name.")
    validate_modifier_structure(cls)
    if constrained and pdf_type not in _DENSITIES:
        raise InvalidModifier(f"pdf_type={pdf_type!r} of {name!r} is no density of a constraint: choose {_DENSITIES}.")
    if op_code not in _OPERATIONS:
        raise InvalidModifier(f"op_code={op_code!r} of {name!r} is no operation: choose {_OPERATIONS}.")
    cls.is_constrained = constrained
    cls.pdf_type = pdf_type if constrained else None
    cls.op_code = op_code
    registry[name] = cls


def modifier(
    *args: Any,
    name: str | None = None,
    constrained: bool = False,
    pdf_type: str = "normal",
    op_code: str = "addition",
    **unknown: Any,
) -> Any:
    """Decorate a class to register it as a modifier type: ``@modifier`` or ``@modifier(name=..., ...)``.

    Args:
        args: The class, where the decorator has no arguments.
        name: Name of the type; that of the class by default.
        constrained: As for `add_to_registry`.
        pdf_type: As for `add_to_registry`.
        op_code: As for `add_to_registry`.
        unknown: Nothing else.

    Raises:
        TypeError: The name is no string.
        ValueError: There are other arguments, or what is decorated is no class.
        KeyError: The name is taken.
        InvalidModifier: The class has no ``required_parset``, or there is no such density or operation.

    Example:
        >>> import pyhf_func as pyhf
        >>> @pyhf.modifiers.modifier(name="tilt", constrained=True)
        ... class Tilt:
        ...     @classmethod
        ...     def required_parset(cls, n_parameters):
        ...         return {"paramset_type": "constrained_by_normal", "n_parameters": n_parameters}
        >>> pyhf.modifiers.registry.pop("tilt").pdf_type
        'normal'
    """
    if unknown:
        raise ValueError(f"@modifier has no {', '.join(unknown)}: it takes name, constrained, pdf_type and op_code.")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"@modifier needs a string as name; {type(name).__name__} was given.")

    def register(cls: C) -> C:
        add_to_registry(cls, name, bool(constrained), str(pdf_type), str(op_code))
        return cls

    return _decorated(register, args)


def _decorated(register: Callable[[C], C], args: tuple[Any, ...]) -> Any:
    """The decorator, or the class that it was put on at once."""
    if not args:
        return register
    if len(args) > 1 or not callable(args[0]):
        raise ValueError(
            "@modifier decorates a class; everything else is given by keyword, as in @modifier(name='tilt')."
        )
    return register(args[0])


read_whole((add_to_registry, modifier))
