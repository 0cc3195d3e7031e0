"""Random workspaces of every kind that fits find hard, from seeds.

A *structure* is drawn first: channels, bins, samples, modifiers and their names. Numbers are drawn for it afterwards,
so that many models share one compiled program.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.judge.likelihood import Judged

Rng = np.random.Generator
Spec = dict[str, Any]

SMOOTH = ("code4", "code4p")


class Kind(NamedTuple):
    """How the numbers of a kind are drawn."""

    codes: tuple[tuple[str, str], ...] = (SMOOTH,)
    one_sided: float = 0.15  # share of one-sided variations
    strong: float = 0.1  # share of variations by factors up to three
    counts: tuple[float, float] = (1.0, 4.0)  # powers of ten of the yields
    empty: float = 0.0  # share of bins whose counts are set to zero
    bounds: float = 0.1  # share of parameters with bounds of their own
    degenerate: bool = False
    asimov: bool = False
    still: float = 0.5  # chance that the auxiliary data are the nominal ones
    negative: float = 0.0  # share of variations that may make yields negative


KINDS: dict[str, Kind] = {
    "plain": Kind(),
    "wells": Kind(one_sided=0.8, strong=0.3),
    "saddles": Kind(one_sided=1.0, strong=0.3, still=1.0),
    "bounds": Kind(bounds=0.8),
    "zeros": Kind(counts=(-1.0, 1.0), empty=0.4),
    "low": Kind(counts=(-1.0, 1.0), one_sided=0.4, strong=0.3),
    "high": Kind(counts=(4.0, 6.0), one_sided=0.3),
    "walls": Kind(counts=(-1.0, 1.5), empty=0.4, negative=0.5, strong=0.5, bounds=0.3),
    "degenerate": Kind(degenerate=True),
    "asimov": Kind(one_sided=0.6, strong=0.3, asimov=True),
    "kinks": Kind(codes=(("code1", "code0"), ("code1", "code4p"), ("code4", "code0")), one_sided=0.4, strong=0.2),
    "steps": Kind(codes=(("code4", "code2"), ("code1", "code2")), one_sided=0.4, strong=0.2),
}


class Case(NamedTuple):
    """One fit: a workspace, the interpolation codes, data with auxiliary data, and a value of the POI to hold."""

    kind: str
    seed: tuple[int, ...]
    workspace: Spec
    codes: tuple[str, str]
    data: list[float]
    mu: float

    def as_json(self) -> Spec:
        """The shape of a shared case."""
        return {
            "workspace": self.workspace,
            "modifier_settings": settings(self.codes),
            "data_with_aux": self.data,
            "mu": self.mu,
        }

    def judged(self) -> Judged:
        """The independent likelihood."""
        return Judged(self.workspace, self.codes, self.data)


def settings(codes: tuple[str, str]) -> Spec:
    """Modifier settings of the codes for normsys and histosys."""
    return {"normsys": {"interpcode": codes[0]}, "histosys": {"interpcode": codes[1]}}


def case(kind: str, structure: int, number: int, seed: int = 0) -> Case:
    """One case: number ``number`` of a structure."""
    how = KINDS[kind]
    skeleton = _structure(np.random.default_rng([seed, structure, how.degenerate]), how.degenerate)
    own = (seed, structure, number, sorted(KINDS).index(kind))
    rng = np.random.default_rng(list(own))
    codes = how.codes[structure % len(how.codes)]
    for _ in range(50):
        workspace = _numbers(rng, skeleton, how)
        found = _data(rng, workspace, codes, how)
        if found is not None:
            data, mu = found
            return Case(kind, own, workspace, codes, data, mu)
    raise RuntimeError(f"no data for {own}")


# Structures.


def _structure(rng: Rng, degenerate: bool) -> list[Spec]:
    """Channels whose samples have modifiers without numbers."""
    channels: list[Spec] = []
    n_channels = int(rng.integers(1, 5))
    n_alphas = int(rng.integers(1, 6))
    names = [f"sys{i}" for i in range(n_alphas)]
    degeneracy = rng.choice(["shape", "two", "both"]) if degenerate else ""
    for c, name in enumerate(rng.permutation(["a_SR", "b_CR", "Z_VR", "m_low"])[:n_channels]):
        n_bins = int(rng.integers(1, 7 if n_channels < 3 else 4))
        samples = []
        for s in ["signal", "bkg", "zz"][: int(rng.integers(2, 4))]:
            if s == "signal" and c > 0 and rng.random() < 0.4:
                continue
            samples.append({"name": s, "modifiers": _modifiers(rng, str(name), s, names, degeneracy, c)})
        channels.append({"name": str(name), "bins": n_bins, "samples": samples})
    return channels


def _modifiers(rng: Rng, channel: str, sample: str, names: list[str], degeneracy: str, c: int) -> list[Spec]:
    found = []
    if sample == "signal":
        found.append(("mu", "normfactor"))
    for name in names:
        kind = rng.choice(["normsys", "histosys", "both", "none"], p=[0.25, 0.25, 0.1, 0.4])
        found += [(name, k) for k in ("normsys", "histosys") if kind in (k, "both")]
    if sample != "signal":
        if rng.random() < 0.25:
            found.append((f"stat_{channel}", "staterror"))
        if rng.random() < 0.2:
            found.append((f"shape_{channel}_{sample}", "shapesys"))
        if rng.random() < 0.2:
            found.append((f"k_{sample}", "normfactor"))
        elif rng.random() < 0.08:
            found.append((f"free_{channel}", "shapefactor"))
    if rng.random() < 0.25:
        found.append(("lumi", "lumi"))
    if degeneracy and sample == "bkg" and c == 0:
        kinds = {"shape": ["free"], "two": ["k1", "k2"], "both": ["free", "k1"]}[degeneracy]
        if ("k_bkg", "normfactor") not in found:
            found.append(("k_bkg", "normfactor"))
        found += [("k1", "normfactor")] if "k1" in kinds else []
        found += [("k2", "normfactor")] if "k2" in kinds else []
        if "free" in kinds and all(k != "shapefactor" for _, k in found):
            found.append((f"free_{channel}", "shapefactor"))
    return [{"name": n, "type": k, "data": None} for n, k in found]


# Numbers.


def _numbers(rng: Rng, skeleton: list[Spec], how: Kind) -> Spec:
    channels = []
    level = 10 ** rng.uniform(*how.counts)
    size = float(rng.choice([0.05, 0.1, 0.2, 0.4]))
    for c in skeleton:
        samples = []
        shape = level * np.exp(0.7 * rng.normal(size=c["bins"]))
        for s in c["samples"]:
            share = np.exp(rng.uniform(-3, 0.3)) if s["name"] == "signal" else np.exp(rng.uniform(-1, 0.3))
            yields = shape * share * np.exp(0.5 * rng.normal(size=c["bins"]))
            yields = np.where(rng.random(c["bins"]) < 0.04, 0.0, yields)
            yields = _rounded(yields)
            modifiers = [{**m, "data": _filled(rng, m["type"], yields, how, size)} for m in s["modifiers"]]
            samples.append({"name": s["name"], "data": yields.tolist(), "modifiers": modifiers})
        channels.append({"name": c["name"], "samples": samples})
    return {
        "channels": channels,
        "observations": [{"name": c["name"], "data": [0.0] * len(c["samples"][0]["data"])} for c in channels],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": _settings(rng, channels, how)}}],
        "version": "1.0.0",
    }


def _filled(rng: Rng, kind: str, yields: np.ndarray, how: Kind, size: float) -> Any:
    if kind in ("normfactor", "shapefactor", "lumi"):
        return None
    if kind in ("shapesys", "staterror"):
        return _rounded(yields * np.where(rng.random(yields.size) < 0.1, 0.0, rng.uniform(0.02, 0.4))).tolist()
    n = 1 if kind == "normsys" else yields.size
    lo, hi = _variation(rng, n, how, size, allow_negative=kind == "histosys")
    if kind == "normsys":
        return {"lo": float(lo[0]), "hi": float(hi[0])}
    return {"lo_data": _rounded(yields * lo).tolist(), "hi_data": _rounded(yields * hi).tolist()}


def _variation(rng: Rng, n: int, how: Kind, size: float, *, allow_negative: bool) -> tuple[np.ndarray, np.ndarray]:
    """Relative variations down and up."""
    width = size
    if rng.random() < how.strong:
        width = float(rng.uniform(0.3, 1.1))
    common, wobble = rng.normal(), 0.5 * rng.normal(size=n)
    up = np.exp(np.clip(width * (common + wobble), -1.2, 1.1))
    if rng.random() >= how.one_sided:
        down = np.exp(-np.log(up) * rng.uniform(0.6, 1.4))
        down *= np.exp(0.3 * width * rng.normal(size=n) * (n > 1))
    else:
        style = rng.choice(["lo", "hi", "equal", "same side", "near"])
        down = {
            "lo": np.ones(n),
            "hi": up,
            "equal": up.copy(),
            "same side": np.exp(np.log(up) * rng.uniform(0.2, 0.9)),
            "near": np.exp(np.log(up) * rng.uniform(0.9, 1.1)),
        }[str(style)]
        if style == "hi":
            up = np.ones(n)
    down, up = np.clip(np.round(down, 6), 0.3, 3.0), np.clip(np.round(up, 6), 0.3, 3.0)
    if allow_negative and rng.random() < how.negative:
        place = rng.integers(n)
        (up if rng.random() < 0.5 else down)[place] = np.round(rng.uniform(-1.0, 0.2), 3)
    return down, up


def _settings(rng: Rng, channels: list[Spec], how: Kind) -> list[Spec]:
    """Bounds, starts, auxiliary data and fixed flags of the measurement."""
    kinds = {m["name"]: m["type"] for c in channels for s in c["samples"] for m in s["modifiers"]}
    found = []
    for name, kind in kinds.items():
        own: Spec = {"name": name}
        if kind == "lumi":
            center = float(np.round(rng.uniform(0.9, 1.1), 3))
            own |= {"auxdata": [center], "sigmas": [float(np.round(rng.uniform(0.01, 0.1), 4))], "inits": [center]}
            own["bounds"] = [[0.5, 1.5]]
        if kind in ("normsys", "histosys"):
            if rng.random() < how.bounds:
                options = [[-0.4, 0.6], [0.0, 5.0], [-5.0, 0.0], [-3.0, 4.0], [-1.0, 1.0], [-10.0, 10.0], [0.3, 2.0]]
                own["bounds"] = [options[rng.integers(len(options))]]
                own["inits"] = [float(np.clip(0.0, *own["bounds"][0]))]
            if rng.random() > how.still:
                own["auxdata"] = [float(np.round(rng.normal(), 3))]
        if kind == "normfactor" and rng.random() < how.bounds:
            options = [[-10.0, 10.0], [-2.0, 5.0], [0.0, 1.0], [0.5, 3.0], [-0.3, 20.0], [1.0, 4.0], [-4.3, 5.0]]
            own["bounds"] = [options[rng.integers(len(options))]]
        if name != "mu" and kind not in ("shapesys", "staterror", "shapefactor") and rng.random() < 0.06:
            own["fixed"] = True
            if kind in ("normsys", "histosys") and "bounds" not in own:
                own["inits"] = [float(np.round(rng.normal(), 3))]
        if len(own) > 1:
            found.append(own)
    return found


def _rounded(x: np.ndarray) -> np.ndarray:
    """Seven significant digits, as files hold them."""
    return np.array([float(f"{v:.7g}") for v in x])


# Data.


def _data(rng: Rng, workspace: Spec, codes: tuple[str, str], how: Kind) -> tuple[list[float], float] | None:
    """Counts drawn at random true parameters, written into the workspace, and a value of the POI to test."""
    auxiliary = np.array(Judged(workspace, codes, [0.0] * 1000).reference.auxdata)
    judged = Judged(workspace, codes, [0.0] * (1000 + len(auxiliary)))
    nominal = judged.init[None]
    if how.negative == 0 and (judged.expected(nominal)[0] <= 0).any():
        return None
    for _ in range(20):
        truth = judged.init.copy()
        truth[judged.alphas] = rng.normal(size=judged.alphas.size) * rng.choice([0.5, 1.0, 1.6])
        scales = np.setdiff1d(np.arange(judged.n_pars), np.union1d(judged.normal_par, judged.poisson_par))
        truth[scales] = rng.uniform(0.0, 2.0, size=scales.size)
        others = np.setdiff1d(judged.normal_par, judged.alphas)
        sigma = dict(zip(judged.normal_par.tolist(), judged.sigma.tolist(), strict=True))
        truth[others] += [sigma[i] * rng.normal() for i in others]
        truth = np.where(judged.fixed, judged.init, truth)
        if how.asimov:
            truth = np.clip(truth, judged.lower, judged.upper)
        rates = judged.expected(truth[None])[0][0]
        if (rates >= 0).all():
            break
    else:
        return None
    if how.asimov:
        main, auxiliary = rates, np.array([float(x) for x in judged.reference.expected_aux(list(truth))])
    else:
        main = rng.poisson(np.minimum(rates, 1e9)).astype(float)
        main = np.where(rng.random(main.size) < how.empty, 0.0, main)
    data = np.concatenate([main, auxiliary])
    judged.set_data(data)
    if not np.isfinite(
        judged.value(np.where(judged.fixed, judged.init, np.clip(judged.init, judged.lower, judged.upper)))
    ):
        return None
    first = 0
    for name in sorted(c["name"] for c in workspace["channels"]):
        observation = next(o for o in workspace["observations"] if o["name"] == name)
        n = len(observation["data"])
        observation["data"] = main[first : first + n].tolist()
        first += n
    return data.tolist(), float(np.round(rng.choice([0.0, 1.0, rng.uniform(0, 3)]), 3))
