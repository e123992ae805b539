"""A whole file or none: whatever tlkit writes has a temporary name until it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, renamed to it when the block succeeds and removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file, or leave what was there: a full disk spoils nothing."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
