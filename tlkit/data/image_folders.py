"""Your own images: a folder for each class."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError
from torch import Tensor

from tlkit.data.kinds import OVERSHOOT
from tlkit.data.tasks import Split, Task, numbers_chosen, whole_number
from tlkit.words import listed

ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".webp", ".jpe", ".jfif", ".jp2", ".j2k", ".bmp", ".dib", ".gif", ".apng"),
    *(".tif", ".tiff", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".avif"),
)
SPLITS = {  # what a folder of each part is called, beside words such as "set" or "images", and numbers
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "validate", "dev", "development", "eval", "evaluation"),
    "test": ("test", "testing"),
}
BESIDE = "set|data|dataset|images?|imgs?|pictures|photos|seg|split|folder|files"
NO_DATA = (  # what systems and programs put into folders, beside all that is hidden
    *("__macosx", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found"),
    *("thumbs.db", "desktop.ini", "__pycache__"),
)
WHITE = (1, 255, 1_023, 4_095, 16_383, 65_535)  # what stands for white, in fractions (1) and in 8 to 16 bits
IN_MEMORY = 1e9  # bytes; decoded images that would take more stay on disk
THREADS = 4


def image_folder(path: str | Path, size: int = 64, stream: bool | None = None, background: str = "white") -> Task:
    """A task from images of your own, one folder for each class.

    Args:
        path: a folder that holds one folder for each class; or `train/` and `test/`, `val/` or both, each holding such;
            or classes that each hold these. Other usual names are understood: training, testing, dev, eval, train_set.
        size: the side of the square that each image is made, in pixels; 64 trains quickly, most pretrained networks
            expect 224.
        stream: True leaves the images on disk and reads them as batches need them, False holds them in memory; None
            streams if they would take more than 1 GB when decoded.
        background: what is seen through transparent places: a colour's name, or as "#ffffff".

    Returns:
        A task of images `[n, channels, size, size]` in 0..1: grey if every image is grey, else in colour. `split.files`
        are their paths in the folder.

    Raises:
        OSError: if the folder does not exist or cannot be read.
        ValueError: if `size` is no whole number or below 1, `background` is no colour, there are fewer than 2 classes,
            the parts have different ones, all classes hold the same folders, which are not known as parts, or a class
            has too few images to be learnt and tested.

    Without `train/`, each class is split 60 / 20 / 20, anew by `redraw(seed)`. With `train/` and only one of the other
    folders, the images there test, and a fifth of each class in `train/` validates. The images of a class may lie in
    deeper folders.

    An image is turned upright, scaled until its shorter side fits, and cut to its middle square. What is white in
    images of more than 8 bits is taken from the largest number in any of them, and told if it is not the usual. Files
    that are left out are counted and named, and so are those of several pages, of which the first is read.
    """
    size = whole_number("size", size, 1, "an image has at least 1 pixel a side (64 is a good start)")
    try:
        ImageColor.getrgb(background)
    except (ValueError, AttributeError) as error:
        raise ValueError(f'background={background!r} is no colour; give a name or "#ffffff"') from error
    folder = Path(path).expanduser()
    parts, aside = _parts(folder)
    classes = _classes(parts)
    files_of = [[_files(part.classes[name]) for name in classes] for part in parts]
    aside += [file for files in files_of for found in files for file in found if not _is_image(file)]
    entries = [
        (part, label, file)
        for part, files in enumerate(files_of)
        for label, found in enumerate(files)
        for file in found
        if _is_image(file)
    ]
    stream = len(entries) * 3 * size**2 * 4 > IN_MEMORY if stream is None else stream
    images, readable = _read_all(folder, [file for _, _, file in entries], aside, size, background, stream)
    entries = [entries[number] for number in readable]
    part_of, labels = (torch.tensor([entry[column] for entry in entries], dtype=torch.int64) for column in (0, 1))
    for number, part in enumerate(parts):
        for label, name in enumerate(classes):
            if not ((part_of == number) & (labels == label)).any():
                raise ValueError(
                    f'the class folder "{part.classes[name][0]}" has no image that can be read; '
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
        background: the colour that is seen through transparent places.
        white: what stands for white in images of more than 8 bits: in "fractions" and in "whole numbers".

    `images[index]` reads those images into a tensor. Raises OSError that names the file if one can no longer be read.
    """

    dtype = torch.float32

    def __init__(
        self,
        paths: Sequence[str],
        channels: int,
        size: int,
        device: torch.device | str = "cpu",
        background: str = "white",
        white: Mapping[str, int] | None = None,
    ):
        self.paths, self.device = tuple(paths), torch.device(device)
        self.background, self.white = background, white or {}
        self.shape = torch.Size((len(self.paths), channels, size, size))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Tensor:
        if isinstance(index, int):
            return self[[index]][0]
        channels, size = self.shape[1:3]
        images = np.empty((len(paths := self.part(index).paths), channels, size, size), np.uint8)
        for number, image in enumerate(_read(paths, size, self.background)):
            if isinstance(image, Exception) or image.depth not in ("", *self.white):
                error = image if isinstance(image, Exception) else None
                raise OSError(
                    f"{paths[number]} could be read before, but not now ({error or 'it is another image'}); "
                    "put it back or call image_folder again"
                ) from error
            images[number] = image.in_bytes(self.white)
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
        return ImageFiles(paths, self.shape[1], self.shape[2], device, self.background, self.white)

    def __repr__(self) -> str:
        return f"{len(self):,} images of {list(self.shape[1:])} on disk, read onto {self.device}"


