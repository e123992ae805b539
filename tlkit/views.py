"""What a picture shows, as plain data: pure functions from a value to numbers and words.

Widgets and plots draw from the same views, and tests check them without a browser. The colours and marks of the
course stand here too, once: `TOKENS` and `MARKS`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from tlkit.data.kinds import Images
from tlkit.data.tasks import Split
from tlkit.experiments import At, Comparison, by_axis
from tlkit.intervals import Claim, Interval

TOKENS: dict[str, tuple[str, str]] = {  # name: (light, dark); contrast at least 4.5 : 1 for text, 3 : 1 for marks
    "ground": ("#ffffff", "#111111"),
    "ink": ("#1a1d21", "#e9ebee"),
    "ink2": ("#565e67", "#abb2ba"),
    "edge": ("#7f8891", "#7f878f"),
    "ghost": ("#8b939b", "#767e86"),
    "s1": ("#0b69cb", "#6c9dfc"),
    "s2": ("#a85a00", "#ee8c1f"),
    "s3": ("#1d5c45", "#8ee3a8"),
    "s4": ("#7a3a72", "#ffc1e3"),
    "wrong": ("#b3261e", "#ff8a80"),
    "focus": ("#0b69cb", "#8ab4ff"),
    "rule": ("#dde0e4", "#34383d"),
    "fill": ("#e6e9ed", "#2c3035"),
    "panel": ("#f4f5f7", "#1c1e21"),
}

MARKS: dict[str | None, tuple[str, str]] = {  # family of a recipe: (token, mark), the same in the whole course
    "pre-trained": ("s1", "circle"),
    "from scratch": ("s2", "triangle"),
    "frozen features": ("s3", "square"),
    "unlabelled target": ("s4", "diamond"),
    "nothing learnt": ("ink2", "circle"),
    None: ("ghost", "circle"),
}

# The marks of several recipes of one family, in order, and whether they are open; "" is the family's own.
OF_ONE_FAMILY = (
    ("", False),
    ("", True),
    ("plus", False),
    ("star", False),
    ("wedge", False),
    ("wedge", True),
    ("hourglass", False),
)

LARGEST = 96  # pixels of a side: photographs are shrunk to it before they are sent to a page
BYTES = 3_000_000  # of images at most, by one widget: a saved page stays small

PICTURE_CSS = (
    ".tl-untrusted{display:none}"
    ".tl-picture svg{max-width:100%;height:auto;font-family:var(--jp-ui-font-family,system-ui,sans-serif)}"
    ".tl-picture svg text{font-family:inherit}"
    ".tl-picture image{filter:invert(var(--tl-invert));image-rendering:pixelated}"
    ".tl-sizes{container-type:inline-size}.tl-for-narrow{display:none}"
    "@container (max-width:560px){.tl-for-wide{display:none}.tl-for-narrow{display:block}}"
)


def tokens_css() -> str:
    """CSS: the colours as `--tl-...` properties of `.tl`, light and dark, for JupyterLab, the book and a plain page."""

    def block(theme: int) -> str:
        values = {name: pair[theme] for name, pair in TOKENS.items()} | {"invert": theme}
        return "{" + "".join(f"--tl-{name}:{value};" for name, value in values.items()) + "}\n"

    # Where both the book and JupyterLab say a theme, JupyterLab's counts: "html" makes its rules the stronger ones.
    return (
        f'.tl,html[data-theme="light"] .tl,html body[data-jp-theme-light="true"] .tl{block(0)}'
        f"@media (prefers-color-scheme: dark){{.tl{block(1)}}}"
        f'html[data-theme="dark"] .tl,html body[data-jp-theme-light="false"] .tl{block(1)}'
        'html[data-theme="light"] .tl{--tl-ground:var(--pst-color-background, #fff)}\n'
        'html[data-theme="dark"] .tl{--tl-ground:var(--pst-color-background, #121212)}\n'
        'html body[data-jp-theme-light="true"] .tl{--tl-ground:var(--jp-layout-color0, #fff)}\n'
        'html body[data-jp-theme-light="false"] .tl{--tl-ground:var(--jp-layout-color0, #111)}\n'
    )


def look(family: str | None) -> dict[str, str]:
    """The colour and the mark of a family of recipes.

    Args:
        family: a key of `MARKS`.

    Returns:
        Its "token", a key of `TOKENS`, and its "mark", such as "circle".
    """
    return dict(zip(("token", "mark"), MARKS[family], strict=True))


def styles(comparison: Comparison) -> list[dict[str, Any]]:
    """How each recipe of a comparison is drawn; up to seven of one family have each its own mark.

    Args:
        comparison: with its recipes, in order.

    Returns:
        For each recipe its "name", "token" and "mark" (see `look`), whether the mark is "open", and whether its family
        is a "crowd" of more than four: then only a chosen pair has the colour, and the others are "ghost".
    """
    families = [recipe.family for recipe in comparison.recipes.values()]
    found = []
    for number, (name, family) in enumerate(zip(comparison.recipes, families, strict=True)):
        style = look(family) | {"name": name, "crowd": families.count(family) > 4}
        mark, hollow = OF_ONE_FAMILY[families[:number].count(family) % len(OF_ONE_FAMILY)]
        found.append(style | {"mark": mark or style["mark"], "open": hollow})
    return found


def unchosen_styles(comparison: Comparison) -> list[dict[str, Any]]:
    """How each recipe is drawn where no pair can be chosen: of a crowd the first two have the colour.

    Args:
        comparison: with its recipes, in order.

    Returns:
        What `styles` returns, with the "token" that is drawn.
    """
    found = styles(comparison)
    tokens = [style["token"] for style in found]
    for number, style in enumerate(found):
        if style["crowd"] and tokens[:number].count(tokens[number]) > 1:
            style["token"] = "ghost"
    return found


def interval(interval: Interval | None) -> dict[str, Any] | None:
    """An interval as plain data.

    Args:
        interval: in the unit in which it is shown; None if nothing is measured.

    Returns:
        Its "mean", "low", "high", "values" and "wins"; with a single seed, low and high are the value itself. None for
        None.
    """
    if interval is None:
        return None
    low, high = (interval.mean if end is None else end for end in (interval.low, interval.high))
    return {"mean": interval.mean, "low": low, "high": high, "values": list(interval.values), "wins": interval.wins}


def value_interval(comparison: Comparison, name: str, at: Any = None) -> dict[str, Any] | None:
    """The metric of a recipe at a place with its interval, as it is shown.

    Args:
        comparison: to look it up in.
        name: the recipe's name.
        at: a budget, or values by the names of their axes (see `Comparison.place`).

    Returns:
        What `interval` returns, of a share in per cent; None if nothing is measured there.

    Raises:
        ValueError: for a name or a place that was not compared.
    """
    values = comparison.values(name, at).values()
    return interval(Interval(tuple(comparison.metric.scale * value for value in values)) if values else None)


def short(value: Any) -> Any:
    """A value of an axis as a picture writes it.

    Args:
        value: a number, or anything else.

    Returns:
        A float with six figures at most, as an int where it is whole; whole numbers and words as they are, anything
        else in words.

    >>> short(0.1 + 0.2), short(1.0), short("all")
    (0.3, 1, 'all')
    """
    if not isinstance(value, float):
        return value if isinstance(value, int | str) else str(value)
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def axis_along(comparison: Comparison, at: At | None = None) -> str:
    """The x axis of a comparison's picture.

    Args:
        comparison: with its axes.
        at: where it is looked at on the other axes (see `Comparison.place`).

    Returns:
        `comparison.axis`, or in its place the axis that `at` leaves open.
    """
    left = [axis for axis in comparison.axes if axis not in by_axis(at)]
    several = [axis for axis in left if len(comparison.axes[axis]) > 1]
    further = [axis for axis in left if axis != "budget"]
    return comparison.axis if comparison.axis in left else [comparison.axis, *further, *several][-1]


def along(comparison: Comparison, at: At | None = None, skipped: bool = False) -> list[dict[str, Any]]:
    """The places along a comparison's x axis.

    Args:
        comparison: its x axis is the one that `axis_along` names.
        at: where on the other axes (see `Comparison.place`).
        skipped: whether those are among them that are not measured at this scale.

    Returns:
        The places in the order of the axis, each with a value for every axis.

    Raises:
        ValueError: for a place that was not compared.
    """
    axis = axis_along(comparison, at)
    values = (comparison.axes if skipped else comparison.measured)[axis]
    return [comparison.place(at, **{axis: value}) for value in values]


def value_axis(comparison: Comparison) -> dict[str, Any]:
    """The y axis of a comparison: its metric on the test examples.

    Args:
        comparison: with its metric and its test.

    Returns:
        The "title", "bottom", "top" and "unit" of the axis, and "chance", the accuracy of guessing; None for a metric
        to which guessing has no such value.
    """
    metric = comparison.metric
    title = f"{str(metric)[:1].upper()}{str(metric)[1:]} on {comparison.tested_on}"
    if metric.share:
        chance = 100 / comparison.classes if metric.name == "accuracy" else None
        return {"title": title, "bottom": 0, "top": 100, "unit": "%", "chance": chance}
    bottom, top = round_span([trial.value for trial in comparison.trials])
    title = str(metric) if metric.of is None else title
    return {"title": title, "bottom": bottom, "top": top, "unit": "", "chance": None}


def zoomed(axis: dict[str, Any], recipes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The y axis of a comparison's picture, broken where that shows more.

    Args:
        axis: what `value_axis` returns.
        recipes: with a "mean", "low" and "high" at each place, None where it is not measured.

    Returns:
        The same axis; or, if all means in per cent lie within 20 points, one that spans their intervals, out to
        steps of 5, if that is at most 40 points, with chance only if it lies there. `axis["bottom"]` above 0 means
        that it is broken.
    """
    found = {end: [v for recipe in recipes for v in recipe[end] if v is not None] for end in ("mean", "low", "high")}
    if axis["unit"] != "%" or not found["mean"] or max(found["mean"]) - min(found["mean"]) > 20:
        return axis
    bottom = max(5 * math.floor(min(found["low"]) / 5), 0)
    top = min(5 * math.ceil(max(found["high"]) / 5), 100)
    if not 0 < top - bottom <= 40:
        return axis
    chance = axis["chance"] if axis["chance"] and bottom <= axis["chance"] <= top else None
    return axis | {"bottom": bottom, "top": top, "chance": chance}


