"""Pictures with matplotlib: galleries, claims, and what else stands still on a page.

A `Picture` is a matplotlib Figure, so `picture.savefig("a.png")` works. In a notebook it is drawn as SVG in the
colours of the page, light or dark. Sizes are in CSS pixels, type sizes as in the widgets.
"""

import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from html import escape
from inspect import signature
from itertools import pairwise
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, NullLocator
from torch import Tensor, nn

from tlkit import views
from tlkit.data.tasks import Split
from tlkit.experiments import At, Comparison
from tlkit.freezing import FreezePlan
from tlkit.groups import weights_of
from tlkit.intervals import Claim
from tlkit.training.learning_rates import RangeTest
from tlkit.words import budget_in_words, counted

INK, INK2, EDGE, RULE, GROUND = (views.TOKENS[name][0] for name in ("ink", "ink2", "edge", "rule", "ground"))
LEARNS = views.TOKENS["s1"][0]
SHAPES: dict[str, Any] = {  # the course's marks, as matplotlib's
    "circle": "o",
    "triangle": "^",
    "square": "s",
    "diamond": "D",
    "plus": "P",
    "star": "*",
    "wedge": "v",
    "hourglass": [(-1, -1), (1, -1), (-1, 1), (1, 1), (-1, -1)],
}
WIDE, NARROW = 648, 372  # CSS pixels of a picture, and of the one for a narrow column
# A style hides this paragraph, and JupyterLab leaves out the styles and drawings of a notebook that is not trusted yet.
UNTRUSTED = (
    "<p class='tl-untrusted'>Here is a picture. It is shown once you run the cell or trust the notebook "
    "(View, Activate Command Palette, Trust Notebook); until then you see only the words in it:</p>"
)
DOTTED = (0, (1, 2))
CELL, GAP = 36, 8  # pixels of an image in a gallery, and between two


