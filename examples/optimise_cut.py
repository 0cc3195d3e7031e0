"""Place a cut, and then all edges of a histogram, by the gradient of the expected discovery significance.

An event passes a cut or not, which has no gradient. A sigmoid does it smoothly; its width shrinks during the
optimisation until events are all but in or out. The yields go into a HistFactory model, and the significance comes out
of its fits, so that uncertainties have their say. One cut can be scanned, too, and both agree; four edges can't.

    python examples/optimise_cut.py [--steps 150] [--seeds 8] [--output FILE.png]

Needs the extra plot.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.scipy.special import ndtri

import pyhf_func as pf

EVENTS, EDGES = 10000, 4
YIELDS = jnp.array([30.0, 1000.0, 1000.0, 1000.0])
WIDEST, NARROWEST = 0.5, 0.01
CUTS = jnp.linspace(0.0, 5.0, 101)


class Climb(NamedTuple):
    """Optimisations from several starts, step by step."""

    edges: Array  # (starts, steps, edges)
    z: Array  # (starts, steps) expected significance


def events() -> Array:
    """One observable of signal, background, and background with its scale up and down; shape (4, EVENTS).

    In equal steps of probability, as a very large sample would be: an optimiser finds the fluctuations of a small one.
    """
    probability = (jnp.arange(EVENTS) + 0.5) / EVENTS
    signal, background = 3.0 + ndtri(probability), -jnp.log1p(-probability)
    return jnp.stack([signal, background, 1.05 * background, 0.95 * background])


def build_model(bins: int) -> pf.Model:
    """Signal with a strength; background with an uncertain scale and rate. The yields are replaced later."""
    flat = [1.0] * bins
    scale = {"name": "scale", "type": "histosys", "data": {"lo_data": flat, "hi_data": flat}}
    rate = {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    strength = {"name": "mu", "type": "normfactor", "data": None}
    signal = {"name": "signal", "data": flat, "modifiers": [strength]}
    background = {"name": "background", "data": flat, "modifiers": [scale, rate]}
    return pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]})


def histograms(edges: Array, width: float | Array) -> Array:
    """Yields between the edges, shape (4, edges): the last bin is open above, events below the first edge are cut."""
    above = jax.nn.sigmoid((events()[..., None] - edges) / width).mean(axis=1)
    return YIELDS[:, None] * (above - jnp.append(above[:, 1:], jnp.zeros((4, 1)), axis=1)) + 1e-3


def significance(edges: Array, width: float | Array = NARROWEST) -> Array:
    """Expected significance: that of the data which signal and background predict (the Asimov data)."""
    model = build_model(edges.shape[0])
    signal, background, up, down = histograms(edges, width)
    model = model.with_yields("SR", "signal", signal).with_yields("SR", "background", background)
    model = model.with_histosys("SR", "background", "scale", lo=down, hi=up)
    data = jnp.append(signal + background, jnp.array(model.config.auxdata))
    return pf.discovery(data, model).z


def ordered(free: Array) -> Array:
    """Edges in order from free numbers: the first one, and the distances between neighbours."""
    return jnp.cumsum(jnp.append(free[:1], jax.nn.softplus(free[1:])))


@partial(jax.jit, static_argnums=0)
def climb(steps: int, starts: Array) -> Climb:
    """Follow the gradient upwards from every start, shape (starts, edges), in one compiled program."""
    optimiser = optax.adam(0.05)

    def step(carry: Any, width: Array) -> tuple[Any, Climb]:
        free, state = carry
        z, slope = jax.value_and_grad(lambda free: significance(ordered(free), width))(free)
        updates, state = optimiser.update(-slope, state)  # optax goes downwards
        return (optax.apply_updates(free, updates), state), Climb(ordered(free), z)

    def one(free: Array) -> Climb:
        return jax.lax.scan(step, (free, optimiser.init(free)), jnp.geomspace(WIDEST, NARROWEST, steps))[1]

    return jax.vmap(one)(starts)


@jax.jit
def significances(edges: Array) -> Array:
    """The significance of many sets of edges, shape (sets, edges): the same function, mapped."""
    return jax.vmap(significance)(edges)


def random_starts(seeds: int) -> Array:
    """Free numbers of all edges, one row for each seed."""
    keys = jax.random.split(jax.random.key(0), seeds)
    return jax.vmap(lambda key: jax.random.uniform(key, (EDGES,), minval=0.0, maxval=1.5))(keys)


def draw(scanned: Array, cut: Climb, bins: Climb, path: Path) -> None:
    """The scan with the optimisation's path, and the edges and the significance of all starts, step by step."""
    from matplotlib.figure import Figure

    blue, red = "#0072B2", "#D55E00"
    figure = Figure(figsize=(13.0, 4.0), layout="constrained")
    plane, edges, progress = figure.subplots(1, 3)
    plane.plot(CUTS, scanned, color="black", label="scan")
    for start, z in zip(cut.edges[:, :, 0], cut.z, strict=True):
        plane.plot(start, z, ".-", color=red, markersize=3, linewidth=0.6)
        plane.plot(start[-1], z[-1], "o", color=red)
    plane.plot([], [], ".-", color=red, label="gradient, the sigmoid narrows")
    signal, background = jax.vmap(partial(histograms, width=NARROWEST))(CUTS[:, None])[:, :2, 0].T
    plane.axvline(CUTS[jnp.argmax(signal / jnp.sqrt(background))], color="grey", ls=":", label=r"best $s/\sqrt{b}$")
    plane.set(xlabel="cut", ylabel="expected significance", ylim=(0.0, 1.6))
    best = int(jnp.argmax(bins.z[:, -1]))
    edges.plot(bins.edges[best], color=blue)
    edges.set(xlabel="step", ylabel="edges, best start")
    progress.plot(bins.z.T, color=blue, linewidth=0.9)
    progress.axhline(scanned.max(), color="black", linestyle="--", label="best single cut")
    progress.set(xlabel="step", ylabel="expected significance")
    for axes in (plane, progress):
        axes.legend(frameon=False, loc="lower center")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Optimise, print and draw."""
    parser = argparse.ArgumentParser(description="Place a cut, and bin edges, by gradient.")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "output" / "optimise_cut.png")
    chosen = parser.parse_args()
    scanned = significances(CUTS[:, None])
    cut = climb(chosen.steps, jnp.array([[1.0], [4.0]]))  # from either side
    print(f"best cut of the scan: {CUTS[scanned.argmax()]:.3f}, significance {scanned.max():.4f}")
    for place, z in zip(cut.edges[:, -1, 0], cut.z[:, -1], strict=True):
        print(f"cut by gradient:      {place:.3f}, significance {z:.4f}")
    bins = climb(chosen.steps, random_starts(chosen.seeds))
    best = int(bins.z[:, -1].argmax())
    print(f"edges by gradient:    {np.round(bins.edges[best, -1], 3)}, significance {bins.z[best, -1]:.4f}")
    print(f"all starts:           {np.round(np.sort(bins.z[:, -1])[::-1], 3)}")
    draw(scanned, cut, bins, chosen.output)
    print(f"drawn: {chosen.output}")


if __name__ == "__main__":
    main()