# ---- what lies in the folder ----


class _Part(NamedTuple):
    """All images or those of one split: where they are, in words, and the folders of each class by its name."""

    words: str
    classes: dict[str, list[Path]]


def _parts(folder: Path) -> tuple[list[_Part], list[Path]]:
    """The images to train with, then those held out; or all in one part. And what lies beside them, which is left out.

    Raises OSError if it is no folder, ValueError if it cannot be told which folders are parts and which are classes.
    """
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}; give the path of one with a folder for each class")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, but images come in a folder for each class; unpack an archive")
    outer = _folders(folder)
    splits = _splits(outer)
    nested = any(_folders(place) for of in splits.values() for place in of)  # else they are classes of that name
    if "train" in splits and len(splits) > 1 and nested:  # train/cat, test/cat
        places = {split: _inner(*found) for split, found in splits.items()}
        parts = [_Part(str(place), _by_name(_folders(place))) for place in places.values()]
        beside = [place for place in outer if not _split(place)]
        return parts, [*beside, *_loose([folder, *places.values()])]
    inner = {place: _folders(place) for place in outer}
    names = [{_name(deeper) for deeper in found} for found in inner.values()]
    every = [deeper for found in inner.values() for deeper in found]
    known = {_split(deeper) for deeper in every}
    if "train" in known and None not in known and len(known) > 1 and all(names):  # cat/train, cat/test
        for found in inner.values():
            _splits(found)
        parts = [
            _Part(f"{folder}/*/{split}", _by_name([d for d in every if _split(d) == split], lambda d: d.parent))
            for split in SPLITS
            if split in known
        ]
        return parts, _loose([folder, *outer])
    if len(outer) > 1 and len(names[0]) > 1 and all(one == names[0] for one in names) and not _loose(outer):
        raise ValueError(
            f"in {folder} the folders {listed(map(_name, outer))} all hold the same folders, "
            f"{listed(sorted(names[0]))}, as the parts of a data set do; call the parts {', '.join(SPLITS)}, give "
            "the path of one of them, or, if they are no parts, put the images of each class into one folder"
        )
    return [_Part(str(folder), _by_name(outer))], _loose([folder])


def _split(place: Path) -> str | None:
    """The part that a folder is by its name: "train_set", "seg_train" and "Training" are "train"; None: no part."""
    words = re.findall("[a-z]+", place.name.casefold())
    words = [word for word in (re.sub(f"({BESIDE})$", "", word) for word in words) if word]
    return next((split for split, known in SPLITS.items() if len(words) == 1 and words[0] in known), None)


def _splits(places: Iterable[Path]) -> dict[str, list[Path]]:
    """The folders that are parts by their names, in the order of `SPLITS`. Raises ValueError if two are the same."""
    places = list(places)
    found = {split: [place for place in places if _split(place) == split] for split in SPLITS}
    if found["train"] and len(splits := {split: of for split, of in found.items() if of}) > 1:
        for split, of in splits.items():
            if len(of) > 1:
                raise ValueError(
                    f"{of[0]} and {of[1]} both look like the {split} part by their names; keep one, or rename the other"
                )
    return {split: of for split, of in found.items() if of}


