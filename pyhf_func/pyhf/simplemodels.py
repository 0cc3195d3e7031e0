"""Small models of one channel from numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from warnings import warn

from pyhf_func.core.values import as_list, is_array
from pyhf_func.pyhf.pdf import Model

__all__ = ["correlated_background", "hepdata_like", "uncorrelated_background"]


def __dir__() -> list[str]:
    return __all__


def correlated_background(
    signal: Sequence[float],
    bkg: Sequence[float],
    bkg_up: Sequence[float],
    bkg_down: Sequence[float],
    batch_size: int | None = None,
    validate: bool = True,
) -> Model:
    """A signal of strength ``mu`` over a background whose bins vary together.

    The background in bin b is interpolated in one parameter α with a standard normal constraint, from ``bkg_down`` at
    α = -1 through ``bkg`` to ``bkg_up`` at α = +1.

    Args:
        signal: Signal yields, shape (bins,).
        bkg: Background yields, shape (bins,).
        bkg_up: Background yields at α = +1, shape (bins,).
        bkg_down: Background yields at α = -1, shape (bins,).
        batch_size: Number of parameter points that the model evaluates at once; None: one.
        validate: Whether to check the numbers against the schema.

    Raises:
        InvalidSpecification: What was given are not lists of numbers.
        InvalidModel: The numbers of bins differ, or the numbers have no meaning.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.correlated_background([12.0, 11.0], [50.0, 52.0], [45.0, 57.0], [55.0, 47.0])
        >>> model.config.par_names
        ['correlated_bkg_uncertainty', 'mu']
        >>> [float(x) for x in model.expected_actualdata([1.0, 1.0])]
        [57.0, 68.0]
    """
    variation = {"lo_data": _list(bkg_down), "hi_data": _list(bkg_up)}
    modifier = {"name": "correlated_bkg_uncertainty", "type": "histosys", "data": variation}
    return Model(_spec("single_channel", signal, bkg, modifier), batch_size=batch_size, validate=validate)


def uncorrelated_background(
    signal: Sequence[float],
    bkg: Sequence[float],
    bkg_uncertainty: Sequence[float],
    batch_size: int | None = None,
    validate: bool = True,
) -> Model:
    """A signal of strength ``mu`` over a background whose bins vary on their own.

    The background in bin b is scaled by γ_b, which a Poisson measurement of (bkg / bkg_uncertainty)² events constrains.

    Args:
        signal: Signal yields, shape (bins,).
        bkg: Background yields, shape (bins,).
        bkg_uncertainty: Their absolute uncertainties, shape (bins,).
        batch_size: Number of parameter points that the model evaluates at once; None: one.
        validate: Whether to check the numbers against the schema.

    Raises:
        InvalidSpecification: What was given are not lists of numbers.
        InvalidModel: The numbers of bins differ, or the numbers have no meaning.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> model.config.par_names
        ['mu', 'uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
        >>> [float(x) for x in model.expected_actualdata([2.0, 1.0, 0.5])]
        [74.0, 48.0]
    """
    modifier = {"name": "uncorr_bkguncrt", "type": "shapesys", "data": _list(bkg_uncertainty)}
    return Model(_spec("singlechannel", signal, bkg, modifier), batch_size=batch_size, validate=validate)


def hepdata_like(
    signal_data: Sequence[float],
    bkg_data: Sequence[float],
    bkg_uncerts: Sequence[float],
    batch_size: int | None = None,
) -> Model:
    """The older name of :func:`uncorrelated_background`.

    Warns:
        DeprecationWarning: Always.
    """
    warn("hepdata_like is now called uncorrelated_background", DeprecationWarning, stacklevel=2)
    return uncorrelated_background(signal_data, bkg_data, bkg_uncerts, batch_size=batch_size)


def _spec(channel: str, signal: Sequence[float], bkg: Sequence[float], modifier: dict[str, Any]) -> dict[str, Any]:
    strength = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": _list(signal), "modifiers": [strength]},
        {"name": "background", "data": _list(bkg), "modifiers": [modifier]},
    ]
    return {"channels": [{"name": channel, "samples": samples}]}


def _list(values: Any) -> Any:
    """Arrays of any framework as lists; anything else is for the schema to judge."""
    return as_list(values) if is_array(values) else values
