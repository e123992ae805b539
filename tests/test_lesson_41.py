"""The exercises of lesson 41: a right answer is complete, a wrong one gets what is missing."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import tlkit as tl


def right(logits, labels):
    known = labels >= 0
    each = F.cross_entropy(logits, labels.clamp(min=0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def by_ignoring(logits, labels):
    known = (labels >= 0).sum().clamp(min=1)
    return F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum") / known


def divided_by_all(logits, labels):
    known = labels >= 0
    return (F.cross_entropy(logits, labels.clamp(min=0), reduction="none") * known).mean()


def not_a_number(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=-1)


def unknown_as_the_first(logits, labels):
    return F.cross_entropy(logits, labels.clamp(min=0))


def without_gradient(logits, labels):
    return right(logits.detach(), labels)


def missing(exercise, answer, *judged_by):
    return " ".join(tl.lessons.check(exercise, answer, *judged_by).missing)


@pytest.mark.parametrize("answer", [right, by_ignoring])
def test_the_mean_of_the_known_is_accepted_however_it_is_written(answer):
    assert not missing("41.1", answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (divided_by_all, "divided by how many they are"),
        (not_a_number, "0, and not NaN"),
        (unknown_as_the_first, "the sum over the known ones"),
        (without_gradient, "a gradient for the known examples"),
        (lambda logits, labels: logits @ labels, "a function that runs on logits [8, 3]: RuntimeError"),
        (lambda logits, labels: right(logits, labels) * torch.ones(8), "the mean, where every label is known"),
        (0.5, "a function of logits and labels; this is a float"),
    ],
)
def test_another_loss_gets_what_is_missing(answer, words):
    assert words in missing("41.1", answer)


@pytest.mark.parametrize("answer", [1.25, 1.26])
def test_the_weight_is_one_over_twice_the_loss(answer):
    assert not missing("41.2", answer, 0.4)


@pytest.mark.parametrize("answer", [2.5, 0.8, 0.4])
def test_another_weight_is_not(answer):
    assert "its slope is not 0" in missing("41.2", answer, 0.4)


@pytest.mark.parametrize("answer", ["1.25", True, -1, None])
def test_what_is_no_weight_is_said(answer):
    assert "a number above 0" in missing("41.2", answer, 0.4)
