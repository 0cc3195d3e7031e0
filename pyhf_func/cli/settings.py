"""Options of the commands that fit: what is fitted, and with which backend and optimizer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from pyhf_func.cli.documents import patch_option, read_patches, read_workspace
from pyhf_func.options import EqDelimStringParamType

_BACKENDS = {"np": "numpy", "torch": "pytorch", "tf": "tensorflow"}
_OPTIMIZERS = {"scipy_optimizer": "scipy", "minuit_optimizer": "minuit"}
_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    patch_option,
    click.option("--measurement", help="Name of the measurement to use.  [default: the first]"),
    click.option(
        "--backend",
        type=click.Choice(["numpy", "jax", "pytorch", "tensorflow", "mxnet", *_BACKENDS]),
        default="numpy",
        show_default=True,
        help="Whose tensors to calculate with; the numbers are the same.",
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
    click.option("--strict", is_flag=True, help="Refuse what would otherwise only be warned about."),
    click.option("--no-cache", is_flag=True, help="Do not keep compiled programs in the user's cache directory."),
)


def fit_options(command: _Command) -> _Command:
    """Give a command the options of fits."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


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
        import pyhf_func as pf

        options = {name: value for item in self.optconf for name, value in item.items()}
        make = getattr(pf.optimize, f"{_OPTIMIZERS.get(self.optimizer, self.optimizer)}_optimizer")
        with pf.set_backend(_BACKENDS.get(self.backend, self.backend), make(**options)):
            yield pf.get_backend()[0]


def read_model(
    workspace: str, patches: tuple[str, ...], measurement: str | None, strict: bool
) -> tuple[Any, list[float]]:
    """The model of the chosen measurement with the patches applied, and the data with the auxiliary data."""
    opened = read_workspace(workspace, strict=strict)
    model = opened.model(measurement_name=measurement, patches=read_patches(patches))
    return model, opened.data(model)


def prepare_jax(*, cached: bool, optimised: bool = False) -> Path | None:
    """Set up JAX for one short run; before anything is compiled. Returns the folder of the cache, if there is one."""
    from pyhf_func.cli import cache

    folder = cache.enable() if cached else None

    import jax

    # One test takes milliseconds, compiling it seconds: the compiler shall not try hard, unless there are toys.
    jax.config.update("jax_disable_most_optimizations", not optimised)
    return folder
