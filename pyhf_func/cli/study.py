"""A study of one workspace: what its command reads, computes and writes; with the options that all studies share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

import pyhf_func as pf
from pyhf_func._lookup import unknown
from pyhf_func._version import __version__
from pyhf_func.cli import pictures
from pyhf_func.cli.documents import only_one_from_standard_input, output_option, read_patches, read_workspace, write
from pyhf_func.cli.errors import CommandError, reported
from pyhf_func.cli.report import plain
from pyhf_func.cli.settings import model_options, poi_option, prepare_jax
from pyhf_func.cli.waiting import told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pyhf_func.core.fit import FitResult
    from pyhf_func.core.inference import CovarianceResult
    from pyhf_func.pyhf.pdf import Model
    from pyhf_func.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class Study:
    """A workspace that was read, with all that its commands do alike."""

    command: str
    inputs: tuple[str, ...]
    """paths of the workspace and its patches."""
    workspace: "Workspace"
    patches: list[list[Any]]
    measurement: str | None
    cached: bool
    output_file: str | None
    plot: str | None
    labels: Mapping[str, Any] = field(default_factory=dict)
    """metadata for the plot, which come before those of the workspace."""
    poi: str | None = None
    """the parameter of interest, where it is not the measurement's."""

    @property
    def metadata(self) -> dict[str, Any]:
        """How things are called in the plot."""
        return {**self.workspace.metadata, **self.labels}

    @cached_property
    def model(self) -> "Model":
        """The model of the chosen measurement, patched."""
        other: dict[str, Any] = {} if self.poi is None else {"poi_name": self.poi}
        return self.workspace.model(measurement_name=self.measurement, patches=self.patches, **other)

    @cached_property
    def data(self) -> list[float]:
        """The observed data with the auxiliary data."""
        return self.workspace.data(self.model)

    def require_poi(self) -> int:
        """Place of the parameter of interest.

        Raises:
            CommandError: The model has no parameter of interest.
        """
        place = self.model.config.poi_index
        if place is None:
            raise CommandError("The measurement has no parameter of interest, so there is nothing to test.")
        return place

    def place(self, name: str) -> int:
        """Place of a parameter in the parameter vector.

        Raises:
            CommandError: There is no such parameter.
        """
        names = self.model.config.par_names
        if name not in names:
            raise CommandError(unknown("parameter", name, names))
        return names.index(name)

    def compute(self, verb: Callable[..., T], *args: Any, **settings: Any) -> T:
        """The result of a verb for the data and the model."""
        with told(verb.__name__.replace("_", " ")):
            return verb(self.data, self.model, *args, **settings)

    @cached_property
    def fit(self) -> "FitResult":
        """The fit of all parameters."""
        return self.compute(pf.fit)

    @cached_property
    def fitted(self) -> "CovarianceResult":
        """The same with its covariance."""
        return self.compute(pf.covariance)

    @property
    def document(self) -> "Workspace":
        """The workspace with the patches applied."""
        if not self.patches:
            return self.workspace
        from pyhf_func.cli.patched import of_measurement

        return of_measurement(self.workspace, self.measurement, self.patches)

    def about(self, **settings: Any) -> dict[str, Any]:
        """What results were made from and with."""
        measurement = self.workspace.get_measurement(self.measurement)
        return {
            "command": self.command,
            "versions": {**versions(), "format": self.workspace["version"]},
            "digest": f"sha256:{pf.utils.digest(self.document)}",
            "measurement": measurement["name"],
            "poi": self.poi or measurement["config"]["poi"] or None,
            "settings": settings,
        }

    def write(self, results: dict[str, Any], draw: Callable[[], "Figure"] | None = None, **settings: Any) -> None:
        """Write results with what they were made from, and draw them where that is asked for."""
        write(plain({**results, "about": self.about(**settings)}), self.output_file)
        self.draw(draw)

    def draw(self, draw: Callable[[], "Figure"] | None) -> None:
        """Draw a figure where that is asked for."""
        if self.plot is None or draw is None:
            return
        try:
            figure = draw()
        except ValueError as error:
            raise CommandError(f"The result is written, but can't be drawn: {error}") from error
        pictures.save(figure, self.plot)


def versions() -> dict[str, str]:
    """Of the programs that numbers come from."""
    return {"pyhf_func": __version__, "jax": version("jax")}


def study_options(*, drawn: bool = True, tests: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, which has a WORKSPACE, the options of studies, as one `Study`: its first argument.

    Args:
        drawn: Whether its result can be drawn.
        tests: Whether it tests a parameter, which can be chosen.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def call(
            workspace: str,
            patches: tuple[str, ...],
            measurement: str | None,
            strict: bool,
            no_cache: bool,
            output_file: str | None,
            plot: str | None = None,
            metadata: str | None = None,
            **own: Any,
        ) -> None:
            only_one_from_standard_input(workspace, *patches)
            with reported():
                if plot is not None:
                    pictures.check(plot)
                labels = pictures.read_metadata(metadata)
                prepare_jax(cached=not no_cache)
                opened = read_workspace(workspace, strict=strict)
                opened.get_measurement(measurement)  # which is refused before anything is computed
                study = Study(
                    command.__name__,
                    (workspace, *patches),
                    opened,
                    read_patches(patches),
                    measurement,
                    not no_cache,
                    output_file,
                    plot,
                    labels,
                    own.pop("poi") if tests else None,
                )
                command(study, **own)

        shared = output_option(model_options(poi_option(call) if tests else call))
        return pictures.plot_option(pictures.metadata_option(shared)) if drawn else shared

    return decorate
