"""Fits end at the lowest minimum: beyond bounds, kinks, saddles and ridges, against SciPy from many starts."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import pyhf_func as pf
from pyhf_func.core.likelihood.logpdf import logpdf
from tests.judge.verdicts import Memory, judge_structure, seed_text

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases" / "minima"
SMOOTH = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
KINKS = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}}
JUMPS = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code2"}}


def one_channel(background: list[float], *modifiers: dict[str, Any], signal: list[float]) -> dict[str, Any]:
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": signal, "modifiers": [mu]},
        {"name": "background", "data": background, "modifiers": list(modifiers)},
    ]
    return {"channels": [{"name": "SR", "samples": samples}]}


def histosys(name: str, lo: list[float], hi: list[float]) -> dict[str, Any]:
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}


def normsys(name: str, lo: float, hi: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}


def objective(model: pf.Model, data: Any) -> Callable[[np.ndarray], float]:
    compiled = jax.jit(lambda pars: -2 * logpdf(model.likelihood, pars, jnp.asarray(data, float)))
    return lambda pars: float(np.nan_to_num(compiled(jnp.asarray(pars)), nan=1e9, posinf=1e9))


def lowest(model: pf.Model, data: Any, starts: int = 30, fixed: dict[int, float] | None = None) -> float:
    """The lowest value that SciPy finds without derivatives' help at kinks, from many starts."""
    f, rng = objective(model, data), np.random.default_rng(1)
    bounds = np.asarray(model.config.suggested_bounds(), float)
    for place, value in (fixed or {}).items():
        bounds[place] = value
    best = np.inf
    for k in range(starts):
        begin = rng.uniform(np.maximum(bounds[:, 0], -3), np.minimum(bounds[:, 1], 3))
        begin = np.asarray(model.config.suggested_init()) if k == 0 else begin
        found = minimize(f, np.clip(begin, *bounds.T), method="L-BFGS-B", bounds=bounds)
        found = minimize(f, found.x, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-9, "fatol": 1e-11})
        best = min(best, found.fun)
    return best


def assert_lowest(model: pf.Model, data: Any, **settings: Any) -> None:
    fit = pf.fit(jnp.asarray(data, float), model, **settings)
    assert pf.Status(int(fit.status)).name == "CONVERGED"
    place = {model.config.par_names.index(name): value for name, value in settings.get("fixed", {}).items()}
    assert float(fit.twice_nll) < lowest(model, data, fixed=place) + 1e-6


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("[kls]*.json")) or ["none"])
def test_hard_fits_from_reports_end_at_the_lowest_minimum(name: str) -> None:
    if name == "none":
        pytest.skip("no reported cases beside the repository")
    case = json.loads((CASES / f"{name}.json").read_text())
    workspace = pf.Workspace(case.get("workspace", case))
    model = workspace.model(modifier_settings=case.get("modifier_settings", SMOOTH))
    data = case.get("data_with_aux") or workspace.data(model)
    fit = pf.fit(jnp.asarray(data), model)
    assert pf.Status(int(fit.status)).name == "CONVERGED"
    f, rng = objective(model, data), np.random.default_rng(0)
    bounds = np.asarray(model.config.suggested_bounds(), float)
    fixed = np.asarray(model.config.suggested_fixed())
    bounds[fixed] = np.asarray(model.config.suggested_init())[fixed, None]
    gradient = jax.jit(jax.grad(lambda pars: -2 * logpdf(model.likelihood, pars, jnp.asarray(data, float))))
    for k in range(20):
        start = rng.uniform(*np.clip(bounds, -3, 3).T) if k else np.asarray(fit.pars)
        start = np.clip(start, *bounds.T)
        found = minimize(
            f, start, jac=lambda x: np.nan_to_num(np.asarray(gradient(x))), method="L-BFGS-B", bounds=bounds
        )
        assert float(fit.twice_nll) < found.fun + 1e-6


def test_a_saddle_is_left_along_the_direction_in_which_the_likelihood_falls() -> None:
    both_up = histosys("shape", [130.0, 100.0], [130.0, 100.0])
    model = pf.Model(one_channel([100.0, 100.0], both_up, signal=[10.0, 5.0]), modifier_settings=SMOOTH)
    assert_lowest(model, [160.0, 80.0, 0.0])
    found = pf.discovery(jnp.array([160.0, 80.0, 0.0]), model)
    assert float(found.z) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_planted_wells_are_all_searched(seed: int) -> None:
    rng = np.random.default_rng(seed)
    background = rng.uniform(80, 200, 3)

    def one_sided(name: str) -> dict[str, Any]:
        lo, hi = background * (1 + rng.uniform(0.02, 0.25, (2, 3)))
        return histosys(name, list(lo), list(hi))

    modifiers = [one_sided("first"), one_sided("second"), normsys("third", 1.1, 1.15)]
    spec = one_channel(list(background), *modifiers, signal=[5.0, 8.0, 3.0])
    model = pf.Model(spec, modifier_settings=SMOOTH)
    data = [*np.round(background * rng.uniform(1.1, 1.6, 3)), 0.2, -0.1, 0.0]
    assert_lowest(model, data, fixed={"mu": 0.5})


