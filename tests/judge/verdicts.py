"""The package's fits, judged: what each case's fits gave, and the table of all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pyhf_func as pf
from tests.judge.generator import Case, case, settings
from tests.judge.search import lowest, near

TOLERANCE = 1e-6  # of twice the negative log-likelihood


class Verdict(NamedTuple):
    """One fit, judged."""

    kind: str
    seed: tuple[int, ...]
    fit: str  # which one
    status: int
    value: float  # what it says
    true: float  # the judge's value at its parameters
    lowest: float  # the lowest value that is known
    seconds: float

    @property
    def above(self) -> float:
        """How far it ends above the lowest known value."""
        return self.true - self.lowest

    @property
    def faults(self) -> list[str]:
        """What is wrong with it."""
        noise = 1e-11 * abs(self.value)
        found = []
        if self.status != 0:
            found.append("status")
        if not self.above <= TOLERANCE + noise:
            found.append("above")
        if self.above < -TOLERANCE - noise:
            found.append("judge")  # the judge missed it
        if not abs(self.value - self.true) <= 1e-7 + 10 * noise:
            found.append("value")
        return found


class Memory:
    """Judged values kept in a file: they do not depend on the package."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there."""
        self.path = path
        self.known: dict[str, Any] = {}
        if path and path.exists():
            self.known = dict(json.loads(line) for line in path.read_text().splitlines())

    def get(self, key: str, make: Any) -> Any:
        """The value of a key; made and kept if it is new."""
        if key not in self.known:
            self.known[key] = make()
            if self.path:
                with self.path.open("a") as file:
                    file.write(json.dumps([key, self.known[key]]) + "\n")
        return self.known[key]


def model_of(one: Case) -> Any:
    """The package's model."""
    return pf.Workspace(one.workspace).model(modifier_settings=settings(one.codes))


def judge_structure(
    kind: str, structure: int, numbers: Sequence[int], seed: int, memory: Memory, scans: bool, stacks: bool
) -> Iterator[Verdict]:
    """All fits of some cases of one structure."""
    cases = [case(kind, structure, number, seed) for number in numbers]
    models = [model_of(one) for one in cases]
    for k, (one, model) in enumerate(zip(cases, models, strict=True)):
        yield from judge_fits(one, model, memory)
        if scans and k % 4 == 0:
            yield from judge_scan(one, model)
    if stacks:
        yield from judge_stack(cases, models, memory)


def known(one: Case, mu: float | None, memory: Memory) -> float:
    """The lowest value known to the judge."""
    key = json.dumps([one.kind, one.seed, mu, float(np.sum(one.data))])

    def search() -> float:
        return lowest(
            one.judged(), mu, seed=one.seed[2], minuit=memory.path is not None and one.seed[2] % 10 == 0
        ).value

    return float(memory.get(key, search))


def judge_fits(one: Case, model: Any, memory: Memory) -> Iterator[Verdict]:
    """The free fit, the free fit from a random start, and the fit at a value of the POI."""
    judged = one.judged()
    rng = np.random.default_rng(one.seed)
    start = judged.init + np.where(judged.fixed, 0.0, rng.normal(size=judged.n_pars) * 0.7)
    start = np.where(judged.fixed, judged.init, np.clip(start, judged.lower, judged.upper))
    data = np.asarray(one.data)
    # Every fit is given all arguments as arrays: one compiled program.
    bounds = np.stack([judged.lower, judged.upper], axis=1)
    at_poi = np.arange(judged.n_pars) == judged.poi
    held = np.where(at_poi, one.mu, judged.init)
    fits = {
        "free": (None, judged.init, judged.fixed),
        "random start": (None, start, judged.fixed),
        "conditional": (one.mu, held, judged.fixed | at_poi),
    }
    made = []
    for name, (mu, init, fixed) in fits.items():
        found, seconds = _timed(lambda i=init, f=fixed: pf.fit(data, model, init=i, bounds=bounds, fixed=f))
        best = known(one, mu, memory)
        if not np.isfinite(best):
            continue
        true = float(judged.value(_inside(judged, found.pars, mu)))
        made.append(Verdict(one.kind, one.seed, name, int(found.status), float(found.twice_nll), true, best, seconds))
    # Each free fit is also held against the other.
    for verdict in made:
        others = [v.true for v in made if (v.fit == "conditional") == (verdict.fit == "conditional")]
        yield verdict._replace(lowest=min(verdict.lowest, *others)) if "judge" not in verdict.faults else verdict


def _inside(judged: Any, pars: Any, mu: float | None) -> np.ndarray:
    """The parameters; not a number where they leave their bounds."""
    x = np.asarray(pars)
    free = ~judged.fixed & (np.arange(x.size) != (judged.poi if mu is not None else -2))
    out = free & ((x < judged.lower) | (x > judged.upper))
    return np.where(out, np.nan, x)


