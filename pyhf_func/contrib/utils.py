"""Download archives of published likelihoods."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import os
import ssl
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pyhf_func._version import __version__
from pyhf_func.exceptions import InvalidArchive, InvalidArchiveHost, cut

log = logging.getLogger(__name__)  # programs written for pyhf set its level

__all__ = ["download"]

APPROVED_HOSTS = ("www.hepdata.net", "doi.org")
"""Hosts that are known to hold likelihoods."""

TIMEOUT = 60.0
"""Seconds without an answer after which a download fails."""

MOST_BYTES = 4 << 30
"""Size of an archive, packed or unpacked, at most."""

MOST_TIMES_LARGER, ALWAYS_BYTES = 100, 64 << 20
"""Unpacked, an archive may be so many times larger, or of this size: what grows more is no likelihood but a bomb."""

MOST_FILES = 100_000
"""Files in an archive, at most."""

_HERE = ("localhost", "127.0.0.1", "::1")
_CHUNK = 1 << 20


def __dir__() -> list[str]:
    return __all__


def download(
    archive_url: str,
    output_directory: str | os.PathLike[str],
    force: bool = False,
    compress: bool = False,
) -> None:
    """Download a tar or zip archive and unpack it.

    Only regular files inside of the archive's own folder are written, and none unless the whole archive is sound; a
    single folder that holds everything in a zip archive is left out.

    Args:
        archive_url: Where it is, such as ``https://doi.org/10.17182/hepdata.90607.v3/r3``. Plain http is used within
            this machine only.
        output_directory: Folder to unpack into; made if needed.
        force: Whether to download from a host that is not an approved one.
        compress: Whether to keep the archive as it is, as a file called ``output_directory``.

    Raises:
        InvalidArchiveHost: The host is not an approved one.
        InvalidArchive: The address gives no answer, or what it gives is no archive, or a damaged, encrypted, unsafe or
            too large one.
        OSError: A file cannot be written.
    """
    _check_address(archive_url)
    host = urlsplit(archive_url).netloc
    if not force and host not in APPROVED_HOSTS:
        raise InvalidArchiveHost(
            f"{cut(host, 200)} is not an approved archive host: {', '.join(APPROVED_HOSTS)}. "
            "To download an archive from this host use force (in the shell --force)"
        )
    target = Path(output_directory)
    place = _writable_place(target, is_file=compress)
    with tempfile.TemporaryDirectory(dir=place, prefix=".download-") as folder:
        archive = Path(folder) / "archive"
        with archive.open("w+b") as file:
            _fetch(archive_url, file)
            if not compress:
                content = Path(folder) / "content"
                content.mkdir()
                with _damage_is_named(archive_url):
                    _unpack(file, content, Path(folder), archive_url)
        target.parent.mkdir(parents=True, exist_ok=True)
        if compress:
            os.replace(archive, target)
        else:
            _move(content, target)


def _check_address(url: str) -> None:
    """Raise unless this is an address of the web for which nobody else on the way can answer."""
    shown = cut(url, 200)
    try:
        address = urlsplit(url)
        host = address.hostname
    except ValueError as error:
        raise InvalidArchive(f"{shown} is no address: {error}") from error
    if address.scheme != "https" and not (address.scheme == "http" and host in _HERE):
        raise InvalidArchive(f"{shown} is no address that starts with https://")
    if not host or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise InvalidArchive(f"{shown!r} is no address: it has no host, or characters that must be written as %..")


def _writable_place(target: Path, *, is_file: bool) -> Path:
    """The folder, next to the target or above, that files are made in before they are moved to it.

    Raises:
        OSError: The target can't be made.
    """
    if is_file and target.is_dir():
        raise IsADirectoryError(21, "is a folder, and the archive is to be kept as a file", str(target))
    if not is_file and target.exists() and not target.is_dir():
        raise NotADirectoryError(20, "is a file, and the archive is to be unpacked into a folder", str(target))
    place = target.parent if is_file or not target.exists() else target
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(20, "is not a folder", str(place))
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(13, "nothing can be written there", str(place))
    return place


class _Redirects(HTTPRedirectHandler):
    """Follows to other addresses of https only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, file: IO[bytes]) -> None:
    """Write what the address gives to the file."""
    shown = cut(url, 200)
    headers = {"Accept": "application/x-tar, application/zip", "User-Agent": f"pyhf_func/{__version__}"}
    try:
        with build_opener(_Redirects).open(Request(url, headers=headers), timeout=TIMEOUT) as response:
            if response.status != 200:
                raise InvalidArchive(f"{shown} gives a response code of {response.status}")
            announced = response.headers.get("Content-Length", "")
            size = 0
            while chunk := response.read(_CHUNK):
                size += len(chunk)
                if size > MOST_BYTES:
                    raise InvalidArchive(f"{shown} gives more than {MOST_BYTES} bytes, too many for a likelihood")
                file.write(chunk)
            if announced.isdigit() and size < int(announced):
                raise InvalidArchive(f"{shown} gave {size} of {announced} bytes: the connection broke. Try again")
    except HTTPError as error:
        raise InvalidArchive(f"{shown} gives a response code of {error.code}: {error.reason}") from error
    except (URLError, HTTPException, TimeoutError, ConnectionError, ssl.SSLError, ValueError) as error:
        raise InvalidArchive(f"{shown} cannot be reached: {cut(str(getattr(error, 'reason', error)), 200)}") from error
    file.seek(0)


