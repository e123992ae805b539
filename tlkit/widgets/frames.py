"""One slider over precomputed pictures, lines or tables: a recorded run, or a choice and what it leads to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from tlkit.views import look, round_span, sent_pixels, sent_shape
from tlkit.widgets.base import Widget, required_number

PerFrame = str | Sequence[str] | Callable[[int], str]  # the last says it of a frame's number


@dataclass(frozen=True, eq=False)
class Row:
    """A row of images under one title, the same in every frame or others in each.

    Args:
        title: stands before the row.
        images: `[n, channels, height, width]` in 0..1, grey or RGB, or one such set a frame: `[frames, n, ...]`, or a
            list of sets, whose n may differ.
        note: stands beside the title.
        hidden: a bool `[n, height, width]`, or one such a frame: pixels where it is true are hatched and not sent.
        captions: n words, or n words a frame, to stand under the images; a line that begins with \u2715 is drawn as an
            error.
        used: whether the images are; unused ones are pale, their frame is dashed.
    """

    title: str
    images: Tensor | Sequence[Tensor]
    note: PerFrame = ""
    hidden: Tensor | None = None
    captions: Sequence[str] | Sequence[Sequence[str]] = ()
    used: bool = True


@dataclass(frozen=True, eq=False)
class Curve:
    """A number in every frame, perhaps with its interval, over the slider's own axis or over another.

    Args:
        title: stands over the curve.
        y: `[frames]`; NaN was not measured.
        name: stands at the mark; `title` by default.
        low: `[frames]`, the lower end of the interval.
        high: `[frames]`, its upper end.
        x: `[frames]`, another axis than the slider's; then a mark travels along the curve.
        x_title: stands below that axis.
        lines: are dotted: {name: number, or one a frame}.
        unit: of `y`; with "%" all is in per cent, and the axis ends at 100.
        start: where the axis begins; None is at 0, or below what is negative.
        family: gives the course's colour and mark (see `Recipe`).
    """

    title: str
    y: Sequence[float] | Tensor
    name: str = ""
    low: Sequence[float] | Tensor | None = None
    high: Sequence[float] | Tensor | None = None
    x: Sequence[float] | Tensor | None = None
    x_title: str = ""
    lines: Mapping[str, float | Sequence[float] | Tensor] = field(default_factory=dict)
    unit: str = ""
    start: float | None = None
    family: str | None = "nothing learnt"


class Frames(Widget, script="frames.js"):
    """Move one slider through frames that are all computed beforehand; no kernel is needed afterwards.

    Args:
        name: what the slider is called.
        values: one a frame: numbers that grow, which stand at their distance, or words, side by side:
            `map(str, ...)` does that for 1, 10, 100. Over words that are no numbers a curve has a row for each, with
            its name, and no line between them.
        title: what this shows, or the question it answers.
        subtitle: what is needed to read it.
        rows: of images (`Frames.Row`), or a mapping {name: rows} to choose from; a row that is in several is sent once.
        curve: a `Frames.Curve`.
        number: the key number of each frame, as words.
        interval: its interval, as words.
        table: {name: [one value a frame]}.
        strips: rows that stand under it side by side.
        sentence: bold up to its first full stop or colon if it goes on.
        note: a sentence that stays.
        recorded: whether the frames are the stages of one run: they can be played, and the curve is coloured as far as
            they have come.
        frame: where the slider is at first.

    Raises:
        ValueError: if there are no values, or they are not finite or do not grow, if a part has another number of
            frames than the slider has values, if images are outside 0..1, neither grey nor RGB, or of several sizes in
            a row, or for a frame or rows that are not there.

    Words (`note` of a row, `number`, `interval`, `sentence`) are the same in every frame, one a frame, or a function of
    the frame's number. `widget.frame` and, of several rows, `widget.shown` are where the learner is, and can be set.

    >>> import tlkit as tl
    >>> from tlkit.widgets import Frames
    >>> error = Frames.Curve("Mean squared error", [0.11, 0.05, 0.03], name="autoencoder", family="frozen features")
    >>> Frames("epoch", [0, 4, 8], title="A network learns to repair", curve=error, recorded=True)
    epoch 0 of 8: autoencoder 0.110
    """

    Row, Curve = Row, Curve
    view = t.Dict().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    frame = t.Int(0).tag(sync=True)
    shown = t.Unicode().tag(sync=True)

    def __init__(
        self,
        name: str,
        values: Sequence[float] | Sequence[str],
        *,
        title: str,
        subtitle: str = "",
        rows: Sequence[Row] | Mapping[str, Sequence[Row]] = (),
        curve: Curve | None = None,
        number: PerFrame = "",
        interval: PerFrame = "",
        table: Mapping[str, Sequence[Any]] | None = None,
        strips: Sequence[Row] = (),
        sentence: PerFrame = "",
        note: str = "",
        recorded: bool = False,
        frame: int = 0,
    ):
        at, values, few = _slider(list(values))
        count = len(values)
        images, pixels = drawn_rows(rows, count, strips)
        number = _words("number", number, count)
        drawn = curve and _curve(curve, at, in_rows=not recorded and not _numbers(values))
        present = number if any(number) else [f"{drawn['name']} {y}" for y in drawn["words"]] if drawn else [""] * count
        last = f" of {values[-1]}" if recorded else ""
        where = [f"{name} {value}{last}" for value in values]
        cells = {row: _cells(f'the table\'s "{row}"', entries, count) for row, entries in (table or {}).items()}
        view = {
            "title": title,
            "subtitle": subtitle,
            "name": name,
            "at": at,
            "values": values,
            "few": few,
            "where": where,
            "words": [f"{place}: {what}" if what else place for place, what in zip(where, present, strict=True)],
            "recorded": recorded,
            **images,
            "curve": drawn,
            "number": number,
            "interval": _words("interval", interval, count),
            "table": [[row, list(map(_figure, entries))] for row, entries in cells.items()],
            "sentence": list(map(_opening, _words("sentence", sentence, count))),
            "note": note,
        }
        shown = next((choice for choice, _ in view["choices"]), "")
        super().__init__(view=view, images=pixels, frame=frame, shown=shown)

    @t.validate("frame")
    def _is_a_frame(self, proposal: Any) -> int:
        return required_number("frame", proposal["value"], len(self.view["values"]))

    @t.validate("shown")
    def _is_a_choice(self, proposal: Any) -> str:
        names = [name for name, _ in self.view["choices"]] or [""]
        if proposal["value"] not in names:
            raise ValueError(f'there are no rows "{proposal["value"]}"; there are {", ".join(map(repr, names))}')
        return proposal["value"]

    def words(self) -> str:
        """Tell where the slider is, and the number there."""
        return self.view["words"][self.frame]


def drawn_rows(
    rows: Sequence[Row] | Mapping[str, Sequence[Row]], count: int, strips: Sequence[Row] = ()
) -> tuple[dict[str, Any], bytes]:
    """The picture of rows over `count` frames, each row once, and the bytes of their images.

    It has the "rows", and as places among them the "choices", pairs of a name and its rows, and the "strips".
    """
    choices = rows if isinstance(rows, Mapping) else {"": rows} if rows else {}
    once = list(dict.fromkeys(row for part in (*choices.values(), strips) for row in part))
    pixels = bytearray()
    view = {
        "rows": [_row(row, count, pixels) for row in once],
        "choices": [[choice, [once.index(row) for row in part]] for choice, part in choices.items()],
        "strips": [once.index(row) for row in strips],
    }
    return view, bytes(pixels)


def _numbers(words: Sequence[str]) -> bool:
    """Whether all of them are numbers, between which a line has a meaning."""
    return all(re.fullmatch(r"[-\u2212+]?[\d,]*\.?\d+(e-?\d+)?", word) for word in words)


def _slider(values: list[Any]) -> tuple[list[float], list[str], bool]:
    """Where each frame stands on the slider's axis, its value in words, and whether each value is a tick."""
    if not values:
        raise ValueError("a slider needs values, one for each frame, and there are none")
    if any(isinstance(value, str) for value in values):
        return list(map(float, range(len(values)))), list(map(str, values)), True
    at = list(map(float, values))
    if not all(map(math.isfinite, at)):
        raise ValueError(
            f"a slider's values are finite, but {_figure(next(value for value in at if not math.isfinite(value)))} is "
            "among them; give words to set them side by side: map(str, values)"
        )
    for before, after in pairwise(at):
        if not before < after:
            raise ValueError(
                f"a slider's values grow, but {_figure(after)} follows {_figure(before)}; "
                "sort the frames, or give words to set them side by side: map(str, values)"
            )
    return at, list(map(_figure, at)), len(at) < 9


