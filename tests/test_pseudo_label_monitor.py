"""The PseudoLabelMonitor without a browser: what is counted, what is sent, and how a mistake is answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import tlkit as tl
from tests.helpers import Knowing, network, split, task
from tlkit.models.networks import logits

# Six images of the classes a, b, c, a, b, c; the second and the fifth are misclassified.
PREDICTED = torch.tensor([0, 2, 2, 0, 0, 2])
CONFIDENCE = torch.tensor([0.9, 0.75, 0.5, 0.75, 0.95, 0.6])


def probabilities(predicted=PREDICTED, confidence=CONFIDENCE):
    """Image i is of class predicted[i] with the probability confidence[i], of the others in equal parts."""
    rest = ((1 - confidence) / 2)[:, None].repeat(1, 3)
    rest[torch.arange(len(predicted)), predicted] = confidence
    return rest


def monitor(frames=None, n=6, **options):
    return tl.widgets.PseudoLabelMonitor(split(n), probabilities() if frames is None else frames, **options)


def test_the_words_count_what_reaches_the_threshold_and_what_of_it_is_right():
    shown = monitor(threshold=0.75)
    assert repr(shown) == "4 of 6 images are pseudo-labelled, 50.0 % of them rightly"
    shown.threshold = 0.95
    assert repr(shown) == "1 of 6 images is pseudo-labelled, 0.0 % of them rightly"
    shown.threshold = 0.96
    assert repr(shown) == "None of 6 images is pseudo-labelled"
    shown.threshold = 0.01
    assert repr(shown).startswith("6 of 6 images are pseudo-labelled, 66.7 %")


def test_highest_probabilities_are_sent_with_their_classes():
    shown = monitor({0: probabilities(PREDICTED.flip(0), CONFIDENCE.flip(0)), 10: probabilities()})
    assert np.frombuffer(shown.predicted, "<i2").reshape(2, 6).tolist() == [
        PREDICTED.flip(0).tolist(),
        PREDICTED.tolist(),
    ]
    assert np.frombuffer(shown.confidence, "<f4").reshape(2, 6)[1].tolist() == CONFIDENCE.tolist()
    assert shown.view["labels"] == [0, 1, 2, 0, 1, 2]


def test_mistakes_are_listed_the_surest_first_and_only_their_images_are_sent():
    many = split(30)
    wrong = (many.labels + 1) % 3
    shown = tl.widgets.PseudoLabelMonitor(many, probabilities(wrong, torch.linspace(0.4, 0.99, 30)))
    assert shown.view["mistakes"] == [list(range(29, 20, -1))]
    assert shown.view["pictured"] == list(range(21, 30))
    assert np.frombuffer(shown.images, np.uint8).tolist() == (many.images[21:] * 255).round().flatten().tolist()


def test_a_network_is_asked_for_its_softmax():
    unlabelled = task(train=60).few_labels(1).unlabelled
    softmax = logits(network(), unlabelled.images).softmax(1)
    one, other = (tl.widgets.PseudoLabelMonitor(unlabelled, frames) for frames in (network(), softmax))
    assert (one.predicted, one.confidence) == (other.predicted, other.confidence)


def test_each_step_of_a_run_has_its_frame():
    shown = monitor({0: probabilities(confidence=torch.full((6,), 0.4)), 20: probabilities()}, threshold=0.5)
    assert shown.view["steps"] == [0, 20]
    assert repr(shown) == "None of 6 images is pseudo-labelled"
    shown.frame = 1
    assert repr(shown) == "6 of 6 images are pseudo-labelled, 66.7 % of them rightly"


def test_half_precision_is_no_reason_to_complain():
    rough = torch.rand(6, 3).mul(5).softmax(1).bfloat16()
    assert repr(monitor(rough, threshold=0.01)).startswith("6 of 6")


@pytest.mark.parametrize(
    "data, frames, options, error, message",
    [
        (task(), network(), {}, TypeError, "shows a Split, not a Task; of a Task take task.unlabelled"),
        (replace(split(6), labels=None), network(), {}, ValueError, "no hidden labels, so nobody can say"),
        (split(0), network(), {}, ValueError, "this split is empty: there is no image to label"),
        (split(6), Knowing(1), {}, TypeError, "a Knowing names classes, not how probable they are; give a network"),
        (split(7), probabilities(), {}, ValueError, r"have the shape \[6, 3\], but these .* need \[7, 3\]"),
        (split(6), network().with_new_head(4), {}, ValueError, "distinguishes 4 classes"),
        (split(6), {5: probabilities() * 3}, {}, ValueError, r"of step 5 .* do not sum to 1 .* logits.softmax\(1\)"),
        (split(6), probabilities(confidence=torch.full((6,), 1.5)), {}, ValueError, "the probabilities are negative"),
        (split(6), probabilities() * float("nan"), {}, ValueError, "no numbers"),
        (split(6), {}, {}, ValueError, "give at least one, as whole numbers in training"),
        (split(6), {9: probabilities(), 3: probabilities()}, {}, ValueError, r"of the steps \[9, 3\]; give"),
        (split(6), probabilities(), {"threshold": 0}, ValueError, "threshold=0.0, but it is a probability: above 0"),
        (split(6), probabilities(), {"threshold": 1.01}, ValueError, "at most 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_answered_with_a_sentence(data, frames, options, error, message):
    with pytest.raises(error, match=message):
        tl.widgets.PseudoLabelMonitor(data, frames, **options)


def test_a_threshold_or_a_frame_that_is_none_is_refused_later_too():
    shown = monitor()
    with pytest.raises(ValueError, match=r"threshold=95.0, but it is a probability"):
        shown.threshold = 95
    with pytest.raises(ValueError, match="there is no frame 1; they are counted from 0 to 0"):
        shown.frame = 1
    assert (shown.threshold, shown.frame) == (0.95, 0)
