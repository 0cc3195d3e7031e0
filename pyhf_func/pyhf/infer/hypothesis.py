"""The hypothesis test, by asymptotic formulae or by toys."""

from __future__ import annotations

from typing import Any

from pyhf_func.exceptions import InvalidModel, UnspecifiedPOI
from pyhf_func.pyhf.infer import calculators, engine, mle, utils
from pyhf_func.pyhf.infer.arguments import check_problem
from pyhf_func.pyhf.infer.test_statistics import statistic_of
from pyhf_func.pyhf.tensor.dispatch import backend_for


def hypotest(
    poi_test: Any,
    data: Any,
    pdf: Any,
    init_pars: Any = None,
    par_bounds: Any = None,
    fixed_params: Any = None,
    calctype: str = "asymptotics",
    return_tail_probs: bool = False,
    return_expected: bool = False,
    return_expected_set: bool = False,
    return_calculator: bool = False,
    **kwargs: Any,
) -> Any:
    r"""Test one value of the parameter of interest.

    .. math:: \mathrm{CL}_s = \mathrm{CL}_{s+b} / \mathrm{CL}_b = p_\mu / (1 - p_b)

    Args:
        poi_test: The tested value.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,). None for the model's suggestion.
        par_bounds: (lower, upper) of each parameter; shape (npars, 2); likewise.
        fixed_params: Flags of the parameters that stay at their start values; shape (npars,); likewise.
        calctype: ``"asymptotics"`` or ``"toybased"``.
        return_tail_probs: Also return ``[CLsb, CLb]`` (``q0``: ``[CLb]``).
        return_expected: Also return the expected CLs for background-only data.
        return_expected_set: Also return the list of expected CLs at -2, -1, 0, 1, 2 standard deviations.
        return_calculator: Also return the calculator.
        kwargs: Options of the calculator, such as ``test_stat="q"`` (`pyhf_func.infer.calculators`); ``qtilde=True``
            and ``qtilde=False``, as in older versions of pyhf, are ``test_stat="qtilde"`` and ``"q"``.

    Returns:
        CLs, shape () (for ``test_stat="q0"`` the p-value of background only, p0); or a tuple of it and what else was
        asked for, in the order of the arguments.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidTestStatistic: There is no such test statistic.
        InvalidPdfParameters: Start values, bounds or flags are not one for each parameter.
        ValueError: Several values are to be tested; or one, or a start value, lies outside of its bounds.
        FailedMinimization: A fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> observed, expected = pyhf.infer.hypotest(1.0, data, model, return_expected_set=True)
        >>> round(float(observed), 6), [round(float(cls), 6) for cls in expected]
        (0.052516, [0.002606, 0.013821, 0.064455, 0.235261, 0.573042])
    """
    check_problem(data, pdf)
    poi_test = mle.one_value(poi_test)
    init_pars, par_bounds, fixed_params = mle.start_of(pdf, init_pars, par_bounds, fixed_params)
    _check_prerequisites(pdf, fixed_params)
    calculator = utils.create_calculator(calctype, data, pdf, init_pars, par_bounds, fixed_params, **kwargs)
    observed = statistic_of(calculator.test_stat).field
    band = f"{observed}_expected"
    tails = [name for name in ("clsb", "clb") if name != observed]
    wanted = [observed]
    wanted += tails if return_tail_probs else ()
    wanted += [band] if return_expected or return_expected_set else []
    found = _test(calculator, poi_test, tuple(wanted), keep=return_calculator)

    results = [found[observed]]
    if return_tail_probs:
        results.append([found[name] for name in tails])
    if return_expected or return_expected_set:
        values = list(found[band])
        results += [values[2]] if return_expected else []
        results += [values] if return_expected_set else []
    if return_calculator:
        results.append(calculator)
    return tuple(results) if len(results) > 1 else results[0]


def _check_prerequisites(pdf: Any, fixed_params: Any) -> None:
    if pdf.config.poi_index is None:
        raise UnspecifiedPOI("No POI is defined. A POI is required to run a hypothesis test.")
    if not utils.all_pois_floating(pdf, fixed_params):
        raise InvalidModel(
            f"The POI (parameter {pdf.config.poi_index}) is fixed, and a profile likelihood ratio needs it free: "
            "set its flag in fixed_params, or 'fixed' in the measurement, to False."
        )


_FIELDS = ("clsb", "clb", "cls", "clsb_expected", "cls_expected")


def _test(calculator: Any, poi_test: Any, wanted: tuple[str, ...], *, keep: bool) -> dict[str, Any]:
    """The p-values that are wanted, at least; by one call of the engine where it has them."""
    minimiser = engine.engine_minimiser(calculator.pdf)
    asymptotic = type(calculator) is calculators.AsymptoticCalculator and calculator.calc_base_dist == "normal"
    if minimiser is not None and asymptotic:
        statistic_of(calculator.test_stat)
        return calculator._in_engine(minimiser, poi_test, wanted, keep=keep)
    teststat = calculator.teststatistic(poi_test)
    distributions = calculator.distributions(poi_test)
    clsb, clb, cls = (_tensor(pvalue) for pvalue in calculator.pvalues(teststat, *distributions))
    clsb_expected, _, cls_expected = (map(_tensor, band) for band in calculator.expected_pvalues(*distributions))
    return dict(zip(_FIELDS, (clsb, clb, cls, clsb_expected, cls_expected), strict=True))


def _tensor(value: Any) -> Any:
    return backend_for(value).astensor(value)
