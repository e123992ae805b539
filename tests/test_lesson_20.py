"""The exercises of lesson 20 say what is right and what is missing, for right answers and for several wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tlkit as tl
from tlkit.models.networks import logits
from tlkit.trial_file import Trial

LESS, MORE = "LabelSpreading", "nearest neighbour"


def missing(exercise, answer, *judged_by):
    return " ".join(tl.lessons.check(exercise, answer, *judged_by).missing)


@pytest.fixture(scope="module")
def teacher():
    """A network that is not trained, a pool without labels, the hidden labels, and how sure it is of what it says."""
    unlabelled = tl.data.digits().few_labels(1).unlabelled
    assert unlabelled is not None
    network = tl.models.SmallCNN()
    sure, predicted = logits(network, unlabelled.images).softmax(1).max(1)
    return network, unlabelled.without_labels(), unlabelled.labels, sure, predicted


# ---- 20.1: the lowest threshold at which nine in ten are right ----


class Surer(torch.nn.Module):
    """Of the first images it is surer than of the later ones; where it is surer than 0.7, nine in ten are right."""

    def forward(self, images):
        count = len(images)
        sure = torch.linspace(0.99, 0.2, count)
        says = torch.where((sure >= 0.7) & (torch.arange(count) % 20 > 0), 3, 5)
        p = torch.full((count, 10), 0.0) + ((1 - sure) / 9)[:, None]
        return p.scatter(1, says[:, None], sure[:, None]).log()


THREES = tl.data.Split(torch.zeros(400, 1, 8, 8), torch.full((400,), 3), tuple("0123456789"))


def share_right(threshold):
    sure, says = Surer()(THREES.images).softmax(1).max(1)
    return float((says == 3)[sure >= threshold].float().mean())


LOWEST = min(hundredth / 100 for hundredth in range(1, 100) if share_right(hundredth / 100) >= 0.9)


def test_the_lowest_threshold_that_is_strict_enough_is_right():
    assert 0.6 < LOWEST < 0.75
    assert tl.lessons.check("20.1", LOWEST, Surer(), THREES).complete
    assert tl.lessons.check("20.1", np.float64(LOWEST), Surer(), THREES).complete


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LOWEST - 0.01, "nine in ten right"),
        (LOWEST + 0.01, "a lower threshold does it too"),
        (0.99, "a lower threshold does it too"),
        (1.0, "nine in ten right"),
        (None, "a number above 0"),
        ("0.9", "a number above 0"),
        (True, "a number above 0"),
    ],
)
def test_another_threshold_gets_what_is_missing(answer, words):
    assert words in missing("20.1", answer, Surer(), THREES)


def test_without_hidden_labels_no_threshold_is_judged():
    with pytest.raises(ValueError, match="nobody knows which pseudo-labels are right"):
        tl.lessons.check("20.1", 0.9, Surer(), THREES.without_labels())


# ---- 20.2: the surest of each class, with the network's own labels ----


def chosen(sure, predicted, each=20):
    order = sure.argsort(descending=True)
    return torch.cat([order[predicted[order] == label][:each] for label in range(10)])


def split(pool, numbers, labels):
    return tl.data.Split(pool.images[numbers], labels[numbers], pool.classes)


def giving(*what):
    return lambda network, pool: split(pool, *what)


def test_the_surest_of_each_class_with_the_networks_own_labels_are_right_in_any_order(teacher):
    network, pool, _, sure, predicted = teacher
    numbers = chosen(sure, predicted)
    assert tl.lessons.check("20.2", giving(numbers, predicted), network, pool).complete
    assert tl.lessons.check("20.2", giving(numbers.flip(0), predicted), network, pool).complete


def test_hidden_labels_are_not_the_networks_own(teacher):
    network, pool, hidden, sure, predicted = teacher
    assert "the network's own labels" in missing("20.2", giving(chosen(sure, predicted), hidden), network, pool)


def test_the_surest_of_all_are_not_even(teacher):
    network, pool, _, sure, predicted = teacher
    numbers = sure.argsort(descending=True)[: len(chosen(sure, predicted))]
    assert "20 of each class" in missing("20.2", giving(numbers, predicted), network, pool)


def test_any_20_of_a_class_are_not_the_surest(teacher):
    network, pool, _, sure, predicted = teacher
    verdict = tl.lessons.check("20.2", giving(chosen(-sure, predicted), predicted), network, pool)
    assert len(verdict.missing) == 1 and "the surest" in verdict.missing[0]


@pytest.mark.parametrize("answer", [None, [3, 4], torch.zeros(3)])
def test_what_is_not_a_function_or_gives_no_split_is_named(answer, teacher):
    network, pool, *_ = teacher
    assert "a function of a network and a pool" in missing("20.2", answer, network, pool)
    assert "a Split with labels" in missing("20.2", lambda network, pool: answer, network, pool)


def test_a_function_that_fails_is_named_with_its_error(teacher):
    network, pool, *_ = teacher
    assert "ZeroDivisionError" in missing("20.2", lambda network, pool: 1 / 0, network, pool)
    assert "TypeError" in missing("20.2", lambda network: pool, network, pool)


def test_a_split_without_labels_or_with_other_images_gets_what_is_missing(teacher):
    network, pool, *_, predicted = teacher

    def given(answer):
        return missing("20.2", lambda network, pool: answer, network, pool)

    assert "a Split with labels" in given(pool)
    assert "of images of the pool" in given(tl.data.Split(torch.rand(10, 1, 8, 8), torch.arange(10), pool.classes))
    assert "images of the pool" in given(tl.data.Split(torch.rand(10, 1, 4, 4), torch.arange(10), pool.classes))
    assert "20 of each class" in given(split(pool, torch.tensor([], dtype=torch.long), predicted))


# ---- 20.3: where two methods are separated ----


@pytest.fixture
def classical():
    """The first is far ahead with 1 label, and level with 5."""
    recipes = dict.fromkeys((LESS, MORE), lambda task, seed: None)
    comparison = tl.compare(recipes, tl.data.digits(), seeds=range(5), budgets=(1, 5))
    for seed in range(5):
        for name, first, other in ((LESS, 0.8, 0.9), (MORE, 0.6, 0.9)):
            noise = seed / 100 if name == MORE else 0.02
            for budget, value in ((1, first), (5, other)):
                comparison.trials.append(Trial({"recipe": name, "budget": budget}, seed, None, value + noise, 0))
    return comparison


def test_the_budgets_whose_interval_leaves_zero_out_are_right(classical):
    assert tl.lessons.check("20.3", [1], classical, LESS, MORE).complete


@pytest.mark.parametrize(
    ("answer", "words"),
    [([], "all of them"), ([1, 5], "only budgets"), ([5], "only budgets"), ([2], "a list of"), (1, "a list of")],
)
def test_other_budgets_get_what_is_missing(answer, words, classical):
    assert words in missing("20.3", answer, classical, LESS, MORE)