@pytest.mark.parametrize("codes", [KINKS, JUMPS], ids=["kinks", "jumps"])
@pytest.mark.parametrize("seed", range(4))
def test_fits_end_on_kinks_and_beside_jumps(seed: int, codes: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    background = rng.uniform(50, 100, 2)
    lo, hi = background * rng.uniform(0.85, 1.2, (2, 2))
    modifiers = [histosys("shape", list(lo), list(hi)), normsys("rate", *rng.uniform(0.9, 1.2, 2))]
    model = pf.Model(one_channel(list(background), *modifiers, signal=[6.0, 3.0]), modifier_settings=codes)
    assert_lowest(model, [*rng.poisson(background * 1.05), 0.0, 0.0], fixed={"mu": 0.3})


@pytest.mark.parametrize(("size", "seed"), [(0.05, 2), (0.05, 11), (0.12, 2), (0.12, 8)])
def test_wells_beside_kinks_are_searched_in_every_box(size: float, seed: int) -> None:
    """One well on each side of each kink, also of weak variations; and boxes whose bounds are kinks."""
    rng = np.random.default_rng(seed)
    up = rng.normal(size=(3, 4)) * size
    down = up * rng.uniform(0.5, 1.0, size=(3, 4))
    background = np.empty(4)
    channels = []
    for b in range(4):
        background[b] = np.round(rng.uniform(50, 200))
        rates = [normsys(f"rate{k}", float(np.exp(down[k, b])), float(np.exp(up[k, b]))) for k in range(3)]
        channels += [one_channel([background[b]], *rates, signal=[5.0 + b])["channels"][0] | {"name": f"SR{b}"}]
    model = pf.Model({"channels": channels}, modifier_settings=KINKS)
    data = [*rng.poisson(background * np.exp(up[0] - 0.5 * up[1])), 0.0, 0.0, 0.0]
    init, bounds = (np.array(x, float) for x in (model.config.suggested_init(), model.config.suggested_bounds()))

    def fit(box: np.ndarray) -> float:
        found = pf.fit(np.array(data, float), model, init=np.clip(init, *box.T), bounds=box)
        assert int(found.status) == pf.Status.CONVERGED
        return float(found.twice_nll)

    rates = [model.config.par_names.index(f"rate{k}") for k in range(3)]
    boxed = []
    for sides in product(((0.0, 5.0), (-5.0, 0.0)), repeat=3):
        box = bounds.copy()
        box[rates] = sides
        boxed.append(fit(box))
    assert fit(bounds) == pytest.approx(min(boxed), abs=1e-6)


def test_a_flat_direction_is_no_failure() -> None:
    spec = one_channel([50.0, 60.0], {"name": "free", "type": "shapefactor", "data": None}, signal=[5.0, 10.0])
    spec["channels"][0]["samples"][1]["modifiers"].append({"name": "norm", "type": "normfactor", "data": None})
    model = pf.Model(spec, modifier_settings=SMOOTH)
    rng = np.random.default_rng(0)
    fit = jax.jit(jax.vmap(lambda data, init: pf.fit(data, model, init=init)))
    data = rng.poisson(60, (40, 2)).astype(float)
    fits = fit(jnp.asarray(data), jnp.asarray(rng.uniform(0.3, 3.0, (40, model.config.npars))))
    assert np.all(np.asarray(fits.status) == pf.Status.CONVERGED)
    saturated = -2 * np.sum(data * np.log(data) - data - jax.scipy.special.gammaln(data + 1), axis=1)
    np.testing.assert_allclose(fits.twice_nll, saturated, atol=1e-7)


def test_the_result_counts_the_minima_that_were_met() -> None:
    mirrored = histosys("shape", [104.0], [105.0])
    model = pf.Model(one_channel([100.0], mirrored, signal=[1.0]), modifier_settings=SMOOTH)
    fit = pf.fit(jnp.array([118.0, 0.0]), model, fixed={"mu": 0.0})
    assert int(fit.minima) == 2
    assert 0 < float(fit.runner_up) < 2
    alone = pf.fit(jnp.array([100.0, 0.0]), model, fixed={"mu": 0.0})
    assert (int(alone.minima), float(alone.runner_up)) == (1, np.inf)


def test_random_starts_are_searched_on_request() -> None:
    mirrored = histosys("shape", [104.0], [105.0])
    model = pf.Model(one_channel([100.0], mirrored, signal=[1.0]), modifier_settings=SMOOTH)
    data = jnp.array([118.0, 0.0])
    default, thorough = (pf.fit(data, model, minimiser=pf.Newton(search=n)) for n in (0, 8))
    assert float(thorough.twice_nll) == pytest.approx(float(default.twice_nll), abs=1e-9)
    assert int(thorough.iterations) > int(default.iterations)


@pytest.mark.slow
def test_other_wells_of_a_parameter_without_bounds_are_searched() -> None:
    mirrored = histosys("shape", [104.0], [105.0])
    model = pf.Model(one_channel([100.0], mirrored, signal=[1.0]), modifier_settings=SMOOTH)
    data, bounds = jnp.array([118.0, 0.0]), np.array(model.config.suggested_bounds(), float)
    within = pf.fit(data, model, fixed={"mu": 0.0})
    bounds[model.config.par_names.index("shape")] = -np.inf, np.inf
    fit = pf.fit(data, model, fixed={"mu": 0.0}, bounds=bounds)
    assert int(fit.minima) == 2
    assert float(fit.twice_nll) == pytest.approx(float(within.twice_nll), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wells", "high", "asimov", "steps"])
def test_fits_of_random_models_end_where_an_exhaustive_search_ends(kind: str) -> None:
    """Wells of one parameter, and of several that must move at once; strong effects; jumps."""
    verdicts = judge_structure(kind, 0, range(6), 0, Memory(None), scans=False, stacks=False)
    assert [(seed_text(v), v.fit, v.faults) for v in verdicts if v.faults] == []


@pytest.mark.slow
def test_wells_of_competing_scales_are_found_where_the_data_are_described_badly() -> None:
    """Free scales, also at their bounds, and pulls of several standard deviations."""
    verdicts = judge_structure("plain", 4, (4, 5), 0, Memory(None), scans=False, stacks=False)
    assert [(seed_text(v), v.fit, v.faults) for v in verdicts if v.faults] == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "structure", "number", "seed"), [("wells", 20, 13, 5), ("high", 0, 15, 0)])
