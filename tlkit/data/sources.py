"""Data that are always there, offline: real digits inside scikit-learn, characters rendered from matplotlib's fonts."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tlkit.data.augmentation import warp
from tlkit.data.tasks import Split, Task

DIGITS = "0123456789"
FONTS = (  # eighteen that come with matplotlib, never the system's, so that every machine draws the same
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Oblique", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSerif-Bold"),
    *("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)


def digits(seed: int = 0) -> Task:
    """Real handwriting: 1,797 digits of 8 x 8 pixels from scikit-learn, split 997 / 200 / 600.

    Args:
        seed: the random seed of the split.

    Returns:
        A task of images `[n, 1, 8, 8]` in sixteenths; `redraw` splits it anew.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.

    >>> digits()
    handwritten digits: 10 classes, 997 train, 200 validation, 600 test images of 8 x 8
    """
    images, labels = _handwritten()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    test, validation, train = (
        Split(images[part], labels[part], tuple(DIGITS)) for part in order.split([600, 200, len(images) - 800])
    )
    return Task("handwritten digits", train, validation, test, redraw=digits)


@cache
def _handwritten() -> tuple[Tensor, Tensor]:
    """scikit-learn's images `[1797, 1, 8, 8]` in 0..1, and their labels."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 16, torch.tensor(labels, dtype=torch.int64)


def glyphs(characters: str = DIGITS, count: int = 16_000, seed: int = 0) -> Task:
    """Printed characters, distorted at random: a source task with as many examples as you like.

    Args:
        characters: each is a class: `glyphs("ABC")` has the classes A, B and C; the default has those of `digits()`.
        count: training images; 1,000 more validate and 1,000 test.
        seed: the random seed of characters, fonts and distortions; the same seed draws the same images.

    Returns:
        A task of images `[n, 1, 8, 8]` in sixteenths.

    Raises:
        ValueError: if a character is repeated, leaves no ink, or is missing in a font, or there is none.

    Each image shows one character in one of 18 fonts, rotated, sheared, stretched, bent and thickened at random, then
    scaled to full height and quantised to sixteenths, as the real digits are.
    """
    if len(set(characters)) < len(characters) or not characters:
        raise ValueError(f"characters={characters!r}: give each character once, and at least one")
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(characters), (count + 2_000,), generator=generator)
    fonts = torch.randint(len(FONTS), (count + 2_000,), generator=generator)
    images = varied(printed(characters).flatten(0, 1), fonts * len(characters) + labels, _distorted, seed)
    return divided("printed characters", images, labels, characters, held_out=1_000)


