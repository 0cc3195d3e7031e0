"""``pyhf-func impacts``: where the error of the parameter of interest comes from, by groups."""

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged, status_of
from pyhf_func.cli.study import Study, study_options


@click.command()
@workspace_argument
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="[NAME=]PATTERN",
    help="Group of the parameters whose names match, such as jets=JES_*; repeatable, also for one name.  [default: "
    "those that the document names]",
)
@click.option("--poi", metavar="NAME", help="Whose error is split.  [default: the parameter of interest]")
@tables.format_option
@study_options(drawn=False)
def impacts(study: Study, groups: tuple[str, ...], poi: str | None, layout: str) -> None:
    """Impacts of groups of parameters of WORKSPACE, a file of any format or - for standard input, on another one.

    Writes {"poi": {...}, "groups": [{"group": ..., "impact": value, "component": value, "parameters": [names]},
    ...], "closure": {...}}. An impact is the error that is gone when the group is held at its best values; impacts of
    groups that are correlated after the fit do not add up in quadrature. A component is the scatter that the
    group's own measurements bring (arXiv:2307.04007); components do add up. The closure is the sum in quadrature
    over the error.

    The data statistics are always a group, as are the MC statistics (staterror, shapesys) and the other
    systematics that no --group takes. For single parameters see ranking.

    \b
    Example:
      pyhf-func impacts workspace.json --group 'jets=JES_*' --group 'jets=JER' --group 'theory_*' --format table
    """
    if poi is None:
        study.require_poi()
    found = study.compute(pf.group_impacts, _patterns(groups) or _named(study), poi)
    closure = {"impact": found.impact_closure, "component": found.component_closure}
    results = {
        "poi": {"name": found.poi, "best": found.best, "error": found.error},
        "groups": [one._asdict() for one in found.groups],
        "closure": closure,
        **(require_converged(found.status) if found.error != found.error else status_of(found.status)),
    }
    tables.write(study, layout, results, found.table().rows, None, groups=list(groups))


def _patterns(groups: tuple[str, ...]) -> dict[str, list[str]]:
    """Patterns by the name of their group."""
    found: dict[str, list[str]] = {}
    for group in groups:
        name, equals, pattern = group.partition("=")
        found.setdefault(name, []).append(pattern if equals else name)
    return found


def _named(study: Study) -> dict[str, list[str]]:
    """The groups of the document, as far as their parameters are in the model."""
    names = set(study.model.config.par_names) | set(study.model.config.par_order)
    foreign = study.workspace.foreign_names
    found = {}
    for group, members in study.workspace.metadata.get("groups", {}).items():
        ours = [foreign.get(member, member) for member in members]
        if known := [name for name in ours if name in names]:
            found[group] = known
    return found
