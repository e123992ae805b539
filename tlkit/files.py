"""A whole file or none: whatever tlkit writes has a temporary name until it is complete."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path


def destination(path: str | PathLike[str]) -> Path:
    """Where a file written to `path` will stand, `~` and links followed; the folder is made if there is none.

    Raises OSError if it cannot be written, so that nobody works for an hour and learns it then.
    """
    path = Path(path).expanduser()
    if is_stream(path):
        needed = [path]
    else:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        needed = [path, path.parent] if path.exists() else [path.parent]
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not all(os.access(place, os.W_OK) for place in needed):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return path


def is_stream(path: Path) -> bool:
    """Whether a pipe or a device is there: it takes what is written at once, and cannot be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def whole_file(path: str | PathLike[str]) -> Iterator[Path]:
    """A file to write, renamed to `path` when the block succeeds and removed when it does not.

    A link stays a link, rights and owner stay as they are, and a pipe or a device is written itself.
    """
    path = destination(path)
    if is_stream(path):
        yield path
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.touch()
        if path.exists():
            with suppress(OSError, AttributeError):  # only root gives files away, and Windows nobody
                shutil.chown(temporary, path.stat().st_uid, path.stat().st_gid)
            shutil.copymode(path, temporary)
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: str | PathLike[str], text: str) -> None:
    """Write a text file, or leave what was there: a full disk spoils nothing."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
