"""The images of a data set, with what a network predicts for each."""

from math import prod
from typing import Any

import traitlets as t

from tlkit.data.tasks import Split, Task
from tlkit.evaluation import answers
from tlkit.views import BYTES, MARKS, pictured, sent_pixels, sent_shape
from tlkit.widgets.images import ImageWidget, limited, part_of


class Gallery(ImageWidget, script="gallery.js"):
    """Browse images, their labels, and what a network predicts for them.

    Args:
        split: a Split, or a Task, of which the test images are shown; of sounds, their pictures.
        network: maps inputs to logits `[n, classes]`, or has `predict(inputs) -> labels`, then no beliefs are shown; if
            None, only labels are.
        title: replaces the sentence that counts the misclassified images; that stays the widget's `repr`.
        subtitle: replaces the line that says what stands under each image.
        family: gives the beliefs the course's colour for it, see `Recipe`.
        most: how many images are shown, the first ones; fewer if they need more than 3 MB. Larger images are shrunk to
            96 pixels.

    Raises:
        TypeError: if `split` is neither a Split nor a Task, or if its examples have no pictures.
        ValueError: if it is empty, if its images are neither grey nor RGB, if there are neither labels nor a network,
            or if the network has other classes or outputs that are not finite.

    No kernel is needed afterwards.

    >>> import tlkit as tl
    >>> tl.widgets.Gallery(tl.data.digits())
    600 test images of 10 classes
    """

    beliefs = t.Bytes().tag(sync=True)

    def __init__(
        self,
        split: Split | Task,
        network: Any = None,
        *,
        title: str | None = None,
        subtitle: str | None = None,
        family: str | None = "pre-trained",
        most: int = 2_000,
    ):
        part = part_of(split, "test", "Gallery")
        noun = f"test {part.kind.noun}s" if isinstance(split, Task) else f"{part.kind.noun}s"
        labels, shown = part.one_label_each(), pictured(part)
        if labels is None and network is None:
            raise ValueError(f"these {noun} have no labels, so there is nothing to say of them; give a network as well")
        shape = sent_shape(shown.inputs.shape)
        count = max(1, min(most, len(part), BYTES // max(prod(shape), 4 * len(part.classes))))
        labels = None if labels is None else labels[:count].cpu()
        predicted, logits = (None, None) if network is None else answers(network, part[:count])
        if predicted is None:
            sentence, caption = f"{count:,} {noun} of {len(part.classes)} classes", "its label."
        elif labels is None:
            sentence, caption = f"{count:,} {noun} without labels", "what the network says."
        else:
            errors = int((labels != predicted).sum())
            sentence = f"{errors:,} of {count:,} {noun} {'is' if errors == 1 else 'are'} misclassified"
            caption = "its label; after a cross, what the network says instead."
        view = {
            "title": title or sentence,
            "subtitle": limited(count, len(part)) + (subtitle or f"Under each image {caption}"),
            "classes": list(part.classes),
            "shape": shape,
            "count": count,
            "labels": None if labels is None else labels.tolist(),
            "predicted": None if predicted is None else predicted.tolist(),
            "files": part.files and list(part.files[:count]),
            "token": MARKS[family][0],
        }
        beliefs = b"" if logits is None else logits.float().softmax(1).numpy().tobytes()
        super().__init__(sentence, view=view, images=sent_pixels(shown.inputs[:count]), beliefs=beliefs)
