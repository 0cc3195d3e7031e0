"""``pyhf-func contrib``: commands around the library."""

from pathlib import Path

import click

from pyhf_func.cli.errors import reported
from pyhf_func.cli.streams import echo
from pyhf_func.contrib.utils import download as fetch


@click.group()
def contrib() -> None:
    """Around the library: downloads.

    \b
    Example:
      pyhf-func contrib download https://www.hepdata.net/record/resource/1234567?view=true likelihoods
    """


@contrib.command()
@click.argument("archive-url")
@click.argument("output-directory")
@click.option("-v", "--verbose", is_flag=True, help="List the files.")
@click.option("-f", "--force", is_flag=True, help="Download from a host that is not an approved one.")
@click.option("-c", "--compress", is_flag=True, help="Keep the archive as it is: OUTPUT_DIRECTORY names a file.")
def download(archive_url: str, output_directory: str, verbose: bool, force: bool, compress: bool) -> None:
    """Download the archive at ARCHIVE_URL, such as that of a likelihood on HEPData, into OUTPUT_DIRECTORY.

    \b
    Example:
      pyhf-func contrib download https://www.hepdata.net/record/resource/1234567?view=true likelihoods
    """
    with reported():
        fetch(archive_url, output_directory, force=force, compress=compress)
        if verbose:
            found = Path(output_directory)
            echo("".join(f"{path}\n" for path in (sorted(found.glob("*")) if found.is_dir() else [found])))