def _figure(value: Any, form: str = ",.6g") -> str:
    """A number as it stands in a table or under an axis; words stay as they are."""
    return value if isinstance(value, str) else f"{float(value):{form}}".replace("-", "\u2212")


def _cells(what: str, cells: Any, count: int) -> list[Any]:
    """A list of one entry a frame."""
    if len(cells) != count:
        raise ValueError(f"{what} has {len(cells)} frames, but the slider has {count} values; give one for each value")
    return list(cells)


def _words(what: str, words: PerFrame, count: int) -> list[str]:
    if isinstance(words, str):
        return [words] * count
    return [words(frame) for frame in range(count)] if callable(words) else _cells(f"the {what}", words, count)


def _opening(sentence: str) -> tuple[str, str]:
    """What of a sentence is bold, and the rest: nothing is if it does not go on."""
    found = re.match(r".*?[.:]\s+(?=\S)", sentence, re.S)
    end = found.end() if found else 0
    return sentence[:end], sentence[end:]


def _row(row: Row, count: int, pixels: bytearray) -> dict[str, Any]:
    """The picture of a row; its pixels are appended to `pixels`."""
    what, images = f'the row "{row.title}"', row.images
    hidden = None
    if row.hidden is not None:
        if not isinstance(images, Tensor) or row.hidden.shape[-3:] != (*images.shape[:-3], *images.shape[-2:])[-3:]:
            shape = list(row.hidden.shape)
            raise ValueError(f"{what} hides pixels of shape {shape}; give [n, height, width], those of its images")
        hidden = row.hidden.unsqueeze(-3).float()
        images = images * (1 - hidden)
    view = _sets(what, images, count, pixels) | {
        "title": row.title,
        "note": _words(f'note of the row "{row.title}"', row.note, count),
        "hidden": None if hidden is None else _sets(what, hidden, count, pixels),
        "captions": [],
        "used": row.used,
    }
    if len(row.captions):
        fixed = isinstance(row.captions[0], str)
        view["captions"] = [list(row.captions)] if fixed else _cells(f"captions of {what}", row.captions, count)
        for frame in range(count):
            (_, images), captions = (part[min(frame, len(part) - 1)] for part in (view["sets"], view["captions"]))
            if len(captions) != images:
                raise ValueError(f"{what} has {images} images and {len(captions)} captions; give one for each image")
    return view