def test_wells_of_competing_scales_are_found_where_all_looks_well(
    kind: str, structure: int, number: int, seed: int
) -> None:
    verdicts = judge_structure(kind, structure, (number,), seed, Memory(None), scans=False, stacks=False)
    assert [(seed_text(v), v.fit, v.faults) for v in verdicts if v.faults] == []


@pytest.mark.slow
def test_a_minimum_is_not_reported_where_a_search_that_was_not_finished_is_lower() -> None:
    """Along a curved wall, on which an empty bin expects nothing, searches are long."""
    verdicts = list(judge_structure("walls", 21, (7,), 5, Memory(None), scans=False, stacks=False))
    assert [(seed_text(v), v.fit, v.above) for v in verdicts if v.status == 0 and "above" in v.faults] == []
    assert max(v.above for v in verdicts) < 1.0  # of 69 that the best minimum elsewhere lies above


@pytest.mark.slow
def test_a_scale_stays_at_zero_where_its_yield_would_be_negative_beyond() -> None:
    """A bin that expects only what a scale at its bound takes away: the search goes on along the others."""
    verdicts = list(judge_structure("walls", 22, (8,), 5, Memory(None), scans=False, stacks=False))
    assert len(verdicts) == 3
    # The judge's own search ends a little above this minimum: that is no fault of the fits.
    assert [(seed_text(v), v.fit, v.faults) for v in verdicts if set(v.faults) - {"judge"}] == []


def test_random_starts_are_not_tried_where_nothing_promises_a_lower_minimum() -> None:
    both = histosys("shape", [95.0, 104.0], [106.0, 97.0]), normsys("rate", 0.93, 1.08)
    model = pf.Model(one_channel([100.0, 100.0], *both, signal=[10.0, 5.0]), modifier_settings=SMOOTH)
    assert int(pf.fit(jnp.array([108.0, 103.0, 0.0, 0.0]), model).iterations) < 10


@pytest.mark.slow
def test_toys_of_an_ordinary_model_are_not_searched_at_random() -> None:
    """One-sided variations and scales from control regions, the strength held, as in half of a toy study's fits."""
    workspace = pf.read(ROOT / "examples" / "workspace.json")
    model = workspace.model()
    data = np.asarray(workspace.data(model))
    best = np.asarray(pf.fit(data, model, fixed={"mu": 1.0}).pars)
    main = np.asarray(model.expected_actualdata(best))
    toys = np.tile(data, (40, 1))
    toys[:, : main.size] = np.random.default_rng(7).poisson(main, (40, main.size))
    held = jax.jit(jax.vmap(lambda toy: pf.fit(toy, model, fixed={"mu": 1.0})))(jnp.asarray(toys))
    assert np.all(np.asarray(held.status) == pf.Status.CONVERGED)
    assert float(np.median(held.iterations)) < 10
    assert np.mean(np.asarray(held.iterations) > 20) < 0.1


@pytest.mark.slow
def test_a_strength_far_from_its_best_value_is_no_reason_for_random_starts() -> None:
    """The data are described badly there, as at the far end of every scan, and still by one well."""
    workspace = pf.read(ROOT / "examples" / "workspace.json")
    model = workspace.model()
    data = jnp.asarray(workspace.data(model))
    held = jax.jit(jax.vmap(lambda mu: pf.fit(data, model, fixed={"mu": mu})))(jnp.array([4.0, 7.0, 10.0]))
    assert np.all(np.asarray(held.status) == pf.Status.CONVERGED)
    assert np.all(np.asarray(held.iterations) < 15)
