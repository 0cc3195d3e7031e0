"""Commands on patch sets: extract, apply, verify, inspect."""

import click

from pyhf_func.cli.documents import (
    only_one_from_standard_input,
    output_option,
    read_patchset,
    read_workspace,
    write,
)
from pyhf_func.cli.errors import reported
from pyhf_func.cli.streams import echo

_patchset = click.argument("patchset", default="-", type=click.Path(allow_dash=True))
_background = click.argument("background-only", default="-", type=click.Path(allow_dash=True))
_name = click.option("--name", required=True, help="Name of the patch.")


@click.group()
def patchset() -> None:
    """Signal points as patches to a background-only workspace.

    \b
    Example:
      pyhf-func patchset inspect patchset.json
    """


@patchset.command()
@_patchset
@_name
@output_option
@click.option(
    "--with-metadata/--without-metadata", default=False, help="Write what is said of the patch and of the set too."
)
def extract(patchset: str, name: str, output_file: str | None, with_metadata: bool) -> None:
    """Write one patch of PATCHSET as a JSON patch.

    \b
    Example:
      pyhf-func patchset extract patchset.json --name m1000_0 --output-file signal.json
    """
    with reported():
        opened = read_patchset(patchset)
        patch = opened[name]
        if with_metadata:
            write({"metadata": {**patch.metadata, **opened.metadata}, "patch": patch.patch}, output_file)
        else:
            write(patch.patch, output_file)


@patchset.command()
@_background
@_patchset
@_name
@output_option
def apply(background_only: str, patchset: str, name: str, output_file: str | None) -> None:
    """Write BACKGROUND_ONLY with one patch of PATCHSET applied.

    \b
    Example:
      pyhf-func patchset apply background.json patchset.json --name m1000_0 --output-file workspace.json
    """
    only_one_from_standard_input(background_only, patchset)
    with reported(ValueError):
        write(read_patchset(patchset).apply(read_workspace(background_only), name), output_file)


@patchset.command()
@_background
@_patchset
def verify(background_only: str, patchset: str) -> None:
    """Check that BACKGROUND_ONLY is the workspace that PATCHSET was made for.

    \b
    Example:
      pyhf-func patchset verify background.json patchset.json
    """
    only_one_from_standard_input(background_only, patchset)
    with reported(ValueError):
        read_patchset(patchset).verify(read_workspace(background_only))
    echo("All good.\n")


@patchset.command()
@_patchset
def inspect(patchset: str) -> None:
    """List the patches of PATCHSET.

    \b
    Example:
      pyhf-func patchset inspect patchset.json
    """
    with reported():
        opened = read_patchset(patchset)
    echo(f"\n    {len(opened)} patches found in Patchset\n---------------------------------\n\n")
    for patch in opened:
        echo(f"{patch.name}\n")
