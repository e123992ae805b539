"""A whole file or none, and what stood in its place: a link stays one, and so do rights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import reader, run

import tlkit as tl
from tlkit.files import destination, whole_file, write_whole

WRITERS = {
    "text": lambda path: write_whole(path, "all of it"),
    "a run": lambda path: run(steps=1).finish().save(path),
    "a page": lambda path: tl.widgets.Teach().save_page(path),
    "drawings": lambda path: tl.widgets.Teach().to_file(path),
}


@pytest.fixture(params=WRITERS.values(), ids=WRITERS)
def write(request):
    """Each of the ways in which tlkit writes a file that a user names."""
    return request.param


def test_a_link_stays_and_what_it_leads_to_is_written(write, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "file")
    for _ in ("made", "replaced"):
        write(tmp_path / "link")
        assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "file").stat().st_size
        assert [path.name for path in (tmp_path / "disk").iterdir()] == ["file"]


@pytest.mark.parametrize("rights", [0o600, 0o664])
def test_rights_stay(rights, write, tmp_path):
    (path := tmp_path / "file").touch()
    path.chmod(rights)
    write(path)
    assert path.stat().st_mode & 0o777 == rights and path.stat().st_size


def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path):
    (path := tmp_path / "file").touch(0o600)
    with whole_file(path) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600


def test_a_pipe_takes_what_is_written_and_stays_one(write, tmp_path):
    with reader(pipe := tmp_path / "pipe") as read:
        write(pipe)
        assert read()
    assert pipe.is_fifo()


def test_a_device_is_written_itself():
    with whole_file("/dev/null") as path:
        assert path == Path("/dev/null")


def test_a_tilde_is_the_home_folder(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("~/file")
    assert (tmp_path / "file").stat().st_size


def test_what_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path):
    (path := tmp_path / "file").write_text("before")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_what_may_not_be_written_is_known_before(tmp_path, monkeypatch):
    (tmp_path / "read only").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "read only")  # root may write all
    with pytest.raises(PermissionError, match="read only"):
        destination(tmp_path / "read only")
    with pytest.raises(IsADirectoryError):
        destination(tmp_path)
    with pytest.raises(FileExistsError):
        destination(tmp_path / "read only" / "file")
