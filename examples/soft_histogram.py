"""Learn the bins of a histogram for the expected limit, and compare with a classifier's.

A network gives each event its shares of a few bins (softmax, as INFERNO, arXiv:1806.04743, does). These soft
histograms are the yields of a HistFactory model, and the expected CLs of that model, with all its fits, is the loss
(as neos, arXiv:2203.05570, does). The variations of the background go through the network, too: so it can learn to
depend little on what is uncertain, or to keep bins that measure it. Cross-entropy knows nothing of that. Both are
judged by the expected upper limit on events that neither has seen, each whole in one bin.

    python examples/soft_histogram.py [--steps 150] [--seeds 5] [--output FILE.png]

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

import pyhf_func as pf

BINS, EVENTS, WIDTH, RATE = 4, 2000, 32, 0.01
YIELDS = jnp.array([15.0, 60.0, 60.0, 60.0])
CENTRES = jnp.array([[-1.0, 1.0], [1.0, -1.0], [2.5, 2.0], [-2.5, -1.5]])
"""Two observables of signal, background, and the background with its shape varied up and down."""

Weights = list[tuple[Array, Array]]


class Result(NamedTuple):
    """Training on CLs and on cross-entropy, side by side, for all seeds."""

    limits: Array  # (seeds, 2, steps) median expected upper limits of whole events that were not trained on
    histograms: Array  # (seeds, 2, steps, 4, BINS) of these events
    learned: Weights  # after training on CLs; (seeds, ...) each


def build_model() -> pf.Model:
    """Signal with a strength; background with an uncertain shape and rate. Training replaces the yields."""
    flat = [1.0] * BINS
    shape = {"name": "shape", "type": "histosys", "data": {"lo_data": flat, "hi_data": flat}}
    rate = {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    strength = {"name": "mu", "type": "normfactor", "data": None}
    signal = {"name": "signal", "data": flat, "modifiers": [strength]}
    background = {"name": "background", "data": flat, "modifiers": [shape, rate]}
    return pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]})


def fill(model: pf.Model, histograms: Array) -> tuple[Array, pf.Model]:
    """Background-only data and the model of four histograms, shape (4, BINS): both may be traced."""
    signal, background, up, down = histograms
    model = model.with_yields("SR", "signal", signal).with_yields("SR", "background", background)
    model = model.with_histosys("SR", "background", "shape", lo=down, hi=up)
    return jnp.append(background, jnp.array(model.config.auxdata)), model


def draw_events(key: Array) -> Array:
    """Events of all four kinds, shape (4, EVENTS, 2). The variations shift the same background events."""
    signal, background = jax.random.normal(key, (2, EVENTS, 2))
    return jnp.stack([signal, background, background, background]) + CENTRES[:, None]


def network(key: Array, outputs: int) -> Weights:
    """Random weights of a small network of two observables."""
    sizes = [(2, WIDTH), (WIDTH, WIDTH), (WIDTH, outputs)]
    keys = jax.random.split(key, len(sizes))
    return [(jax.nn.initializers.he_normal()(k, s), jnp.zeros(s[1])) for k, s in zip(keys, sizes, strict=True)]


def outputs(weights: Weights, events: Array) -> Array:
    """The network's output for each event; shape (..., outputs)."""
    *hidden, (matrix, bias) = weights
    for m, b in hidden:
        events = jax.nn.relu(events @ m + b)
    return events @ matrix + bias


def histograms(shares: Array) -> Array:
    """Yields, shape (4, BINS), from the events' shares. A little everywhere: no CLs without any background."""
    return YIELDS[:, None] * shares.mean(axis=1) + 1e-3


def learned_bins(weights: Weights, events: Array) -> Array:
    """Final histograms of the network that learns bins: each event lies in its likeliest one."""
    return histograms(jax.nn.one_hot(outputs(weights, events).argmax(axis=-1), BINS))


def classifier_bins(classifier: Weights, events: Array, seen: Array) -> Array:
    """Final histograms of a classifier: its output, cut into bins of equal signal."""
    cuts = jnp.quantile(outputs(classifier, seen[0]), jnp.arange(1, BINS) / BINS)
    return histograms(jax.nn.one_hot(jnp.searchsorted(cuts, outputs(classifier, events)[..., 0]), BINS))