def _inner(place: Path) -> Path:
    """The folder of a part: some archives hold seg_train/seg_train."""
    while len(deeper := _folders(place)) == 1 and _split(deeper[0]) == _split(place) and not deeper[0].is_symlink():
        place = deeper[0]
    return place


def _classes(parts: list[_Part]) -> list[str]:
    """The class names, which every part has in common. Raises ValueError if they differ or are fewer than 2."""
    first = parts[0]
    for part in parts:
        if len(part.classes) < 2:
            has = f'only one, "{next(iter(part.classes))}"' if part.classes else "none"
            raise ValueError(f"{part.words} needs a folder of images for each of at least 2 classes, but has {has}")
        if different := sorted(part.classes.keys() ^ first.classes.keys()):
            raise ValueError(
                f'{first.words} and {part.words} have different classes: "{different[0]}" is only in one of them'
            )
    return sorted(first.classes)


def _name(place: Path) -> str:
    """A folder's name; systems write one accented letter in two ways, of which this is the shorter."""
    return unicodedata.normalize("NFC", place.name)


def _by_name(places: Iterable[Path], of: Any = lambda place: place) -> dict[str, list[Path]]:
    """Folders by the class that `of` finds for each: by their own names, unless told otherwise."""
    named: dict[str, list[Path]] = {}
    for place in places:
        named.setdefault(_name(of(place)), []).append(place)
    return named


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    return sorted((place for place in _visible(folder) if place.is_dir()), key=lambda place: place.name)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS


def _loose(folders: Iterable[Path]) -> list[Path]:
    """Images that lie in these folders themselves, where only folders are looked for."""
    return [place for folder in folders for place in sorted(_visible(folder)) if _is_image(place) and place.is_file()]


def _files(folders: Iterable[Path]) -> list[Path]:
    """The files in these folders and in those below them, sorted. A folder that a link leads to counts once."""
    folders, files = [*folders], []
    seen = {above for folder in folders for above in folder.resolve().parents}  # a link may lead back up

    def walk(folder: Path) -> None:
        if (real := folder.resolve()) not in seen:
            seen.add(real)
            for place in sorted(_visible(folder)):
                walk(place) if place.is_dir() else files.append(place)

    for folder in folders:
        walk(folder)
    return files


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, without what is hidden or no data. Raises PermissionError that says what to do."""
    try:
        return [place for place in folder.iterdir() if not place.name.lower().startswith((".", *NO_DATA))]
    except PermissionError as error:
        raise PermissionError(f"you may not read {folder}; change its permissions or copy it") from error


# ---- reading images ----


class _Picture(NamedTuple):
    """An image as it was read: the middle square, and what has to be known of all images before it can be scaled."""

    pixels: np.ndarray  # [1 if it is grey, else 3, size, size]: uint8, or float32 of more than 8 bits
    depth: str = ""  # of more than 8 bits: "fractions" or "whole numbers"
    highest: float = 0.0  # its largest number; of more than 8 bits before it was scaled down
    pages: int = 1
    upper_half: bool = False  # whether only the upper 8 of 16 bits could be read

    def in_bytes(self, white: Mapping[str, int]) -> np.ndarray:
        """The pixels as uint8, black to white."""
        return (self.pixels.clip(0, at := white[self.depth]) * (255 / at)).round() if self.depth else self.pixels


def _read_all(
    folder: Path, paths: list[Path], aside: list[Path], size: int, background: str, stream: bool
) -> tuple[Tensor | ImageFiles, list[int]]:
    """Read every image once; return those that could be read (in memory, or as files to stream) and their numbers."""
    from tqdm.auto import tqdm

    def named(path: Path, remark: object) -> str:
        return f"{path.relative_to(folder).as_posix()} ({remark})"

    readable, images, left_out = [], [], []
    with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
        reading = _read(paths, size, background)
        progress = tqdm(reading, desc=f"images in {folder.name}", total=len(paths), unit=" images", delay=1)
        for number, image in enumerate(progress):
            if isinstance(image, Exception):
                left_out.append(named(paths[number], _reason(image)))
                continue
            readable.append(number)
            if stream:  # nothing is kept but what is known of it
                image = image._replace(pixels=image.pixels[:, :1, :1].copy())
            images.append(image)
    left_out += [named(path, _beside(path)) for path in aside]
    if left_out:
        total = len(paths) + len(aside)
        warnings.warn(f"{len(left_out):,} of {total:,} files are left out: {listed(left_out)}", stacklevel=3)
    pairs = zip(readable, images, strict=True)
    if several := [named(paths[number], image.pages) for number, image in pairs if image.pages > 1]:
        words = f"{len(several):,} files hold several pages, of which the first is read: {listed(several)}"
        warnings.warn(words, stacklevel=3)
    white = _white(images)
    channels = 1 if all(len(image.pixels) == 1 for image in images) else 3
    if stream:
        files = [str(paths[number].absolute()) for number in readable]
        return ImageFiles(files, channels, size, background=background, white=white), readable
    whole = np.empty((len(images), channels, size, size), np.uint8)
    for number, image in enumerate(images):
        whole[number] = image.in_bytes(white)
    return torch.from_numpy(whole), readable


def _white(images: Sequence[_Picture]) -> dict[str, int]:
    """What is white in images of more than 8 bits, by their depth: the first of `WHITE` that none of them exceeds.

    It is one number for all of a depth, so that a dark image stays darker than a light one; where it is not what the
    depth promises, a warning says which it is.
    """
    white = {}
    for depth, usual, slack in (("whole numbers", 65_535, 1.0), ("fractions", 1, 1 + OVERSHOOT)):
        if tops := [image.highest for image in images if image.depth == depth]:
            rungs = WHITE[1:] if usual > 1 else WHITE
            white[depth] = next(rung for rung in rungs if max(tops) <= rung * slack)
            if white[depth] != usual:
                warnings.warn(
                    f"{len(tops):,} images hold {depth} up to {max(tops):,g}, so {white[depth]:,} is taken for white; "
                    "if something else is, save them as images of 8 bits",
                    stacklevel=4,
                )
    halves = [image.highest for image in images if image.upper_half]
    if halves and max(halves) < 64:
        warnings.warn(
            f"{len(halves):,} images of 16 bits a colour are almost black: Pillow reads the upper 8 bits, and these "
            "seem to hold 12 or fewer; save them as images of 8 bits",
            stacklevel=4,
        )
    return white


def _reason(error: Exception) -> str:
    """Why an image was left out, in words."""
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"more than {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels"
    return "not an image that Pillow can read" if isinstance(error, UnidentifiedImageError) else str(error)


def _beside(path: Path) -> str:
    """Why something that was never opened was left out, in words."""
    if path.is_dir():
        return "a folder beside the parts"
    return "an image in no class folder" if _is_image(path) else "of a format that is not read"


def _read(paths: Sequence[str | Path], size: int, background: str) -> Iterator[_Picture | Exception]:
    """For each path its image, or the error; a few hundred at a time, so that an interrupt need not wait long."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(paths), 256):
            yield from pool.map(partial(_image, size=size, background=background), paths[start : start + 256])


