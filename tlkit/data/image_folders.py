"""Your own images: a folder for each class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from tlkit.data.tasks import Split, Task, numbers_chosen, whole_number
from tlkit.words import listed

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".avif")
UNREADABLE = (".heic", ".heif")  # a phone's photographs, which Pillow cannot read: the warning names them
VALIDATION = ("val", "validation", "valid")
IN_MEMORY = 1e9  # bytes; decoded images that would take more stay on disk
THREADS = 4


def image_folder(path: str | Path, size: int = 64, stream: bool | None = None) -> Task:
    """A task from images of your own, one folder for each class.

    Args:
        path: a folder that holds one folder for each class, or `train/` and `test/`, `val/` or both, each holding such.
        size: the side of the square that each image is made, in pixels; 64 trains quickly, most pretrained networks
            expect 224.
        stream: True leaves the images on disk and reads them as batches need them, False holds them in memory; None
            streams if they would take more than 1 GB when decoded.

    Returns:
        A task of images `[n, channels, size, size]` in 0..1: grey if every image is grey, else in colour. `split.files`
        are their paths in the folder.

    Raises:
        OSError: if the folder does not exist or cannot be read.
        ValueError: if `size` is no whole number or below 1, there are fewer than 2 classes, the parts have different
            ones, or a class has too few images to be learnt and tested.

    Without `train/`, each class is split 60 / 20 / 20, anew by `redraw(seed)`. With `train/` and only one of the other
    folders, the images there test, and a fifth of each class in `train/` validates. The images of a class may lie in
    deeper folders.

    An image is turned upright, scaled until its shorter side fits, and cut to its middle square; transparency is
    dropped. Files that cannot be read are left out and named in one warning.
    """
    size = whole_number("size", size, 1, "an image has at least 1 pixel a side (64 is a good start)")
    folder = Path(path).expanduser()
    parts = _parts(folder)
    classes = _classes(parts)
    entries = [
        (part, label, file)
        for part, place in enumerate(parts)
        for label, name in enumerate(classes)
        for file in _image_files(place / name)
    ]
    stream = len(entries) * 3 * size**2 * 4 > IN_MEMORY if stream is None else stream
    images, readable = _read_all(folder, [file for _, _, file in entries], size, stream)
    entries = [entries[number] for number in readable]
    part_of, labels = (torch.tensor([entry[column] for entry in entries], dtype=torch.int64) for column in (0, 1))
    for part, place in enumerate(parts):
        for label, name in enumerate(classes):
            if not ((part_of == part) & (labels == label)).any():
                raise ValueError(
                    f'the class folder "{place / name}" has no image that can be read; '
                    f"put images into it ({', '.join(ENDINGS[:4])}, ...) or take the folder away"
                )
    files = tuple(file.relative_to(folder).as_posix() for _, _, file in entries)
    whole = _Whole(folder.resolve().name, images, labels, files, tuple(classes))
    if len(parts) == 1:
        return whole.draw(0)
    train, *held_out = ((part_of == part).nonzero().view(-1) for part in range(len(parts)))
    if len(held_out) == 1:
        train, validation = whole.divide(train, 2, seed=0)
        held_out = [validation, *held_out]
    validation, test = held_out
    return Task(whole.name, whole.split(train), whole.split(validation), whole.split(test))


@dataclass(frozen=True)
class _Whole:
    """All images of a folder, uint8 or on disk, before they are split."""

    name: str
    images: Tensor | ImageFiles
    labels: Tensor
    files: tuple[str, ...]
    classes: tuple[str, ...]

    def draw(self, seed: int) -> Task:
        """The task with a random split, 60 / 20 / 20."""
        train, validation, test = map(self.split, self.divide(torch.arange(len(self.labels)), 3, seed))
        return Task(self.name, train, validation, test, redraw=self.draw)

    def divide(self, numbers: Tensor, parts: int, seed: int) -> list[Tensor]:
        """The image `numbers`, shuffled, in 2 or 3 parts: a fifth of each class in each part but the first."""
        numbers = numbers[torch.randperm(len(numbers), generator=torch.Generator().manual_seed(seed))]
        part = torch.zeros(len(numbers), dtype=torch.int64)
        for label, name in enumerate(self.classes):
            members = (self.labels[numbers] == label).nonzero().view(-1)
            if len(members) < parts:
                raise ValueError(
                    f'class "{name}" has only {len(members)} images, too few for {parts} splits; add some, '
                    "or take the folder away"
                )
            fifth = max(1, round(len(members) / 5))
            for other in range(1, parts):
                part[members[(other - 1) * fifth : other * fifth]] = other
        return [numbers[part == which] for which in range(parts)]

    def split(self, numbers: Tensor) -> Split:
        """The images of these numbers, as float32 or on disk."""
        images = self.images
        images = images.part(numbers) if isinstance(images, ImageFiles) else images[numbers].float().div_(255)
        files = tuple(self.files[number] for number in numbers.tolist())
        return Split(images, self.labels[numbers], self.classes, files=files)


class ImageFiles:
    """Images that stay on disk: a stream `[n, channels, size, size]` of float32 in 0..1 that holds only their paths.

    Args:
        paths: the files.
        channels: 1 for grey images, 3 for colour.
        size: the side of the square that each image is made, in pixels.
        device: where the tensors that are read go.

    `images[index]` reads those images into a tensor. Raises OSError that names the file if one can no longer be read.
    """

    dtype = torch.float32

    def __init__(self, paths: Sequence[str], channels: int, size: int, device: torch.device | str = "cpu"):
        self.paths, self.device = tuple(paths), torch.device(device)
        self.shape = torch.Size((len(self.paths), channels, size, size))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Tensor:
        if isinstance(index, int):
            return self[[index]][0]
        channels, size = self.shape[1:3]
        images = np.empty((len(paths := self.part(index).paths), channels, size, size), np.uint8)
        for number, image in enumerate(_read(paths, size)):
            if isinstance(image, Exception):
                raise OSError(
                    f"{paths[number]} could be read before, but not now ({image}); "
                    "put it back or call image_folder again"
                ) from image
            images[number] = image
        return torch.from_numpy(images).to(self.device).float().div_(255)

    def part(self, index: Any) -> ImageFiles:
        """The images that a slice, a mask or numbers choose, still on disk."""
        return self._of([self.paths[number] for number in numbers_chosen(index, len(self))], self.device)

    def __add__(self, other: ImageFiles) -> ImageFiles:
        if not isinstance(other, ImageFiles):
            raise ValueError("images on disk are joined only to others on disk; read both with the same stream=")
        return self._of(self.paths + other.paths, self.device)

    __radd__ = __add__  # images in memory, which come first, are refused as well

    def to(self, device: torch.device | str) -> ImageFiles:
        """The same images, to be read onto `device`."""
        return self._of(self.paths, device)

    def split(self, size: int) -> Iterator[Tensor]:
        """The images in tensors of `size` images, one after the other."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def _of(self, paths: Sequence[str], device: torch.device | str) -> ImageFiles:
        """Other files, read in the same way."""
        return ImageFiles(paths, self.shape[1], self.shape[2], device)

    def __repr__(self) -> str:
        return f"{len(self):,} images of {list(self.shape[1:])} on disk, read onto {self.device}"


