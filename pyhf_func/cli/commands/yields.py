"""``pyhf-func yields``: expected events before and after the fit."""

from typing import TYPE_CHECKING, Any, Literal

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.errors import CommandError
from pyhf_func.cli.report import require_converged
from pyhf_func.cli.study import Study, study_options

if TYPE_CHECKING:
    from pyhf_func.core.inference import YieldsResult

_STAGES: tuple[Literal["prefit", "postfit"], ...] = ("prefit", "postfit")


@click.command()
@workspace_argument
@click.option("--channel", "channels", multiple=True, metavar="NAME", help="Only this channel; repeatable.")
@click.option("--stage", type=click.Choice(_STAGES), default="postfit", show_default=True, help="What the plot shows.")
@click.option("--blind", multiple=True, metavar="NAME", help="Plot no data in this channel; repeatable.")
@tables.format_option
@study_options()
def yields(
    study: Study,
    channels: tuple[str, ...],
    stage: Literal["prefit", "postfit"],
    blind: tuple[str, ...],
    layout: str,
) -> None:
    """Expected events of WORKSPACE, a JSON file or - for standard input, in each channel, sample and bin.

    Writes {"channels": [{"name": ..., "observed": [bins], "prefit": {"total": [bins], "total_error": [bins],
    "samples": {name: {"yield": [bins], "error": [bins]}}}, "postfit": {...}}, ...]}. Errors contain all
    correlations. As a table it writes sums over the bins of each channel, with their errors.

    --plot draws the stacked samples, the data and their ratio.

    \b
    Example:
      pyhf-func yields workspace.json --format latex --plot postfit.pdf
    """
    known = study.model.config.channels
    if unknown := [name for name in (*channels, *blind) if name not in known]:
        raise CommandError(f"There is no channel {unknown[0]!r}. The model has {', '.join(known)}.")
    chosen = [name for name in known if name in (channels or known)]
    found = study.compute(pf.yields)
    status = require_converged(found.status)
    results = {"channels": [_channel(study, found, name) for name in chosen], **status}
    rows = [row for name in chosen for row in _rows(study, found, name)]
    tables.write(
        study,
        layout,
        results,
        rows,
        lambda: pf.plot.yields(found, study.model, stage, chosen, blind=list(blind), metadata=study.metadata),
        channels=chosen,
    )


def _channel(study: Study, found: "YieldsResult", channel: str) -> dict[str, Any]:
    """All that is known of the bins of one channel."""
    bins = study.model.config.channel_slices[channel]
    stages: dict[str, Any] = {}
    for stage in _STAGES:
        band = getattr(found, stage)
        samples = {
            sample: {"yield": band.samples[i, bins], "error": band.samples_error[i, bins]}
            for i, sample in enumerate(study.model.config.samples)
            if sample in _samples(study, channel)
        }
        stages[stage] = {"total": band.total[bins], "total_error": band.total_error[bins], "samples": samples}
    return {"name": channel, "observed": found.observed[bins], **stages}


def _rows(study: Study, found: "YieldsResult", channel: str) -> list[dict[str, Any]]:
    """Sums over the bins of one channel: its samples, all of them, and the data."""
    config = study.model.config
    place, named = config.channels.index(channel), _samples(study, channel)
    rows: list[dict[str, Any]] = []
    for i, sample in enumerate(config.samples):
        if sample in named:
            cells = {
                stage: (band.channel_samples[i, place], band.channel_samples_error[i, place])
                for stage, band in _bands(found)
            }
            rows.append(_row(channel, sample, cells))
    rows.append(
        _row(channel, "total", {s: (band.channels[place], band.channels_error[place]) for s, band in _bands(found)})
    )
    seen = float(found.observed[config.channel_slices[channel]].sum())
    return [*rows, _row(channel, "data", dict.fromkeys(_STAGES, (seen, None)))]


def _bands(found: "YieldsResult") -> list[tuple[str, Any]]:
    return [(stage, getattr(found, stage)) for stage in _STAGES]


def _row(channel: str, sample: str, cells: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    numbers: dict[str, float | None] = {}
    for stage, (value, error) in cells.items():
        numbers[stage] = float(value)
        numbers[f"{stage}_error"] = None if error is None else float(error)
    return {"channel": channel, "sample": sample, **numbers}


def _samples(study: Study, channel: str) -> set[str]:
    """Which samples a channel has."""
    spec = study.model.spec["channels"]
    return {sample["name"] for item in spec if item["name"] == channel for sample in item["samples"]}
