"""Comparisons and claims, with recipes whose accuracy is given: nothing is trained but where a Run is meant."""

from __future__ import annotations

import pytest
import torch
from helpers import Knowing, measured, recipe, run, task
from scipy.stats import ttest_rel

import tlkit as tl
from tlkit.experiments import Sample

HIGH = (0.91, 0.90, 0.93, 0.92, 0.90)
LOW = (0.71, 0.73, 0.70, 0.74, 0.71)
NEAR = (0.90, 0.91, 0.92, 0.92, 0.91)  # differs from HIGH by one point at most
LUCKY = (0.72, 0.73, 0.71, 0.73, 0.95)  # beats LOW by luck on one seed


# ---- comparing ----


def test_all_recipes_of_one_seed_and_budget_get_the_very_same_task():
    given = {}

    def keeping(name):
        def make(task, seed):
            given[name, len(task.train), seed] = task
            return Knowing(0.5)

        return make

    tl.compare({"x": keeping("x"), "y": keeping("y")}, task(), range(2), (1, 5)).finish()
    assert set(given) == {(name, 3 * budget, seed) for name in "xy" for budget in (1, 5) for seed in range(2)}
    assert all(given["x", *drawn] is given["y", *drawn] for _, *drawn in given)


def test_each_seed_draws_a_task_of_its_own():
    tasks = []
    tl.compare({"x": lambda few, seed: tasks.append(few) or Knowing(1)}, task(), range(2), (1,)).finish()
    assert not tasks[0].test.images.equal(tasks[1].test.images)


def test_trials_are_made_seed_by_seed_budget_by_budget_recipe_by_recipe():
    comparison = measured({"x": HIGH, "y": LOW}, seeds=2, budgets=(1, 5))
    order = [(trial.seed, trial.budget, trial.recipe) for trial in comparison.trials]
    assert order == [(s, b, name) for s in (0, 1) for b in (1, 5) for name in "xy"]


def test_a_trial_is_tested_on_the_test_images_of_its_task():
    assert measured({"x": HIGH}).accuracy("x", at=1) == pytest.approx(dict(enumerate(HIGH)))


def test_a_run_is_taken_step_by_step_and_tested_when_it_is_finished():
    going = tl.compare({"run": lambda few, seed: run(4, data=few.train)}, task(), range(1), (5,))
    assert [type(item).__name__ for item in going] == ["Step"] * 4 + ["Trial"]
    few = task().few_labels(5, seed=0)
    expected = tl.evaluate(run(4, data=few.train).finish(), few.test).accuracy
    assert going.accuracy("run", at=5) == {0: expected}


def compared():
    recipes = {"run": lambda few, seed: run(4, data=few.train, seed=seed), "fixed": recipe(LOW)}
    return tl.compare(recipes, task(), range(3), (5, 10))


def accuracies(comparison):
    return [(t.recipe, t.budget, t.seed, t.accuracy) for t in comparison.trials]


def test_a_stopped_comparison_keeps_what_it_has_and_goes_on():
    stopped = compared()
    for number, _ in enumerate(stopped):
        if number == 12:  # in the middle of a run
            stopped.stop()
    kept = accuracies(stopped)
    assert 0 < len(kept) < len(stopped.plan) and stopped.run.step == 1
    assert accuracies(stopped.finish())[: len(kept)] == kept
    assert accuracies(stopped) == accuracies(compared().finish())


def test_a_run_that_has_failed_is_not_recorded_as_a_finished_trial():
    failing = tl.compare({"run": lambda few, seed: run(20, data=few.train, lr=1e30)}, task(), range(1), (5,))
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="at step"):
            failing.finish()
    assert failing.trials == []


def test_nothing_is_trained_before_it_is_asked_for():
    asked = []
    waiting = tl.compare({"x": lambda few, seed: asked.append(seed) or Knowing(1)}, task(), range(2), (1,))
    assert (asked, waiting.trials, waiting.present, waiting.finished) == ([], [], (0, 1, "x"), False)
    waiting.finish()
    assert (waiting.present, waiting.finished) == (None, True)


def test_a_skipped_budget_is_not_measured():
    comparison = measured({"x": HIGH}, budgets=(1, 5), skip=(5,))
    assert {trial.budget for trial in comparison.trials} == {1}
    assert comparison.accuracy("x", at=5) == {}


