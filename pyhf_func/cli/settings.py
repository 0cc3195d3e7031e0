"""Options of the commands that fit: what is fitted and tested, and with which backend and optimizer."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

import pyhf_func as pf
from pyhf_func.adapters.registry import FRAMEWORKS
from pyhf_func.cli.documents import patch_option, read_patches, read_workspace
from pyhf_func.core import memory
from pyhf_func.core.statistics import QTILDE, STATISTICS, Statistic, names
from pyhf_func.options import EqDelimStringParamType

_BACKENDS = {framework.nickname: name for name, framework in FRAMEWORKS.items() if framework.nickname}
_OPTIMIZERS = {"scipy_optimizer": "scipy", "minuit_optimizer": "minuit"}
_Command = TypeVar("_Command", bound=Callable[..., Any])

strict_option = click.option("--strict", is_flag=True, help="Refuse what would otherwise only be warned about.")
cache_option = click.option(
    "--no-cache", is_flag=True, help="Do not keep compiled programs in the user's cache directory."
)
_MODEL_OPTIONS = (
    patch_option,
    click.option("--measurement", help="Name of the measurement to use.  [default: the first]"),
    strict_option,
    cache_option,
)
_BACKEND_OPTIONS = (
    click.option(
        "--backend",
        type=click.Choice([*FRAMEWORKS, *_BACKENDS]),
        default="numpy",
        show_default=True,
        help="Tensor library used for the calculation; does not change the result.",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(["newton", "scipy", "minuit", *_OPTIMIZERS]),
        default="newton",
        show_default=True,
        help="The minimiser: our own, SciPy's or Minuit.",
    ),
    click.option(
        "--optconf",
        type=EqDelimStringParamType(),
        multiple=True,
        metavar="NAME=VALUE",
        help="Option of the minimiser, such as maxiter=1000; repeatable.",
    ),
)


def model_options(command: _Command) -> _Command:
    """Give a command the options of what is fitted."""
    return _with(_MODEL_OPTIONS, command)


def fit_options(command: _Command) -> _Command:
    """Give a command the options of fits: what is fitted, and with what."""
    before, after = _MODEL_OPTIONS[:2], _MODEL_OPTIONS[2:]
    return _with((*before, *_BACKEND_OPTIONS, *after), command)


def _with(options: Iterable[Callable[[_Command], _Command]], command: _Command) -> _Command:
    for option in reversed([*options]):
        command = option(command)
    return command


class Number(click.FloatRange):
    """A finite number, possibly in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


level_option = click.option(
    "--level",
    type=Number(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="CLs at the limit: 1 - confidence level.",
)
poi_value_option = click.option(
    "--poi-value",
    "--test-poi",
    "--testpoi",
    "poi_value",
    type=float,
    help="Value of the parameter of interest to test.  [default: 1.0; with q0: 0.0]",
)


poi_option = click.option("--poi", metavar="NAME", help="The parameter of interest.  [default: the measurement's]")
progress_option = click.option(
    "--progress/--no-progress",
    default=None,
    callback=lambda _context, _option, wanted: sys.stderr.isatty() if wanted is None else wanted,
    help="Whether to show a progress bar on standard error.  [default: on a terminal]",
)


def statistic_option(*, limits: bool = False) -> Callable[[_Command], _Command]:
    """The option of the test statistic; with ``limits``, of one with which upper limits can be set."""
    choices = names(limits=limits)
    purposes: dict[str, list[str]] = {}
    for name in choices:
        purposes.setdefault(STATISTICS[name].purpose, []).append(name)
    help_text = ", ".join(f"{' and '.join(some)} for {purpose}" for purpose, some in purposes.items())
    return click.option(
        "--test-stat",
        "--teststat",
        "statistic",
        type=click.Choice(choices),
        default=QTILDE.name,
        show_default=True,
        callback=lambda _context, _option, name: STATISTICS[name],
        help=f"Test statistic: {help_text}.",
    )


def tested_value(poi_value: float | None, statistic: Statistic) -> float:
    """The value under test, a finite number."""
    if statistic.tested is not None:
        if poi_value not in (None, statistic.tested):
            name, only = statistic.name, statistic.tested
            raise click.UsageError(f"{name} tests the value {only:g} of the parameter of interest, not {poi_value}.")
        return statistic.tested
    if poi_value is None:
        return 1.0
    if not math.isfinite(poi_value):
        raise click.UsageError(f"--poi-value must be a finite number, not {poi_value}.")
    return poi_value


@dataclass(frozen=True)
class Settings:
    """Backend and optimizer that the user asked for."""

    backend: str
    optimizer: str
    optconf: tuple[dict[str, Any], ...]

    @property
    def are_usual(self) -> bool:
        """Whether they are the default ones, which the functional verbs have built in."""
        return self.backend in ("numpy", "np") and self.optimizer == "newton" and not self.optconf

    @contextmanager
    def in_place(self) -> Iterator[Any]:
        """Set the backend and optimizer; gives the backend."""
        options = {name: value for item in self.optconf for name, value in item.items()}
        make = getattr(pf.optimize, f"{_OPTIMIZERS.get(self.optimizer, self.optimizer)}_optimizer")
        with pf.set_backend(_BACKENDS.get(self.backend, self.backend), make(**options)):
            yield pf.get_backend()[0]


def read_model(
    workspace: str, patches: tuple[str, ...], measurement: str | None, strict: bool, poi: str | None = None
) -> tuple[Any, list[float]]:
    """The model of the chosen measurement with the patches applied, and the data with the auxiliary data."""
    opened = read_workspace(workspace, strict=strict)
    other: dict[str, Any] = {} if poi is None else {"poi_name": poi}
    model = opened.model(measurement_name=measurement, patches=read_patches(patches), **other)
    return model, opened.data(model)


def prepare_jax(*, cached: bool) -> None:
    """Set up compilation for one run of a command; before JAX is loaded.

    Raises:
        NotEnoughMemory: JAX can't be loaded into the addresses that there are.
    """
    loaded = "jax" in sys.modules
    memory.check_addresses(memory.compiler() + (0 if loaded else memory.LIBRARIES))
    if not cached:
        pf.use_cache(False)
