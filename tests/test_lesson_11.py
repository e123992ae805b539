"""The exercises of lesson 11 take right answers, and tell wrong ones what is missing."""

from __future__ import annotations

import math

import pytest
import torch

import tlkit as tl
from tlkit.lessons import check
from tlkit.trial_file import Trial

NETWORK = tl.models.SmallCNN()
FEW = tl.data.digits().few_labels(1)


def nearest(network, labels=FEW.train.labels, scale=torch.nn.functional.normalize):
    known, others = (scale(tl.extract_features(network, split).values) for split in (FEW.train, FEW.test))
    return labels[torch.cdist(others, known).argmin(1)]


def rivals(gains: tuple[float, float, float]):
    """A finished comparison in which SimCLR is ahead by these points, give or take one, at 1, 2 and 5 labels."""
    made = tl.compare(
        dict.fromkeys(("SimCLR", "from scratch"), lambda task, seed: None), tl.data.digits(), range(5), (1, 2, 5)
    )
    for settings, seed in made.setups:
        gain = (gains[made.budgets.index(settings["budget"])] + seed % 3 - 1) / 100
        made.trials.append(Trial(settings, seed, None, 0.5 + (settings["recipe"] == "SimCLR") * gain, 0.0))
    return made


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (math.log(255), ""),
        (torch.tensor(255.0).log(), ""),
        (math.log(256), "no view is compared with itself"),
        (math.log(128), "two for each"),
        (math.log(254), "has the other view in it"),
        (5.54, "the third decimal"),
        (math.log10(255), "natural logarithm"),
        (255, "the logarithm"),
        (-math.log(255), "the sign"),
        (0, "the loss of equal projections"),
        ("large", "a number; this is of type str"),
        ("5.541", "a number; this is of type str"),
        (True, "a number; this is of type bool"),
        (torch.tensor([5.541, 5.541]), "a number; this is of type Tensor"),
    ],
)
@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_exercise_1_wants_the_loss_of_a_collapse(answer, missing, temperature):
    verdict = check("11.1", answer, tl.objectives.SimCLR(temperature=temperature), 128)
    assert verdict.complete if not missing else missing in repr(verdict), verdict


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (nearest(NETWORK), ""),
        (nearest(torch.nn.Flatten()), "neighbours of the pixels"),
        (nearest(NETWORK, scale=lambda values: values), "not scaled to length 1"),
        (nearest(NETWORK, labels=torch.arange(10)), "the label of the nearest"),
        (nearest(NETWORK)[:10], "600 class numbers"),
        (nearest(NETWORK).tolist(), "of type list"),
    ],
    ids=["right", "pixels", "not scaled", "places in the list", "too few", "a list"],
)
def test_exercise_2_wants_the_label_of_the_nearest_labelled_image(answer, missing):
    verdict = check("11.2", answer, NETWORK, FEW)
    assert verdict.complete if not missing else missing in repr(verdict), verdict


@pytest.mark.parametrize(
    ("answer", "gains", "missing"),
    [
        (2, (9, 4, 0), ""),
        (1, (9, 4, 0), "a larger budget"),
        (5, (9, 4, 0), "at 5 it is not"),
        (None, (9, 4, 0), "a larger budget"),
        (None, (0, -4, 0), ""),
        (1, (-9, 0, 0), "at 1 it is not"),
        (10, (9, 4, 0), "1, 2, 5"),
    ],
)
def test_exercise_3_wants_the_last_budget_that_is_surely_ahead(answer, gains, missing):
    verdict = check("11.3", answer, rivals(gains))
    assert verdict.complete if not missing else missing in repr(verdict), verdict


def test_exercise_3_says_when_its_comparison_is_not_finished():
    unfinished = rivals((9, 4, 0))
    unfinished.trials.pop()
    assert "rivals.finish()" in repr(check("11.3", 1, unfinished))
