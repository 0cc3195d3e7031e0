"""Downloads, from a server on this machine: what is unpacked and what is refused."""

from __future__ import annotations

import gzip
import io
import random
import stat
import tarfile
import threading
import warnings
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyhf_func.cli import main
from pyhf_func.contrib import utils
from pyhf_func.contrib.utils import download
from pyhf_func.exceptions import InvalidArchive, InvalidArchiveHost


def tar(*members: tuple[str, bytes], mode: str = "w:gz", extra: tarfile.TarInfo | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(mode=mode, fileobj=buffer) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if extra is not None:
            archive.addfile(extra)
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes], kind: int = 0, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = kind << 16, compression
            archive.writestr(info, content)
    return buffer.getvalue()


def flipped(content: bytes, place: float) -> bytes:
    """One byte changed, at a place or at a fraction of the whole."""
    at = int(place * len(content)) if isinstance(place, float) else place
    changed = bytearray(content)
    changed[at] ^= 0x55
    return bytes(changed)


def encrypted(archive: bytes) -> bytes:
    """A zip archive whose first member claims to be encrypted."""
    changed = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[archive.index(mark) + offset] |= 1
    return bytes(changed)


def method(archive: bytes, number: int) -> bytes:
    """A zip archive whose first member claims to be packed by another method."""
    changed = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        changed[archive.index(mark) + offset] = number
    return bytes(changed)