def x_axis(comparison: Comparison, at: At | None = None) -> dict[str, str]:
    """The x axis of a comparison.

    Args:
        comparison: with its axes.
        at: where on the other axes (see `Comparison.place`).

    Returns:
        The name of the "axis", and the "axis_words" that are written beside it.
    """
    axis = axis_along(comparison, at)
    return {"axis": axis, "axis_words": {"budget": "labels per class"}.get(axis, axis)}


def explored(comparison: Comparison, at: At | None = None) -> dict[str, Any]:
    """The picture of a comparison: every recipe's mean and interval along its x axis, and every pair's differences.

    Args:
        comparison: as far as it is measured.
        at: where on the axes other than the x axis (see `Comparison.place`).

    Returns:
        The "values" on the x axis that are measured at this scale, the "y" axis (see `zoomed`), the "recipes" with a
        mean, low and high at each value, and the differences of the "pairs", named "0-1" for the first minus the second
        recipe. Shares are in per cent and their differences in points; None stands for what is not measured yet.

    Raises:
        ValueError: for a place that was not compared.
    """
    names, places, x = list(comparison.recipes), along(comparison, at), x_axis(comparison, at)
    recipes: list[dict[str, Any]] = []
    for style in styles(comparison):
        cells = [value_interval(comparison, style["name"], place) for place in places]
        recipes.append(style | {end: [cell and cell[end] for cell in cells] for end in ("mean", "low", "high")})
    pairs = {
        f"{i}-{j}": [interval(comparison.difference(first, second, place)) for place in places]
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i != j
    }
    return {
        **x,
        "values": [short(place[x["axis"]]) for place in places],
        "y": zoomed(value_axis(comparison), recipes),
        "unit": "points" if comparison.metric.share else "",
        "lower": comparison.metric.lower_is_better,
        "seeds": len(comparison.seeds),
        "recorded": comparison.recorded,
        "recipes": recipes,
        "pairs": pairs,
    }