def test_the_trials_of_some_seeds_are_a_comparison_of_their_own():
    part = measured({"x": HIGH, "y": LOW}).with_seeds((0, 1))
    assert part.seeds == (0, 1) and part.finished
    assert part.difference("x", "y", at=1).values == pytest.approx((20, 17))


def test_a_difference_is_paired_by_seed_as_far_as_both_are_measured():
    comparison = measured({"x": HIGH, "y": LOW})
    assert comparison.difference("x", "y", at=1).values == pytest.approx((20, 17, 23, 18, 19))
    comparison.trials = [t for t in comparison.trials if (t.recipe, t.seed) != ("y", 2)]
    assert comparison.difference("x", "y", at=1).values == pytest.approx((20, 17, 18, 19))
    comparison.trials = []
    assert comparison.difference("x", "y", at=1) is None


def test_a_comparison_says_what_it_compares():
    assert repr(measured({"x": HIGH, "y": LOW}, budgets=(1, 5))) == (
        "Comparison of x, y: 20 of 20 trials, 5 seeds, 1, 5 labels per class"
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(recipes={}), "at least one recipe, one seed and one budget"),
        (dict(seeds=()), "at least one recipe, one seed and one budget"),
        (dict(budgets=(1,), skip=(1,)), "one budget that is not skipped"),
        (dict(budgets=(1, 21)), 'per_class=21, but class "a" has only 20'),
        (dict(budgets=(0,)), "per_class=0, but each class needs at least 1"),
    ],
    ids=["no recipe", "no seed", "all skipped", "too many labels", "no labels"],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(call, words):
    with pytest.raises(ValueError, match=words):
        tl.compare(**{"recipes": {"x": recipe(HIGH)}, "task": task()} | call)


def test_a_recipe_has_one_of_the_families_of_the_course():
    with pytest.raises(ValueError, match="family='pretrained'; use one of 'pre-trained', 'from scratch'"):
        tl.Recipe(recipe(HIGH), family="pretrained")


# ---- intervals ----


@pytest.mark.parametrize("n", [2, 5, 30])
def test_the_interval_is_that_of_a_paired_t_test(n):
    torch.manual_seed(n)
    first, second = torch.randn(2, n).double() * 5 + 70
    expected = ttest_rel(first, second).confidence_interval(0.95)
    sample = Sample(tuple((first - second).tolist()))
    assert (sample.low, sample.high) == pytest.approx((expected.low, expected.high))


def test_one_seed_has_no_interval_and_separates_nothing():
    sample = Sample((12.0,))
    assert (sample.mean, sample.low, sample.high, sample.separated) == (12, None, None, False)


@pytest.mark.parametrize(
    ("values", "separated"),
    [((1, 2, 3, 2), True), ((-1, -2, -3, -2), True), ((-1, 2, 1, 0), False), ((0, 0, 0), False)],
)
def test_a_sample_is_separated_where_its_interval_excludes_zero(values, separated):
    assert Sample(values).separated is separated


def test_wins_are_the_values_above_zero():
    assert Sample((1, 0, -1, 2)).wins == 2


# ---- claims ----

CLAIMS = {
    "better, by enough": (HIGH, LOW, dict(better_than="y", by=10), True, ""),
    "better, and zero is outside": (HIGH, LOW, dict(better_than="y"), True, ""),
    "better, but by less": (HIGH, LOW, dict(better_than="y", by=30), False, "smaller than 30 points"),
    "better by luck": (LUCKY, LOW, dict(better_than="y"), False, "zero is inside"),
    "better, on average by enough, by luck": (LUCKY, LOW, dict(better_than="y", by=4), False, "zero is inside"),
    "worse": (LOW, HIGH, dict(better_than="y"), False, "the other way round"),
    "level": (NEAR, HIGH, dict(level_with="y", within=2), True, ""),
    "level, but not so closely": (NEAR, HIGH, dict(level_with="y", within=0.5), False, "reaches beyond 0.5 points"),
    "not level": (HIGH, LOW, dict(level_with="y"), False, "reaches beyond 2 points"),
    "unsure, so not level": (LUCKY, LOW, dict(level_with="y", within=5), False, "reaches beyond 5 points"),
    "no better": (NEAR, HIGH, dict(no_better_than="y", by=5), True, ""),
    "worse, so no better": (LOW, HIGH, dict(no_better_than="y"), True, ""),
    "better after all": (HIGH, LOW, dict(no_better_than="y", by=5), False, "the interval reaches 5 points"),
    "unsure, so not no better": (LUCKY, LOW, dict(no_better_than="y", by=6), False, "the interval reaches 6 points"),
}


