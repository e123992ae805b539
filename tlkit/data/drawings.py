"""Drawings made of strokes, and the picture that a network sees of them.

A drawing is a list of strokes, a stroke a list of `[x, y]` points in thousandths of the pad's side, y downwards.
Size, place and the width of the pen are taken away on purpose: a large and a small circle are the same symbol.
`widgets/reader.js` computes the very same pictures in the browser.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

Drawing = Sequence[Sequence[Sequence[float]]]

SIZE = 16  # pixels of a picture's side
LONGEST = 13.3  # pixels of a drawing's longest side in it
PEN = 1.4  # pixels
SMALLEST = 50  # thousandths: what is smaller, such as a dot, is not blown up further


def picture(drawing: Drawing) -> Tensor:
    """The picture [16, 16] of a drawing, ink = 1: scaled to 13.3 pixels, its centre of ink in the middle, pen 1.4.

    Scaling the strokes instead of pixels makes the pen the same for all. The ink of a pixel is the mean of four
    subsamples, each by its distance to the nearest stroke. An empty drawing is an empty picture.
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
    """The pictures [n, 1, 16, 16] of several drawings.

    >>> pictures([SAMPLES["star"], SAMPLES["house"]]).shape
    torch.Size([2, 1, 16, 16])
    """
    return torch.stack([torch.zeros(SIZE, SIZE), *map(picture, drawings)])[1:, None]


# ---- Sample drawings: what a learner is offered who cannot or does not want to draw. None is in the reader's source.


def _curve(x: Callable[[float], float], y: Callable[[float], float], stop: float, points: int) -> list[list[int]]:
    """The points (x(t), y(t)) for t from 0 to `stop` turns."""
    angles = [math.tau * stop * n / (points - 1) for n in range(points)]
    return [[round(x(t)), round(y(t))] for t in angles]


def _arc(y: float, rx: float, ry: float, start: float = 0, stop: float = 1, points: int = 24) -> list[list[int]]:
    """An arc around (500, y), in turns from the right, clockwise."""
    turn = math.tau * start
    return _curve(lambda t: 500 + rx * math.cos(turn + t), lambda t: y + ry * math.sin(turn + t), stop - start, points)


SAMPLES: dict[str, list[list[list[int]]]] = {
    "heart": [
        _curve(
            lambda t: 500 + 304 * math.sin(t) ** 3,
            lambda t: 470 - 19 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
            stop=1,
            points=32,
        )
    ],
    "star": [_arc(520, 330, 330, start=-0.25, stop=1.75, points=6)],  # five points, twice around
    "house": [[[220, 440], [220, 800], [780, 800], [780, 440]], [[160, 470], [500, 170], [840, 470]]],
    "smiley": [
        _arc(500, 340, 340, start=-0.25, stop=0.75),
        [[390, 400], [390, 450]],
        [[610, 400], [610, 450]],
        _arc(520, 180, 150, start=0.05, stop=0.45, points=12),
    ],
    "spiral": [
        _curve(lambda t: 500 + (17 + 19 * t) * math.cos(t), lambda t: 500 + (17 + 19 * t) * math.sin(t), 2.5, 40)
    ],
    "lightning": [[[600, 140], [360, 500], [600, 500], [380, 860]]],
    "arrow": [[[170, 540], [820, 480]], [[620, 320], [820, 480], [650, 680]]],
    "fish": [
        [
            *([850, 330], [700, 450], [560, 570], [420, 630], [280, 610], [170, 500]),
            *([280, 390], [420, 370], [560, 430], [700, 550], [850, 670], [850, 330]),
        ]
    ],
    "circle": [_arc(500, 330, 330, start=-0.25, stop=0.75)],
    "square": [[[200, 200], [200, 800], [800, 800], [800, 200], [200, 200]]],
    "triangle": [[[500, 180], [170, 780], [830, 780], [500, 180]]],
    "diamond": [[[500, 140], [220, 500], [500, 860], [780, 500], [500, 140]]],
}
