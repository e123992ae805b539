"""Images beside their random views: what augmentation makes of them."""

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor

from tlkit.data.augmentation import Augment, drawn_views
from tlkit.data.tasks import Split, Task
from tlkit.models.networks import seeded
from tlkit.views import BYTES, pictured, sent_pixels, sent_shape
from tlkit.widgets.images import ImageWidget, limited, part_of
from tlkit.words import counted

VIEWS = 6  # of an image by each augmentation
WORDS = "One line for each image: itself, then random views. It keeps its label in all of them."


class Views(ImageWidget, script="image_views.js"):
    """See what augmentation makes of images: one line for each, itself, then six random views by each augmentation.

    Args:
        split: a Split, or a Task, of which the training images are shown.
        views: augmentations by name; each maps images `[n, channels, height, width]` in 0..1 to views of that shape.
        seed: draws the views.
        title: replaces the title.
        subtitle: replaces the line below it.
        most: how many images are shown, the first ones; fewer if they and their views need more than 3 MB.

    Raises:
        TypeError: if `split` is neither a Split nor a Task, or if its examples have no pictures.
        ValueError: if it is empty, if its images are neither grey nor RGB, if there is no augmentation, or if the views
            of one are no images of the same shape in 0..1.

    No kernel is needed afterwards.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> tl.widgets.Views(few, {"weak": tl.data.weak, "strong": tl.data.strong})
    10 images, each with 6 views by weak and 6 by strong
    """

    def __init__(
        self,
        split: Split | Task,
        views: Mapping[str, Augment],
        *,
        seed: int = 0,
        title: str | None = None,
        subtitle: str | None = None,
        most: int = 40,
    ):
        shown = pictured(part_of(split, "train", "Views"))
        if not views:
            raise ValueError('views={}, so there is nothing to draw; name an augmentation: {"weak": tl.data.weak}')
        shape = sent_shape(shown.inputs.shape)
        count = max(1, min(most, len(shown), BYTES // (prod(shape) * (1 + VIEWS * len(views)))))
        images, labels = shown.inputs[:count].cpu(), shown.one_label_each()
        drawn = [_views(name, augment, images, seed) for name, augment in views.items()]
        view = {
            "title": title or "What augmentation makes of an image",
            "subtitle": limited(count, len(shown)) + (subtitle or WORDS),
            "classes": list(shown.classes),
            "shape": shape,
            "count": count,
            "labels": None if labels is None else labels[:count].tolist(),
            "augmentations": list(views),
            "views": VIEWS,
        }
        several = " and ".join(f"{VIEWS} {'' if place else 'views '}by {name}" for place, name in enumerate(views))
        sentence = f"{counted(count, 'image')}, each with {several}"
        sent = torch.cat([images[:, None], *drawn], 1).flatten(0, 1)
        super().__init__(sentence, view=view, images=sent_pixels(sent))


def _views(name: str, augment: Augment, images: Tensor, seed: int) -> Tensor:
    """Random views of images [n, channels, height, width] by one augmentation: [n, VIEWS, channels, height, width]."""
    with seeded(seed):
        views = torch.stack(drawn_views(images, augment, VIEWS, f'the augmentation "{name}"'), 1)
    if views.isnan().any():
        raise ValueError(f'the augmentation "{name}" returned values that are no numbers; did it divide by 0?')
    low, high = float(views.min()), float(views.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f'the augmentation "{name}" returned values from {low:.3g} to {high:.3g}, but images lie in 0..1; let it '
            "end with .clamp(0, 1), and leave normalising to the network's preprocess"
        )
    return views