@pytest.mark.parametrize(("x", "y", "test", "holds", "reason"), CLAIMS.values(), ids=CLAIMS)
def test_a_claim_holds_when_its_whole_interval_bears_it(x, y, test, holds, reason):
    claim = measured({"x": x, "y": y}).claim("x", at=1, **test)
    assert claim.holds is holds
    assert reason in claim.reason and bool(claim.reason) is not holds
    assert claim.seeds == 5


KINDS = pytest.mark.parametrize("kind", ["better_than", "level_with", "no_better_than"])


@KINDS
def test_a_claim_on_a_skipped_budget_is_undecided(kind):
    comparison = measured({"x": HIGH, "y": LOW}, budgets=(1, 5), skip=(5, 20))
    for skipped in (5, 20):
        claim = comparison.claim("x", at=skipped, **{kind: "y"})
        assert (claim.holds, claim.wrong_winner) == (None, None)
        assert claim.reason == f"{skipped} labels per class are not measured at this scale"


@KINDS
def test_a_claim_with_fewer_than_five_seeds_is_undecided_whatever_they_say(kind):
    for first, second in ((HIGH, LOW), (NEAR, HIGH), (LOW, HIGH)):
        claim = measured({"x": first, "y": second}, seeds=4).claim("x", at=1, **{kind: "y"})
        assert (claim.holds, claim.reason) == (None, "4 seeds measured: 5 are needed")


def test_a_claim_before_anything_is_measured_is_undecided():
    claim = tl.compare({"x": recipe(HIGH), "y": recipe(LOW)}, task(), range(5), (1,)).claim("x", better_than="y", at=1)
    assert (claim.holds, claim.reason) == (None, "0 seeds measured: 5 are needed")


def test_a_claim_says_how_often_one_seed_would_have_named_the_wrong_winner():
    comparison = measured({"x": (0.8, 0.8, 0.8, 0.8, 0.7), "y": (0.7, 0.7, 0.7, 0.8, 0.8)})
    assert comparison.claim("x", better_than="y", at=1).wrong_winner == 1 / 5
    assert comparison.claim("y", better_than="x", at=1).wrong_winner == 1 / 5


def test_a_claim_is_a_sentence():
    comparison = measured({"x": HIGH, "y": LOW}, budgets=(1, 5))
    assert repr(comparison.claim("x", better_than="y", at=1, by=5)) == (
        "Holds: with 1 label per class, x is better than y by 5 points"
    )
    assert repr(comparison.claim("x", level_with="y", at=5)) == (
        "Does not hold: with 5 labels per class, x is level with y within 2 points"
    )
    assert repr(comparison.claim("y", no_better_than="x", at=5, text="It is so")) == "Holds: It is so"


def test_the_sentence_is_the_same_where_it_is_not_measured():
    calls = dict(better_than="y", at=5, by=5)
    texts = {measured({"x": HIGH, "y": LOW}, budgets=(1, 5), skip=s).claim("x", **calls).text for s in ((), (5,))}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            dict(name="heed kept", better_than="scratch", at=1),
            '"heed kept" was not compared.*did you mean "head kept"?',
        ),
        (dict(name="head kept", better_than="scrach", at=1), "'head kept', 'scratch'; did you mean \"scratch\"?"),
        (dict(name="head kept", better_than="scratch", at=7), "7 labels per class were not compared; there are 1, 5"),
        (dict(name="head kept", at=1), "exactly one of better_than=, level_with= and no_better_than="),
        (dict(name="head kept", better_than="scratch", level_with="scratch", at=1), "exactly one of"),
    ],
    ids=["name", "other name", "budget", "no test", "two tests"],
)
def test_a_claim_on_what_was_not_compared_says_what_was(call, words):
    comparison = measured({"head kept": HIGH, "scratch": LOW}, budgets=(1,), skip=(5,))
    with pytest.raises(ValueError, match=words):
        comparison.claim(**call)


def test_an_unlike_name_gets_the_list_and_no_guess():
    with pytest.raises(ValueError, match=r"\"q\" was not compared; there are 'head kept'$"):
        measured({"head kept": HIGH}).accuracy("q", at=1)