def judge_scan(one: Case, model: Any) -> Iterator[Verdict]:
    """A scan: no conditional fit below the free one, none above a descent from its neighbours; Asimov data, too."""
    judged = one.judged()
    # Equation (16) takes the best POI of the free fits from zero on.
    judged.lower[judged.poi] = max(judged.lower[judged.poi], 0.0)
    mus = np.linspace(0.0, 3.0, 7)
    found, seconds = _timed(lambda: pf.scan(mus, np.asarray(one.data), model))
    asimov = judged.expected(np.asarray(found.asimov_fit.pars)[None])[0][0]
    aux = np.array([float(x) for x in judged.reference.expected_aux(list(np.asarray(found.asimov_fit.pars)))])
    sets = (
        ("scan", np.asarray(one.data), found.free_fit, found.conditional_fit),
        ("asimov scan", np.concatenate([asimov, aux]), found.free_fit_asimov, found.conditional_fit_asimov),
    )
    for name, data, free, conditional in sets:
        judged.set_data(data)
        every = np.asarray(conditional.pars)
        starts = np.concatenate([every, np.asarray(free.pars)[None], np.asarray(found.asimov_fit.pars)[None]])
        if not np.isfinite(starts).all():
            continue
        each = seconds / (2 * len(mus))
        best = near(judged, None, starts)
        if name == "asimov scan" and judged.lower[judged.poi] == 0:  # where the Asimov data's own fit has its POI
            best = min(best, float(judged.value(np.asarray(found.asimov_fit.pars))))
        value = float(judged.value(np.asarray(free.pars)))
        yield Verdict(one.kind, one.seed, f"{name} free", int(free.status), float(free.twice_nll), value, best, each)
        for k, mu in enumerate(mus):
            best_here = near(judged, float(mu), starts)
            if not np.isfinite(best_here):
                continue
            value, said = float(judged.value(every[k])), float(conditional.twice_nll[k])
            yield Verdict(one.kind, one.seed, f"{name} {mu}", int(conditional.status[k]), said, value, best_here, each)


def judge_stack(cases: Sequence[Case], models: Sequence[Any], memory: Memory) -> Iterator[Verdict]:
    """One call for all models of a structure."""
    if len({jax.tree.structure(model) for model in models}) > 1:
        models = [jax.tree.unflatten(jax.tree.structure(models[0]), jax.tree.leaves(m)) for m in models]
    every = jax.tree.map(lambda *leaves: jnp.stack(leaves), *models)
    data = jnp.asarray([one.data for one in cases])
    fit = jax.jit(jax.vmap(lambda d, m: pf.fit(d, m)))
    found, seconds = _timed(lambda: fit(data, every))
    for k, one in enumerate(cases):
        judged = one.judged()
        true, best = float(judged.value(_inside(judged, found.pars[k], None))), known(one, None, memory)
        said = float(found.twice_nll[k])
        yield Verdict(one.kind, one.seed, "stack", int(found.status[k]), said, true, best, seconds / len(cases))


def _timed(call: Any) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = jax.block_until_ready(call())
    return found, time.perf_counter() - begin


def table(verdicts: Sequence[Verdict]) -> str:
    """How many fits of each kind are wrong in which way, and the worst."""
    lines = [
        f"{'kind':<12}{'fits':>7}{'status':>8}{'above':>7}{'negative':>9}{'value':>7}{'judge':>7}{'ms/fit':>8}  worst"
    ]
    for kind in dict.fromkeys(v.kind for v in verdicts):
        own = [v for v in verdicts if v.kind == kind]
        count = {name: sum(name in v.faults for v in own) for name in ("status", "above", "value", "judge")}
        worst = sorted((v for v in own if "above" in v.faults), key=lambda v: -v.above)[:3]
        named = "; ".join(f"{v.above:.3g} {seed_text(v)} {v.fit}" for v in worst)
        lines.append(
            f"{kind:<12}{len(own):>7}{count['status']:>8}{count['above']:>7}{negative(own):>9}{count['value']:>7}"
            f"{count['judge']:>7}{1e3 * np.median([v.seconds for v in own]):>8.1f}  {named}"
        )
    return "\n".join(lines)


def negative(verdicts: Sequence[Verdict]) -> int:
    """How many points of scans lie below the free fit."""
    free = {(v.seed, v.fit.removesuffix(" free")): v.value for v in verdicts if v.fit.endswith(" free")}
    return sum(
        v.value < free.get((v.seed, v.fit.rpartition(" ")[0]), -np.inf) - TOLERANCE for v in verdicts if "scan" in v.fit
    )


def seed_text(v: Verdict) -> str:
    """What `--dump` takes."""
    return f"{v.kind}:{v.seed[1]}:{v.seed[2]}:{v.seed[0]}"
