"""The exercises of lesson 20 say what is right and what is missing, for right answers and for several wrong ones."""

from __future__ import annotations

import pytest
import torch

import tlkit as tl
from tlkit.models.networks import logits
from tlkit.trial_file import Trial

THRESHOLDS, USED, GOOD = (0.5, 0.9, 0.99), (100, 50, 10), (70, 45, 10)


def missing(exercise, answer, *judged_by):
    return " ".join(tl.lessons.check(exercise, answer, *judged_by).missing)


# ---- 20.1: the lowest threshold at which nine in ten are right ----


def test_the_lowest_threshold_that_is_strict_enough_is_right():
    assert tl.lessons.check("20.1", 0.9, THRESHOLDS, USED, GOOD).complete


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.5, "nine in ten right"),
        (0.99, "a lower threshold does it too"),
        (0.7, "one of the thresholds"),
        (None, "one"),
    ],
)
def test_another_threshold_gets_what_is_missing(answer, words):
    assert words in missing("20.1", answer, THRESHOLDS, USED, GOOD)


def test_none_is_right_only_where_no_threshold_is_strict_enough():
    assert tl.lessons.check("20.1", None, THRESHOLDS, USED, (10, 10, 5)).complete
    assert "fewer are" in missing("20.1", 0.99, THRESHOLDS, USED, (10, 10, 5))


# ---- 20.2: the surest of each class, with the network's own labels ----


@pytest.fixture(scope="module")
def teacher():
    """A network that is not trained, a pool without labels, the hidden labels, and how sure it is of what it says."""
    unlabelled = tl.data.digits().few_labels(1).unlabelled
    network = tl.models.SmallCNN()
    sure, predicted = logits(network, unlabelled.images).softmax(1).max(1)
    return network, unlabelled.without_labels(), unlabelled.labels, sure, predicted


def chosen(sure, predicted, each=20):
    order = sure.argsort(descending=True)
    return torch.cat([order[predicted[order] == label][:each] for label in range(10)])


def split(pool, numbers, labels):
    return tl.data.Split(pool.images[numbers], labels[numbers], pool.classes)


def test_the_surest_of_each_class_with_the_networks_own_labels_are_right_in_any_order(teacher):
    network, pool, _, sure, predicted = teacher
    numbers = chosen(sure, predicted)
    assert tl.lessons.check("20.2", split(pool, numbers, predicted), network, pool).complete
    assert tl.lessons.check("20.2", split(pool, numbers.flip(0), predicted), network, pool).complete


def test_hidden_labels_are_not_the_networks_own(teacher):
    network, pool, hidden, sure, predicted = teacher
    assert "the network's own labels" in missing("20.2", split(pool, chosen(sure, predicted), hidden), network, pool)


def test_the_surest_of_all_are_not_even(teacher):
    network, pool, _, sure, predicted = teacher
    numbers = sure.argsort(descending=True)[: len(chosen(sure, predicted))]
    assert "20 of each class" in missing("20.2", split(pool, numbers, predicted), network, pool)


def test_any_20_of_a_class_are_not_the_surest(teacher):
    network, pool, _, sure, predicted = teacher
    verdict = tl.lessons.check("20.2", split(pool, chosen(-sure, predicted), predicted), network, pool)
    assert len(verdict.missing) == 1 and "the surest" in verdict.missing[0]


@pytest.mark.parametrize("answer", [None, [3, 4], torch.zeros(3)])
def test_what_is_not_a_split_is_named(answer, teacher):
    network, pool, *_ = teacher
    assert "a Split with labels" in missing("20.2", answer, network, pool)


def test_a_split_without_labels_or_with_other_images_gets_what_is_missing(teacher):
    network, pool, *_, predicted = teacher
    assert "a Split with labels" in missing("20.2", pool, network, pool)
    wrong = tl.data.Split(torch.rand(10, 1, 8, 8), torch.arange(10), pool.classes)
    assert "of images of the pool" in missing("20.2", wrong, network, pool)
    small = tl.data.Split(torch.rand(10, 1, 4, 4), torch.arange(10), pool.classes)
    assert "images of the pool" in missing("20.2", small, network, pool)
    none = split(pool, torch.tensor([], dtype=torch.long), predicted)
    assert "20 of each class" in missing("20.2", none, network, pool)


# ---- 20.3: where two methods are separated ----


@pytest.fixture
def classical():
    """LabelSpreading is far ahead with 1 label, and level with 5."""
    recipes = dict.fromkeys(("LabelSpreading", "SelfTraining"), lambda task, seed: None)
    comparison = tl.compare(recipes, tl.data.digits(), seeds=range(5), budgets=(1, 5))
    for seed in range(5):
        for name, first, other in (("LabelSpreading", 0.8, 0.9), ("SelfTraining", 0.6, 0.9)):
            noise = seed / 100 if name == "SelfTraining" else 0.02
            for budget, value in ((1, first), (5, other)):
                comparison.trials.append(Trial({"recipe": name, "budget": budget}, seed, None, value + noise, 0))
    return comparison


def test_the_budgets_whose_interval_leaves_zero_out_are_right(classical):
    assert tl.lessons.check("20.3", [1], classical).complete


@pytest.mark.parametrize(
    ("answer", "words"),
    [([], "all of them"), ([1, 5], "only budgets"), ([5], "only budgets"), ([2], "a list of"), (1, "a list of")],
)
def test_other_budgets_get_what_is_missing(answer, words, classical):
    assert words in missing("20.3", answer, classical)