def claim_rows(comparison: Comparison, claim: Claim) -> list[dict[str, Any]]:
    """The picture of a claim: its paired difference along the x axis, with the claimed one marked.

    Args:
        comparison: that the claim is about.
        claim: one of `comparison.claim`.

    Returns:
        A row for each value on the x axis: the "value", the "interval" of the difference (an `Interval`; None if it is
        not measured), and whether it is the "claimed" one.
    """
    places = along(comparison, claim.at, skipped=True)
    intervals = [comparison.difference(claim.first, claim.second, place) for place in places]
    return [
        {"value": place[comparison.axis], "interval": interval, "claimed": place == claim.at}
        for place, interval in zip(places, intervals, strict=True)
    ]


def pictured(split: Split) -> Split:
    """A split with a picture in the place of each example.

    Args:
        split: a split of any kind that has pictures.

    Returns:
        The split itself if it has images, or else one of images, with the same labels, classes, files and groups.

    Raises:
        TypeError: for a kind that has no pictures.
    """
    if isinstance(split.kind, Images):
        return split
    pictures = split.kind.pictures(split.inputs[:])
    return Split(pictures, split.labels, split.classes, Images(), split.files, split.groups)


def sent_shape(shape: Sequence[int]) -> list[int]:
    """The size at which images are sent to a page: photographs are shrunk.

    Args:
        shape: of the images, `[n, channels, height, width]`.

    Returns:
        Channels, height and width in pixels.

    Raises:
        ValueError: for images that are neither grey nor RGB.
    """
    _, channels, height, width = shape
    if channels not in (1, 3):
        raise ValueError(
            f"these images have {channels} channels, but a page shows 1 (grey) or 3 (RGB); "
            "choose one of them, as in images[:, :1]"
        )
    shrunk = max(height, width, LARGEST) / LARGEST
    return [channels, round(height / shrunk), round(width / shrunk)]


