"""MNIST, CIFAR-10 and their kin: from the folder named by TLKIT_DATA, from the user's cache, or downloaded into it.

File names, addresses and checksums are torchvision's own. Files are read as they lie; nothing is unpacked on disk.
"""

import gzip
import hashlib
import os
import pickle
import re
import tarfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch

from tlkit.data.downloads import cache_folder, fetch
from tlkit.data.sources import DIGITS, as_real_digits
from tlkit.data.tasks import Split, Task
from tlkit.files import path_named, whole_file

EMBEDDED = {
    "digits": "1,797 handwritten digits of 8 x 8: always there, inside scikit-learn",
    "glyphs": "printed characters of 8 x 8: always there, drawn when needed",
}


class Known(NamedTuple):
    """What is published of a data set, by which `check` tells it from others."""

    about: str
    megabytes: int  # of its download
    counts: tuple[int, int]  # images to train with and to test with
    shape: tuple[int, int, int]
    classes: int
    smallest: tuple[int, int]  # the images of the smallest class in each of the two
    brightness: tuple[float, ...]  # the mean of each channel, in 0..1

    def faults(self, arrays: "Arrays") -> Iterator[str]:
        """What differs, in words: counts, shapes, labels, brightness."""
        if len(arrays.classes) != self.classes:
            yield f"it has {len(arrays.classes)} classes instead of {self.classes}"
        sets = (arrays.train_images, arrays.train_labels), (arrays.test_images, arrays.test_labels)
        for at, (part, (images, labels)) in enumerate(zip(("train", "test"), sets, strict=True)):
            expected = (self.counts[at], *self.shape)
            if images.shape != expected:
                yield f"the {part} images are {list(images.shape)} instead of {list(expected)}"
                continue
            sizes = np.bincount(labels) if labels.min() >= 0 else np.zeros(1)
            if len(sizes) != self.classes:
                yield f"the {part} labels are {labels.min()} to {labels.max()} instead of 0 to {self.classes - 1}"
            elif sizes.min() != self.smallest[at]:
                yield f"the smallest class has {sizes.min():,} {part} images instead of {self.smallest[at]:,}"
            means = images.mean((0, 2, 3)) / 255
            if abs(means - self.brightness).max() > 0.02:  # train and test differ by up to 0.017, in SVHN
                yield f"the {part} images have the brightness {means.round(2)} instead of {self.brightness}"


DATA_SETS = {
    "MNIST": Known(
        *("70,000 handwritten digits of 28 x 28", 12),
        *((60_000, 10_000), (1, 28, 28), 10, (5_421, 892), (0.1307,)),
    ),
    "FashionMNIST": Known(
        *("70,000 pieces of clothing of 28 x 28", 31),
        *((60_000, 10_000), (1, 28, 28), 10, (6_000, 1_000), (0.2860,)),
    ),
    "KMNIST": Known(
        *("70,000 cursive Japanese characters of 28 x 28", 21),
        *((60_000, 10_000), (1, 28, 28), 10, (6_000, 1_000), (0.1918,)),
    ),
    "CIFAR10": Known(
        *("60,000 photographs of 32 x 32, 10 classes", 170),
        *((50_000, 10_000), (3, 32, 32), 10, (5_000, 1_000), (0.4914, 0.4822, 0.4465)),
    ),
    "CIFAR100": Known(
        *("60,000 photographs of 32 x 32, 100 classes", 169),
        *((50_000, 10_000), (3, 32, 32), 100, (500, 100), (0.5071, 0.4865, 0.4409)),
    ),
    "SVHN": Known(
        *("99,289 digits of house numbers, 32 x 32", 246),
        *((73_257, 26_032), (3, 32, 32), 10, (4_659, 1_595), (0.4377, 0.4438, 0.4728)),
    ),
}


