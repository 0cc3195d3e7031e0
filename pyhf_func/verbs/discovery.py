"""The test of the background-only hypothesis."""

from __future__ import annotations

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import DiscoveryResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    data_of,
    of_interest,
    start_of_test,
    traced_minimiser,
)
from pyhf_func.verbs._verb import verb


@verb(_engine.discovery, static=1)
def discovery(
    data: Numbers,
    model: AnyModel,
    *,
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> DiscoveryResult:
    """Test the background-only hypothesis: p0 and the significance, observed and expected for the nominal signal.

    Returns:
        p-values (Equation (52)) and significances (Equation (53)), each with its own status, and the fits.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        TypeError: An argument is of the wrong kind.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.discovery([68, 60] + model.config.auxdata, model)
        >>> round(float(found.z), 4), round(float(found.p0), 4)
        (2.2401, 0.0125)
    """
    model = of_interest(model, poi)
    observed = data_of(model, data)
    chosen, start = traced_minimiser(minimiser, "discovery"), start_of_test(model, init, bounds, fixed)
    return discovery.program(chosen, observed, model.likelihood, start)
