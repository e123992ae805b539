"""Drawings made of strokes, and the picture that a network sees of them.

A drawing is a list of strokes, a stroke a list of `[x, y]` points in thousandths of the pad's side, y downwards.
Size, place and the width of the pen are removed on purpose: a large and a small circle are the same symbol.
`widgets/reader.js` computes the very same pictures in the browser.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Drawing = Sequence[Sequence[Sequence[float]]]

SIZE = 16  # pixels of a picture's side
LONGEST = 13.3  # pixels of a drawing's longest side in it
PEN = 1.4  # pixels
SMALLEST = 50  # thousandths: a smaller drawing, such as a dot, is not enlarged further


def picture(drawing: Drawing) -> Tensor:
    """The picture of a drawing that a network sees.

    Args:
        drawing: strokes of `[x, y]` points, in thousandths of the pad's side.

    Returns:
        `[16, 16]`, ink = 1: scaled to 13.3 pixels, its centre of ink in the middle, drawn with a pen of 1.4 pixels. An
        empty drawing is an empty picture.

    The strokes are scaled, not the pixels, so that all drawings have the same pen. The ink of a pixel is the mean of
    four subsamples, each by its distance to the nearest stroke.
    """
    strokes = [np.asarray(stroke, dtype=np.float64).reshape(-1, 2) for stroke in drawing if len(stroke)]
    if not strokes:
        return torch.zeros(SIZE, SIZE)
    starts = np.concatenate([stroke[:-1] if len(stroke) > 1 else stroke for stroke in strokes])
    ends = np.concatenate([stroke[1:] if len(stroke) > 1 else stroke for stroke in strokes])
    points = np.concatenate(strokes)
    side = max(*(points.max(0) - points.min(0)), SMALLEST)
    lengths = np.hypot(*(ends - starts).T)
    centre = np.average((starts + ends) / 2, axis=0, weights=lengths if lengths.any() else None)
    starts, ends = ((end - centre) * (LONGEST / side) + SIZE / 2 for end in (starts, ends))

    at = (np.arange(2 * SIZE) + 0.5) / 2
    pixels = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)  # the subsamples, row by row
    nearest = np.full(len(pixels), np.inf)
    for start, end in zip(starts, ends, strict=True):
        along = end - start
        share = ((pixels - start) @ along / max(along @ along, 1e-12)).clip(0, 1)
        nearest = np.minimum(nearest, np.hypot(*(pixels - start - share[:, None] * along).T))
    ink = (0.5 + (PEN / 2 - nearest) / 0.5).clip(0, 1)
    return torch.tensor(ink.reshape(SIZE, 2, SIZE, 2).mean((1, 3)), dtype=torch.float32)


def pictures(drawings: Iterable[Drawing]) -> Tensor:
    """The pictures of several drawings.

    Args:
        drawings: each as in `picture`.

    Returns:
        `[n, 1, 16, 16]`.

    >>> pictures([SAMPLES["star"], SAMPLES["house"]]).shape
    torch.Size([2, 1, 16, 16])
    """
    return torch.stack([torch.zeros(SIZE, SIZE), *map(picture, drawings)])[1:, None]


# By name, for a learner who cannot or does not want to draw. None is in the data that pre-trained the network.
SAMPLES: dict[str, list[list[list[int]]]] = json.loads(Path(__file__).with_name("samples.json").read_text())