class Arrays(NamedTuple):
    """A data set as it is stored: images uint8 `[n, channels, height, width]`, labels `[n]`, class names."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: Sequence[str]


Reader = Callable[[Any, list[Path]], Arrays]  # from torchvision's class and the files


class Place(NamedTuple):
    """Where a data set is, in words, with its files and the function that reads them."""

    words: str
    files: list[Path]
    read: Reader


def mnist(size: int = 28) -> Task:
    """MNIST: 55,000 handwritten digits to learn from, 5,000 to validate, 10,000 to test.

    Args:
        size: 28 pixels, as it is, or 8: prepared as `digits()` are, scaled to full height, in sixteenths.

    Returns:
        A task of images `[n, 1, size, size]` in 0..1, whose split is fixed.

    Raises:
        ValueError: for another size.
        OSError: if the files are not found and cannot be downloaded, or cannot be read.

    Source: Y. LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.
    """
    if size not in (8, 28):
        raise ValueError(f"size={size}; MNIST comes in 28 (as it is) or 8 (prepared as tl.data.digits() are)")
    task = torchvision_task("MNIST")

    def prepared(split: Split) -> Split:
        images = split.images
        if size == 8:
            images = torch.cat([as_real_digits(part) for part in images.split(2_000)])
        return replace(split, inputs=images, classes=tuple(DIGITS))

    train, validation, test = map(prepared, (task.train, task.validation, task.test))
    return Task("MNIST", train, validation, test)


def cifar10() -> Task:
    """CIFAR-10: 45,000 photographs of 32 x 32 to learn from, 5,000 to validate, 10,000 to test.

    Raises:
        OSError: if the files are not found and cannot be downloaded, or cannot be read.

    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    return torchvision_task("CIFAR10")


