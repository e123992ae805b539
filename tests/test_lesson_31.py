"""The exercises of lesson 31: a right answer is complete, a wrong one gets what is missing."""

from __future__ import annotations

import pytest

import tlkit as tl
from tlkit.freezing import FreezePlan, Rule

BLOCKS = ("block1", "block2", "block3")
NETWORK = tl.models.SmallCNN()
PLAN = tl.freezing.discriminative_rates(NETWORK, decay=0.4)


def missing(exercise, answer, *judged_by):
    return " ".join(tl.lessons.check(exercise, answer, *judged_by).missing)


def plan(*, rate=0.1, start=0.5, features=1.0, blocks=BLOCKS):
    frozen = [Rule(block, None) for block in BLOCKS]
    thawed = [Rule(block, rate, start) for block in blocks]
    return FreezePlan((*frozen, *thawed, Rule("features", features), Rule("head")))


def test_the_plan_that_was_asked_for_is_complete():
    assert not missing("31.1", plan(), NETWORK)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (plan(rate=0.2), "learn at 0.1 in the whole second half"),
        (plan(start=0.4), "frozen in the whole first half"),
        (plan(start=0.6), "learn at 0.1 in the whole second half"),
        (plan(blocks=BLOCKS[:2]), "learn at 0.1 in the whole second half"),
        (plan(features=0.5), "features and head at the rate 1 from the start"),
        (FreezePlan((Rule("head"),)), "a plan for this network"),
        ([Rule("head")], "a FreezePlan; this is a list"),
    ],
)
def test_another_plan_gets_what_is_missing(answer, words):
    assert words in missing("31.1", answer, NETWORK)


@pytest.mark.parametrize("answer", [0.001 / 0.4**4, 0.0391, 0.039, 0.04])
def test_the_learning_rate_may_be_rounded(answer):
    assert not missing("31.2", answer, PLAN)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.001, "it learns at 2.6e-05"),
        (0.001 / 0.4**5, "it learns at 0.0025"),
        (0.041, "an lr with which block1 learns at 0.001"),
        ("0.039", "a number, such as 0.003; this is a str"),
        (True, "this is a bool"),
    ],
)
def test_another_learning_rate_gets_the_rate_that_block1_would_have(answer, words):
    assert words in missing("31.2", answer, PLAN)


def test_hints_name_only_what_the_lesson_has():
    lesson = tl.lessons.find("31").path.read_text(encoding="utf-8")
    for exercise, answer, judged_by in (("31.1", plan(rate=0.2), NETWORK), ("31.2", 0.001, PLAN)):
        hints = " ".join(hint for _, hint in tl.lessons.check(exercise, answer, judged_by).hints)
        for name in ("tl.freezing.FreezePlan", 'plans["discriminative"]'):
            assert name not in hints or name.replace('"', '\\"') in lesson
