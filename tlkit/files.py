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
    """Whether a pipe or a device is there, or what is printed goes there: it cannot be replaced by another file."""
    if not path.exists() or path.is_dir():
        return False
    return not path.is_file() or any(_is_open(path, descriptor) for descriptor in (1, 2))


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether the standard output or error goes to this file, as with /dev/stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:  # a closed one
        return False


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


def path_named(variable: str) -> Path | None:
    """The path that an environment variable names, if it does; `~` is the home folder.

    A relative one is made absolute where it is read first, for this process and those that it starts: each works in a
    folder of its own, and all mean the same one.
    """
    if not (named := os.environ.get(variable)):
        return None
    try:
        path = Path(named).expanduser().absolute()
    except RuntimeError as error:
        raise FileNotFoundError(f"{variable}={named}: there is no such home folder; give the whole path") from error
    os.environ[variable] = str(path)
    return path