def _sets(what: str, images: Tensor | Sequence[Tensor], count: int, pixels: bytearray) -> dict[str, Any]:
    """Where the images of all frames, or of each, lie in `pixels`, to which they are appended."""
    fixed = isinstance(images, Tensor) and images.ndim == 4
    sets: list[Any] = [images] if fixed else list(images)
    found = {tuple(one.shape[1:]) for one in sets}
    if len(found) != 1 or len(size := found.pop()) != 3 or size[0] not in (1, 3):
        shapes = " and ".join(sorted({str(list(one.shape)) for one in sets})[:3]) or "none"
        raise ValueError(
            f"{what} has images of shape {shapes}; give [n, channels, height, width], or one such set a frame, "
            "all of one size, with 1 channel (grey) or 3 (RGB)"
        )
    if not fixed:
        sets = _cells(what, sets, count)
    together = torch.cat(sets)
    if not ((together >= 0) & (together <= 1)).all():
        low, high = float(together.min()), float(together.max())
        raise ValueError(f"{what} has pixels from {low:.3g} to {high:.3g}; show 0 to 1, as in images.clamp(0, 1)")
    begins = accumulate(map(len, sets), initial=0)
    places = [[begin, len(one)] for begin, one in zip(begins, sets, strict=False)]
    view = {"shape": sent_shape(together.shape), "from": len(pixels), "sets": places}
    pixels += sent_pixels(together)
    return view


def _curve(curve: Curve, at: list[float], in_rows: bool) -> dict[str, Any]:
    """The picture of a curve: numbers, axes, and `y` in words; None stands for what was not measured."""

    def numbers(part: str, entries: Any) -> list[float | None]:
        found = map(float, _cells(f'{part} of the curve "{curve.title}"', entries, len(at)))
        return [value if math.isfinite(value) else None for value in found]

    y = numbers("y", curve.y)
    low, high = (end if end is None else numbers("an interval", end) for end in (curve.low, curve.high))
    lines = [
        [name, numbers(f'the line "{name}"', value) if torch.as_tensor(value).ndim else float(torch.as_tensor(value))]
        for name, value in curve.lines.items()
    ]
    ends = [end if isinstance(end, list) else [end] for _, end in lines]
    shown = [*y, *(low or []), *(high or []), *(value for end in ends for value in end)]
    bottom, top = round_span([value for value in shown if value is not None])
    if curve.unit == "%":
        top = 100.0
    bottom = bottom if curve.start is None else curve.start
    if not -math.inf < bottom < top:
        raise ValueError(
            f'the axis of the curve "{curve.title}" starts at {bottom:g}; start it below all that it shows'
        )
    form = ",.1f" if curve.unit == "%" else f",.{max(0, 2 - math.floor(math.log10(top - bottom)))}f"
    x = at if curve.x is None else [value for value in numbers("x", curve.x) if value is not None]
    if len(x) < len(at):
        raise ValueError(f'the curve "{curve.title}" has an x that is no number; what was not measured is NaN in y')
    return {
        "title": curve.title,
        "name": curve.name or curve.title,
        "x": x,
        "y": y,
        "low": low,
        "high": high,
        "lines": lines,
        "words": ["not measured" if value is None else f"{_figure(value, form)} {curve.unit}".strip() for value in y],
        "own": curve.x is not None,
        "rows": in_rows and curve.x is None,
        "x_title": curve.x_title,
        "span": [at[0], at[-1]] if curve.x is None else round_span(x),
        "bottom": bottom,
        "top": top,
        "unit": curve.unit,
        **look(curve.family),
    }
