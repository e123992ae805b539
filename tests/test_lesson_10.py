"""The exercises of lesson 10 take the right answers, and say of wrong ones what is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import measured, network, recipe, split, task

import tlkit as tl

POOL, WATCHED = split(30, seed=1), split(12, seed=2)
MEAN = POOL.images.mean(0)


def missing(exercise, answer, *judged_by):
    return list(tl.lessons.check(exercise, answer, *judged_by).missing)


@pytest.mark.parametrize("as_it_comes", [float, torch.as_tensor], ids=["float", "tensor"])
def test_exercise_1_takes_what_the_mean_image_of_the_pool_costs(as_it_comes):
    assert missing("10.1", as_it_comes((MEAN - WATCHED.images).square().mean()), POOL, WATCHED) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (lambda: WATCHED.images.mean(0) - WATCHED.images, "the mean of the validation images would cost"),
        (lambda: MEAN.mean() - WATCHED.images, "keep its pixels apart"),
        (lambda: MEAN - POOL.images, "what it costs on the pool"),
        (lambda: WATCHED.images, "what a black image costs"),
        (lambda: WATCHED.images / 2, "another number: square"),
    ],
    ids=["validation mean", "one grey", "on the pool", "black", "anything"],
)
def test_exercise_1_names_the_mistake(error, words):
    (line,) = missing("10.1", float(error().square().mean()), POOL, WATCHED)
    assert words in line


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda error: float(error.square().sum((1, 2, 3)).mean()), "the sum over an image"),
        (lambda error: float(error.square().mean().sqrt()), "the square: that is its root"),
        (lambda error: "0.07", "a number, the mean squared error; this is of type str"),
    ],
)
def test_exercise_1_knows_sums_and_roots(made, words):
    (line,) = missing("10.1", made(MEAN - WATCHED.images), POOL, WATCHED)
    assert words in line


@pytest.fixture
def half_dead():
    """Two of its six feature units give the same for every image."""
    net = network()
    with torch.no_grad():
        net.backbone.features[1].weight[:2] = 0
    return net


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (4, []),
        (torch.tensor(4), []),
        (np.int64(4), []),
        (torch.tensor([4, 2]), ["a whole number of units; this is of type Tensor"]),
        (4.0, ["a whole number of units; this is of type float"]),
        (2, ["the live units: these are the dead ones"]),
        (6, ["another number: the rule gives another one"]),
        (True, ["a whole number of units; this is of type bool"]),
    ],
)
def test_exercise_2_counts_live_units(answer, words, half_dead):
    assert missing("10.2", answer, half_dead, POOL) == words


@pytest.fixture(scope="module")
def compared():
    """Denoising is surely ahead at 1 label, in the mean alone at 5, and behind at 10."""
    plain = [0.60, 0.60, 0.60, 0.60, 0.60]
    denoising = {1: [0.7, 0.71, 0.7, 0.69, 0.7], 5: [0.75, 0.5, 0.7, 0.55, 0.6], 10: [0.5, 0.51, 0.5, 0.49, 0.5]}
    return measured({"denoising": denoising, "plain": dict.fromkeys(denoising, plain)}, budgets=(1, 5, 10))


LOW = "the low end: at one of yours it is not above zero"
LEFT_OUT = "all of them: at one more the whole interval is above zero"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({1}, []),
        ([1], []),
        ({1, 5}, [LOW]),
        (set(), [LEFT_OUT]),
        ({10}, [LOW, LEFT_OUT]),
        ({2}, ["budgets that were measured, and no others: 1, 5, 10"]),
        ([[1]], ["budgets that were measured, and no others: 1, 5, 10"]),
        (1, ["a set of budgets, such as {1}; this is of type int"]),
    ],
)
def test_exercise_3_wants_all_budgets_with_the_whole_interval_above_zero(answer, words, compared):
    assert missing("10.3", answer, compared) == words


def test_exercise_3_says_when_its_comparison_is_not_finished():
    waiting = tl.compare({"denoising": recipe([0.7]), "plain": recipe([0.6])}, task(), range(1), (1,))
    assert missing("10.3", {1}, waiting) == ["a comparison that is finished: comparison.finish()"]
