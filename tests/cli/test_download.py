"""Downloads, from a server on this machine: what is unpacked and what is refused."""

from __future__ import annotations

import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyhf_func.cli import main
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


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


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
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/plain.tar")
            self.end_headers()
            return
        page = PAGES.get(self.path)
        self.send_response(200 if page is not None else 404)
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
    "/upwards", "/absolute", "/backwards", "/link", "/hard", "/device")])  # fmt: skip
def test_unsafe_archives_write_nothing(page: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive):
        download(server + page, tmp_path / "out", force=True)
    assert content(tmp_path) == {}


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


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://www.hepdata.net/a.tar", "archive.tar"])
def test_only_the_web(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="https://"):
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
