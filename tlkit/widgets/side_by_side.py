"""Two data sets side by side, one line a class: what a network is pre-trained on, and what it is to learn."""

from math import prod
from typing import Any

import torch
from torch import Tensor

from tlkit.data.tasks import Split, Task
from tlkit.views import BYTES, pictured, sent_pixels, sent_shape
from tlkit.widgets.images import ImageWidget, part_of

EACH = 40  # images of a class and side at most, which is a few draws of a line


class SideBySide(ImageWidget, script="side_by_side.js"):
    """Compare the images of two data sets, the same class on one line.

    Args:
        source: the set on the left, a Split or a Task, of which the training images are shown.
        target: the set on the right, likewise. A Task's unlabelled images are pale, on the line of their hidden label.
        title: replaces the title.
        subtitle: replaces the line below it.

    Raises:
        TypeError: if one is neither a Split nor a Task, or if its examples have no pictures.
        ValueError: if one is empty or has no labels, or if its images are neither grey nor RGB.

    No kernel is needed afterwards.

    >>> import tlkit as tl
    >>> task = tl.data.digits()
    >>> tl.widgets.SideBySide(task.validation, task.few_labels(1))
    200 source images beside 997 target images, 10 of them labelled
    """

    def __init__(
        self, source: Split | Task, target: Split | Task, *, title: str | None = None, subtitle: str | None = None
    ):
        left, right = (pictured(part_of(data, "train", "SideBySide")) for data in (source, target))
        classes = list(dict.fromkeys((*right.classes, *left.classes)))
        line = sum(prod(sent_shape(split.inputs.shape)) for split in (left, right)) * len(classes)
        each = max(1, min(EACH, BYTES // line))
        (first, words, images), (second, other, more) = (
            _side(role, data, classes, each) for role, data in (("source", source), ("target", target))
        )
        second["from"] = len(images)
        sizes = [f"{height} \u00d7 {width}" for _, height, width in (first["shape"], second["shape"])]
        size = f"Same size, {sizes[0]}" if sizes[0] == sizes[1] else f"{sizes[0]} beside {sizes[1]} pixels"
        pale = " Images without a label are grey: a network may see them, not their class."
        caption = f"The same class on one line.{pale if first['pale'] or second['pale'] else ''}"
        view = {
            "title": title or "What the network has read, and what it is to read",
            "subtitle": subtitle or caption,
            "classes": classes,
            "sides": [first, second],
            "note": f"{size}, and {'same' if set(left.classes) == set(right.classes) else 'different'} classes.",
        }
        super().__init__(f"{words} beside {other}", view=view, images=images + more)


def _side(role: str, data: Split | Task, classes: list[str], each: int) -> tuple[dict[str, Any], str, bytes]:
    """One of two sets: its view, its words, its images; a line is [first image, labelled ones, unlabelled ones]."""
    name, labelled, others = (data.name, data.train, data.unlabelled) if isinstance(data, Task) else ("", data, None)
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
