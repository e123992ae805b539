"""The exercises of lesson 21: a right answer is complete, a wrong one gets what is missing."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

import tlkit as tl
from tlkit.models.networks import logits


def row_one(weak, strong, threshold):
    confidence, pseudo = weak.detach().softmax(1).max(1)
    return ((confidence >= threshold) * F.cross_entropy(strong, pseudo, reduction="none")).mean()


def mean_of_the_used(weak, strong, threshold):
    confidence, pseudo = weak.detach().softmax(1).max(1)
    used = confidence >= threshold
    return F.cross_entropy(strong[used], pseudo[used])


def strictly_above(weak, strong, threshold):
    confidence, pseudo = weak.detach().softmax(1).max(1)
    return ((confidence > threshold) * F.cross_entropy(strong, pseudo, reduction="none")).mean()


def of_the_weak_view(weak, strong, threshold):
    confidence, pseudo = weak.detach().softmax(1).max(1)
    return ((confidence >= threshold) * F.cross_entropy(weak, pseudo, reduction="none")).mean()


def soft_label_with_gradient(weak, strong, threshold):
    p = weak.softmax(1)
    return ((p.amax(1) >= threshold) * F.cross_entropy(strong, p, reduction="none")).mean()


def threshold_left_out(weak, strong, threshold):
    return F.cross_entropy(strong, weak.detach().argmax(1))


def one_loss_an_image(weak, strong, threshold):
    return row_one(weak, strong, threshold) * torch.ones(len(weak))


def broken(weak, strong, threshold):
    return weak @ strong


def missing(exercise, answer, *judged_by):
    return tl.lessons.check(exercise, answer, *judged_by).missing


def test_row_one_is_accepted():
    assert not missing("21.1", row_one)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (mean_of_the_used, "divided by the number of all"),
        (strictly_above, "the threshold itself"),
        (of_the_weak_view, "a gradient through the strong view"),
        (soft_label_with_gradient, "a stop for the gradient through the weak view"),
        (threshold_left_out, "0 where no image reaches"),
        (one_loss_an_image, "divided by the number of all"),
        (broken, "a function that runs on outputs [64, 10]: RuntimeError"),
        (0.5, "this is a float"),
    ],
)
def test_another_row_one_gets_what_is_missing(wrong, words):
    assert any(words in line for line in missing("21.1", wrong))


def test_the_largest_decay_is_judged_to_the_third_decimal():
    assert not missing("21.2", 0.01 ** (1 / 300), 300)
    assert not missing("21.2", 0.984, 300)
    assert not missing("21.2", 0.985, 300)  # 0.98477 rounded
    assert "a smaller decay" in missing("21.2", 0.986, 300)[0]
    assert "a smaller decay" in missing("21.2", 0.999, 300)[0]
    assert "a larger one would do" in missing("21.2", 0.983, 300)[0]
    assert "a larger one would do" in missing("21.2", 0.8, 300)[0]
    assert missing("21.2", 0.01, 300) and missing("21.2", 300, 300) and missing("21.2", "0.98", 300)
    assert missing("21.2", True, 300)


@pytest.mark.parametrize("steps", [60, 150, 300, 1_000])
def test_a_correctly_rounded_decay_is_right_whatever_the_number_of_steps(steps):
    assert not missing("21.2", round(0.01 ** (1 / steps), 3), steps)
    assert not missing("21.2", math.floor(1_000 * 0.01 ** (1 / steps)) / 1_000, steps)


def test_only_the_least_covered_class_is_accepted():
    images = tl.data.digits().few_labels(1).unlabelled
    network = tl.models.SmallCNN()
    with torch.no_grad():  # so sure of everything that some classes get labels and others none
        network.head.weight *= 1_000
    confidence, predicted = logits(network, images.images).softmax(1).max(1)
    used = predicted[confidence >= 0.95].bincount(minlength=10)
    covered = used / images.labels.bincount(minlength=10)
    accepted = {name for name in images.classes if not missing("21.3", name, network, images)}
    assert accepted == {images.classes[number] for number in (covered == covered.min()).nonzero()[:, 0]}
    assert len(accepted) < 10
    assert missing("21.3", "eleven", network, images)
