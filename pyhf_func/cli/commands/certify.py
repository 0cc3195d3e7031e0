"""``pyhf-func certify``: whether all programs that are installed say the same of a likelihood."""

from functools import partial
from typing import TYPE_CHECKING

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import output_option, reading_options, source, workspace_argument
from pyhf_func.cli.errors import CommandError, reported, warn
from pyhf_func.cli.settings import cache_option, level_option, prepare_jax, progress_option, strict_option
from pyhf_func.cli.streams import warn_of

if TYPE_CHECKING:
    from pyhf_func.documents.certifying import Certificate


def _interpreters(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Interpreters by the program that they have."""
    found = dict(one.partition("=")[::2] for one in given)
    for name, path in found.items():
        if name not in ("ROOT", "pyhs3") or not path:
            raise click.BadParameter("give ROOT=PATH or pyhs3=PATH, the path of an interpreter of Python.")
    return found


@click.command()
@workspace_argument
@click.option("--measurement", help="Name of the measurement to use.  [default: the first]")
@level_option
@click.option("--starts", type=click.IntRange(min=0), default=5, show_default=True, help="Random starts of our fit.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random points and starts.")
@click.option("--fits/--no-fits", default=True, show_default=True, help="Whether other programs make their own fits.")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    callback=_interpreters,
    metavar="NAME=PATH",
    help="Interpreter of Python that has ROOT or pyhs3, where this one has not; repeatable.",
)
@progress_option
@strict_option
@cache_option
@tables.format_option
@output_option
def certify(
    workspace: str,
    measurement: str | None,
    level: float,
    starts: int,
    seed: int,
    fits: bool,
    pythons: dict[str, str],
    progress: bool,
    strict: bool,
    no_cache: bool,
    layout: str,
    output_file: str | None,
) -> None:
    """Compare WORKSPACE, a file of any format or - for standard input, with pyhf, ROOT and pyhs3, as far as installed.

    Names, start values, bounds and data; yields and differences of 2NLL at several points; minimum, q, CLs and the
    limit, by the other programs' own fits, which start from ours. Our fit is repeated from random starts. Writes
    {"agrees": true, "ours": {...}, "minima": [...], "comparisons": [...], "programs": {...}, "formats": {...}};
    "formats" names what other formats could not carry. The exit code is 1 where something disagrees.

    \b
    Example:
      pyhf-func certify workspace.json --format table
    """
    with reported():
        prepare_jax(cached=not no_cache)
        tell = partial(_tell, progress)
        certificate = pf.certify(
            source(workspace),
            measurement_name=measurement,
            pythons=pythons,
            level=level,
            starts=starts,
            seed=seed,
            fits=fits,
            progress=tell,
            strict=strict,
            **reading_options(),
        )
        results = {**certificate._asdict(), "comparisons": [one._asdict() for one in certificate.comparisons]}
        tables.write_rows(layout, results, certificate.table(), output_file)
    _finish(certificate)


def _tell(wanted: bool, step: str) -> None:
    """One line for each step."""
    if wanted:
        warn_of(f"certify: {step}")


def _finish(certificate: "Certificate") -> None:
    """Name what was not compared, and fail where something disagrees."""
    compared = {one.program for one in certificate.comparisons}
    for name, answer in certificate.programs.items():
        if name not in compared:
            warn(f"not compared with {name}: {answer}")
    for name, lacking in certificate.formats.items():
        if lacking:
            warn(f"the format of {name} lacks: {'; '.join(lacking[:3])}{' ...' * (len(lacking) > 3)}")
    if not compared:
        warn("nothing else is installed that could disagree: python -m pip install pyhf")
    if not certificate.agrees:
        found = certificate.disagreements()
        more = f"\n  and {len(found) - 20} more" if len(found) > 20 else ""
        raise CommandError("\n  ".join([f"{len(found)} disagreements:", *found[:20]]) + more)
