"""Download archives of published likelihoods."""

from __future__ import annotations

import io
import logging
import os
import tarfile
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pyhf_func._version import __version__
from pyhf_func.exceptions import InvalidArchive, InvalidArchiveHost

log = logging.getLogger(__name__)  # programs written for pyhf set its level

__all__ = ["download"]

APPROVED_HOSTS = ("www.hepdata.net", "doi.org")
"""Hosts that are known to hold likelihoods."""

TIMEOUT = 60.0
"""Seconds without an answer after which a download fails."""


def __dir__() -> list[str]:
    return __all__


def download(
    archive_url: str,
    output_directory: str | os.PathLike[str],
    force: bool = False,
    compress: bool = False,
) -> None:
    """Download a tar or zip archive and unpack it.

    Only regular files inside of the archive's own folder are written; a single folder that holds everything in a zip
    archive is left out.

    Args:
        archive_url: Where it is, such as ``https://doi.org/10.17182/hepdata.90607.v3/r3``.
        output_directory: Folder to unpack into; made if needed.
        force: Whether to download from a host that is not an approved one.
        compress: Whether to keep the archive as it is, as a file called ``output_directory``.

    Raises:
        InvalidArchiveHost: The host is not an approved one.
        InvalidArchive: The address gives no answer, or what it gives is no archive, or an unsafe one.
        OSError: A file cannot be written.
    """
    address = urlsplit(archive_url)
    if address.scheme not in ("https", "http"):
        raise InvalidArchive(f"{archive_url} is no address that starts with https:// or http://")
    if not force and address.netloc not in APPROVED_HOSTS:
        raise InvalidArchiveHost(
            f"{address.netloc} is not an approved archive host: {', '.join(APPROVED_HOSTS)}. "
            "To download an archive from this host use force (in the shell --force)"
        )
    content = _content(archive_url)
    if compress:
        Path(output_directory).write_bytes(content)
        return
    for path, data in list(_files(content, archive_url)):
        target = Path(output_directory) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _content(url: str) -> bytes:
    headers = {"Accept": "application/x-tar, application/zip", "User-Agent": f"pyhf_func/{__version__}"}
    try:
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:
            if response.status != 200:
                raise InvalidArchive(f"{url} gives a response code of {response.status}")
            content: bytes = response.read()
            return content
    except HTTPError as error:
        raise InvalidArchive(f"{url} gives a response code of {error.code}: {error.reason}") from error
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise InvalidArchive(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error


def _files(content: bytes, url: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Path and content of every file of an archive."""
    try:
        with tarfile.open(mode="r:*", fileobj=io.BytesIO(content)) as tar:
            yield from _tar_files(tar)
        return
    except tarfile.TarError:
        pass
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise InvalidArchive(f"what {url} gives is neither a tar nor a zip archive, so it cannot be opened")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from _zip_files(archive)


def _tar_files(tar: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, bytes]]:
    for member in tar:
        path = _safe(member.name)
        if member.isdir():
            continue
        stream = tar.extractfile(member) if member.isreg() else None
        if stream is None:
            raise InvalidArchive(f"the archive holds {member.name!r}, which is neither a file nor a folder")
        yield path, stream.read()


def _zip_files(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, bytes]]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    paths = [_safe(member.filename) for member in members]
    kept = [(path, member) for path, member in zip(paths, members, strict=True) if path.parts[0] != "__MACOSX"]
    folders = {path.parts[0] for path, _ in kept}
    is_wrapped = len(folders) == 1 and all(len(path.parts) > 1 for path, _ in kept)
    for path, member in kept:
        yield path.relative_to(path.parts[0]) if is_wrapped else path, archive.read(member)


def _safe(name: str) -> PurePosixPath:
    """The path of a member, which must stay inside of the folder that the archive is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not path.parts:
        if name in (".", "./"):
            return path
        raise InvalidArchive(f"the archive holds {name!r}, which would be written outside of its folder")
    return path
