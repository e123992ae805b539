"""Views as points on a circle: drag them, and see what a contrastive loss does to each."""

import math
from collections.abc import Sequence

import torch
import traitlets as t
from torch import Tensor

from tlkit.objectives.unsupervised import SimCLR
from tlkit.representations import alignment, uniformity
from tlkit.widgets.base import Widget

MOST_IMAGES = 4  # each has one of the four colours
LOWEST, HIGHEST = 0.05, 1.0  # temperature of the slider


class PullPush(Widget, script="pull_push.js"):
    """Drag the views of a few images around a circle, and see what the loss of SimCLR does to them.

    Args:
        degrees: the angles of the two views of each image, of 2 to 4 images. The default is three images a third of a
            circle apart, whose views are ten degrees apart.
        start: where the views are at first: "as given", "spread", "half a circle" or "collapsed".
        temperature: t in 0.05 to 1.
        push: whether the views of other images push; without them the loss is (1 - z_i z_j) / t.
        title: replaces the title.
        subtitle: replaces the line below it.

    Raises:
        ValueError: if there are fewer than two images or more than four, one has not two finite angles, the start is
            not one of the four, or the temperature is not on the slider.

    Similarities, shares of the softmax, loss, gradients, alignment and uniformity are computed in the browser, as
    `tl.objectives.SimCLR` and `tl.representations` compute them, and no kernel is needed. What the learner did comes
    back as `widget.degrees`, `widget.temperature` and `widget.push`. Uniformity is the mean of that of the first views
    and that of the others.

    >>> import tlkit as tl
    >>> tl.widgets.PullPush(start="collapsed")
    step 0, temperature 0.20: loss 1.61; alignment 0.0, uniformity 0.0; collapsed would be 1.61
    """

    view = t.Dict().tag(sync=True)
    path = t.List().tag(sync=True)  # the angles in each step so far; view 2i and 2i + 1 are of image i
    temperature = t.Float(0.2).tag(sync=True)
    push = t.Bool(True).tag(sync=True)

    def __init__(
        self,
        degrees: Sequence[Sequence[float]] = ((0, 10), (120, 130), (240, 250)),
        *,
        start: str = "as given",
        temperature: float = 0.2,
        push: bool = True,
        title: str = "Pull the pairs together, push the rest apart",
        subtitle: str | None = None,
    ):
        count = len(degrees)
        if not 2 <= count <= MOST_IMAGES:
            raise ValueError(f"{count} images; give the angles of 2 to {MOST_IMAGES}, each has a colour")
        if not all(len(views) == 2 and all(map(math.isfinite, views)) for views in degrees):
            raise ValueError(f"degrees={degrees!r}; give two finite angles for each image, such as (0, 10)")
        if not LOWEST <= temperature <= HIGHEST:
            raise ValueError(f"temperature={temperature}, but the slider goes from {LOWEST} to {HIGHEST:g}")
        starts = {"as given": [float(view) for views in degrees for view in views]} | _starts(count)
        if start not in starts:
            raise ValueError(f"there is no start {start!r}; there are {', '.join(map(repr, starts))}")
        what = f"{2 * count} views of {count} images as points on a circle. Drag one; "
        arrows = "an arrow is what a step of descent does, the longest always of one length."
        view = {"title": title, "subtitle": subtitle or what + arrows, "starts": starts}
        super().__init__(view=view, path=[starts[start]], temperature=temperature, push=push)

    @property
    def degrees(self) -> list[tuple[float, float]]:
        """The angles of the two views of each image, as they are now."""
        points = self.path[-1]
        return list(zip(points[::2], points[1::2], strict=True))

    def words(self) -> str:
        """The step, the settings, and what the package computes of the points as they are now."""
        one, other = _features(self.degrees)
        aligned, even = alignment(one, other), (uniformity(one) + uniformity(other)) / 2
        loss, worst = aligned / (2 * self.temperature), 0.0
        if self.push:
            loss, worst = SimCLR(temperature=self.temperature).loss(one, other), math.log(2 * len(one) - 1)
        settings = f"temperature {self.temperature:.2f}{'' if self.push else ', without the push'}"
        numbers = f"loss {loss:z.2f}; alignment {aligned:z.1f}, uniformity {even:z.1f}".replace("-", "\u2212")
        return f"step {len(self.path) - 1}, {settings}: {numbers}; collapsed would be {worst:.2f}"


def _starts(count: int) -> dict[str, list[float]]:
    """Where the views of so many images can start, both of one image beside each other."""
    images, apart = range(count), 360 // count
    spread = [float(at % 360) for image in images for at in (apart * image, (apart + 40) * image + 70)]
    half = [180.0 * at / (2 * count - 1) for image in images for at in (image, image + count)]
    return {"spread": spread, "half a circle": half, "collapsed": [90.0] * (2 * count)}


def _features(degrees: Sequence[Sequence[float]]) -> tuple[Tensor, Tensor]:
    """The first views and the other views as points of the plane, `[images, 2]` each."""
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    one, other = torch.stack([angles.cos(), angles.sin()], -1).unbind(1)
    return one, other