def _image(path: str | Path, size: int, background: str) -> _Picture | Exception:
    """The middle square of an image, or why there is none."""
    try:
        with Image.open(path) as image:
            pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # a phone adds its preview
            upper_half = image.mode in ("RGB", "RGBA") and ";16" in str(image.tile[:1])
            image.draft(None, (2 * size, 2 * size))  # JPEG: decode no more than is needed
            ImageOps.exif_transpose(image, in_place=True)
            depth, highest = "", 0.0
            if image.mode.startswith(("I", "F")):  # Pillow would cut these to 8 bits
                depth = "fractions" if image.mode == "F" else "whole numbers"
                values = np.asarray(image).astype(np.float32)
                lowest, highest = float(values.min()), float(values.max())
                least = -OVERSHOOT if image.mode == "F" and highest <= 1 + OVERSHOOT else 0  # resampling leaves such
                if not least <= lowest <= highest <= WHITE[-1]:  # NaN is not either
                    raise ValueError(f"its numbers, {lowest:g} to {highest:g}, are no brightness in 0..1 or 0..65,535")
                image = Image.fromarray(values)
            elif image.has_transparency_data:
                grey = image.mode in ("1", "L", "LA", "La")
                below = Image.new("RGBA", image.size, background)
                below.alpha_composite(image.convert("RGBA"))
                image = below.convert("L" if grey and len({*ImageColor.getrgb(background)[:3]}) == 1 else "RGB")
            else:
                image = image.convert("L" if image.mode in ("1", "L") else "RGB")
            pixels = np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))
        pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return _Picture(pixels, depth, highest or int(pixels.max()), pages, upper_half)
    except Exception as error:  # each format has errors of its own
        return error
