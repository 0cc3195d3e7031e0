"""Programs that stand on pyhf, each in a few calls: ``python tests/documented/programs.py NAME`` prints their numbers.

Runs with pyhf, and in ``python -m pyhf_func.as_pyhf`` with this library in its place.
"""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

warnings.filterwarnings("ignore")
BINS: dict[str, Any] = {
    "channels": [
        {"name": "SR", "samples": [
            {"name": "signal", "data": [4.0, 9.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
            {"name": "background", "data": [50.0, 40.0], "modifiers": [
                {"name": "scale", "type": "normsys", "data": {"lo": 0.95, "hi": 1.06}},
                {"name": "shape", "type": "histosys", "data": {"lo_data": [48.0, 41.0], "hi_data": [53.0, 39.0]}},
                {"name": "counts", "type": "shapesys", "data": [5.0, 4.0]}]}]}],
    "observations": [{"name": "SR", "data": [55.0, 47.0]}],
    "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0"}  # fmt: skip


def cabinetry() -> dict[str, Any]:
    """Its workflow: fit with goodness of fit and MINOS, ranking, scan, limit, significance, prediction."""
    from cabinetry import fit, model_utils

    model, data = model_utils.model_and_data(BINS)
    best = fit.fit(model, data, minos=["mu"], goodness_of_fit=True)
    ranking, limit = fit.ranking(model, data, fit_results=best), fit.limit(model, data, bracket=(0.1, 8.0))
    scan = fit.scan(model, data, "mu", par_range=(0.0, 2.0), n_steps=3)
    significance = fit.significance(model, data)
    bands = model_utils.prediction(model, fit_results=best).total_stdev_model_bins
    return {
        "best": best.bestfit,
        "errors": best.uncertainty,
        "twice nll": best.best_twice_nll,
        "goodness": best.goodness_of_fit,
        "minos": best.minos_uncertainty["mu"],
        "ranking": [ranking.postfit_up, ranking.postfit_down],
        "scan": scan.delta_nlls,
        "limit": [limit.observed_limit, *limit.expected_limit],
        "significance": [significance.observed_significance, significance.expected_significance],
        "bands": [value for channel in bands for row in channel for value in np.atleast_1d(row)],
    }


def spey() -> dict[str, Any]:
    """spey with its plug-in spey-pyhf, for a simplified likelihood and for a workspace with a patch."""
    from spey import ExpectationType, get_backend

    simple = get_backend("pyhf.uncorrelated_background")(
        signal_yields=[12.0, 11.0],
        background_yields=[50.0, 52.0],
        data=[51, 48],
        absolute_uncertainties=[3.0, 7.0],
        analysis="two bins",
    )
    background = json.loads(json.dumps(BINS))
    del background["channels"][0]["samples"][0]
    patch = [{"op": "add", "path": "/channels/0/samples/0", "value": BINS["channels"][0]["samples"][0]}]
    full = get_backend("pyhf")(analysis="patched", background_only_model=background, signal_patch=patch)
    observed = ExpectationType.observed
    return {
        name: [
            *model.exclusion_confidence_level(expected=observed),
            model.poi_upper_limit(expected=observed),
            model.poi_upper_limit(expected=ExpectationType.aposteriori),
            model.likelihood(poi_test=1.0),
            *model.maximize_likelihood(),
        ]
        for name, model in {"simple": simple, "full": full}.items()
    }


def abcd() -> dict[str, Any]:
    """abcd-pyhf, without its scans in forked workers."""
    from abcd_pyhf import ABCD

    counts, signal = {"A": 9, "B": 31, "C": 104, "D": 352}, {"A": 11, "B": 1, "C": 2, "D": 0.2}
    plane = ABCD(counts, signal, signal_uncertainty=0.1, background_uncertainty=0.05)
    return {"fit": plane.fit(), "background only": plane.bkg_only_fit()}


PROGRAMS: dict[str, Callable[[], dict[str, Any]]] = {"cabinetry": cabinetry, "spey": spey, "abcd": abcd}

if __name__ == "__main__":
    numbers = {key: np.ravel(value).astype(float).tolist() for key, value in PROGRAMS[sys.argv[1]]().items()}
    Path(sys.argv[2]).write_text(json.dumps(numbers), encoding="utf-8")
