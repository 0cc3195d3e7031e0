"""The statistics functions of `pyhf_func.utils`: one hypothesis test, step by step, with tensors of shape (1,)."""

from __future__ import annotations

from typing import Any

from pyhf_func.core.statistics import QTILDE, Q
from pyhf_func.pyhf.infer import calculators, engine, mle, test_statistics
from pyhf_func.pyhf.optimize.engine import is_twice_nll
from pyhf_func.pyhf.tensor.dispatch import backend_for

__all__ = [
    "generate_asimov_data",
    "hypotest",
    "loglambdav",
    "pvals_from_teststat",
    "pvals_from_teststat_expected",
    "qmu",
]


def __dir__() -> list[str]:
    return __all__


@is_twice_nll
def loglambdav(pars: Any, data: Any, pdf: Any) -> Any:
    """Twice the negative log-likelihood; the same as `pyhf_func.infer.mle.twice_nll`.

    Args:
        pars: Parameters; shape (npars,).
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.

    Returns:
        A tensor of the shape of ``pdf.logpdf``: (1,).
    """
    return mle.twice_nll(pars, data, pdf)


def qmu(mu: Any, data: Any, pdf: Any, init_pars: Any, par_bounds: Any) -> Any:
    r"""The test statistic :math:`q_\mu` for an upper limit: Equation (14) of arXiv:1007.1727; shape (1,).

    Args:
        mu: The tested value of the parameter of interest.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,).
        par_bounds: (lower, upper) of each parameter; shape (npars, 2).

    Returns:
        Twice the difference of the negative log-likelihoods; 0 where the best fit exceeds ``mu``.

    Raises:
        FailedMinimization: A fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> start = model.config.suggested_init(), model.config.suggested_bounds()
        >>> pyhf.utils.qmu(1.0, data, model, *start).round(6)
        array([3.938245])
    """
    fixed = pdf.config.suggested_fixed()
    value = test_statistics.one_sided(Q, mu, data, pdf, (init_pars, par_bounds, fixed), False)
    return backend_for(value).reshape(value, (1,))


def generate_asimov_data(asimov_mu: Any, data: Any, pdf: Any, init_pars: Any, par_bounds: Any) -> Any:
    """Asimov data: expected for a value of the parameter of interest, with the other parameters fitted to the data.

    Args:
        asimov_mu: The value of the parameter of interest.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,).
        par_bounds: (lower, upper) of each parameter; shape (npars, 2).

    Returns:
        Main and auxiliary data; shape (nmaindata + nauxdata,).

    Raises:
        FailedMinimization: The fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pyhf.utils.generate_asimov_data(0.0, data, model, None, None).round(4)
        array([ 50.1525,  50.0594, 278.6252,  53.1243])
    """
    return calculators.generate_asimov_data(asimov_mu, data, pdf, init_pars, par_bounds, None)


def pvals_from_teststat(sqrtqmu_v: Any, sqrtqmuA_v: Any, qtilde: bool = False) -> tuple[Any, Any, Any]:
    r"""p-values from the square roots of a test statistic and of its Asimov value: Equations (59) and (57).

    .. math::

        \mathrm{CL}_{s+b} = 1 - \Phi(\sqrt{q_\mu}), \quad
        \mathrm{CL}_b = 1 - \Phi(\sqrt{q_\mu} - \sqrt{q_{\mu,A}})

    Args:
        sqrtqmu_v: Square root of the test statistic.
        sqrtqmuA_v: Square root of its value for the Asimov data.
        qtilde: Use the distribution of :math:`\tilde q_\mu`, Equations (65) and (66), where the former exceeds the
            latter.

    Returns:
        ``(CLsb, CLb, CLs)``.

    Example:
        >>> import pyhf_func as pyhf
        >>> [round(float(p), 6) for p in pyhf.utils.pvals_from_teststat(2.0, 1.5)]
        [0.02275, 0.308538, 0.073735]
    """
    tensorlib = backend_for(sqrtqmu_v, sqrtqmuA_v)
    root, root_asimov = tensorlib.astensor(sqrtqmu_v), tensorlib.astensor(sqrtqmuA_v)
    null, alternative = root, root - root_asimov
    if qtilde:
        beyond = tensorlib.astensor(root > root_asimov, dtype="bool")
        divisor = tensorlib.where(root_asimov > 0, root_asimov, tensorlib.ones(tensorlib.shape(root_asimov)))
        null = tensorlib.where(beyond, (root * root + root_asimov * root_asimov) / (2 * divisor), null)
        alternative = tensorlib.where(beyond, (root * root - root_asimov * root_asimov) / (2 * divisor), alternative)
    clsb, clb = tensorlib.normal_cdf(-null), tensorlib.normal_cdf(-alternative)
    return clsb, clb, clsb / clb


