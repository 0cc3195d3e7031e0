"""Workspaces, patches and interpolators, and fits of what comes out."""

from typing import Any

import pyhf
from pyhf.patchset import PatchSet
from pyhf.workspace import Workspace


def document() -> dict[str, Any]:
    """A workspace of two channels and two measurements."""
    signal = {"name": "signal", "data": [3.0, 6.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}
    shape = {"lo_data": [18.0, 24.0], "hi_data": [23.0, 31.0]}
    background = {
        "name": "background",
        "data": [20.0, 28.0],
        "modifiers": [
            {"name": "lumi", "type": "lumi", "data": None},
            {"name": "shape", "type": "histosys", "data": shape},
            {"name": "scale", "type": "normsys", "data": {"lo": 0.9, "hi": 1.15}},
            {"name": "statistics", "type": "staterror", "data": [1.5, 2.0]},
        ],
    }
    control = {
        "name": "background",
        "data": [90.0],
        "modifiers": [
            {"name": "lumi", "type": "lumi", "data": None},
            {"name": "scale", "type": "normsys", "data": {"lo": 0.92, "hi": 1.1}},
        ],
    }
    lumi = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.9, 1.1]], "inits": [1.0]}
    return {
        "version": "1.0.0",
        "channels": [
            {"name": "signal_region", "samples": [signal, background]},
            {"name": "control", "samples": [control]},
        ],
        "observations": [{"name": "signal_region", "data": [24.0, 30.0]}, {"name": "control", "data": [95.0]}],
        "measurements": [
            {"name": "first", "config": {"poi": "mu", "parameters": [lumi]}},
            {"name": "second", "config": {"poi": "mu", "parameters": [{**lumi, "fixed": True}]}},
        ],
    }


def main(backend: str) -> dict[str, Any]:
    """What a user of documents looks at."""
    pyhf.set_backend(backend, pyhf.optimize.scipy_optimizer(tolerance=1e-12))
    workspace = Workspace(document())
    out: dict[str, Any] = {
        "names": [workspace.channels, workspace.samples, workspace.modifiers, workspace.measurement_names],
        "digest": pyhf.utils.digest(workspace),
    }
    for measurement in workspace.measurement_names:
        model = workspace.model(measurement_name=measurement)
        data = workspace.data(model)
        out[measurement] = {
            "order": [model.config.par_names, model.config.auxdata, model.config.suggested_fixed()],
            "fit": pyhf.infer.mle.fit(data, model, return_fitted_val=True),
            "cls": pyhf.infer.hypotest(1.0, data, model, return_expected_set=True),
        }
    linear = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}}
    model = workspace.model(modifier_settings=linear)
    pars = [0.3 if name != "lumi" else 1.01 for name in model.config.par_names]
    out["linear"] = [model.expected_data(pyhf.tensorlib.astensor(pars)), model.main_model.expected_data(pars)]

    patchset = PatchSet(
        {
            "metadata": {
                "references": {"hepdata": "ins1234567"},
                "description": "points",
                "labels": ["mass"],
                "digests": {"sha256": pyhf.utils.digest(workspace)},
            },
            "version": "1.0.0",
            "patches": [
                {
                    "metadata": {"name": "heavy", "values": [500]},
                    "patch": [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [1.0, 5.0]}],
                }
            ],
        }
    )
    patchset.verify(workspace)
    heavy = Workspace(patchset.apply(workspace, "heavy"))
    model = heavy.model()
    out["heavy"] = pyhf.infer.mle.fit(heavy.data(model), model)
    pruned = workspace.prune(modifiers=["shape"], channels=["control"])
    renamed = pruned.rename(samples={"background": "bkg"})
    out["changed"] = [renamed.samples, renamed.modifiers, dict(renamed)]
    out["sorted"] = dict(Workspace.sorted(workspace))
    return out
