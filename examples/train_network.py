"""Train a PyTorch network on the expected CLs itself, nuisance parameter included, and compare with cross-entropy.

The network puts each event into one of a few bins, softly. The soft histograms are the yields of a HistFactory model;
the logarithm of its expected CLs is the loss, and the gradient comes back through the fits. A classifier that is
trained on cross-entropy knows neither the systematic uncertainty nor the final question. Both are judged on events
that neither has seen, counted without softness.

    python examples/train_network.py [--steps 200] [--seed 0] [--output FILE.png]

Needs the extras torch and plot.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import torch
from torch import Tensor, nn

import pyhf_func as pf
from pyhf_func.adapters.bridge import as_torch

BINS = 4
EVENTS = 10000
SIGNAL_YIELD, BACKGROUND_YIELD = 15.0, 60.0
CENTRES = {"signal": (1.0, 1.0), "background": (2.5, 2.0), "up": (2.5, 3.0), "down": (2.5, 1.0)}
"""Where the events of two observables lie; up and down are the background's systematic variation."""


class Result(NamedTuple):
    """The result of a training."""

    losses: list[float]  # expected CLs of the soft histograms, step by step
    cls: float  # expected CLs of the trained network, on new events
    cls_cross_entropy: float  # the same for the classifier


def build_model() -> pf.Model:
    """Signal with a strength, background with a shape uncertainty; the yields are replaced in training."""
    flat = [1.0] * BINS
    signal = {"name": "signal", "data": flat, "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}
    shape = {"name": "shape", "type": "histosys", "data": {"lo_data": flat, "hi_data": flat}}
    background = {"name": "background", "data": flat, "modifiers": [shape]}
    return pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]})


def expected_cls(model: pf.Model) -> Callable[..., Any]:
    """Median expected CLs of the signal, as a function of the four histograms."""

    def loss(signal: jax.Array, background: jax.Array, up: jax.Array, down: jax.Array) -> jax.Array:
        filled = model.with_yields("SR", "signal", signal).with_yields("SR", "background", background)
        filled = filled.with_histosys("SR", "background", "shape", lo=down, hi=up)
        data = jax.numpy.append(background, 0.0)
        return pf.hypotest(1.0, data, filled).cls_expected[2]

    return loss


def events(seed: int) -> dict[str, Tensor]:
    """Events of two observables, by kind; the variations share the background's fluctuations."""
    generator = torch.Generator().manual_seed(seed)
    noise = {kind: torch.randn(EVENTS, 2, generator=generator, dtype=torch.float64) for kind in ("signal", "other")}
    return {
        kind: noise["signal" if kind == "signal" else "other"] + torch.tensor(centre, dtype=torch.float64)
        for kind, centre in CENTRES.items()
    }


def network(outputs: int) -> nn.Sequential:
    """A small network of two observables."""
    sizes = [(2, 32), (32, 32), (32, outputs)]
    first, second, last = (nn.Linear(*size, dtype=torch.float32) for size in sizes)
    layers = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)
    return layers.double()


def histograms(share: Callable[[Tensor], Tensor], sample: dict[str, Tensor]) -> list[Tensor]:
    """Yields by bin of each kind of events; ``share`` gives the bins' shares of each event."""
    yields = {kind: SIGNAL_YIELD if kind == "signal" else BACKGROUND_YIELD for kind in sample}
    # A bin without any background has no defined CLs: none is quite empty.
    return [yields[kind] * share(x).mean(axis=0) + 1e-3 for kind, x in sample.items()]


def in_bins(number: Tensor) -> Tensor:
    """Whole events: one in the bin with this number."""
    return nn.functional.one_hot(number, BINS).double()


def train(steps: int, seed: int) -> Result:
    """Train both networks."""
    torch.manual_seed(seed)
    loss = as_torch(jax.jit(expected_cls(build_model())))
    seen, new = events(seed), events(seed + 1)

    aware = network(BINS)
    optimiser = torch.optim.Adam(aware.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = loss(*histograms(lambda x: torch.softmax(aware(x), dim=-1), seen))
        value.log().backward()
        optimiser.step()
        losses.append(float(value.detach()))

    classifier = network(1)
    optimiser = torch.optim.Adam(classifier.parameters(), lr=5e-3)
    truth = torch.cat([torch.ones(EVENTS), torch.zeros(EVENTS)]).double()
    both = torch.cat([seen["signal"], seen["background"]])
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(classifier(both)[:, 0], truth).backward()
        optimiser.step()

    with torch.no_grad():
        hard = histograms(lambda x: in_bins(aware(x).argmax(dim=-1)), new)
        # The classifier's output, cut into bins of equal signal.
        cuts = torch.quantile(classifier(seen["signal"])[:, 0], torch.arange(1, BINS, dtype=torch.float64) / BINS)
        usual = histograms(lambda x: in_bins(torch.bucketize(classifier(x)[:, 0], cuts)), new)
        return Result(losses, float(loss(*hard)), float(loss(*usual)))


def draw(result: Result, path: Path) -> None:
    """The loss step by step, and what is left of it on new events."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(result.losses, color="#0072B2", label="training on CLs, soft bins")
    axes.axhline(result.cls, color="#0072B2", linestyle="dashed", label="trained on CLs, new events")
    axes.axhline(result.cls_cross_entropy, color="#D55E00", linestyle="dashed", label="cross-entropy, new events")
    axes.set_xlabel("step")
    axes.set_ylabel("median expected CLs")
    axes.set_yscale("log")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Train, print and draw."""
    parser = argparse.ArgumentParser(description="Train a network on the expected CLs.")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "output" / "training.png")
    chosen = parser.parse_args()
    result = train(chosen.steps, chosen.seed)
    print(f"expected CLs, first and last step: {result.losses[0]:.4f} {result.losses[-1]:.4f}")
    print(f"on new events: {result.cls:.4f}; with cross-entropy: {result.cls_cross_entropy:.4f}")
    draw(result, chosen.output)
    print(f"drawn: {chosen.output}")


if __name__ == "__main__":
    main()
