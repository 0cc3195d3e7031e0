"""Draw CLs against the signal strength for a workspace, with the expected bands, and print upper limits.

All values of the scan are computed in one call: ``jax.vmap`` over the parameter of interest of
``pyhf_func.hypotest``.

Run: ``python examples/scan.py WORKSPACE.json [--output PLOT.png]`` (needs the extra ``plot``)
"""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np

import pyhf_func as pf
from pyhf_func.workspace import load

matplotlib.use("Agg")
from matplotlib import pyplot as plt

POINTS = 101
TEST_SIZE = 0.05
OUTPUT = Path(__file__).parent / "output" / "cls_scan.png"


class Scan(NamedTuple):
    """CLs along the parameter of interest."""

    mu: np.ndarray
    """Shape (points,)."""
    observed: np.ndarray
    """Shape (points,)."""
    expected: np.ndarray
    """Shape (points, 5), for data at -2, -1, 0, 1, 2 standard deviations."""


def scan(model: Any, data: Any, upper: float) -> Scan:
    """CLs at ``POINTS`` values between 0 and ``upper``, mapped as one program."""
    mu = jnp.linspace(0.0, upper, POINTS)
    result = jax.vmap(pf.hypotest, in_axes=(0, None, None))(mu, data, model)
    return Scan(np.asarray(mu), np.asarray(result.cls), np.asarray(result.cls_expected))


def interesting_range(model: Any, data: Any) -> float:
    """A little more than the value where every curve of a coarse scan is below the test size."""
    upper = float(model.config.suggested_bounds()[model.config.poi_index][1])
    coarse = scan(model, data, upper)
    excluded = (coarse.expected < TEST_SIZE).all(axis=1) & (coarse.observed < TEST_SIZE)
    return min(1.15 * float(coarse.mu[excluded][0]), upper) if excluded.any() else upper


def crossing(mu: np.ndarray, cls: np.ndarray) -> float:
    """Where a falling curve passes the test size, by a straight line between two points; NaN if nowhere."""
    below = np.flatnonzero((cls[1:] < TEST_SIZE) & (cls[:-1] >= TEST_SIZE))
    if not below.size:
        return float("nan")
    left = below[0]
    share = (cls[left] - TEST_SIZE) / (cls[left] - cls[left + 1])
    return float(mu[left] + share * (mu[left + 1] - mu[left]))


def draw(result: Scan, target: Path, title: str) -> None:
    """The usual picture: observed and median expected CLs, one and two sigma bands, the limit."""
    figure, axes = plt.subplots(figsize=(7.2, 5.0), layout="constrained")
    low2, low1, median, high1, high2 = result.expected.T
    axes.fill_between(result.mu, low2, high2, color="#ffdf7f", linewidth=0, label=r"expected $\pm 2\sigma$")
    axes.fill_between(result.mu, low1, high1, color="#85d1a1", linewidth=0, label=r"expected $\pm 1\sigma$")
    axes.plot(result.mu, median, color="black", linestyle="--", linewidth=1.4, label="expected median")
    axes.plot(result.mu, result.observed, color="black", linewidth=1.8, label="observed")
    axes.axhline(TEST_SIZE, color="#c0392b", linewidth=1.2)
    axes.annotate(
        f"{1 - TEST_SIZE:.0%} CL",
        (0.01, TEST_SIZE),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        color="#c0392b",
    )
    mark_limit(axes, crossing(result.mu, result.observed))
    axes.set(xlim=(0, result.mu[-1]), ylim=(0, 1), xlabel=r"signal strength $\mu$", ylabel=r"CL$_\mathrm{s}$")
    axes.set_title(title, loc="left", fontsize="medium")
    axes.minorticks_on()
    axes.tick_params(which="both", direction="in", top=True, right=True)
    axes.legend(frameon=False, loc="upper right")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=160)
    plt.close(figure)


def mark_limit(axes: Any, limit: float) -> None:
    """A dot where the observed curve crosses the test size, with its value."""
    if np.isnan(limit):
        return
    axes.plot([limit], [TEST_SIZE], marker="o", color="#c0392b", zorder=5)
    axes.annotate(
        rf"observed limit $\mu < {limit:.2f}$",
        (limit, TEST_SIZE),
        xytext=(-60, 70),
        textcoords="offset points",
        color="#c0392b",
        arrowprops={"arrowstyle": "-", "color": "#c0392b", "linewidth": 0.8},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()

    workspace = pf.Workspace(load(str(arguments.workspace)))
    model = workspace.model()
    data = jnp.asarray(workspace.data(model))
    result = scan(model, data, interesting_range(model, data))
    draw(result, arguments.output, f"{arguments.workspace.stem}: {model.config.npars} parameters")

    print(f"observed 95% CL upper limit on {model.config.poi_name}: {crossing(result.mu, result.observed):.3f}")
    limits = [crossing(result.mu, curve) for curve in result.expected.T]
    print("expected at -2, -1, 0, 1, 2 sigma:      " + ", ".join(f"{limit:.3f}" for limit in limits))
    print(f"plot: {arguments.output}")


if __name__ == "__main__":
    main()