def losses(weights: tuple[Weights, Weights], seen: Array, model: pf.Model) -> Array:
    """The losses of both networks, added: one gradient trains both, since neither depends on the other's weights."""
    learned, classifier = weights
    data, filled = fill(model, histograms(jax.nn.softmax(outputs(learned, seen))))
    median = pf.hypotest(1.0, data, filled).cls_expected[2]  # of -2, -1, 0, 1 and 2 standard deviations
    truth = jnp.array([[1.0], [0.0]])
    cross_entropy = optax.sigmoid_binary_cross_entropy(outputs(classifier, seen[:2])[..., 0], truth).mean()
    return jnp.log(median) + cross_entropy  # the logarithm has slopes of one size from CLs of 0.5 to 1e-5


def train(steps: int, model: pf.Model, key: Array) -> tuple[Array, Weights]:
    """Train from one seed: histograms of new events at each step, shape (2, steps, 4, BINS), and what was learned."""
    keys = jax.random.split(key, 4)
    seen, new = draw_events(keys[0]), draw_events(keys[1])
    start = network(keys[2], BINS), network(keys[3], 1)
    optimiser = optax.adam(RATE)

    def step(carry: Any, _: None) -> tuple[Any, Array]:
        weights, state = carry
        updates, state = optimiser.update(jax.grad(losses)(weights, seen, model), state)
        weights = optax.apply_updates(weights, updates)
        final = jnp.stack([learned_bins(weights[0], new), classifier_bins(weights[1], new, seen)])
        return (weights, state), final

    ((learned, _), _), path = jax.lax.scan(step, (start, optimiser.init(start)), length=steps)
    return path.swapaxes(0, 1), learned


@partial(jax.jit, static_argnums=0)
def study(steps: int, keys: Array) -> Result:
    """All trainings and all limits in one compiled program; one key for each seed."""
    model = build_model()
    paths, learned = jax.vmap(partial(train, steps, model))(keys)
    limits = jax.vmap(lambda h: pf.upper_limit(*fill(model, h)).expected[2])(paths.reshape(-1, 4, BINS))
    return Result(limits.reshape(paths.shape[:3]), paths, learned)


def draw(result: Result, path: Path) -> None:
    """Limits during training; final histograms and bins in the plane of observables, for the first seed."""
    from matplotlib.figure import Figure

    kinds, styles = ("signal", "background", "up", "down"), ("-", "-", "--", ":")
    figure = Figure(figsize=(15.0, 4.0), layout="constrained")
    during, *bins, plane = figure.subplots(1, 4)
    for i, (name, colour) in enumerate([("trained on CLs", "#0072B2"), ("on cross-entropy", "#D55E00")]):
        during.plot(result.limits[:, i].T, color=colour, linewidth=0.9)
        during.plot([], [], color=colour, label=name)
        for kind, style, heights in zip(kinds, styles, result.histograms[0, i, -1], strict=True):
            bins[i].stairs(heights, label=kind, color="#D55E00" if kind == "signal" else "#444444", linestyle=style)
        bins[i].set(xlabel="bin", ylabel="events", yscale="log", ylim=(0.05, 200.0), title=name)
    during.set(xlabel="step", ylabel="median expected upper limit", yscale="log")
    axis = np.linspace(-5.0, 5.0, 200)
    points = jnp.stack(jnp.meshgrid(axis, axis), axis=-1)
    number = outputs(jax.tree.map(lambda leaf: leaf[0], result.learned), points).argmax(axis=-1)
    plane.pcolormesh(axis, axis, number, cmap="Blues", alpha=0.6)
    for centre, name in zip(CENTRES, kinds, strict=True):
        plane.annotate(name, centre, ha="center")
    plane.set(xlabel="first observable", ylabel="second observable", title="learned bins")
    during.legend(frameon=False)
    bins[0].legend(frameon=False, ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Train, print and draw."""
    parser = argparse.ArgumentParser(description="Learn a histogram for the expected limit.")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "output" / "soft_histogram.png")
    chosen = parser.parse_args()
    result = study(chosen.steps, jax.random.split(jax.random.key(0), chosen.seeds))
    learned, classifier = np.asarray(result.limits[:, :, -1]).T
    print(f"limits, trained on CLs:    {np.round(learned, 3)}")
    print(f"limits, on cross-entropy:  {np.round(classifier, 3)}")
    ratios = learned / classifier
    print(f"ratios: {np.round(ratios, 3)}; mean {ratios.mean():.3f}, standard deviation {ratios.std():.3f}")
    draw(result, chosen.output)
    print(f"drawn: {chosen.output}")


if __name__ == "__main__":
    main()
