"""Downloads that end, with the whole file or with a sentence, and the folder where they are kept."""

import errno
import hashlib
import os
import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tlkit.files import path_named, whole_file


def cache_folder() -> Path:
    """Where tlkit keeps what it downloads: TLKIT_CACHE, else the system's own place for caches. It need not exist."""
    if folder := path_named("TLKIT_CACHE"):
        return folder
    variable, usual = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}.get(
        sys.platform, ("XDG_CACHE_HOME", ".cache")
    )
    if there := os.environ.get(variable):
        return Path(there).expanduser() / "tlkit"
    try:
        return Path.home() / usual / "tlkit"
    except RuntimeError as error:
        raise FileNotFoundError("you have no home folder for downloads; set TLKIT_CACHE to one to write to") from error


def fetch(urls: str | Sequence[str], path: Path, *, md5: str = "", sha256: str = "", timeout: float = 20.0) -> Path:
    """Download a file to `path` from the first of `urls` that sends it whole.

    Args:
        urls: one address or several, tried in their order.
        path: the name of the file; under it stands the whole file or none.
        md5: the checksum; this or `sha256` is needed.
        sha256: the checksum, or its first digits.
        timeout: seconds to wait for the connection, and for each further piece.

    Returns:
        The path.

    Raises:
        ConnectionError: if no address sends the file with the right checksum.
        OSError: if it cannot be written.
    """
    # torchvision's own downloader waits for ever when a server stalls, and writes under the final name.
    checksum, failures = md5 or sha256, []
    assert checksum, "a download needs a checksum: give md5= or sha256="
    for url in [urls] if isinstance(urls, str) else urls:
        try:
            with whole_file(path) as temporary, temporary.open("wb") as file:
                digest = hashlib.new("md5" if md5 else "sha256", usedforsecurity=False)
                with closing(_chunks(url, timeout)) as chunks:
                    for chunk in chunks:
                        file.write(chunk)
                        digest.update(chunk)
                if not digest.hexdigest().startswith(checksum):
                    raise ConnectionError(f"what came has the checksum {digest.hexdigest()} instead of {checksum}")
            return path
        except ConnectionError as error:
            failures.append(f"{urlsplit(url).netloc}: {error}")
        except OSError as error:
            full = error.errno == errno.ENOSPC
            words = "has no space left" if full else f"cannot be written ({error.strerror or error})"
            raise OSError(f"the folder {path.parent} {words}") from error
    raise ConnectionError("; ".join(failures))


def _chunks(url: str, timeout: float) -> Generator[bytes]:
    """What the server sends, piece by piece; any failure of the server or the network becomes a ConnectionError."""
    from tqdm.auto import tqdm

    done, total = 0, None
    try:
        request = Request(url, headers={"User-Agent": "tlkit"})
        with urlopen(request, timeout=timeout) as response:
            total = response.length
            with tqdm(desc=Path(urlsplit(url).path).name, total=total, unit="B", unit_scale=True) as bar:
                while chunk := response.read(1 << 16):
                    done += len(chunk)
                    bar.update(len(chunk))
                    yield chunk
    except HTTPError as error:
        error.close()
        raise ConnectionError(f"the server answers {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        words = f"the connection failed ({reason})"
        if isinstance(reason, TimeoutError):
            words = f"the server sends nothing for {timeout:g} s"
        elif isinstance(reason, socket.gaierror):
            words = f"its address cannot be looked up; is there a network? ({reason})"
        raise ConnectionError(words + (f", after {_share(done, total)}" if done else "")) from error
    if total is not None and done < total:
        raise ConnectionError(f"the server cut off after {_share(done, total)}")


def _share(done: int, total: int | None) -> str:
    """How much of a file has come, in megabytes."""
    return f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f} MB" if total else " MB")