# ---- what lies in the folder ----


def _parts(folder: Path) -> list[Path]:
    """The folder itself, or those of its `train`, validation and test folders that exist."""
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}; give the path of one with a folder for each class")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, but images come in a folder for each class; unpack an archive")
    inside = {place.name.lower(): place for place in _folders(folder)}
    validation = [inside[name] for name in VALIDATION if name in inside][:1]
    held_out = validation + [inside[name] for name in ("test",) if name in inside]
    return [inside["train"], *held_out] if "train" in inside and held_out else [folder]


def _classes(parts: list[Path]) -> list[str]:
    """The class names, which every part has in common. Raises ValueError if they differ or are fewer than 2."""
    names = [[place.name for place in _folders(part)] for part in parts]
    for part, classes in zip(parts, names, strict=True):
        if len(classes) < 2:
            has = f'only one, "{classes[0]}"' if classes else "none"
            raise ValueError(f"{part} needs a folder of images for each of at least 2 classes, but has {has}")
        if different := sorted(set(classes) ^ set(names[0])):
            raise ValueError(f'{parts[0]} and {part} have different classes: "{different[0]}" is only in one of them')
    return names[0]


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    return sorted((place for place in _visible(folder) if place.is_dir()), key=lambda place: place.name)


def _image_files(folder: Path) -> list[Path]:
    """The images in a folder and in those below it, sorted; also photographs that a warning names as unreadable."""
    files = []
    for place in sorted(_visible(folder)):
        if place.is_dir() and not place.is_symlink():  # a link may lead back up
            files += _image_files(place)
        elif place.suffix.lower() in ENDINGS + UNREADABLE:
            files.append(place)
    return files


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, without hidden files. Raises PermissionError that says what to do."""
    try:
        return [place for place in folder.iterdir() if not place.name.startswith((".", "__MACOSX"))]
    except PermissionError as error:
        raise PermissionError(f"you may not read {folder}; change its permissions or copy it") from error


# ---- reading images ----


def _read_all(folder: Path, paths: list[Path], size: int, stream: bool) -> tuple[Tensor | ImageFiles, list[int]]:
    """Read every image once; return those that could be read (in memory, or as files to stream) and their numbers."""
    from tqdm.auto import tqdm

    readable, images, grey, left_out = [], [], True, []
    with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
        progress = tqdm(_read(paths, size), desc=f"images in {folder.name}", total=len(paths), unit=" images", delay=1)
        for number, image in enumerate(progress):
            if isinstance(image, Exception):
                left_out.append(f"{paths[number].relative_to(folder).as_posix()} ({_reason(image)})")
                continue
            readable.append(number)
            grey = grey and len(image) == 1
            if not stream:
                images.append(image)
    if left_out:
        warnings.warn(f"{len(left_out):,} of {len(paths):,} images are left out: {listed(left_out)}", stacklevel=3)
    channels = 1 if grey else 3
    if stream:
        return ImageFiles([str(paths[number].absolute()) for number in readable], channels, size), readable
    whole = np.empty((len(images), channels, size, size), np.uint8)
    for number, image in enumerate(images):
        whole[number] = image
    return torch.from_numpy(whole), readable


def _reason(error: Exception) -> str:
    """Why an image was left out, in words."""
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"more than {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels"
    return "not an image that Pillow can read" if isinstance(error, UnidentifiedImageError) else str(error)


def _read(paths: Sequence[str | Path], size: int) -> Iterator[np.ndarray | Exception]:
    """For each path its image, or the error; a few hundred at a time, so that an interrupt need not wait long."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(paths), 256):
            yield from pool.map(partial(_image, size=size), paths[start : start + 256])


def _image(path: str | Path, size: int) -> np.ndarray | Exception:
    """The middle square of an image, uint8 `[1 if it is grey, else 3, size, size]`."""
    try:
        with Image.open(path) as image:
            image.draft(None, (2 * size, 2 * size))  # JPEG: decode no more than is needed
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith("I"):  # 16 bits; Pillow would clip them to 8
                image = Image.fromarray((np.asarray(image).clip(0, 65_535) // 257).astype(np.uint8))
            if image.mode == "P":
                image = image.convert("RGBA")  # Pillow warns when it drops a palette's transparency itself
            image = image.convert("L" if image.mode in ("1", "L", "LA", "F") else "RGB")
            pixels = np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    except Exception as error:  # each format has errors of its own
        return error
