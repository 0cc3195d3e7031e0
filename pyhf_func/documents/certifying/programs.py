"""Other programs that compute the same likelihood, each as it is installed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["NotComparable", "Program", "Pyhf", "WithHS3", "installed"]

Values = Mapping[str, Sequence[float]]
"""Values of the components of each parameter, by its name."""

_SECONDS = 1800
"""A program of its own process is given, at most."""


class NotComparable(Exception):
    """A program cannot hold the likelihood, or fails on it; the text says why."""


class Program(Protocol):
    """A program that computes a likelihood."""

    name: str

    @property
    def version(self) -> str:
        """Its version."""

    def describe(self) -> dict[str, Any]:
        """Parameters, data and measurements as it reads them; empty of what it does not tell."""

    def evaluate(self, points: Sequence[Values]) -> dict[str, Any]:
        """At each point ``twice_nll``, up to a constant, and where it tells them ``yields`` by channel.

        Raises:
            NotComparable: It cannot.
        """

    def test(self, mu: float, best: Values, held: Values) -> dict[str, Any] | None:
        """Its own fits, from ours, and CLs at a value of the parameter of interest; None where it makes none."""


@dataclass
class Pyhf:
    """pyhf with NumPy and SciPy.

    Attributes:
        document: The workspace that it reads.
        measurement: Name of the measurement.
        settings: Arguments of its model, such as ``modifier_settings``.
        units: Of those of our parameters that have another name, or unit, there: that name, and theirs in our units.
    """

    document: Mapping[str, Any]
    measurement: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    name: str = "pyhf"

    @property
    def version(self) -> str:
        """Its version."""
        return version("pyhf")

    @cached_property
    def _made(self) -> tuple[Any, Any]:
        """Model and data."""
        with _quiet_pyhf() as pyhf:
            try:
                workspace = pyhf.Workspace(json.loads(json.dumps(self.document)))
                model = workspace.model(measurement_name=self.measurement, **self.settings)
                return model, workspace.data(model)
            except Exception as error:
                raise NotComparable(
                    _one_line(f"pyhf refuses the workspace: {type(error).__name__}: {error}")
                ) from error

    def describe(self) -> dict[str, Any]:
        """Parameters, data and measurements as it reads them."""
        model, data = self._made
        return described(model.config, data)

    def _vector(self, point: Values) -> list[float]:
        """A point as its parameter vector; what the point lacks stays at its start."""
        config = self._made[0].config
        theirs = dict(point)
        for ours, (name, unit) in self.units.items():
            theirs[name] = [value / unit for value in point[ours]]
        found: list[float] = []
        for name in config.par_order:
            start = list(config.param_set(name).suggested_init)
            given = list(theirs.get(name, start))
            found.extend(given if len(given) == len(start) else start)
        return found

    def evaluate(self, points: Sequence[Values]) -> dict[str, Any]:
        """2NLL and yields at each point."""
        model, data = self._made
        with _quiet_pyhf():
            vectors = [self._vector(point) for point in points]
            twice_nll = [float(-2 * model.logpdf(pars, data)[0]) for pars in vectors]
            counts = [np.asarray(model.expected_data(pars, include_auxdata=False)) for pars in vectors]
        slices = model.config.channel_slices
        yields = [{channel: one[slices[channel]].tolist() for channel in model.config.channels} for one in counts]
        return {"twice_nll": twice_nll, "yields": yields}

    def test(self, mu: float, best: Values, held: Values) -> dict[str, Any] | None:
        """Its fits from ours, and CLs."""
        model, data = self._made
        if model.config.poi_index is None:
            return None
        bounds = [list(pair) for pair in model.config.suggested_bounds()]
        poi = model.config.poi_index
        bounds[poi] = [max(0.0, bounds[poi][0]), max(bounds[poi][1], 2 * mu)]
        with _quiet_pyhf() as pyhf:
            options = {"par_bounds": bounds, "return_fitted_val": True}
            try:
                start = self._vector(best)
                pars, free = pyhf.infer.mle.fit(data, model, start, **options)
                _, fixed = pyhf.infer.mle.fixed_poi_fit(mu, data, model, self._vector(held), **options)
                observed, expected = pyhf.infer.hypotest(
                    mu, data, model, start, bounds, test_stat="qtilde", return_expected_set=True
                )
            except Exception as error:
                raise NotComparable(_one_line(f"a fit of pyhf failed: {type(error).__name__}: {error}")) from error
        return {
            "best": float(pars[poi]),
            "minimum": float(free),
            "q": max(float(fixed - free), 0.0) if pars[poi] <= mu else 0.0,
            "cls_obs": float(observed),
            "cls_exp": [float(one) for one in expected],
        }


def described(config: Any, data: Sequence[float]) -> dict[str, Any]:
    """What a model's configuration and data say, in the terms of pyhf's interface, which ours shares."""
    sets = {name: config.param_set(name) for name in config.par_order}
    flags = config.suggested_fixed()
    aux, start = {}, config.nmaindata
    for name in config.auxdata_order:
        size = sets[name].n_parameters
        aux[name] = [float(x) for x in data[start : start + size]]
        start += size
    return {
        "parameter of interest": {"name": config.poi_name},
        "parameters": {name: one.n_parameters for name, one in sets.items()},
        "start values": {name: [float(x) for x in one.suggested_init] for name, one in sets.items()},
        "bounds": {name: [float(x) for pair in one.suggested_bounds for x in pair] for name, one in sets.items()},
        "fixed": {name: [bool(flag) for flag in flags[config.par_slice(name)]] for name in sets},
        "samples": dict.fromkeys(config.samples, 1),
        "bins": {name: len(data[config.channel_slices[name]]) for name in config.channels},
        "data": {name: [float(x) for x in data[config.channel_slices[name]]] for name in config.channels},
        "auxiliary data": aux,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]


@contextlib.contextmanager
def _quiet_pyhf() -> Iterator[Any]:
    """pyhf with NumPy and SciPy, whatever it was set to, and without its log."""
    import pyhf

    backend, optimizer = pyhf.get_backend()
    level = logging.getLogger("pyhf").level
    logging.getLogger("pyhf").setLevel(logging.CRITICAL)
    pyhf.set_backend("numpy", "scipy")
    try:
        with np.errstate(all="ignore"):
            yield pyhf
    finally:
        pyhf.set_backend(backend, optimizer)
        logging.getLogger("pyhf").setLevel(level)


@dataclass
class WithHS3:
    """A program that reads HS3, in a process of its own: ROOT or pyhs3.

    Attributes:
        name: Its name, as Python imports it.
        document: The HS3 document.
        owners: Our parameter and component, and the unit, of each of its parameters.
        analysis: Name of the analysis.
        python: The interpreter that has it; by default the one that runs this.
    """

    name: str
    document: Mapping[str, Any]
    owners: Mapping[str, tuple[str, int, float]]
    analysis: str | None = None
    python: str | None = None

    @cached_property
    def version(self) -> str:
        """Its version."""
        return str(self._ask([]).get("version", ""))

    def describe(self) -> dict[str, Any]:
        """It tells nothing but values."""
        return {}

    def evaluate(self, points: Sequence[Values]) -> dict[str, Any]:
        """2NLL at each point."""
        theirs = [
            {
                owner: float(point[name][place]) * unit
                for owner, (name, place, unit) in self.owners.items()
                if name in point
            }
            for point in points
        ]
        return {"twice_nll": self._ask(theirs)["twice_nll"]}

    def test(self, mu: float, best: Values, held: Values) -> dict[str, Any] | None:
        """It makes no fits here."""
        return None

    def _ask(self, points: list[dict[str, float]]) -> dict[str, Any]:
        worker = Path(__file__).with_name("worker.py")
        question = {"program": self.name, "document": self.document, "analysis": self.analysis, "points": points}
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            done = subprocess.run(
                [self.python or sys.executable, "-I", str(worker)],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                env=environment,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotComparable(f"{self.name} did not answer: {error}") from error
        lines = done.stdout.splitlines()
        if done.returncode or not lines:
            said = [line for line in done.stderr.splitlines() if line.strip()] or ["no output"]
            errors = [line for line in said if "Error" in line.split(":")[0]]
            raise NotComparable(_one_line(f"{self.name} cannot read the likelihood: {(errors or said)[-1]}"))
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer


def installed(name: str) -> bool:
    """Whether a package can be imported, and is not this library in its place."""
    try:
        found = find_spec(name) is not None
        if name == "pyhf":
            version(name)
            import pyhf

            return found and not str(getattr(pyhf, "__file__", "")).startswith(str(Path(__file__).parents[2]))
    except (ImportError, ValueError, PackageNotFoundError):
        return False
    return found