def varied(shapes: Tensor, which: Tensor, change: Callable[[Tensor], Tensor], seed: int) -> Tensor:
    """The `shapes` `[m, ...]` of the numbers `which` `[n]`, each changed at random; `seed` draws the changes."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed every GPU too
        return torch.cat([change(shapes[part]) for part in which.split(2_000)])


def divided(name: str, images: Tensor, labels: Tensor, characters: str, held_out: int) -> Task:
    """A task whose last `held_out` images test, and as many before them validate."""
    sizes = [len(images) - 2 * held_out, held_out, held_out]
    parts = zip(images.split(sizes), labels.split(sizes), strict=True)
    train, validation, test = (Split(*part, tuple(characters)) for part in parts)
    return Task(name, train, validation, test)


@cache
def printed(characters: str) -> Tensor:
    """Each character in each font, as a filled outline: `[fonts, characters, 1, 32, 32]`, longest side 20 pixels."""
    pairs = [(font, character) for font in FONTS for character in characters]
    return outlines(pairs, 32, 20, columns=len(characters)).view(len(FONTS), len(characters), 1, 32, 32)


def outlines(pairs: Sequence[tuple[str, str]], cell: int, longest: float, columns: int = 40) -> Tensor:
    """A filled outline of a character in a font for each of `pairs`, in the middle of `[n, 1, cell, cell]`.

    Its longest side has `longest` pixels. One drawing of `columns` cells a row holds them all, without hinting, so that
    versions of FreeType agree. Raises ValueError if a font has no such character or it leaves no ink.
    """
    import matplotlib
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(columns * cell / 100, rows * cell / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    for number, (font, character) in enumerate(pairs):
        file = folder / f"{font}.ttf"
        if ord(character) not in charmap(file):
            raise ValueError(f"the font {font} has no {character!r}; leave that character out")
        if character.isspace():
            raise ValueError(f"{character!r} leaves no ink; leave that character out")
        outline = TextPath((0, 0), character, size=100, prop=FontProperties(fname=str(file)))
        box = outline.get_extents()
        row, column = divmod(number, columns)
        place = (
            Affine2D()
            .translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
            .scale(longest / max(box.width, box.height))
            .translate((column + 0.5) * cell, (rows - row - 0.5) * cell)
        )
        figure.add_artist(PathPatch(place.transform_path(outline), facecolor="black", linewidth=0, transform=None))
    canvas.draw()
    ink = 1 - torch.tensor(np.asarray(canvas.buffer_rgba())[..., 0], dtype=torch.float32) / 255
    cells = ink.view(rows, cell, columns, cell).permute(0, 2, 1, 3).reshape(-1, 1, cell, cell)
    return cells[: len(pairs)].contiguous()


@cache
def charmap(font: Path) -> set[int]:
    """The code points that a font file has a drawing for."""
    from matplotlib.ft2font import FT2Font

    return set(FT2Font(str(font)).get_charmap())


def _distorted(ink: Tensor) -> Tensor:
    """Give print the variety of handwriting: `ink` `[n, 1, 32, 32]` becomes `[n, 1, 8, 8]` in sixteenths."""
    ink = warp(ink, rotation=15, shear=0.25, stretch=((0.75, 1.25), (0.9, 1.1)), elastic=0.175, cells=4)
    stroke = torch.randint(3, (len(ink),))
    ink = torch.where((stroke == 1).view(-1, 1, 1, 1), F.max_pool2d(ink, (1, 3), 1, (0, 1)), ink)
    ink = torch.where((stroke == 2).view(-1, 1, 1, 1), F.max_pool2d(ink, 3, 1, 1), ink)
    return as_real_digits(ink)


def as_real_digits(ink: Tensor) -> Tensor:
    """Prepare drawings `[n, 1, height, width]` as the real digits were: full height, `[n, 1, 8, 8]` in sixteenths."""
    return (F.avg_pool2d((full_height(ink, 24) > 0.5).float(), 3) * 16).round() / 16


def full_height(ink: Tensor, size: int) -> Tensor:
    """Scale each drawing until its bounding box fills the height of a square image.

    Args:
        ink: `[n, 1, height, width]`.
        size: the side of the square, in pixels.

    Returns:
        `[n, 1, size, size]`; the width keeps its proportion, up to the whole image.

    This is how the real digits were prepared.
    """
    n, _, height, width = ink.shape
    top, bottom, left, right = edges(ink)
    tall, wide = (bottom - top).float(), (right - left).float()
    side_y, side_x = tall, torch.maximum(tall, wide)
    matrix = torch.zeros(n, 2, 3, device=ink.device)
    matrix[:, 0, 0], matrix[:, 1, 1] = side_x / width, side_y / height
    matrix[:, 0, 2], matrix[:, 1, 2] = (left + right) / width - 1, (top + bottom) / height - 1
    return F.grid_sample(ink, F.affine_grid(matrix, [n, 1, size, size], align_corners=False), align_corners=False)


def edges(ink: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, bottom, left and right `[n]` of the ink `[n, 1, height, width]`; bottom and right lie just outside it."""
    some = (ink > 0.5).squeeze(1).float()
    rows, columns = some.amax(2), some.amax(1)
    bottom, right = rows.shape[1] - rows.flip(1).argmax(1), columns.shape[1] - columns.flip(1).argmax(1)
    return rows.argmax(1), bottom, columns.argmax(1), right
