"""The images of a data set: with what a network says of each, beside another set, or beside their random views."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from tlkit.data.augmentation import Augment, drawn_views
from tlkit.data.tasks import Split, Task
from tlkit.evaluation import answers
from tlkit.models.networks import seeded
from tlkit.views import BYTES, MARKS, pictured, sent_pixels, sent_shape
from tlkit.widgets.base import Widget
from tlkit.words import counted

EACH = 40  # images of a class and side at most, which is a few draws of a line; and images with views
VIEWS = 6  # of an image by each augmentation


class Gallery(Widget, script="gallery.js"):
    """Browse images and what a network says of them; no kernel is needed afterwards.

    `split` is a Split, or a Task, of which the test images are shown; of sounds, their pictures. `network` maps inputs
    to logits [n, classes], or it has `predict(inputs) -> labels`, then no beliefs are shown; without one, only labels
    are. `family` gives the beliefs the course's colour (see `Recipe`). The first `most` images are shown, fewer if they
    need more than 3 MB; larger ones are shrunk to 96 pixels.

    With `source`, a Split or a Task, two sets are shown side by side, one line a class: left the source's training
    images, right those of `split`; a Task's unlabelled ones are pale, at the line of their hidden label.

    With `views`, augmentations by name, each image (a Task's training images, 40 at most) has its line: itself, then
    six random views by each, drawn with `seed`.

    >>> import tlkit as tl
    >>> task = tl.data.digits()
    >>> tl.widgets.Gallery(task)
    600 test images of 10 classes
    >>> tl.widgets.Gallery(task.few_labels(1), source=task.validation)
    200 source images beside 997 target images, 10 of them labelled
    >>> tl.widgets.Gallery(task.few_labels(1), views={"weak": tl.data.weak, "strong": tl.data.strong})
    10 images, each with 6 views by weak and 6 by strong

    Raises TypeError for what is no Split or Task, or has no pictures. Raises ValueError if it is empty or its images
    are neither grey nor RGB, if there are neither labels nor a network, if the network has other classes, for an
    augmentation whose views are no images of the same shape in 0..1, or for two of network, source and views.
    """

    view = t.Dict().tag(sync=True)
    images = t.Bytes().tag(sync=True)
    beliefs = t.Bytes().tag(sync=True)

    def __init__(
        self,
        split: Split | Task,
        network: Any = None,
        *,
        source: Split | Task | None = None,
        views: Mapping[str, Augment] | None = None,
        seed: int = 0,
        title: str | None = None,
        subtitle: str | None = None,
        family: str | None = "pre-trained",
        most: int = 2_000,
    ):
        if sum(given is not None for given in (network, source, views)) > 1:
            raise ValueError(
                "a Gallery shows what a network says, two sets side by side, or random views: give one of network=, "
                "source= and views="
            )
        if source is not None:
            sentence, view, images, beliefs = _side_by_side(source, split)
        elif views is not None:
            sentence, view, images, beliefs = _augmented(split, views, seed, most)
        else:
            sentence, view, images, beliefs = _readings(split, network, most)
        view["title"] = title or view["title"]
        view["subtitle"] = view.pop("limit", "") + (subtitle or view["subtitle"])
        view["token"] = MARKS[family][0]
        super().__init__(view=view, images=images, beliefs=beliefs)
        self._sentence = sentence

    def words(self) -> str:
        """What is shown, in a sentence: how many images, and how many of them are read wrongly."""
        return self._sentence


def _readings(given: Split | Task, network: Any, most: int) -> tuple[str, dict[str, Any], bytes, bytes]:
    """Images with their labels and what the network says: sentence, view, images, beliefs (float32)."""
    split = _checked(given.test if isinstance(given, Task) else given)
    noun = f"test {split.kind.noun}s" if isinstance(given, Task) else f"{split.kind.noun}s"
    known, shown = split.one_label_each(), pictured(split)
    if known is None and network is None:
        raise ValueError(f"these {noun} have no labels, so there is nothing to say of them; give a network as well")
    channels, height, width = sent_shape(shown.inputs.shape)
    count = max(1, min(most, len(split), BYTES // max(channels * height * width, 4 * len(split.classes))))
    images, labels = shown.inputs[:count], None if known is None else known[:count].cpu()
    said, beliefs = (None, None) if network is None else _asked(network, split[:count])
    if said is None:
        sentence, reading = f"{count:,} {noun} of {len(split.classes)} classes", "its label."
    elif labels is None:
        sentence, reading = f"{count:,} {noun} without labels", "what the network says."
    else:
        wrong = int((labels != said).sum())
        sentence = f"{wrong:,} of {count:,} {noun} {'is' if wrong == 1 else 'are'} read wrongly"
        reading = "its label; after a cross, what the network says instead."
    view = {
        "title": sentence,
        "subtitle": f"Under each image {reading}",
        "limit": f"The first {count:,} of {len(split):,}. " if count < len(split) else "",
        "classes": list(split.classes),
        "shape": [channels, height, width],
        "count": count,
        "labels": None if labels is None else labels.tolist(),
        "said": None if said is None else said.tolist(),
        "files": split.files and list(split.files[:count]),
    }
    return sentence, view, sent_pixels(images), b"" if beliefs is None else beliefs.numpy().tobytes()


def _side_by_side(source: Split | Task, target: Split | Task) -> tuple[str, dict[str, Any], bytes, bytes]:
    """Two sets, one line a class: sentence, view, the images of both, no beliefs."""
    left, right = (pictured(_checked(given.train if isinstance(given, Task) else given)) for given in (source, target))
    classes = list(dict.fromkeys((*right.classes, *left.classes)))
    line = sum(prod(sent_shape(split.inputs.shape)) for split in (left, right)) * len(classes)
    each = max(1, min(EACH, BYTES // line))
    halves = [_half(role, given, classes, each) for role, given in (("source", source), ("target", target))]
    (first, one, images), (second, other, more) = halves
    second["from"] = len(images)
    sizes = [f"{height} \u00d7 {width}" for _, height, width in (first["shape"], second["shape"])]
    size = f"Same size, {sizes[0]}" if sizes[0] == sizes[1] else f"{sizes[0]} beside {sizes[1]} pixels"
    pale = " Images without a label are grey: a network may see them, not their class."
    view = {
        "title": "What the network has read, and what it is to read",
        "subtitle": f"The same class on one line.{pale if first['pale'] or second['pale'] else ''}",
        "classes": classes,
        "sides": [first, second],
        "note": f"{size}, and {'same' if set(left.classes) == set(right.classes) else 'different'} classes.",
    }
    return f"{one} beside {other}", view, images + more, b""


def _augmented(
    given: Split | Task, augmentations: Mapping[str, Augment], seed: int, most: int
) -> tuple[str, dict[str, Any], bytes, bytes]:
    """Images with their views: sentence, view, pixels, no beliefs; of each image itself, then its views in order."""
    split = pictured(_checked(given.train if isinstance(given, Task) else given))
    if not augmentations:
        raise ValueError('views={}, so there is nothing to draw; name an augmentation, as in {"weak": tl.data.weak}')
    line = prod(sent_shape(split.inputs.shape)) * (1 + VIEWS * len(augmentations))
    count = max(1, min(most, EACH, len(split), BYTES // line))
    images, labels = split.inputs[:count].cpu(), split.one_label_each()
    drawn = [_views(name, augment, images, seed) for name, augment in augmentations.items()]
    several = " and ".join(f"{VIEWS} {'' if place else 'views '}by {name}" for place, name in enumerate(augmentations))
    view = {
        "title": "What augmentation makes of an image",
        "subtitle": "One line for each image: itself, then random views. It keeps its label in all of them.",
        "limit": f"The first {count:,} of {len(split):,}. " if count < len(split) else "",
        "classes": list(split.classes),
        "shape": sent_shape(images.shape),
        "count": count,
        "labels": None if labels is None else labels[:count].tolist(),
        "augmentations": list(augmentations),
        "views": VIEWS,
    }
    sent = torch.cat([images[:, None], *drawn], 1).flatten(0, 1)
    return f"{counted(count, 'image')}, each with {several}", view, sent_pixels(sent), b""


def _views(name: str, augment: Augment, images: Tensor, seed: int) -> Tensor:
    """Random views of images [n, channels, height, width] by one augmentation: [n, VIEWS, channels, height, width]."""
    with seeded(seed):
        views = drawn_views(images, augment, VIEWS, f'the augmentation "{name}"')
    for drawn in views:
        if drawn.isnan().any():
            raise ValueError(f'the augmentation "{name}" returned values that are no numbers; did it divide by 0?')
        low, high = float(drawn.min()), float(drawn.max())
        if low < -1e-3 or high > 1 + 1e-3:
            raise ValueError(
                f'the augmentation "{name}" returned values from {low:.3g} to {high:.3g}, but images lie in 0..1; let '
                "it end with .clamp(0, 1), and leave normalising to the network's preprocess"
            )
    return torch.stack(views, 1)


def _half(role: str, given: Split | Task, classes: list[str], each: int) -> tuple[dict[str, Any], str, bytes]:
    """One of two sets: its view, its words, its images; a line is [first image, labelled ones, unlabelled ones]."""
    name, labelled, others = (
        (given.name, given.train, given.unlabelled) if isinstance(given, Task) else ("", given, None)
    )
    labelled, others, noun = pictured(labelled), others and pictured(others), f"{labelled.kind.noun}s"
    if labelled.one_label_each() is None:
        raise ValueError(f"side by side, a class has its line, but the {role} has no labels; give a set that has them")
    parts, lines = [], []
    for wanted in classes:
        framed = _of_class(labelled, wanted, (each + 1) // 2 if others else each)
        pale = _of_class(others, wanted, each - len(framed)) if others else framed[:0]
        lines.append([sum(map(len, parts)), len(framed), len(pale)])
        parts += [framed, pale]
    total, known = len(labelled) + len(others or ()), f", {len(labelled):,} of them labelled" if others else ""
    unknown = others is not None and others.labels is None
    side = {
        "title": f"{role.capitalize()}: {name}" if name else role.capitalize(),
        "caption": f"{total:,} {noun}{known or ', every one labelled'}"
        + ("; the class of the others is not known" if unknown else " (framed)" if others else ""),
        "shape": sent_shape(labelled.inputs.shape),
        "from": 0,
        "pale": bool(others),
        "lines": lines,
    }
    return side, f"{total:,} {role} {noun}{known}", sent_pixels(torch.cat(parts))


def _of_class(split: Split, name: str, most: int) -> Tensor:
    """At most `most` images of the class of that name; none if the split does not know it."""
    labels = split.one_label_each()
    if labels is None or name not in split.classes:
        return split.inputs[:0]
    return split.inputs[(labels == split.classes.index(name)).nonzero().view(-1)[:most]]


def _checked(split: Split) -> Split:
    if not isinstance(split, Split):
        raise TypeError(f"a Gallery shows a Split or a Task, not a {type(split).__name__}")
    if not len(split):
        raise ValueError(f"this split is empty: there is no {split.kind.noun} to show; choose another part of the data")
    return split


def _asked(network: Any, split: Split) -> tuple[Tensor, Tensor | None]:
    """What is said of each example, class numbers [n], and beliefs [n, classes] where there are any."""
    said, outputs = answers(network, split)
    return said, None if outputs is None else outputs.float().softmax(1)
