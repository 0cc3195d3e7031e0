"""Sets of parameters: one name with one or more components, its suggested values and its constraint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pyhf_func.pyhf.tensor.dispatch import backend_for

__all__ = ["constrained_by_normal", "constrained_by_poisson", "constrained_paramset", "paramset", "unconstrained"]


def __dir__() -> list[str]:
    return __all__


class paramset:
    """A named parameter with ``n_parameters`` components.

    Args:
        name: Its name.
        n_parameters: The number of its components.
        inits: Suggested start value of each component.
        bounds: Suggested (lower, upper) of each component.
        fixed: Whether to keep it fixed; one flag, or one for each component.
        is_scalar: Whether it is one number, and not a list of one.

    Raises:
        ValueError: It is scalar and has several components.
    """

    constrained: bool

    def __init__(
        self,
        *,
        name: str,
        n_parameters: int,
        inits: Sequence[float],
        bounds: Sequence[Sequence[float]],
        fixed: bool | Sequence[bool],
        is_scalar: bool,
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.n_parameters = n_parameters
        self.suggested_init = inits
        self.suggested_bounds = bounds
        self.is_scalar = is_scalar
        self._fixed = self._flags(fixed)
        if is_scalar and n_parameters != 1:
            raise ValueError(f"The scalar parameter {name!r} was given {n_parameters} components.")

    @property
    def suggested_fixed(self) -> list[bool]:
        """Whether to keep each component fixed; may be set to one flag, or one for each component."""
        return list(self._fixed)

    @suggested_fixed.setter
    def suggested_fixed(self, value: bool | Sequence[bool]) -> None:
        if not isinstance(value, bool) and len(value) != self.n_parameters:
            raise AssertionError(f"{self.name!r} has {self.n_parameters} components; {len(value)} flags were given.")
        self._fixed = self._flags(value)

    def _flags(self, value: bool | Sequence[bool]) -> list[bool]:
        return [value] * self.n_parameters if isinstance(value, bool) else list(value)

    @property
    def suggested_fixed_as_bool(self) -> bool:
        """The one flag of all components.

        Raises:
            RuntimeError: Some components are fixed and some are not.
        """
        flags = set(self.suggested_fixed)
        if len(flags) > 1:
            raise RuntimeError(f"{self.name!r} has fixed and free components: {self.suggested_fixed}.")
        return flags.pop()


class unconstrained(paramset):
    """A parameter that the main data alone determine."""

    constrained = False


class constrained_paramset(paramset):
    """A parameter with an auxiliary measurement ``auxdata`` of each component."""

    constrained = True
    pdf_type: str

    def __init__(self, *, auxdata: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auxdata = auxdata


class constrained_by_normal(constrained_paramset):
    """Its auxiliary data are Gaussian around the parameter, with widths ``sigmas`` (one where silent)."""

    pdf_type = "normal"

    def __init__(self, *, sigmas: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if sigmas is not None and len(sigmas):
            self.sigmas = sigmas

    def width(self) -> list[float]:
        """Width of the constraint of each component."""
        return list(getattr(self, "sigmas", [1.0] * self.n_parameters))

    def expected_data(self, pars: Any) -> Any:
        """Means of the auxiliary data at ``pars``: these themselves."""
        return pars


class constrained_by_poisson(constrained_paramset):
    """Its auxiliary data are counts with the mean parameter × ``factors``."""

    pdf_type = "poisson"

    def __init__(self, *, factors: Sequence[float] | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factors = factors

    def width(self) -> list[float]:
        """Width of the constraint of each component: 1 / sqrt(factor).

        Raises:
            RuntimeError: It has no factors.

        Example:
            >>> constrained_by_poisson(name="g", n_parameters=1, inits=[1.0], bounds=[(0, 9)], fixed=False,
            ...     is_scalar=False, auxdata=[25.0], factors=[25.0]).width()
            [0.2]
        """
        if self.factors is None or not len(self.factors):
            raise RuntimeError(f"The parameter {self.name!r} has no factors, and so no width.")
        return [math.sqrt(1.0 / factor) for factor in self.factors]

    def expected_data(self, pars: Any) -> Any:
        """Means of the auxiliary data at ``pars``: ``pars * factors``."""
        tensorlib = backend_for(pars, self.factors)
        return tensorlib.astensor(pars) * tensorlib.astensor(self.factors)


class constrained_otherwise(constrained_paramset):
    """Its auxiliary data have another density of the model language, named ``pdf_type``, with widths ``sigmas``."""

    def __init__(self, *, sigmas: Sequence[float], pdf_type: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sigmas = sigmas
        self.pdf_type = pdf_type

    def width(self) -> list[float]:
        """Width of the constraint of each component."""
        return list(self.sigmas)

    def expected_data(self, pars: Any) -> Any:
        """Asimov values of the auxiliary data at ``pars``: these themselves."""
        return pars