def torchvision_task(name: str) -> Task:
    """A known data set, from a folder of yours or downloaded.

    Args:
        name: MNIST, FashionMNIST, KMNIST, CIFAR10, CIFAR100 or SVHN, in upper or lower case.

    Returns:
        A task of images `[n, channels, height, width]` in 0..1. 5,000 of the training images validate; the test images
        are the data set's own, so the split is fixed and a task has no `redraw`.

    Raises:
        ValueError: for another name.
        OSError: if the files are not found and cannot be downloaded, or cannot be read.

    Files are looked for in the folder that TLKIT_DATA names (in torchvision's own layout; for CIFAR10 also as
    `CIFAR10-images/cifar10-images.tar.xz`), then in tlkit's cache, and only then downloaded.
    """
    name = canonical_name(name)
    arrays = _arrays(name)
    order = torch.randperm(len(arrays.train_labels), generator=torch.Generator().manual_seed(0)).numpy()
    held_out = min(5_000, len(order) // 10)
    images, labels = arrays.train_images, arrays.train_labels

    def split(images: np.ndarray, labels: np.ndarray) -> Split:
        return Split(
            torch.tensor(images, dtype=torch.float32).div_(255),
            torch.tensor(labels, dtype=torch.int64),
            tuple(map(str, arrays.classes)),
        )

    validation, train = (split(images[part], labels[part]) for part in (order[:held_out], order[held_out:]))
    return Task(name, train, validation, split(arrays.test_images, arrays.test_labels))


# ---- where the files are ----


def canonical_name(name: str, names: Iterable[str] = DATA_SETS) -> str:
    """The name as it is written here, whatever its case. Raises ValueError if it is not among `names`."""
    for spelling in names:
        if name.lower() == spelling.lower():
            return spelling
    raise ValueError(
        f"there is no data set {name!r} here; there are {', '.join(names)}. "
        "For images of your own use tl.data.image_folder(path)"
    )


def place(name: str) -> Place | None:
    """Where the files of a data set are, None if they are not on this machine.

    Raises OSError if TLKIT_DATA is not a folder or has only some of the files.
    """
    roots = {"the cache": cache_folder()}
    if data := path_named("TLKIT_DATA"):
        roots = {"TLKIT_DATA": data} | roots
        if not data.is_dir():
            raise NotADirectoryError(f"TLKIT_DATA={data} is not a folder; set it to the one with the data, or unset it")
    for where, root in roots.items():
        missing = ""
        for names, read in _layouts(name):
            paths = {file: _as_it_is_or_unzipped(root / file) for file in names}
            files = [path for path in paths.values() if path]
            if len(files) == len(paths):
                at = files[0] if len(files) == 1 else files[0].parent
                size = sum(file.stat().st_size for file in files) / 1e6
                return Place(f"ready in {where}: {at} ({size:.0f} MB)", files, read)
            if files and where == "TLKIT_DATA":
                missing = next(file for file, path in paths.items() if not path)
        if missing:
            raise FileNotFoundError(f"{root / missing} is missing; put it there, or take its neighbours away")
    return None


def _as_it_is_or_unzipped(path: Path) -> Path | None:
    """A file under its name or, unzipped, without `.gz`; None if there is neither."""
    return next((p for p in (path.with_name(path.name.removesuffix(".gz")), path) if p.exists()), None)


def _class(name: str) -> Any:
    """torchvision's class of a data set, which knows its file names, addresses and checksums."""
    import torchvision.datasets

    return getattr(torchvision.datasets, name)


def _layouts(name: str) -> list[tuple[list[str], Reader]]:
    """The ways in which a data set may lie in a folder: its files, and what reads them."""
    kind = _class(name)
    if name == "SVHN":
        return [(list(_downloads(name)), _svhn)]
    if "CIFAR" in name:
        batches = [f"{kind.base_folder}/{file}" for file in _checksums(kind)]
        jpegs = [(["CIFAR10-images/cifar10-images.tar.xz"], _jpegs)] if name == "CIFAR10" else []
        return [(batches, _cifar_folder), ([kind.filename], _cifar_archive), *jpegs]
    return [(list(_downloads(name)), _idx_files)]


def _downloads(name: str) -> dict[str, tuple[list[str], str]]:
    """For each file to download its addresses and its md5."""
    kind = _class(name)
    if name == "SVHN":
        return {file: ([url], md5) for url, file, md5 in (kind.split_list["train"], kind.split_list["test"])}
    if "CIFAR" in name:
        return {kind.filename: ([kind.url], kind.tgz_md5)}
    return {f"{name}/raw/{file}": ([mirror + file for mirror in kind.mirrors], md5) for file, md5 in kind.resources}


def find_or_fetch(name: str) -> Place:
    """Where the files are, after a download if they were not on this machine.

    Raises OSError that says what was missing, where it was looked for, what went wrong and what to do.
    """
    if there := place(name):
        return there
    for file, (urls, md5) in _downloads(name).items():
        path = cache_folder() / file
        if _as_it_is_or_unzipped(path):
            continue
        try:
            fetch(urls, path, md5=md5)
        except OSError as error:
            raise type(error)(
                f"{name} is neither in TLKIT_DATA ({os.environ.get('TLKIT_DATA') or 'not set'}) nor in the cache "
                f"({cache_folder()}), and {path.name} could not be downloaded: {error}. Try another network, or put "
                f"the file at {path}; TLKIT_DATA can name another folder to look in, TLKIT_CACHE one to download to"
            ) from error
    there = place(name)
    assert there
    return there


def describe(name: str) -> str:
    """What a data set is and where."""
    if name in EMBEDDED:
        return EMBEDDED[name]
    known, there = DATA_SETS[name], place(name)
    return f"{known.about}: {there.words if there else f'would be downloaded ({known.megabytes} MB)'}"


def make_ready(name: str) -> str:
    """Where a data set is, after a download if need be."""
    return EMBEDDED.get(name) or find_or_fetch(name).words


def check(name: str) -> str:
    """What reading all files of a data set showed. Raises OSError if one is broken or holds other data."""
    if name in EMBEDDED:
        return EMBEDDED[name]
    if not (there := place(name)):
        return "not on this machine, so there is nothing to check"
    published = {md5: (one, file) for one in DATA_SETS for file, (_, md5) in _downloads(one).items()}
    found = {path: published.get(_md5(path)) for path in there.files}
    faults = [
        f"{path.name} is {file} of {one}"
        for path, (one, file) in ((path, known) for path, known in found.items() if known)
        if (one, Path(file).name) != (name, path.name)
    ]
    arrays = _arrays(name)
    if faults := [*faults, *DATA_SETS[name].faults(arrays)]:
        raise OSError(
            f"{there.files[0].parent} is not {name} as it was published: {'; '.join(faults)}. Put the published files "
            "there, or take these away to look elsewhere"
        )
    counts = f"{len(arrays.train_labels):,} + {len(arrays.test_labels):,} images, {len(arrays.classes)} classes"
    alike = "checksums" if all(found.values()) else "counts, labels and brightness"
    return f"whole: {counts}, {alike} as published; {there.words}"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


# ---- reading them ----


def _arrays(name: str) -> Arrays:
    """All images and labels of a data set, read from its files. Raises OSError if they do not fit together."""
    source = find_or_fetch(name)
    arrays = source.read(_class(name), source.files)
    for images, labels in (arrays[:2], arrays[2:4]):
        if len(images) != len(labels):
            raise OSError(f"{source.files[0].parent} has {len(images):,} images of {name} but {len(labels):,} labels")
    return arrays


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn any error in reading a file into an OSError that names it: each format has errors of its own."""
    try:
        yield
    except Exception as error:
        words = f"{path} cannot be used ({error}); put a good copy in its place, or remove it to look elsewhere"
        raise OSError(words) from error


def _idx_files(kind: Any, files: list[Path]) -> Arrays:
    """MNIST and the sets in its layout: images and labels to train with, then to test with."""
    train_images, train_labels, test_images, test_labels = map(_idx, files, (3, 1, 3, 1))
    return Arrays(train_images[:, None], train_labels, test_images[:, None], test_labels, kind.classes)


def _idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of an idx file, gzipped or not: two zeros, the type (8), the dimensions, each size, the values."""
    with _reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        data = file.read()
        if data[:3] != b"\0\0\x08":
            raise ValueError("it is not an idx file of bytes")
        shape = np.frombuffer(data, ">u4", data[3], offset=4)
        start = 4 + 4 * len(shape)
        if len(data) != (promised := start + int(shape.prod())):
            raise ValueError(f"it has {len(data):,} bytes where its header promises {promised:,}")
        if len(shape) != dimensions:
            raise ValueError(f"it holds {'images' if len(shape) == 3 else 'labels'}, and its name promises the other")
        return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _checksums(kind: Any) -> dict[str, str]:
    """The files of CIFAR's Python version with their md5: training batches, then the test batch, then the names."""
    return dict([*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])])