def special(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo("special")
    info.type, info.linkname = kind, target
    return info


FILES = (("README.md", b"hello"), ("regions/BkgOnly.json", b"{}"))
PAGES = {
    "/plain.tar": tar(*FILES, mode="w"),
    "/compressed.tar.gz": tar(*FILES),
    "/archive.zip": zipped(*FILES),
    "/wrapped.zip": zipped(*((f"wrapped/{name}", content) for name, content in FILES), ("__MACOSX/x", b"")),
    "/page": b"<html>no archive</html>",
    "/upwards.tar": tar(("../evil", b"x")),
    "/upwards.zip": zipped(("a/../../evil", b"x")),
    "/absolute.tar": tar(("/tmp/evil", b"x")),
    "/backwards.zip": zipped(("..\\evil", b"x")),
    "/link.tar": tar(extra=special(tarfile.SYMTYPE)),
    "/hard.tar": tar(extra=special(tarfile.LNKTYPE)),
    "/device.tar": tar(extra=special(tarfile.CHRTYPE)),
    "/link.zip": zipped(("a", b"/etc/passwd"), kind=stat.S_IFLNK),
    "/cut.tar": tar(*FILES, mode="w"),
    "/twice.tar": tar(("a", b"1"), ("a", b"2")),
    "/inside.zip": zipped(("a", b"1"), ("a/b", b"2")),
}
LARGER = tuple((f"point{i}.json", random.Random(i).randbytes(3000)) for i in range(5))
DAMAGED: dict[str, bytes] = {
    "flipped byte in gz": flipped(tar(*LARGER), 0.5),
    "flipped byte of the checksum": flipped(tar(*LARGER), -6),
    "flipped byte in bz2": flipped(tar(*LARGER, mode="w:bz2"), 0.5),
    "flipped byte in xz": flipped(tar(*LARGER, mode="w:xz"), 0.5),
    "flipped byte in zip": flipped(zipped(*LARGER), 0.5),
    "flipped byte in a header": flipped(tar(*LARGER, mode="w"), 2 * 512 + 3072 - 512 + 10),
    "truncated gz": tar(*LARGER)[:-3000],
    "truncated bz2": tar(*LARGER, mode="w:bz2")[:-3000],
    "truncated xz": tar(*LARGER, mode="w:xz")[:-3000],
    "truncated zip": zipped(*LARGER)[:-3000],
    "truncated tar": tar(*LARGER, mode="w")[:6000],
    "truncated between files": tar(*LARGER, mode="w")[: 512 + 3072],
    "encrypted": encrypted(zipped(*LARGER)),
    "of an unknown method": method(zipped(*LARGER), 99),
    "nothing": b"",
    "only zeros": bytes(10240),
    "a packed page": gzip.compress(b"<html>"),
    "beginning of gz": b"\x1f\x8b",
    "beginning of zip": b"PK\x03\x04",
}
PAGES |= {f"/{name.replace(' ', '-')}": content for name, content in DAMAGED.items()}
PAGES["/bomb.tar.gz"] = tar(("zeros", bytes(80 << 20)))
PAGES["/bomb.zip"] = zipped(("zeros", bytes(80 << 20)), compression=zipfile.ZIP_DEFLATED)
PAGES["/bomb.gz"] = gzip.compress(bytes(80 << 20))


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/plain.tar")
            self.end_headers()
            return
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        page = PAGES.get(self.path)
        self.send_response(200 if page is not None else 404)
        if self.path == "/cut.tar":
            self.send_header("Content-Length", str(10 * len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")
        asked.append(self.headers["Accept"])

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


asked: list[str] = []


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("page", ["plain.tar", "compressed.tar.gz", "archive.zip", "wrapped.zip", "moved"])
def test_unpacks(page: str, server: str, tmp_path: Path) -> None:
    for _ in range(2):  # also into a folder that exists
        download(f"{server}/{page}", tmp_path / "out" / "here", force=True)
    assert content(tmp_path / "out" / "here") == dict(FILES)
    assert asked[-1] == "application/x-tar, application/zip"


def test_keeps_the_archive(server: str, tmp_path: Path) -> None:
    download(f"{server}/compressed.tar.gz", tmp_path / "kept.tar.gz", force=True, compress=True)
    assert (tmp_path / "kept.tar.gz").read_bytes() == PAGES["/compressed.tar.gz"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.split(".")[0] in (
    "/upwards", "/absolute", "/backwards", "/link", "/hard", "/device", "/twice", "/inside", "/cut")])  # fmt: skip
def test_unsafe_archives_write_nothing(page: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive):
        download(server + page, tmp_path / "out", force=True)
    assert content(tmp_path) == {}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_archives_give_one_message_and_leave_nothing(name: str, server: str, tmp_path: Path) -> None:
    url = f"{server}/{name.replace(' ', '-')}"
    result = CliRunner().invoke(main, ["contrib", "download", "--force", url, str(tmp_path / "out" / "here")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("page", ["/bomb.tar.gz", "/bomb.zip", "/bomb.gz"])
def test_bombs_are_refused(page: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    copy = utils._copy
    monkeypatch.setattr(utils, "_copy", lambda *args: written.append(copy(*args)))
    with pytest.raises(InvalidArchive, match="unpack to more than"):
        download(server + page, tmp_path / "out", force=True)
    assert written == []
    assert [*tmp_path.iterdir()] == []


def test_archives_of_many_files_are_refused(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "MOST_FILES", 1)
    for page in ("/plain.tar", "/archive.zip"):
        with pytest.raises(InvalidArchive, match="more than 1 files"):
            download(server + page, tmp_path / "out", force=True)
    monkeypatch.setattr(utils, "MOST_BYTES", 100)
    with pytest.raises(InvalidArchive, match="more than 100 bytes"):
        download(f"{server}/plain.tar", tmp_path / "out", force=True)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("target", ["http://example.org/a.tar", "file:///etc/passwd", "ftp://localhost/a"])
def test_redirects_to_insecure_addresses_are_refused(target: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="https://|is not allowed"):
        download(f"{server}/to/{target}", tmp_path / "out", force=True)


def test_targets_are_checked_before_anything_is_asked_for(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    before = len(asked)
    for target, compress in ((tmp_path / "file", False), (tmp_path / "folder", True), (tmp_path / "file/in", False)):
        with pytest.raises(OSError, match="file|folder"):
            download(f"{server}/plain.tar", target, force=True, compress=compress)
    assert len(asked) == before
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(("page", "words"), [("/page", "neither a tar nor a zip"), ("/absent", "response code of 404")])
def test_what_is_no_archive(page: str, words: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match=words):
        download(server + page, tmp_path / "out", force=True)
    assert not (tmp_path / "out").exists()


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="cannot be reached"):
        download("http://127.0.0.1:9/archive.tar", tmp_path / "out", force=True)


@pytest.mark.parametrize("url", ["https://example.org/a.tar", "https://www.hepdata.net.example.org/a.tar"])
def test_hosts(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchiveHost, match=r"is not an approved archive host: www\.hepdata\.net, doi\.org"):
        download(url, tmp_path / "out")


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "ftp://www.hepdata.net/a.tar", "archive.tar", "http://www.hepdata.net/a.tar", "https://[a",
    "https:///a"])  # fmt: skip
def test_only_the_web(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="address"):
        download(url, tmp_path / "out", force=True)


def test_command(server: str, tmp_path: Path) -> None:
    def run(*options: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, ["contrib", "download", *options])
        return result.exit_code, result.stdout, result.stderr

    out = str(tmp_path / "out")
    code, shown, _ = run("--verbose", "--force", f"{server}/plain.tar", out)
    assert (code, shown.split()) == (0, [f"{out}/README.md", f"{out}/regions"])
    kept = f"{out}.tar"
    assert run("-v", "-f", "-c", f"{server}/plain.tar", kept)[:2] == (0, f"{kept}\n")
    code, shown, message = run(f"{server}/plain.tar", out)
    assert (code, shown) == (1, "")
    assert "--force" in message
