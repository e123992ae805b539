"""SideBySide without a browser: which images stand on a line, what is sent, and how a mistake is answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import split, task
from tlkit.data.tasks import Split


def photographs(size):
    return Split(torch.rand(300, 3, size, size), torch.arange(300) % 3, ("a", "b", "c"))


def lines(widget):
    """For each side and class: the first pixels of the labelled images, and of the pale ones; they tell the class."""
    found = []
    for side in widget.view["sides"]:
        firsts = np.frombuffer(widget.images, np.uint8)[side["from"] :].reshape(-1, *side["shape"])[:, 0, 0, 0]
        found.append([(firsts[a : a + n], firsts[a + n : a + n + m]) for a, n, m in side["lines"]])
    return found


def test_a_line_holds_one_class_its_labelled_images_first():
    few = task(train=60).few_labels(2)
    widget = tl.widgets.SideBySide(split(300), few)
    assert repr(widget) == "300 source images beside 60 target images, 6 of them labelled"
    source, target = lines(widget)
    for label in range(3):
        value = round(25.5 * label)
        assert [set(part.tolist()) for part in source[label]] == [{value}, set()]
        assert [set(part.tolist()) for part in target[label]] == [{value}, {value}]
        assert [len(part) for part in (*source[label], *target[label])] == [40, 0, 2, 18]


def test_labelled_images_leave_room_for_those_without_a_label():
    _, target = lines(tl.widgets.SideBySide(split(), task(train=300).few_labels(30)))
    assert [[len(part) for part in line] for line in target] == [[20, 20]] * 3


def test_classes_meet_by_their_names():
    source = replace(split(30), classes=("c", "d", "a"))
    widget = tl.widgets.SideBySide(source, split(30))
    assert widget.view["classes"] == ["a", "b", "c", "d"]
    assert widget.view["note"] == "Same size, 4 × 4, and different classes."
    (a, b, c, d), _ = lines(widget)
    assert [set(line[0].tolist()) for line in (a, b, c, d)] == [{51}, set(), {0}, {26}]


def test_images_whose_class_nobody_knows_stand_on_no_line():
    few = task().few_labels(1)
    blind = replace(few, unlabelled=replace(few.unlabelled, labels=None))
    widget = tl.widgets.SideBySide(split(), blind)
    assert widget.view["sides"][1]["caption"] == ("60 images, 3 of them labelled; the class of the others is not known")
    assert [len(pale) for _, pale in lines(widget)[1]] == [0, 0, 0]


def test_large_images_side_by_side_stay_below_three_megabytes():
    widget = tl.widgets.SideBySide(photographs(32), photographs(96))
    assert 2_500_000 < len(widget.images) <= 3_000_000


def test_a_title_and_a_subtitle_can_be_given():
    widget = tl.widgets.SideBySide(split(), split(), title="Two sets", subtitle="Look.")
    assert (widget.view["title"], widget.view["subtitle"]) == ("Two sets", "Look.")
    assert repr(widget) == "30 source images beside 30 target images"


@pytest.mark.parametrize(
    "source, target, error, message",
    [
        (replace(split(), labels=None), split(), ValueError, "the source has no labels"),
        (split(), replace(split(), labels=None), ValueError, "the target has no labels"),
        (split(0), split(), ValueError, "this split is empty: there is no image to show"),
        (split(), split().images, TypeError, "SideBySide shows a Split or a Task, not a Tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(source, target, error, message):
    with pytest.raises(error, match=message):
        tl.widgets.SideBySide(source, target)