def sent_pixels(images: Tensor) -> bytes:
    """Images as the bytes that are sent to a page.

    Args:
        images: `[n, channels, height, width]`, in 0..1.

    Returns:
        One byte for each channel of each pixel, at the size that `sent_shape` gives.

    Raises:
        ValueError: for images that are neither grey nor RGB.
    """
    size = sent_shape(images.shape)[1:]
    if size != list(images.shape[2:]) and len(images):
        images = F.interpolate(images, size, mode="bilinear", antialias=True)
    return (images.clamp(0, 1) * 255).round().byte().cpu().numpy().tobytes()


def thinned(steps: Sequence[float], values: Sequence[float], most: int = 500) -> list[tuple[float, float]]:
    """A curve with few enough points to be drawn, each the mean of the steps that it stands for.

    Args:
        steps: where the points lie, rising.
        values: one for each step.
        most: how many points there are at most.

    Returns:
        Pairs of a step and a value. The last point stays as it is, and so does a curve that is short enough.
    """
    last = len(steps) - 1
    if last < most:
        return list(zip(steps, values, strict=True))
    width = math.ceil(last / (most - 1))
    points = []
    for start in range(0, last, width):
        stop = min(start + width, last)
        points.append((sum(steps[start:stop]) / (stop - start), sum(values[start:stop]) / (stop - start)))
    return [*points, (steps[last], values[last])]


def round_top(value: float) -> float:
    """The next round number at or above a value, for the top of an axis.

    Args:
        value: the largest value on the axis.

    Returns:
        A round number; 1 if nothing can be drawn, because the value is not above 0 or not finite.

    >>> [round_top(v) for v in (0.3, 2.31, 2.6, 7, 130)]
    [0.3, 2.5, 3.0, 10.0, 150.0]
    """
    if not value > 0 or not math.isfinite(value):
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    tops = (float(f"{size * step:.3g}") for step in (1, 1.5, 2, 2.5, 3, 4, 5, 10))  # 0.3, not 0.30000000000000004
    return next(top for top in tops if top >= value)


def round_span(values: Sequence[float]) -> tuple[float, float]:
    """Where an axis begins and ends: at 0, or at the next round number beyond its values.

    Args:
        values: on the axis; those that are not finite do not count.

    Returns:
        The lower and the upper end, at most 0 and at least 0; 0 to 1 without values.

    >>> round_span([0.2, 0.7]), round_span([-2.2, -1]), round_span([])
    ((0.0, 1.0), (-2.5, 0.0), (0.0, 1.0))
    """
    finite = [0.0, *filter(math.isfinite, values)]
    low, high = min(finite), max(finite)
    return -round_top(-low) if low else 0.0, round_top(high) if high or not low else 0.0


def signed(points: float, digits: int = 1) -> str:
    """A difference as the course writes it: always signed, with a true minus.

    Args:
        points: the difference, in whatever unit.
        digits: decimals.

    Returns:
        The number in words.

    >>> signed(17.91), signed(-9.42)
    ('+17.9', '\u22129.4')
    """
    return f"{points:+.{digits}f}".replace("-", "\u2212")


def signed_ends(interval: Interval, unit: str) -> tuple[str, str | None, str | None]:
    """The mean and the ends of a difference as the course writes them.

    Args:
        interval: of the difference.
        unit: "points", which have one decimal, or "" for a metric in its own unit, which has three.

    Returns:
        Mean, low and high in words; low and high are None with a single seed.
    """
    digits = 1 if unit else 3
    low, high = (None if end is None else signed(end, digits) for end in (interval.low, interval.high))
    return signed(interval.mean, digits), low, high


def time_left(seconds: float) -> str:
    """How long something still takes, in words.

    Args:
        seconds: the estimate.

    Returns:
        A phrase: seconds below a minute and a half, then minutes.
    """
    if seconds < 1:
        return "less than a second left"
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