class Picture(Figure):
    """A figure that takes the colours of the page it is shown in.

    Args:
        width: in CSS pixels.
        height: in CSS pixels.
        words: what it shows, for those who cannot see it; it is also its `repr`.
    """

    def __init__(self, width: float, height: float, words: str):
        super().__init__(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasAgg(self)
        self.words = words
        self.for_narrow: Callable[[], Picture] | None = None  # the same for a narrow column, where that looks different

    def axes_at(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes with hairlines instead of a box.

        Args:
            left: pixels from the left edge of the figure.
            top: pixels from its upper edge.
            width: in pixels.
            height: in pixels.

        Returns:
            The axes.
        """
        wide, high = self.get_size_inches() * 72
        axes = self.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(EDGE)
        axes.tick_params(colors=INK2, labelsize=11, length=3, color=EDGE)
        axes.tick_params(axis="y", length=0)
        axes.set_axisbelow(True)
        axes.patch.set_visible(False)
        return axes

    def heading(self, words: str) -> None:
        """Write a heading into the first lines.

        Args:
            words: what is shown; `_below_heading` says where the picture begins.
        """
        width, height = self.get_size_inches() * 72
        lines = _lines(words, width, 12, bold=True)
        self.text(0, 1 - 3 / height, lines, fontsize=12, fontweight="bold", color=INK, va="top", linespacing=1.3)

    def units_at(self, axes: Axes, words: str) -> None:
        """Write the unit right of an x axis, clear of its last tick.

        Args:
            axes: with its ticks and its limits.
            words: the unit.
        """
        (low, high), width = axes.get_xlim(), axes.get_window_extent().width
        last = max(axes.get_xticks(), default=low)
        end = (last - high) / (high - low) * width + 4 * len(axes.get_xticklabels()[-1].get_text()) + 4
        axes.annotate(words, (1, 0), (max(6, end), -4), xycoords="axes fraction", **_small(va="top"))

    def draw(self, renderer: Any) -> None:
        """Draw the figure; a name with a $ in it stays a name and is no formula.

        Args:
            renderer: matplotlib's.
        """
        for text in self.findobj(Text):
            text.set_parse_math(False)
        super().draw(renderer)

    def svg(self) -> str:
        """The figure as an SVG element whose colours follow the page and whose text stays text."""
        buffer = io.StringIO()
        # With a salt of its own a picture has the same ids each time it is drawn, and others than its neighbours.
        style: Any = {
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "svg.hashsalt": f"{self.words} {self.get_figwidth()}",
        }
        with matplotlib.rc_context(style):
            # None: without these words, which are all that is left of the element where a page may not show it.
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self.savefig(buffer, format="svg", transparent=True, metadata=nothing)
        text = buffer.getvalue()
        text = re.sub(r'(<svg [^>]*?width="[\d.]+)pt("[^>]*?height="[\d.]+)pt', r"\1px\2px", text[text.index("<svg") :])
        for name, (light, _) in views.TOKENS.items():
            if name != "focus":
                text = text.replace(f": {light}", f": var(--tl-{name}, {light})")
        text = re.sub(r"font: (?:\d+ )?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
        # The font is that of the page, as older matplotlibs' is after the line above.
        text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
        return text.replace("<svg ", f'<svg role="img" aria-label="{escape(self.words)}" ', 1)

    def _repr_html_(self) -> str:
        style = f"<style>{views.tokens_css()}{views.PICTURE_CSS}</style>"
        return f"{style}<div class='tl'>{self.in_page()}</div>"

    def in_page(self) -> str:
        """HTML with the picture, or where a narrow column has another one with both, of which the fitting one shows."""
        if self.for_narrow is None:
            return f"{UNTRUSTED}<div class='tl-picture'>{self.svg()}</div>"
        both = {"wide": self, "narrow": self.for_narrow()}
        drawn = "".join(f"<div class='tl-picture tl-for-{name}'>{one.svg()}</div>" for name, one in both.items())
        return f"{UNTRUSTED}<div class='tl-sizes'>{drawn}</div>"

    def __repr__(self) -> str:
        return self.words


P = ParamSpec("P")


def _at_two_widths(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """What `draw` draws 648 px wide is also drawn for a narrow column."""

    @wraps(draw)
    def drawn(*arguments: P.args, **options: P.kwargs) -> Picture:
        picture = draw(*arguments, **options)
        if picture.get_figwidth() * 72 == WIDE:
            again = signature(draw).bind(*arguments, **options)
            again.arguments["width"] = NARROW
            picture.for_narrow = lambda: draw(*again.args, **again.kwargs)
        return picture

    return drawn


def gallery(split: Split, columns: int = 12, labels: bool = True, width: int = WIDE) -> Picture:
    """The pictures of a split in rows, each with its class under it.

    Args:
        split: a split of images, or of another kind that has pictures.
        columns: how many pictures there are in a row.
        labels: whether the classes are shown, as far as they are known.
        width: in CSS pixels.

    Returns:
        The picture.

    Raises:
        TypeError: for a kind that has no pictures.
    """
    rows = -(-len(split) // columns)
    below = 18 if labels else 0
    pitch_x, pitch_y = min(width / columns, 72 if labels else CELL + GAP), CELL + GAP + below
    inset = (pitch_x - CELL) / 2 if labels else 0
    picture = Picture(width, rows * pitch_y, f"{len(split)} {split.kind.noun}s")
    axes = picture.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(rows * pitch_y, 0)
    axes.set_axis_off()
    for number, image in enumerate(split.kind.pictures(split.inputs[:])):
        x, y = number % columns * pitch_x + inset, number // columns * pitch_y
        _put(axes, image, x, y)
        if labels and isinstance(split.labels, Tensor):
            name = split.classes[int(split.labels[number])]
            axes.text(x + CELL / 2, y + CELL + 12, name, ha="center", va="center", size=11, color=INK2)
    return picture


@_at_two_widths
def differences(comparison: Comparison, claim: Claim, width: int = WIDE) -> Picture:
    """The paired difference of two recipes along the x axis, beside the claim about it.

    Args:
        comparison: that the claim is about.
        claim: one of `comparison.claim`. Its row is framed, with a ring for each seed and the threshold dotted.
        width: in CSS pixels; below 560 each interval stands under its mean.

    Returns:
        The picture: one row for each value on the x axis, with a dot (filled if the interval excludes 0) on the
        interval.
    """
    rows = views.claim_rows(comparison, claim)
    narrow = width < 560
    line = 38 if narrow else 28
    left = 108 if narrow else 120
    right = 116 if narrow else 190 if comparison.metric.share else 236
    better, other = (claim.second, claim.first) if comparison.metric.lower_is_better else (claim.first, claim.second)
    title = f"Paired difference, {better} \u2212 {other}{_recorded(comparison)}"
    top = _below_heading(title, width)
    height = top + line * len(rows) + 26
    picture = Picture(width, height, f"Paired difference, {better} minus {other}, at every {comparison.axis}")
    axes = picture.axes_at(left, top, width - left - right, line * len(rows))
    picture.heading(title)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    labels = [_label(row["value"], place, comparison.axis) for place, row in enumerate(rows)]
    axes.set_yticks(range(len(rows)), [_lines(label, left - 8, 11) for label in labels])
    axes.axvline(0, color=INK, linewidth=1)
    intervals = [row["interval"] for row in rows if row["interval"]]
    reach = [end for one in intervals for end in (one.low, one.high, *one.values) if end is not None]
    if comparison.metric.share:
        low, high = min([-10, *reach]) - 2, max([10, *reach]) + 2
        step = next(step for step in (10, 20, 50) if step == 50 or (width - left - right) * step / (high - low) >= 40)
        ticks = [tick for tick in range(-100, 101, step) if low <= tick <= high]
        axes.set_xticks(ticks, [views.signed(t, 0) if t else "0" for t in ticks])
    else:
        low, high = views.round_span([-0.1, 0.1, -claim.threshold, claim.threshold, *reach])
        axes.xaxis.set_major_locator(MaxNLocator(3 if narrow else 5))
        axes.xaxis.set_major_formatter(lambda value, _: views.signed(value, 2) if value else "0")
    axes.set_xlim(low, high)
    picture.units_at(axes, claim.unit)
    for number, row in enumerate(rows):
        interval = row["interval"]
        if row["claimed"]:
            for edge in (-1, 1) if claim.test == "level with" else (1,):
                ends = [edge * claim.threshold] * 2, [number - 0.5, number + 0.5]
                axes.plot(*ends, color=INK, linewidth=1.25, linestyle=DOTTED)
            _row_frame(picture, width, height, top + number * line, line)
        if interval is None:
            axes.annotate("not measured at this scale", (0, number), (6, 0), **_small())
            continue
        if row["claimed"]:
            beside = [number + (0.27 if seed % 2 else -0.27) for seed in range(len(interval.values))]
            axes.scatter(interval.values, beside, s=36, facecolors="none", edgecolors=EDGE)
        if interval.low is not None:
            axes.plot([interval.low, interval.high], [number] * 2, color=INK, linewidth=3 if row["claimed"] else 2)
        fill = INK if interval.separated else GROUND
        axes.plot(interval.mean, number, color=INK, marker="o", markersize=8, markerfacecolor=fill, markeredgecolor=INK)
        mean, start, end = views.signed_ends(interval, claim.unit)
        ends = "" if start is None else f"{start} to {end}"
        numbers = mean if not ends else f"{mean}\n{ends}" if narrow else f"{mean}   ({ends})"
        x = 1 - (right - 20) / width
        weight = "bold" if row["claimed"] else "normal"
        y = 1 - (top + (number + 0.5) * line) / height
        picture.text(x, y, numbers, fontsize=11 if narrow else 12, color=INK, va="center", weight=weight)
    return picture


@_at_two_widths
def uses_of_data(
    measured: Mapping[str, tuple[float, str] | None], title: str, chance: float = 10.0, width: int = WIDE
) -> Picture:
    """One bar for each use of other data that is measured, and an empty place for each that is not yet.

    Args:
        measured: by name, an accuracy in 0..1 and the family (see `tl.Recipe`) that gives the bar its colour; None for
            what is not measured.
        title: the heading.
        chance: the accuracy of guessing in per cent, dotted; 10 with ten classes.
        width: in CSS pixels; below 560 each name stands above its bar.

    Returns:
        The picture.
    """
    narrow = width < 560
    left, right, line, bar, top = (2, 64, 44, 0.4, 8) if narrow else (280, 90, 34, 0.55, 0)
    top += _below_heading(title, width)
    height = top + line * len(measured) + 24
    done = sum(use is not None for use in measured.values())
    picture = Picture(width, height, f"{title}: {done} of {len(measured)} measured")
    axes = picture.axes_at(left, top, width - left - right, line * len(measured))
    picture.heading(title)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(measured) - 0.5, -0.5)
    axes.set_xticks([0, 50, 100], ["0", "50", "100 %"])
    axes.set_yticks([] if narrow else range(len(measured)), [] if narrow else list(measured), fontsize=12, color=INK)
    axes.axvline(chance, color=EDGE, linewidth=1, linestyle=DOTTED)
    for number, (name, use) in enumerate(measured.items()):
        if narrow:
            axes.annotate(name, (0, number), (0, 17), **_small(fontsize=12, color=INK))
        if use is None:
            axes.barh(number, 100, height=bar, facecolor="none", edgecolor=EDGE, linewidth=1, linestyle=(0, (2, 3)))
        else:
            accuracy, family = 100 * use[0], use[1]
            axes.barh(number, accuracy, height=bar, color=views.TOKENS[views.MARKS[family][0]][0])
            axes.annotate(f"{accuracy:.1f} %", (accuracy, number), (6, 0), **_small(fontsize=12, color=INK))
    return picture


def plan(plan: FreezePlan, network: nn.Module | None = None, width: int = WIDE) -> Picture:
    """What learns when: one row for each layer group, the head on top, hatched while it is frozen.

    Args:
        plan: its rates are written as multiples of the run's learning rate.
        network: if there is one, each row says how many weights it is about.
        width: in CSS pixels.

    Returns:
        The picture; its x axis is the share of the run in per cent.

    Raises:
        ValueError: if the plan is for another network.
    """
    parts = plan.groups_in(network) if network else dict.fromkeys(plan.groups, ())
    rows, line = list(parts)[::-1], 22
    left, height = min(20 + 7 * max(map(len, rows)), 140), 30 + line * len(rows) + 26
    right = 110 if network else 40
    picture = Picture(width, height, f"Plan: what learns when, in {counted(len(rows), 'layer group')}")
    axes = picture.axes_at(left, 30, width - left - right, line * len(rows))
    picture.heading("Plan: what learns in which part of the run")
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.set_yticks(range(len(rows)), rows)
    for number, group in enumerate(rows):
        own = [rule for rule in plan.rules if rule.group == group]
        rules = [own[0], *(rule for before, rule in pairwise(own) if rule.rate != before.rate)]
        for rule, end in zip(rules, [*(rule.start for rule in rules[1:]), 1.0], strict=True):
            begin, share, box = 100 * rule.start, 100 * (end - rule.start), {"height": 0.8, "linewidth": 1}
            if rule.rate is None:
                axes.barh(number, share, left=begin, facecolor="none", edgecolor=EDGE, hatch="///", **box)
                continue
            axes.barh(number, share, left=begin, facecolor=LEARNS, edgecolor=LEARNS, **box)
            rate = f"{rule.rate:.2g} × lr"
            if share / 100 * (width - left - right) > 8 + 7 * len(rate):
                axes.annotate(rate, (begin, number), (6, 0), **_small(color=GROUND))
        if network:
            weights = f"{sum(w.numel() for w in weights_of(parts[group])):,} weights"
            axes.annotate(weights, (100, number), (8, 0), **_small())
    return picture


def range_test(test: RangeTest, width: int = WIDE) -> Picture:
    """The smoothed loss at each learning rate of a range test.

    Args:
        test: what `tl.range_test` returned.
        width: in CSS pixels.

    Returns:
        The picture: a dot and a dotted line mark the suggested learning rate.
    """
    picture = Picture(width, 240, f"Range test: {test!r}")
    axes = picture.axes_at(40, 34, width - 110, 160)
    picture.heading("Loss, smoothed")
    lowest = min(test.losses)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda lr, _: f"{lr:g}".replace("e-0", "e-"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 1.25 * max(loss for loss in test.losses if loss < max(4 * lowest, 2 * test.losses[0])))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", color=RULE, linewidth=1)
    axes.plot(test.lrs, np.minimum(test.losses, axes.get_ylim()[1]), color=INK, linewidth=2)
    axes.plot(test.suggestion, test.losses[test.lrs.index(test.suggestion)], color=INK, marker="o", markersize=8)
    axes.axvline(test.suggestion, color=INK, linewidth=1.25, linestyle=DOTTED)
    top = (test.suggestion, 0.95 * axes.get_ylim()[1])
    axes.annotate(f"{test.suggestion:.2g}", top, (5, 0), **_small(color=INK))
    axes.annotate("lr", (1, 0), (6, -4), xycoords="axes fraction", **_small(va="top"))
    return picture


@_at_two_widths
def curves(comparison: Comparison, at: At | None = None, title: str = "", width: int = WIDE) -> Picture:
    """One line for each recipe along the comparison's x axis, with 95 % intervals.

    Args:
        comparison: its x axis is `comparison.axis`, or the one that `at` leaves open; what is not measured has no
            point.
        at: where on its other axes, such as `{"budget": 5}` (see `Comparison.place`).
        title: the heading; the metric if it is empty.
        width: in CSS pixels.

    Returns:
        The picture. Of more than four recipes of one family the first two have its colour.

    Raises:
        ValueError: for a place that was not compared.
    """
    places, y, axis = views.along(comparison, at), views.value_axis(comparison), views.axis_along(comparison, at)
    names = [str(views.short(place[axis])) for place in places]
    title = (title or y["title"]) + _recorded(comparison)
    shown = f"{counted(len(comparison.recipes), 'recipe')}, {counted(len(names), axis)}"
    top, right = _below_heading(title, width), min(40 + 7 * max(map(len, comparison.recipes)), int(0.38 * width))
    picture = Picture(width, top + 246, f"{title}: {shown}")
    axes = picture.axes_at(48, top + 4, width - 48 - right, 200)
    picture.heading(title)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.3, len(names) - 0.7)
    axes.set_ylim(y["bottom"], y["top"])
    if y["unit"] == "%":
        axes.set_yticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="y", color=RULE, linewidth=1)
    if y["chance"] is not None:
        axes.axhline(y["chance"], color=EDGE, linewidth=1, linestyle=DOTTED)
    ends = []
    for style in views.unchosen_styles(comparison):
        cells = [views.value_interval(comparison, style["name"], place) for place in places]
        points = [(place, cell) for place, cell in enumerate(cells) if cell]
        if not points:
            continue
        color, behind = views.TOKENS[style["token"]][0], 1.9 if style["token"] == "ghost" else 2
        xs = [place for place, _ in points]
        low, high = ([cell[end] for _, cell in points] for end in ("low", "high"))
        axes.fill_between(xs, low, high, color=color, alpha=0.14, linewidth=0)
        means = [cell["mean"] for _, cell in points]
        mark = {"marker": SHAPES[style["mark"]], "markersize": 8, "markerfacecolor": GROUND if style["open"] else color}
        axes.plot(xs, means, color=color, linewidth=1.25 if style["open"] else 2, zorder=behind, **mark)
        ends.append((means[-1], xs[-1], style["name"], color, mark))
    _name_ends(axes, ends, right, width)
    return picture


# ---- what the pictures share ----


def _put(axes: Axes, image: Any, x: float, y: float) -> None:
    """Draw an image as ink on nothing (grey) or in its own colours, its pixels as squares."""
    pixels = np.asarray(image.permute(1, 2, 0))
    if pixels.shape[2] == 1:
        pixels = np.concatenate([np.zeros((*pixels.shape[:2], 3)), pixels], axis=2)
    axes.imshow(pixels, extent=(x, x + CELL, y + CELL, y), interpolation="none", aspect="auto", zorder=2)
    axes.set_autoscale_on(False)


def _row_frame(picture: Picture, width: float, height: float, top: float, line: float) -> None:
    """Frame a row of the picture, all sizes in pixels."""
    corner, style = (1 / width, 1 - (top + line) / height), {"fill": False, "edgecolor": INK, "linewidth": 1.25}
    picture.add_artist(Rectangle(corner, 1 - 2 / width, line / height, transform=picture.transFigure, **style))


def _name_ends(
    axes: Axes, ends: Sequence[tuple[float, float, str, str, dict[str, Any]]], right: int, width: int
) -> None:
    """Write each name, with its mark, at the end (y, x, name, colour, mark) of its line; where they crowd, apart."""
    top, bottom, gap = 0.0, axes.get_window_extent().height, 16
    (low, high), last = axes.get_ylim(), axes.get_xlim()[1]
    ends = sorted(ends, key=lambda end: -end[0])
    places = [bottom * (high - end[0]) / (high - low) for end in ends]
    lines = [_lines(end[2], right - 34, 12, bold=True) for end in ends]
    rooms = [gap * (1 + line.count("\n")) for line in lines]
    for number in range(1, len(places)):
        places[number] = max(places[number], places[number - 1] + (rooms[number - 1] + rooms[number]) / 2)
    past = max([0.0, *(place + room / 2 - bottom - gap for place, room in zip(places, rooms, strict=True))])
    for number in range(len(places) - 1, -1, -1):  # what was pushed below the axis goes up again
        most = (
            places[number + 1] - (rooms[number] + rooms[number + 1]) / 2
            if number + 1 < len(places)
            else places[-1] - past
        )
        places[number] = max(min(places[number], most), top)
    for (value, x, _, color, mark), place, words in zip(ends, places, lines, strict=True):
        at = high - place / bottom * (high - low)
        pixel = (last - axes.get_xlim()[0]) / axes.get_window_extent().width
        axes.plot([x + 6 * pixel, last + 8 * pixel], [value, at], color=color, linewidth=1, clip_on=False)
        axes.plot(last + 16 * pixel, at, color=color, clip_on=False, **mark)
        dark = INK2 if color == views.TOKENS["ghost"][0] else color
        axes.annotate(words, (last, at), (26, 0), **_small(color=dark, fontsize=12, weight="bold"))


def _lines(words: str, width: float, size: float, bold: bool = False) -> str:
    """Words broken into lines that fit into so many pixels, by the usual width of a letter."""
    return "\n".join(textwrap.wrap(words, max(8, int(width / (0.6 if bold else 0.56) / size)))) or words


def _below_heading(words: str, width: float) -> int:
    """How many pixels from the top a figure begins under a heading."""
    return 30 + 16 * _lines(words, width, 12, bold=True).count("\n")


def _label(value: Any, number: int, axis: str) -> str:
    """The value beside a row; the first budget says what it counts."""
    return str(value) if number or axis != "budget" else budget_in_words(value)


def _recorded(comparison: Comparison) -> str:
    """What a heading says of a result that a lesson keeps."""
    return " (recorded)" if comparison.recorded else ""


def _small(**more: Any) -> dict[str, Any]:
    """The style of a small note beside what it is about, at a distance in pixels."""
    small = {"fontsize": 11, "color": INK2, "va": "center", "annotation_clip": False, "textcoords": "offset points"}
    return small | more
