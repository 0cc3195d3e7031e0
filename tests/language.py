"""Documents of the model language that use every key of yields, with random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

Document = dict[str, Any]
MU = {"name": "mu", "type": "normfactor", "data": None}
NOMINAL = {"signal": 5.0, "background": 40.0, "fake": 20.0, "morphed": 15.0, "floored": 12.0}


def normsys(rng: np.random.Generator, name: str, **keys: Any) -> Document:
    lo, hi = rng.uniform(0.7, 0.98), rng.uniform(1.02, 1.3)
    return {"name": name, "type": "normsys", "data": {"lo": float(lo), "hi": float(hi)}, **keys}


def histosys(rng: np.random.Generator, name: str, yields: list[float], **keys: Any) -> Document:
    lo, hi = ((np.array(yields) * rng.uniform(0.8, 1.2, len(yields))).tolist() for _ in range(2))
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}, **keys}


def expression(name: str, text: str, *arguments: str) -> Document:
    return {"name": name, "type": "normfactor", "data": None, "expression": text, "arguments": list(arguments)}


def spread(channel: str, yields: list[float]) -> Document:
    return {"name": f"mc_{channel}", "type": "staterror", "data": [0.1 * y for y in yields], "style": "additive"}


def samples(rng: np.random.Generator, channel: str, n_bins: int) -> list[Document]:
    """Samples that have every kind of modifier of yields."""
    yields = {name: (size * rng.uniform(0.7, 1.3, n_bins)).tolist() for name, size in NOMINAL.items()}
    _, background, fake, morphed, floored = yields.values()
    modifiers = {
        "signal": [MU, normsys(rng, "one_additive", interpolation="code0"), expression("eft", "1 + @0*c + c^2", "q")],
        "background": [
            *(histosys(rng, f"shift_{code}", background, interpolation=code) for code in ("code0", "quadratic")),
            histosys(rng, "shift_code4p", background),
            histosys(rng, "stretched", background, smooth=0.5),
            *(normsys(rng, f"added_{code}", interpolation=code) for code in ("code0", "quadratic", "code4p")),
            normsys(rng, "times_code1", interpolation="code1"),
            expression("transfer", "exp(0.1*c) / (1 + 0.1*sqrt(q)) + min(c, 5) * log(2 + times_code4^2)"),
        ],
        "fake": [
            *(histosys(rng, f"factor_{code}", fake, interpolation=code) for code in ("code1", "code4", "code6")),
            *(normsys(rng, f"times_{code}", interpolation=code) for code in ("code4", "code6", "asympow")),
            expression("eft_again", "1 + @0*c + c^2", "mu"),
        ],
        "morphed": [
            histosys(rng, "shift_code4p", morphed, interpolation="shapen"),
            histosys(rng, "stretched", morphed, interpolation="shapen", smooth=0.7),
            histosys(rng, "shift_code0", morphed, interpolation="code0"),
            normsys(rng, "times_code4"),
        ],
        "floored": [histosys(rng, "shift_code4p", floored), MU],
    }
    for name in ("signal", "background", "fake"):
        modifiers[name].append(spread(channel, yields[name]))
    found = [{"name": name, "data": yields[name], "modifiers": modifiers[name]} for name in NOMINAL]
    return [*found[:4], {**found[4], "floor": 0.3}]


def workspace(channels: dict[str, list[Document]], parameters: list[Document] | None = None) -> Document:
    """A workspace whose observations are near what is expected."""
    return {
        "channels": [{"name": name, "samples": found} for name, found in channels.items()],
        "observations": [
            {"name": name, "data": np.rint(1.1 * np.sum([sample["data"] for sample in found], axis=0)).tolist()}
            for name, found in channels.items()
        ],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": parameters or []}}],
        "version": "1.0.0",
    }


def everything(seed: int = 1) -> Document:
    """Two channels with everything."""
    rng = np.random.default_rng(seed)
    return workspace({"A": samples(rng, "A", 2), "B": samples(rng, "B", 1)})


def small(seed: int = 2, code: str = "code1", text: str = "1 + 0.2*s*x + 0.1*x^2") -> Document:
    """Two samples in two bins: an expression, an additive uncertainty, a factor and shifts by different codes."""
    rng = np.random.default_rng(seed)
    background = [20.0, 30.0]
    signal = {"name": "signal", "data": [6.0, 3.0], "modifiers": [MU, normsys(rng, "x", interpolation="asympow")]}
    modifiers = [
        histosys(rng, "s", background),
        histosys(rng, "t", background, interpolation=code),
        expression("k", text),
        spread("A", background),
    ]
    return workspace({"A": [signal, {"name": "background", "data": background, "modifiers": modifiers}]})