_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,  # a way of packing that Python does not know
    OverflowError,
    RuntimeError,  # an encrypted member
    ValueError,
)


@contextmanager
def _damage_is_named(url: str) -> Iterator[None]:
    """Turn what damaged, truncated and encrypted archives raise into one exception."""
    try:
        yield
    except _DAMAGE as error:
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    except OSError as error:
        if error.errno is not None:  # of the disk, not of the archive
            raise
        message = str(error)
    else:
        return
    raise InvalidArchive(
        f"the archive that {cut(url, 200)} gives is damaged, truncated or encrypted ({cut(message, 200)}). "
        "Nothing was unpacked; try again, or keep it as it is with compress (in the shell --compress)"
    )


_STREAMS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""How compressed streams begin, and what reads them, to the checksum at their end."""


def _unpack(file: IO[bytes], folder: Path, spare: Path, url: str) -> None:
    """Write the files of an archive into a folder."""
    most = min(MOST_BYTES, max(ALWAYS_BYTES, MOST_TIMES_LARGER * os.fstat(file.fileno()).st_size))
    start = file.read(6)
    file.seek(0)
    opener = next((opener for magic, opener in _STREAMS if start.startswith(magic)), None)
    if opener is not None:
        with opener(file) as packed, (spare / "unpacked").open("w+b") as unpacked:
            _copy(packed, unpacked, most)
            unpacked.seek(0)
            _unpack_tar(unpacked, folder, most, url)
    elif start.startswith(b"PK"):
        with zipfile.ZipFile(file) as archive:
            _unpack_zip(archive, folder, most)
    else:
        _unpack_tar(file, folder, most, url)


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Copy to the end; returns the number of bytes."""
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        target.write(chunk)
    return size


def _too_large(most: int) -> InvalidArchive:
    return InvalidArchive(f"the archive would unpack to more than {most} bytes, which no likelihood of its size does")


def _unpack_tar(file: IO[bytes], folder: Path, most: int, url: str) -> None:
    try:
        tar = tarfile.TarFile(fileobj=file)
    except tarfile.ReadError as error:
        message = f"what {cut(url, 200)} gives is neither a tar nor a zip archive, so it cannot be opened"
        raise InvalidArchive(message) from error
    with tar:
        files, total = 0, 0
        for member in tar:
            path = _safe(member.name)
            files, total = files + 1, total + max(member.size, 0)
            _check_amount(files, total, most)
            if member.isdir():
                continue
            stream = tar.extractfile(member) if member.isreg() and not member.issparse() else None
            if stream is None:
                raise InvalidArchive(f"the archive holds {cut(member.name, 200)!r}, which is neither file nor folder")
            size = _write(stream, folder / path, most)
            if size != member.size:
                raise EOFError(f"{cut(member.name, 200)} has {size} of {member.size} bytes")
        file.seek(tar.offset)  # where tarfile stops without a word, also at a header that is damaged
        if not files or file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise EOFError("its end is missing")


def _unpack_zip(archive: zipfile.ZipFile, folder: Path, most: int) -> None:
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check_amount(len(members), sum(member.file_size for member in members), most)
    paths = [_safe(member.filename) for member in members]
    kept = [(path, member) for path, member in zip(paths, members, strict=True) if path.parts[0] != "__MACOSX"]
    folders = {path.parts[0] for path, _ in kept}
    is_wrapped = len(folders) == 1 and all(len(path.parts) > 1 for path, _ in kept)
    for path, member in kept:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InvalidArchive(f"the archive holds {cut(member.filename, 200)!r}, which is neither file nor folder")
        with archive.open(member) as stream:
            most -= _write(stream, folder / (path.relative_to(path.parts[0]) if is_wrapped else path), most)


def _check_amount(files: int, total: int, most: int) -> None:
    if files > MOST_FILES:
        raise InvalidArchive(f"the archive holds more than {MOST_FILES} files, too many for a likelihood")
    if total > most:
        raise _too_large(most)


def _write(stream: IO[bytes], target: Path, most: int) -> int:
    """Write one file, and none over another."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            return _copy(stream, file, most)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidArchive(
            f"the archive holds two files called {cut(target.name, 200)!r}, or one in another"
        ) from error


def _move(content: Path, target: Path) -> None:
    """Move a folder to its place, or its files into the folder that is there."""
    if not target.exists():
        os.replace(content, target)
        return
    for folder, _, names in os.walk(content):
        here = target / Path(folder).relative_to(content)
        here.mkdir(exist_ok=True)
        for name in names:
            os.replace(Path(folder) / name, here / name)


def _safe(name: str) -> PurePosixPath:
    """The path of a member, which must stay inside of the folder that the archive is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\x00" in name or not path.parts:
        if name in (".", "./"):
            return path
        raise InvalidArchive(f"the archive holds {cut(name, 200)!r}, which would be written outside of its folder")
    return path
