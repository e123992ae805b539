"""Downloads from a server of the test's own that is good, slow, wrong or gone; and where they are kept."""

from __future__ import annotations

import errno
import hashlib
import io
import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tlkit.data import downloads
from tlkit.data.downloads import cache_folder, fetch

CONTENT = bytes(range(256)) * 4_000  # 1.0 MB
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The first part of the address says how the server behaves."""

    over = threading.Event()

    def do_GET(self):
        kind = self.path.split("/")[1]
        if kind == "silent":
            self.over.wait()
            return
        if kind == "gone":
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        promised = {"long": len(CONTENT) + 500_000, "short": len(CONTENT) - 500_000}.get(kind, len(CONTENT))
        if kind != "unsized":
            self.send_header("Content-Length", str(promised))
        self.end_headers()
        body = {"cut": CONTENT[: len(CONTENT) // 2], "stall": CONTENT[: len(CONTENT) // 2], "other": CONTENT[::-1]}
        self.wfile.write(body.get(kind, CONTENT))
        if kind == "stall":
            self.wfile.flush()
            self.over.wait()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that leaves early is what these tests are about."""


@pytest.fixture(scope="module")
def address():
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        Handler.over.set()
        server.shutdown()


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def refused() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["good", "unsized"])
def test_a_whole_file_stands_under_its_name_and_nothing_beside_it(kind, address, tmp_path):
    path = tmp_path / "new" / "folder" / "file.bin"
    assert fetch(f"{address}/{kind}/file.bin", path, md5=MD5) == path
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]


def test_the_first_digits_of_a_sha256_are_enough_and_one_checksum_is_needed(address, tmp_path):
    digits = hashlib.sha256(CONTENT).hexdigest()[:8]
    assert fetch(f"{address}/good/file.bin", tmp_path / "file.bin", sha256=digits).read_bytes() == CONTENT
    with pytest.raises(ConnectionError, match=f"the checksum {digits}.* instead of 01234567"):
        fetch(f"{address}/good/file.bin", tmp_path / "other.bin", sha256="01234567")
    with pytest.raises(AssertionError, match="give md5= or sha256="):
        fetch(f"{address}/good/file.bin", tmp_path / "other.bin")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", r"the server cut off after 0\.5 of 1\.0 MB"),
        ("stall", r"the server sends nothing for 0\.2 s, after 0\.\d of 1\.0 MB"),
        ("silent", r"the server sends nothing for 0\.2 s$"),
        ("long", r"the server cut off after 1\.0 of 1\.5 MB"),
        ("short", rf"the checksum \w+ instead of {MD5}"),
        ("other", rf"the checksum {hashlib.md5(CONTENT[::-1]).hexdigest()} instead of {MD5}"),
        ("gone", r"the server answers 404 Not Found"),
    ],
)
def test_a_failed_download_is_a_sentence_and_leaves_nothing(kind, words, address, tmp_path):
    timeout = 0.2 if "sends nothing" in words else 60
    with pytest.raises(ConnectionError, match=r"^127\.0\.0\.1:\d+: .*" + words):
        fetch(f"{address}/{kind}/file.bin", tmp_path / "file.bin", md5=MD5, timeout=timeout)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_a_failed_connection(tmp_path):
    with pytest.raises(ConnectionError, match=r"the connection failed \(.*refused"):
        fetch(f"{refused()}/file.bin", tmp_path / "file.bin", md5=MD5)


def test_without_a_network_it_asks_whether_there_is_one(tmp_path, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectionError, match="cannot be looked up; is there a network"):
        fetch("http://data.example/file.bin", tmp_path / "file.bin", md5=MD5)


def test_the_next_mirror_is_tried(address, tmp_path):
    urls = [f"{address}/gone/file.bin", f"{address}/other/file.bin", f"{address}/good/file.bin"]
    assert fetch(urls, tmp_path / "file.bin", md5=MD5).read_bytes() == CONTENT


def test_when_every_mirror_fails_each_is_named(address, tmp_path):
    with pytest.raises(ConnectionError, match=r"404 Not Found; 127\.0\.0\.1:.* refused"):
        fetch([f"{address}/gone/file.bin", f"{refused()}/file.bin"], tmp_path / "file.bin", md5=MD5)


def test_a_failed_download_leaves_the_file_that_was_there(address, tmp_path):
    path = tmp_path / "file.bin"
    path.write_text("old")
    with pytest.raises(ConnectionError):
        fetch(f"{address}/cut/file.bin", path, md5=MD5)
    assert path.read_text() == "old"


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def chunks(*_):
        yield CONTENT[:1000]
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "_chunks", chunks)
    with pytest.raises(KeyboardInterrupt):
        fetch("http://data.example/file.bin", tmp_path / "file.bin", md5=MD5)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(address, tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder should be")
    with pytest.raises(OSError, match=f"the folder {re.escape(str(tmp_path))}/cache/raw cannot be written"):
        fetch(f"{address}/good/file.bin", tmp_path / "cache" / "raw" / "file.bin", md5=MD5)


def test_a_full_disk_is_named_and_no_other_mirror_is_tried(address, tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *_: Full())
    with pytest.raises(OSError, match=f"the folder {re.escape(str(tmp_path))} has no space left$"):
        fetch([f"{address}/good/file.bin"] * 2, tmp_path / "file.bin", md5=MD5)


def test_a_relative_path_in_a_variable_is_the_same_one_wherever_it_is_read_later(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TLKIT_CACHE", "cache")
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.chdir("/")
    assert cache_folder() == tmp_path / "cache"
    child = [sys.executable, "-c", "from tlkit.data.downloads import cache_folder; print(cache_folder())"]
    assert subprocess.run(child, capture_output=True, text=True).stdout == f"{tmp_path / 'cache'}\n"


def test_a_tilde_in_a_variable_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("TLKIT_CACHE", "~/big")
    assert cache_folder() == Path("/home/me/big")


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {"TLKIT_CACHE": "/big/disk"}, "/big/disk"),
        ("linux", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/tlkit"),
        ("linux", {}, "/home/me/.cache/tlkit"),
        ("darwin", {}, "/home/me/Library/Caches/tlkit"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/tlkit"),
    ],
    ids=["the user's choice", "XDG", "Linux", "macOS", "Windows"],
)
def test_the_cache_is_where_each_system_keeps_caches(system, variables, expected, monkeypatch):
    for name in ("TLKIT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/home/me"} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert cache_folder() == Path(expected)