def _cifar_folder(kind: Any, files: list[Path]) -> Arrays:
    with _reading(files[0].parent):
        return _cifar(kind, {file.name: file.read_bytes() for file in files})


def _cifar_archive(kind: Any, files: list[Path]) -> Arrays:
    with _reading(files[0]), tarfile.open(files[0]) as archive:
        members = ((PurePosixPath(member.name).name, archive.extractfile(member)) for member in archive)
        return _cifar(kind, {name: member.read() for name, member in members if member})


def _cifar(kind: Any, contents: dict[str, bytes]) -> Arrays:
    """CIFAR's pickles, each unpickled only if its checksum is the published one: a pickle can run code."""
    pickles = {}
    for file, md5 in _checksums(kind).items():
        if hashlib.md5(contents.get(file, b""), usedforsecurity=False).hexdigest() != md5:
            raise ValueError(f"the checksum of {file} is not the published one")
        with warnings.catch_warnings(action="ignore"):  # numpy 2.4.0 to 2.4.4, about old pickles
            pickles[file] = pickle.loads(contents[file], encoding="latin1")

    def batches(names: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        parts = [pickles[name] for name, _ in names]
        images = np.concatenate([part["data"] for part in parts]).reshape(-1, 3, 32, 32)
        return images, np.concatenate([part.get("labels") or part["fine_labels"] for part in parts])

    return Arrays(*batches(kind.train_list), *batches(kind.test_list), pickles[kind.meta["filename"]][kind.meta["key"]])


def _svhn(kind: Any, files: list[Path]) -> Arrays:
    """SVHN, whose files are MATLAB's."""
    from scipy.io import loadmat

    parts = []
    for file in files:
        with _reading(file):
            data = loadmat(file)
            parts += [data["X"].transpose(3, 2, 0, 1), data["y"].ravel() % 10]  # SVHN writes the digit 0 as 10
    return Arrays(*parts, classes=tuple(DIGITS))


def _jpegs(kind: Any, files: list[Path]) -> Arrays:
    """CIFAR-10 as JPEG files in an archive, decoded once (10 to 20 s for 60,000) and kept in the cache."""
    archive = files[0]
    copy = cache_folder() / f"cifar10-images-{archive.stat().st_size}.npz"
    if copy.exists():
        with _reading(copy), np.load(copy) as fields:
            return Arrays(*(fields[field] for field in Arrays._fields))
    with _reading(archive):
        arrays = _decoded(archive)
    try:
        with whole_file(copy) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays._asdict())
    except OSError as error:
        warnings.warn(
            f"{archive.name} was decoded but cannot be kept in {copy.parent} ({error.strerror or error}), so it is "
            "decoded again each time; set TLKIT_CACHE to a folder that can be written",
            stacklevel=2,
        )
    return arrays


def _decoded(path: Path) -> Arrays:
    """The JPEG files `train/class/name.jpg` and `test/class/name.jpg` of an archive, decoded."""
    from PIL import Image
    from tqdm.auto import tqdm

    parts: dict[str, tuple[list, list]] = {"train": ([], []), "test": ([], [])}
    with tarfile.open(path, "r|*") as archive:
        for member in tqdm(archive, desc=f"decoding {path.name}", unit=" images"):
            match = re.fullmatch(r"(?:.*/)?(train|test)/([^/]+)/[^/.][^/]*\.jpg", member.name)
            if match and (file := archive.extractfile(member)):
                part, label = match.groups()
                parts[part][0].append(np.asarray(Image.open(BytesIO(file.read())).convert("RGB")).transpose(2, 0, 1))
                parts[part][1].append(label)
    classes = sorted(set(parts["train"][1]))
    (train, train_labels), (test, test_labels) = (
        (np.stack(images), np.array([classes.index(label) for label in labels])) for images, labels in parts.values()
    )
    return Arrays(train, train_labels, test, test_labels, classes)