def pvals_from_teststat_expected(sqrtqmuA_v: Any, nsigma: Any = 0) -> tuple[Any, Any, Any]:
    """Expected p-values for data at a percentile of the alternative hypothesis, background only.

    Args:
        sqrtqmuA_v: Square root of the test statistic for the Asimov data.
        nsigma: Number of standard deviations by which the data fluctuate upwards.

    Returns:
        ``(CLsb, CLb, CLs)``.

    Example:
        >>> import pyhf_func as pyhf
        >>> [round(float(p), 6) for p in pyhf.utils.pvals_from_teststat_expected(1.5)]
        [0.066807, 0.5, 0.133614]
    """
    tensorlib = backend_for(sqrtqmuA_v, nsigma)
    root_asimov, nsigma = tensorlib.astensor(sqrtqmuA_v), tensorlib.astensor(nsigma)
    clsb, clb = tensorlib.normal_cdf(nsigma - root_asimov), tensorlib.normal_cdf(nsigma)
    return clsb, clb, clsb / clb


def hypotest(
    poi_test: Any,
    data: Any,
    pdf: Any,
    init_pars: Any = None,
    par_bounds: Any = None,
    qtilde: bool = False,
    **kwargs: Any,
) -> Any:
    """Test one value of the parameter of interest.

    Args:
        poi_test: The tested value.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,). None for the model's suggestion.
        par_bounds: (lower, upper) of each parameter; shape (npars, 2); likewise.
        qtilde: Use q-tilde and its distribution.
        kwargs: Flags of what else is returned, in this order: ``return_tail_probs``, ``[CLsb, CLb]``;
            ``return_expected``, the expected CLs; ``return_expected_set``, the expected CLs at -2, -1, 0, 1, 2
            standard deviations, shape (5, 1); ``return_test_statistics``, ``[q_mu, q_mu_A]``.

    Returns:
        CLs, shape (1,), or a tuple of it and what else was asked for.

    Raises:
        FailedMinimization: A fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pyhf.utils.hypotest(1.0, data, model, qtilde=True).round(6)
        array([0.052516])
    """
    start = mle.start_of(pdf, init_pars, par_bounds, None)
    test = _in_engine if engine.engine_minimiser(pdf) is not None else _step_by_step
    found = test(poi_test, data, pdf, start, qtilde)
    tensorlib = backend_for(found["cls"])
    band = tensorlib.reshape(tensorlib.stack(found.pop("cls_expected")), (5, 1))
    one = {name: tensorlib.reshape(value, (1,)) for name, value in found.items()}

    results = [one["cls"]]
    if kwargs.get("return_tail_probs"):
        results.append([one["clsb"], one["clb"]])
    if kwargs.get("return_expected"):
        results.append(band[2])
    if kwargs.get("return_expected_set"):
        results.append(band)
    if kwargs.get("return_test_statistics"):
        results.append([one["teststat"], one["teststat_asimov"]])
    return tuple(results) if len(results) > 1 else results[0]


_FIELDS = ("cls", "clsb", "clb", "cls_expected", "teststat", "teststat_asimov")


def _in_engine(poi_test: Any, data: Any, pdf: Any, start: engine.Start, qtilde: bool) -> dict[str, Any]:
    minimiser = engine.engine_minimiser(pdf)
    assert minimiser is not None
    return engine.test(minimiser, QTILDE if qtilde else Q, poi_test, data, pdf, start, _FIELDS)


def _step_by_step(poi_test: Any, data: Any, pdf: Any, start: engine.Start, qtilde: bool) -> dict[str, Any]:
    init_pars, par_bounds, _ = start
    if qtilde:
        init_pars, par_bounds = test_statistics.not_negative(pdf, init_pars, par_bounds)
    asimov = generate_asimov_data(0.0, data, pdf, init_pars, par_bounds)
    teststat = qmu(poi_test, data, pdf, init_pars, par_bounds)
    teststat_asimov = qmu(poi_test, asimov, pdf, init_pars, par_bounds)
    tensorlib = backend_for(teststat)
    root, root_asimov = tensorlib.sqrt(teststat), tensorlib.sqrt(teststat_asimov)
    clsb, clb, cls = pvals_from_teststat(root, root_asimov, qtilde=qtilde)
    expected = [pvals_from_teststat_expected(root_asimov, nsigma)[2] for nsigma in (-2, -1, 0, 1, 2)]
    return {
        "cls": cls,
        "clsb": clsb,
        "clb": clb,
        "cls_expected": expected,
        "teststat": teststat,
        "teststat_asimov": teststat_asimov,
    }
