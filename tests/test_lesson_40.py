"""The exercises of lesson 40: a right answer is complete, a wrong one gets what is missing; and what it relies on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import torch

import tlkit as tl


@pytest.fixture(scope="module")
def printed():
    return tl.data.glyphs(count=2_000)


@pytest.fixture(scope="module")
def network(printed):
    return tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), printed, steps=60, fast=True).finish().network


@pytest.fixture(scope="module")
def nameless(network):
    lost = network.copy()
    mixed = torch.randperm(10, generator=torch.Generator().manual_seed(0))
    for weights in lost.head.parameters():
        weights.data = weights.data[mixed]
    return lost, tuple(tl.data.digits().classes[number] for number in mixed)


def missing(exercise, answer, *judged_by):
    return tl.lessons.check(exercise, answer, *judged_by).missing


def test_the_lost_order_of_the_classes_is_accepted(nameless, printed):
    lost, order = nameless
    assert not missing("40.1", order, lost, printed.test)
    assert not missing("40.1", list(order), lost, printed.test)


def test_the_solution_of_the_lesson_finds_the_order(nameless, printed):
    lost, order = nameless
    confusion = tl.evaluate(lost, printed.test).confusion
    assert tuple(printed.classes[int(column.argmax())] for column in confusion.T) == order


def test_another_order_gets_what_is_missing(nameless, printed):
    lost, order = nameless
    swapped = (order[1], order[0], *order[2:])
    outputs = tuple(str(order.index(name)) for name in printed.classes)  # of each name its output
    assert "another name for 2 of the outputs" in missing("40.1", swapped, lost, printed.test)[0]
    assert any("not the outputs in the order of the names" in m for m in missing("40.1", outputs, lost, printed.test))
    for wrong in (order[:9], (*order[:9], order[0]), "0123456789", 7):
        assert "each once" in missing("40.1", wrong, lost, printed.test)[0]


def mixture(source, target):
    spread = (source[1] + target[1]) / 2 + ((source[0] - target[0]) / 2) ** 2
    return (source[0] + target[0]) / 2, spread


def test_the_statistics_of_a_mixture_are_accepted():
    assert not missing("40.2", mixture)
    assert not missing("40.2", lambda source, target: torch.tensor(mixture(source, target)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda s, t: ((s[0] + t[0]) / 2, (s[1] + t[1]) / 2), "a variance that grows as the means move apart"),
        (lambda s, t: (t[0], mixture(s, t)[1]), "the mean of all images together"),
        (lambda s, t: (mixture(s, t)[0], t[1]), "the mean of both variances"),
        (lambda s, t: (s[0] + t[0]) / 2, "a pair (mean, variance), from two such pairs"),
        (lambda source: source, "a pair (mean, variance), from two such pairs"),
        ((0, 1), "this is a tuple"),
    ],
)
def test_other_statistics_get_what_is_missing(wrong, words):
    assert any(words in line for line in missing("40.2", wrong))


def test_folders_named_by_words_are_sorted_as_the_lesson_says():
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert "".join(str(words.index(word)) for word in sorted(words)) == "8549176320"


def test_a_source_in_another_order_is_repaired_by_the_names(network, printed):
    """The head stays; the numbers of the labels change, and with them what counts as right."""
    order = tuple("8549176320")
    other = replace(printed, train=printed.train.with_classes(order))
    assert other.test.classes == other.validation.classes == order
    right = tl.evaluate(network, printed.test).accuracy
    assert tl.evaluate(network, other.test).accuracy < 0.3 < right
    assert tl.evaluate(network, other.test.with_classes(printed.classes)).accuracy == right


def test_what_adapts_has_no_label_of_the_target():
    digits = tl.data.digits()
    domains = digits.adapted_to(digits.shifted(tl.data.Shift("contrast")))
    assert domains.unlabelled.labels is None and domains.train.labels is not None
    assert domains.redraw(3).unlabelled.labels is None


def test_the_same_weights_fail_with_the_statistics_of_both_domains():
    """What once made an adapted network look like a failure: at test time batch norm held a mixture."""
    digits = tl.data.digits()
    domains = digits.adapted_to(digits.shifted(tl.data.Shift("contrast")))
    both = tl.data.PairedBatches(domains.train, domains.unlabelled, ratio=1, batch_size=64)
    objective = tl.objectives.CORAL(augment=tl.data.weak)
    aligned = tl.Run(tl.models.SmallCNN(), objective, both, steps=80, fast=True).finish().network
    mixed = torch.cat([domains.train.images, domains.unlabelled.images])
    target, mixture, source = (
        tl.evaluate(tl.models.adapt_batchnorm(aligned, images), domains.test).accuracy
        for images in (domains.unlabelled, mixed, domains.train)
    )
    assert target > mixture + 0.2 and mixture > source
    assert abs(tl.evaluate(aligned, domains.test).accuracy - target) < 0.15  # its own statistics follow the target


@pytest.fixture(scope="module")
def strengths():
    return asyncio.run(tl.lessons.recorded("40_strengths", pytest.fail))


def test_the_recorded_curves_say_what_the_lesson_says_of_them(strengths):
    inverted = {"kind": "inversion", "strength": 1}
    for name in strengths.recipes.keys() - {"source only"}:
        assert strengths.difference(name, "source only", inverted).low < 0
    for name in ("CORAL", "MMD"):
        assert strengths.difference(name, "source only", inverted).mean < 0
    for name in strengths.recipes:
        assert strengths.mean(name, {"kind": "inversion", "strength": 0.5}) < 0.2


def test_the_claim_about_new_statistics_falls_with_another_camera(strengths):
    asked = {"better_than": "source only", "by": 30}
    assert strengths.claim("new statistics", at={"kind": "contrast", "strength": 1}, **asked).holds is True
    assert strengths.claim("new statistics", at={"kind": "inversion", "strength": 1}, **asked).holds is False
