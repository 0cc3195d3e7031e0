"""Write ``workspace.json`` and ``patchset.json``: a made-up search for a resonance with lepton, jets, missing momentum.

The yields come from falling and peaking shapes and a seeded generator, so the file is the same on every
machine. It holds what a published likelihood of such a search holds: two signal regions in bins of the
transverse mass, two control regions that normalise the top and W backgrounds, shape and normalisation
systematics shared between regions, luminosity, theory uncertainties, statistical uncertainties of the
simulation, and a data-driven background with an uncertainty a bin. The patches put other resonances in the signal's
place: three masses with three couplings each.

Run: ``python examples/make_workspace.py [FOLDER]``
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

Json = dict[str, Any]
Yields = list[float]

HERE = Path(__file__).parent

CHANNEL_BINS = {"SR_boosted": 6, "SR_resolved": 8, "CR_top": 4, "CR_wjets": 4}

SIGNAL = {"SR_boosted": (15.0, 0.62, 0.16), "SR_resolved": (20.0, 0.50, 0.20)}
"""Signal region: total yield, position and width of the peak as fractions of the range."""

BACKGROUNDS = {
    "ttbar": {
        "SR_boosted": (95.0, 2.6),
        "SR_resolved": (310.0, 3.1),
        "CR_top": (2400.0, 1.4),
        "CR_wjets": (260.0, 1.2),
    },
    "wjets": {
        "SR_boosted": (70.0, 2.1),
        "SR_resolved": (140.0, 2.5),
        "CR_top": (150.0, 1.3),
        "CR_wjets": (1750.0, 1.6),
    },
    "single_top": {
        "SR_boosted": (14.0, 2.4),
        "SR_resolved": (38.0, 2.9),
        "CR_top": (190.0, 1.2),
        "CR_wjets": (45.0, 1.1),
    },
    "diboson": {"SR_boosted": (11.0, 1.5), "SR_resolved": (17.0, 1.9), "CR_wjets": (60.0, 1.0)},
    "fakes": {"SR_resolved": (22.0, 3.4), "CR_wjets": (55.0, 1.8)},
}
"""Background, channel: total yield and how steeply it falls over the range."""

EVENTS_PER_YIELD = {"ttbar": 9.0, "wjets": 5.0, "single_top": 6.0, "diboson": 12.0}
"""Simulated events for one expected event: the statistical uncertainty of the simulation."""


def falling(total: float, steepness: float, bins: int) -> Yields:
    """An exponential spectrum."""
    shape = [math.exp(-steepness * (index + 0.5) / bins) for index in range(bins)]
    return [total * value / sum(shape) for value in shape]


def peaking(total: float, position: float, width: float, bins: int) -> Yields:
    """A resonance with a small tail below it."""
    centres = [(index + 0.5) / bins for index in range(bins)]
    shape = [math.exp(-0.5 * ((x - position) / width) ** 2) + 0.03 * (1 - x) for x in centres]
    return [total * value / sum(shape) for value in shape]


def rounded(values: Sequence[float]) -> Yields:
    return [round(value, 4) for value in values]


def normsys(name: str, low: float, high: float) -> Json:
    return {"name": name, "type": "normsys", "data": {"lo": low, "hi": high}}


def histosys(name: str, nominal: Yields, effect: Callable[[float], tuple[float, float]]) -> Json:
    """``effect`` gives the relative (down, up) change at a position between 0 and 1 of the range."""
    changes = [effect((index + 0.5) / len(nominal)) for index in range(len(nominal))]
    data = {
        "lo_data": rounded([value * (1 + down) for value, (down, _) in zip(nominal, changes, strict=True)]),
        "hi_data": rounded([value * (1 + up) for value, (_, up) in zip(nominal, changes, strict=True)]),
    }
    return {"name": name, "type": "histosys", "data": data}


def staterror(channel: str, sample: str, nominal: Yields) -> Json:
    errors = rounded([math.sqrt(value / EVENTS_PER_YIELD[sample]) for value in nominal])
    return {"name": f"mcstat_{channel}", "type": "staterror", "data": errors}


def normfactor(name: str) -> Json:
    return {"name": name, "type": "normfactor", "data": None}


def detector_systematics(nominal: Yields, size: float) -> list[Json]:
    """Jet energy scale and resolution (shapes, asymmetric), flavour tagging and lepton efficiency (rates)."""
    return [
        histosys("jet_energy_scale", nominal, lambda x: (-size * (0.3 + x), size * (0.35 + 1.2 * x))),
        histosys("jet_energy_resolution", nominal, lambda x: (-0.4 * size * (1 - x), 0.5 * size * x)),
        normsys("btag_efficiency", 1 - 0.6 * size, 1 + 0.5 * size),
        normsys("lepton_efficiency", 0.991, 1.009),
        normsys("pileup", 1 - 0.1 * size, 1 + 0.15 * size),
    ]


def own_modifiers(sample: str, channel: str, nominal: Yields) -> list[Json]:
    """The uncertainties of one background alone: normalisation, theory and method uncertainties."""
    lumi: Json = {"name": "lumi", "type": "lumi", "data": None}
    hard = 1.0 if channel.startswith("SR") else 0.35
    by_sample: dict[str, list[Json]] = {
        "ttbar": [
            normfactor("mu_top"),
            histosys("top_pt_reweighting", nominal, lambda x: (0.0, -0.12 * hard * x)),
            histosys("top_parton_shower", nominal, lambda x: (0.05 * hard * (x - 0.4), -0.06 * hard * (x - 0.4))),
            normsys("top_extrapolation", 1 - 0.08 * hard, 1 + 0.09 * hard),
        ],
        "wjets": [
            normfactor("mu_wjets"),
            histosys("wjets_scales", nominal, lambda x: (-0.08 * hard * (x + 0.2), 0.11 * hard * (x + 0.2))),
            normsys("wjets_heavy_flavour", 1 - 0.12 * hard, 1 + 0.14 * hard),
        ],
        "single_top": [
            lumi,
            normsys("single_top_cross_section", 0.95, 1.05),
            histosys("single_top_interference", nominal, lambda x: (-0.15 * hard * x, 0.18 * hard * x)),
        ],
        "diboson": [lumi, normsys("diboson_cross_section", 0.90, 1.11)],
        "fakes": [
            {
                "name": f"fakes_{channel}",
                "type": "shapesys",
                "data": rounded([0.35 * value + 0.1 for value in nominal]),
            },
        ],
    }
    return by_sample[sample]


def background(sample: str, channel: str) -> Json:
    """One background sample of a channel with all its modifiers."""
    nominal = rounded(falling(*BACKGROUNDS[sample][channel], CHANNEL_BINS[channel]))
    modifiers = own_modifiers(sample, channel, nominal)
    if sample in EVENTS_PER_YIELD:  # simulated
        size = 0.06 if channel.startswith("SR") else 0.03
        modifiers += [*detector_systematics(nominal, size), staterror(channel, sample, nominal)]
    return {"name": sample, "data": nominal, "modifiers": modifiers}


def signal(channel: str, mass: float = 1000.0, coupling: float = 1.0) -> Json:
    """The resonance, scaled by the parameter of interest; the mass in GeV."""
    total, position, width = SIGNAL[channel]
    total *= coupling**2 * (1000.0 / mass) ** 3
    nominal = rounded(peaking(total, position * mass / 1000.0, width, CHANNEL_BINS[channel]))
    modifiers = [
        normfactor("mu"),
        {"name": "lumi", "type": "lumi", "data": None},
        normsys("signal_acceptance", 0.93, 1.08),
        *detector_systematics(nominal, 0.05),
    ]
    return {"name": "resonance", "data": nominal, "modifiers": modifiers}


def observed(samples: Sequence[Json], random: Random) -> Yields:
    """Counts around the sum of the backgrounds, which are a little higher than predicted."""
    expectation = [1.04 * sum(values) for values in zip(*(s["data"] for s in samples), strict=True)]
    return [float(max(0, round(random.gauss(mean, math.sqrt(mean))))) for mean in expectation]


def build() -> Json:
    """The whole workspace."""
    random = Random(3)
    channels, observations = [], []
    for channel in CHANNEL_BINS:
        samples = [background(sample, channel) for sample in BACKGROUNDS if channel in BACKGROUNDS[sample]]
        observations.append({"name": channel, "data": observed(samples, random)})
        if channel in SIGNAL:
            samples.insert(0, signal(channel))
        channels.append({"name": channel, "samples": samples})
    lumi = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.017], "bounds": [[0.9, 1.1]], "inits": [1.0]}
    parameters = [
        {"name": "mu", "inits": [1.0], "bounds": [[0.0, 10.0]]},
        lumi,
        {"name": "mu_top", "inits": [1.0], "bounds": [[0.2, 5.0]]},
        {"name": "mu_wjets", "inits": [1.0], "bounds": [[0.2, 5.0]]},
    ]
    measurement = {"name": "search", "config": {"poi": "mu", "parameters": parameters}}
    return {
        "version": "1.0.0",
        "channels": channels,
        "observations": observations,
        "measurements": [measurement],
    }


def patches(workspace: Json) -> Json:
    """The patch set of the workspace, one patch for each mass and coupling."""
    content = json.dumps(workspace, sort_keys=True, ensure_ascii=False)
    points = []
    for mass in (700.0, 1000.0, 1300.0):
        for coupling in (0.5, 1.0, 1.5):
            replaced = [
                {"op": "replace", "path": f"/channels/{i}/samples/0", "value": signal(name, mass, coupling)}
                for i, name in enumerate(SIGNAL)
            ]
            name = f"m{mass:.0f}_g{round(100 * coupling)}"
            points.append({"metadata": {"name": name, "values": [mass, coupling]}, "patch": replaced})
    metadata = {
        "name": "search",
        "description": "resonances by mass in GeV and coupling",
        "labels": ["mass", "coupling"],
        "references": {"hepdata": "ins1234567"},
        "digests": {"sha256": hashlib.sha256(content.encode()).hexdigest()},
    }
    return {"version": "1.0.0", "metadata": metadata, "patches": points}


def text(workspace: Json) -> str:
    """Indented JSON with one line for a list of numbers."""
    indented = json.dumps(workspace, indent=2)
    return re.sub(r"\[[-+.\de,\s]*\]", lambda found: " ".join(found.group().split()), indented) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, document in {"workspace": build(), "patchset": patches(build())}.items():
        (folder / f"{name}.json").write_text(text(document), encoding="utf-8")
