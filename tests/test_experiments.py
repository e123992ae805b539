"""Comparisons and claims, with recipes whose accuracy is fixed: nothing is trained except where a Run is meant."""

from __future__ import annotations

import resource
from functools import partial

import numpy as np
import pytest
import torch
from helpers import Knowing, measured, network, recipe, run, task
from scipy.stats import ttest_rel
from sklearn.metrics import log_loss

import tlkit as tl
from tlkit.intervals import Interval, decide
from tlkit.trial_file import Trial

HIGH = (0.91, 0.90, 0.93, 0.92, 0.90)
LOW = (0.71, 0.73, 0.70, 0.74, 0.71)
NEAR = (0.90, 0.91, 0.92, 0.92, 0.91)  # differs from HIGH by one point at most
LUCKY = (0.72, 0.73, 0.71, 0.73, 0.95)  # beats LOW by luck on one seed


# ---- comparing ----


def test_all_recipes_of_one_seed_and_budget_get_the_very_same_task():
    tasks = {}

    def keeping(name):
        def make(task, seed):
            tasks[name, len(task.train), seed] = task
            return Knowing(0.5)

        return make

    tl.compare({"x": keeping("x"), "y": keeping("y")}, task(), range(2), (1, 5)).finish()
    assert set(tasks) == {(name, 3 * budget, seed) for name in "xy" for budget in (1, 5) for seed in range(2)}
    assert all(tasks["x", *drawn] is tasks["y", *drawn] for _, *drawn in tasks)


def test_each_seed_draws_a_task_of_its_own():
    tasks = []
    tl.compare({"x": lambda few, seed: tasks.append(few) or Knowing(1)}, task(), range(2), (1,)).finish()
    assert not tasks[0].test.images.equal(tasks[1].test.images)


def test_trials_are_made_seed_by_seed_budget_by_budget_recipe_by_recipe():
    comparison = measured({"x": HIGH, "y": LOW}, seeds=2, budgets=(1, 5))
    order = [(trial.seed, trial.settings["budget"], trial.settings["recipe"]) for trial in comparison.trials]
    assert order == [(s, b, name) for s in (0, 1) for b in (1, 5) for name in "xy"]


def test_a_trial_is_tested_on_the_test_images_of_its_task():
    assert measured({"x": HIGH}).values("x", at=1) == pytest.approx(dict(enumerate(HIGH)))


def test_a_run_is_taken_step_by_step_and_tested_when_it_is_finished():
    going = tl.compare({"run": lambda few, seed: run(4, data=few.train)}, task(), range(1), (5,))
    assert [type(item).__name__ for item in going] == ["Step"] * 4 + ["Trial"]
    few = task().few_labels(5, seed=0)
    expected = tl.evaluate(run(4, data=few.train).finish(), few.test).accuracy
    assert going.values("run", at=5) == {0: expected}


def compared():
    recipes = {"run": lambda few, seed: run(4, data=few.train, seed=seed), "fixed": recipe(LOW)}
    return tl.compare(recipes, task(), range(3), (5, 10))


def measurements(comparison):
    return [(t.settings, t.seed, t.value) for t in comparison.trials]


def test_a_stopped_comparison_keeps_what_it_has_and_goes_on():
    stopped = compared()
    for number, _ in enumerate(stopped):
        if number == 12:  # in the middle of a run
            stopped.stop()
    kept = measurements(stopped)
    assert 0 < len(kept) < len(stopped.setups) and stopped.run.step == 1
    assert measurements(stopped.finish())[: len(kept)] == kept
    assert measurements(stopped) == measurements(compared().finish())


def test_a_run_that_has_failed_is_not_recorded_as_a_finished_trial():
    failing = tl.compare({"run": lambda few, seed: run(20, data=few.train, lr=1e30)}, task(), range(1), (5,))
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="at step"):
            failing.finish()
    assert failing.trials == []


def test_nothing_is_trained_before_it_is_iterated():
    calls = []
    waiting = tl.compare({"x": lambda few, seed: calls.append(seed) or Knowing(1)}, task(), range(2), (1,))
    assert (calls, waiting.trials, waiting.present, waiting.finished) == (
        [],
        [],
        ({"recipe": "x", "budget": 1}, 0),
        False,
    )
    waiting.finish()
    assert (waiting.present, waiting.finished) == (None, True)


def test_a_skipped_budget_is_not_measured():
    comparison = measured({"x": HIGH}, budgets=(1, 5), skip=(5,))
    assert {trial.settings["budget"] for trial in comparison.trials} == {1}
    assert comparison.values("x", at=5) == {}


def test_the_trials_of_some_seeds_are_a_comparison_of_their_own():
    part = measured({"x": HIGH, "y": LOW}).with_seeds((0, 1))
    assert part.seeds == (0, 1) and part.finished
    assert part.difference("x", "y", at=1).values == pytest.approx((20, 17))


def test_seeds_that_were_not_compared_are_no_part_of_a_comparison():
    with pytest.raises(ValueError, match="the seed 9 was not compared; there are 0, 1, 2, 3, 4"):
        measured({"x": HIGH, "y": LOW}).with_seeds((0, 9))


def test_a_difference_is_paired_by_seed_as_far_as_both_are_measured():
    comparison = measured({"x": HIGH, "y": LOW})
    assert comparison.difference("x", "y", at=1).values == pytest.approx((20, 17, 23, 18, 19))
    comparison.trials = [t for t in comparison.trials if (t.settings["recipe"], t.seed) != ("y", 2)]
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
        (dict(budgets=(-1,)), "per_class=-1, but a class keeps at least 0 labels"),
    ],
    ids=["no recipe", "no seed", "all skipped", "too many labels", "no labels"],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(call, words):
    with pytest.raises(ValueError, match=words):
        tl.compare(**{"recipes": {"x": recipe(HIGH)}, "task": task()} | call)


def test_a_recipe_has_one_of_the_families_of_the_course():
    with pytest.raises(ValueError, match="family='pretrained'; use one of 'pre-trained', 'from scratch'"):
        tl.Recipe(recipe(HIGH), family="pretrained")


# ---- axes ----


def by_layer(seeds: int = 5, **options):
    """Two recipes over budgets and layers; the seed, the budget and the layer decide the accuracy."""
    reached = {"early": 0.6, "late": 0.8}

    def near(task, seed, layer):
        return Knowing(reached[layer] + seed / 100)

    def far(task, seed, layer):
        return Knowing(reached[layer] - 0.1)

    options = {"budgets": [1, 5], "over": {"layer": ("early", "late")}} | options
    return tl.compare({"near": near, "far": far}, task(), range(seeds), **options)


def test_a_further_axis_reaches_the_recipe_by_name_and_is_part_of_each_trial():
    made = by_layer().finish()
    assert len(made.trials) == 2 * 5 * 2 * 2
    assert made.trials[0].settings == {"recipe": "near", "budget": 1, "layer": "early"}
    assert made.values("near", at={"budget": 5, "layer": "late"}) == pytest.approx(
        {seed: 0.8 + seed / 100 for seed in range(5)}
    )
    assert made.axis == "layer"


def test_an_axis_with_one_value_may_be_left_out():
    made = by_layer(budgets=[5]).finish()
    assert made.mean("far", {"layer": "early"}) == 0.5
    claim = made.claim("near", better_than="far", at={"layer": "late"}, by=5)
    assert repr(claim) == "Holds: with 5 labels per class, layer late, near is better than far by 5 points"
    assert claim.at == {"budget": 5, "layer": "late"}


def test_a_comparison_over_layers_says_them():
    assert repr(by_layer(2)) == (
        "Comparison of near, far: 0 of 16 trials, 2 seeds, 1, 5 labels per class; layer: early, late"
    )


def test_a_skipped_layer_is_undecided():
    made = by_layer(budgets=[5], skip={"layer": ["late"]}).finish()
    claim = made.claim("near", better_than="far", at={"layer": "late"})
    assert (claim.holds, claim.reason) == (None, "not measured at this scale: layer late")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (5, r"at= leaves layer open; write at=\{'layer': ...\}; there are early, late"),
        ({"layer": "early"}, r"at= leaves budget open; write at=\{'budget': ...\}; there are 1, 5"),
        ({"layer": "middle", "budget": 1}, "with layer middle nothing was compared; there are early, late"),
        ({"depth": 3}, "there is no axis 'depth'; this comparison has budget, layer"),
        ("early", "with early labels per class nothing was compared; there are 1, 5"),
    ],
)
def test_a_place_that_was_not_compared_says_which_were(at, words):
    with pytest.raises(ValueError, match=words):
        by_layer().claim("near", better_than="far", at=at)


def test_a_recipe_that_does_not_take_the_axis_is_refused_before_anything_is_trained():
    with pytest.raises(
        TypeError, match=r'recipe "x" cannot be called: .*layer.*; write def recipe\(task, seed, layer\)'
    ):
        tl.compare({"x": recipe(HIGH)}, task(), over={"layer": ("early",)})


def test_no_labels_and_all_labels_are_budgets():
    seen = {}

    def looking(few, seed):
        seen[len(few.train), seed] = few
        return Knowing(0.5)

    made = tl.compare({"x": looking}, task(), range(2), (0, 1, "all")).finish()
    assert set(seen) == {(size, seed) for size in (0, 3, 60) for seed in range(2)}
    assert not seen[60, 0].test.images.equal(seen[60, 1].test.images)  # a seed draws the split there too
    assert made.claim("x", level_with="x", at=0, text="").text.startswith("with no label, x is level")
    assert made.mean("x", at="all") == 0.5
    assert repr(made).endswith("2 seeds, 0, 1, all labels per class")


@pytest.mark.parametrize("budget", [1.5, "some"])
def test_a_budget_that_is_not_a_number_of_labels_is_refused(budget):
    with pytest.raises(
        ValueError, match=f"the budget {budget!r} is not a number of labels per class; use whole numbers"
    ):
        tl.compare({"x": recipe(HIGH)}, task(), budgets=(budget,))


# ---- metrics ----


def test_any_number_of_the_report_can_be_compared():
    made = tl.compare({"x": recipe(HIGH), "y": recipe(LOW)}, task(), range(5), [20], metric="f1").finish()
    trial = made.trials[0]
    assert trial.value == trial.report.macro["f1"] == made.values("x", 20)[0]
    assert made.claim("x", better_than="y", at=20, by=5).holds


def test_where_lower_is_better_better_means_lower():
    def with_weights_times(factor):
        def make(few, seed):
            net = network(seed)
            net.head.weight.data *= factor
            return net

        return make

    recipes = {"unsure": with_weights_times(0), "too sure": with_weights_times(30)}
    made = tl.compare(recipes, task(), range(5), [20], metric="log_loss").finish()
    for trial in made.trials:
        probabilities = trial.report.probabilities.double().numpy()
        probabilities /= probabilities.sum(1, keepdims=True)
        assert trial.value == pytest.approx(log_loss(trial.report.labels, probabilities, labels=range(3)), rel=1e-3)
    gap = made.values("too sure", 20)[0] - made.values("unsure", 20)[0]
    assert made.difference("unsure", "too sure", 20).values[0] == gap > 0.1
    claim = made.claim("unsure", better_than="too sure", at=20, by=0.1)
    assert claim.holds and claim.unit == "" and claim.text.endswith("unsure is better than too sure by 0.1")


def test_a_function_of_run_and_task_can_be_compared():
    def steps_a_label(run, task):
        return run.step / len(task.train)

    made = tl.compare({"x": lambda few, seed: run(6, data=few.train)}, task(), range(2), (1, 2), metric=steps_a_label)
    assert made.finish().mean("x", 1) == 2 and made.mean("x", 2) == 1
    assert made.trials[0].report is None and made.metric.name == "steps_a_label"


def test_a_metric_that_needs_probabilities_is_refused_for_recipes_that_only_predict():
    with pytest.raises(
        ValueError, match="names classes, not how probable they are, so it has no log loss; compare its"
    ):
        tl.compare({"x": recipe(HIGH)}, task(), range(1), (1,), metric="log_loss").finish()


def test_an_unknown_metric_names_the_known_ones():
    with pytest.raises(ValueError, match=r"no metric 'acuracy'; use one of accuracy, .* log_loss, .*mean 'accuracy'\?"):
        tl.compare({"x": recipe(HIGH)}, task(), metric="acuracy")


def test_accuracy_is_counted_and_not_rounded_to_32_bits():
    assert tl.evaluate(Knowing(2 / 3), task(test=99).test).accuracy == 66 / 99


# ---- trials in a file ----


def filed(path, seeds=3, **options):
    calls = []

    def noted(few, seed):
        calls.append(seed)
        return run(4, data=few.train, seed=seed)

    recipes = {"noted": noted, "fixed": recipe(HIGH)}
    return tl.compare(recipes, task(), range(seeds), (5, 10), file=path, **options), calls


def test_trials_are_written_as_they_finish_and_a_comparison_goes_on_from_them(tmp_path):
    path = tmp_path / "folder" / "trials.jsonl"
    begun, _ = filed(path)
    for item in begun:
        if isinstance(item, Trial) and len(begun.trials) == 5:
            break
    again, calls = filed(path)
    assert measurements(again) == measurements(begun) and calls == []
    again.finish()
    assert calls == [1, 2, 2] and again.finished
    whole = filed(None)[0].finish()
    assert measurements(again) == measurements(whole)
    read = filed(path)[0].trials
    for one, other in zip(read, whole.trials, strict=True):
        assert one.report.confusion.equal(other.report.confusion) and one.report.classes == other.report.classes
        same = one.report.probabilities is other.report.probabilities  # None for what only predicts
        assert same or one.report.probabilities.equal(other.report.probabilities)


def test_more_seeds_go_on_from_the_file_and_fewer_read_only_theirs(tmp_path):
    filed(tmp_path / "trials")[0].finish()
    more, calls = filed(tmp_path / "trials", seeds=4)
    more.finish()
    assert calls == [3, 3] and len(more.trials) == 16
    assert len(filed(tmp_path / "trials", seeds=1)[0].trials) == 4


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_trial_that_was_cut_short_is_made_again(tmp_path, cut):
    path = tmp_path / "trials"
    whole = filed(path)[0].finish()
    path.write_bytes(path.read_bytes()[:-cut])
    again, _ = filed(path)
    assert len(again.trials) == len(whole.trials) - 1
    assert measurements(again.finish()) == measurements(whole)
    assert measurements(filed(path)[0]) == measurements(whole)


def test_a_full_disk_loses_no_trial_and_spoils_no_other(tmp_path):
    """With room for a part of the next trial only; then with more."""
    path = tmp_path / "trials"
    going, _ = filed(path)
    while len(going.trials) < 3:
        next(going)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(OSError):
            going.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before and len(going.trials) == 4
    assert len(filed(path)[0].trials) == 3
    going.finish()
    assert measurements(filed(path)[0]) == measurements(going) and len(going.trials) == 12


def test_the_last_trial_is_written_when_there_is_room_again(tmp_path, monkeypatch):
    going, _ = filed(tmp_path / "trials")
    for item in going:
        if isinstance(item, Trial) and len(going.trials) == 11:
            break
    with monkeypatch.context() as full, pytest.raises(OSError, match="full"):
        full.setattr("tlkit.trial_file.TrialFile.append", lambda *_: (_ for _ in ()).throw(OSError("full")))
        going.finish()
    assert going.finished and len(filed(tmp_path / "trials")[0].trials) == 11
    going.finish()
    assert len(filed(tmp_path / "trials")[0].trials) == 12


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(metric=lambda run, task: 1.0), "a file needs names: def a metric of your own"),
        (dict(over={"widths": [(16, 32)]}), "let axes have words or numbers as values"),
        (dict(over={"budget": [1]}), "'budget' cannot be an axis here"),
        (dict(over={"recipe": ["x"]}), "'recipe' cannot be an axis here"),
        (dict(skip={"layre": [1]}), "'layre' cannot be an axis here: .* skip= names axes"),
    ],
)
def test_what_a_file_cannot_hold_or_is_no_axis_is_refused_before_anything_is_trained(tmp_path, call, words):
    with pytest.raises(ValueError, match=words):
        tl.compare(
            {"x": lambda few, seed, **_: Knowing(1)}, task(), file=tmp_path / "trials", **{"budgets": [1]} | call
        )
    assert not (tmp_path / "trials").exists()


def test_a_fixed_split_and_one_that_is_redrawn_are_two_comparisons(tmp_path):
    fixed = {"fixed": recipe(HIGH)}
    tl.compare(fixed, task(), budgets=[5], file=tmp_path / "trials").finish()
    with pytest.raises(ValueError, match="split: redrawn there, fixed here"):
        tl.compare(fixed, task().with_fixed_split(), budgets=[5], file=tmp_path / "trials")


def test_a_recipe_may_return_a_run_that_is_looked_at():
    def looked_at(few, seed):
        return tl.validated(run(20, data=few.train, seed=seed), few.validation, every=5)

    recipes = {"looked at": looked_at, "alone": lambda few, seed: run(20, data=few.train, seed=seed)}
    made = tl.compare(recipes, task(), range(3), [5]).finish()
    assert made.values("looked at") == made.values("alone")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no trials\n", "is not a file of trials; name another with file="),
        ('{"trials": 99}\n', "has trials of format 99, this tlkit reads 1"),
        ("[1]\n", "is not a file of trials"),
        ("my precious notes", "is not a file of trials"),
        ("two lines\nof notes", "is not a file of trials"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path, text, words):
    (tmp_path / "trials").write_text(text)
    with pytest.raises(ValueError, match=words):
        filed(tmp_path / "trials")
    assert (tmp_path / "trials").read_text() == text


def test_a_line_that_is_not_a_trial_is_named_and_the_file_left_alone(tmp_path):
    path = tmp_path / "trials"
    filed(path)[0].finish()
    whole = path.read_bytes()
    for line in (b"{}", b"\xff\x00", b"[]"):
        path.write_bytes(whole + line + b"\n")
        with pytest.raises(ValueError, match=r"a line of .* is not a trial .*; name another with file="):
            filed(path)
        assert path.read_bytes() == whole + line + b"\n"


def test_names_in_any_script_are_read_again_wherever_the_file_was_cut(tmp_path):
    path, recipes = tmp_path / "trials", {"né\u2028\u00e9": recipe(HIGH)}
    tl.compare(recipes, task(), range(2), [5], file=path).finish()
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        again = tl.compare(recipes, task(), range(2), [5], file=path)
        assert len(again.trials) == max(whole[:length].count(b"\n") - 1, 0)


def test_two_comparisons_never_write_to_one_file(tmp_path):
    first, _ = filed(tmp_path / "trials")
    second, _ = filed(tmp_path / "trials", metric="f1")  # there was no file yet
    first.finish()
    with pytest.raises(ValueError, match=r"of another comparison \(metric: accuracy there, f1 here\)"):
        second.finish()
    assert measurements(filed(tmp_path / "trials")[0]) == measurements(first)


def test_a_metric_of_ones_own_is_not_taken_for_the_one_of_its_name(tmp_path):
    def accuracy(predictor, task):
        return 5.0

    filed(tmp_path / "trials")[0].finish()
    with pytest.raises(ValueError, match=r"metric: accuracy there, \S+\.accuracy here"):
        filed(tmp_path / "trials", metric=accuracy)
    with pytest.raises(ValueError, match="a file needs names: def a metric of your own"):
        filed(tmp_path / "other", metric=partial(accuracy))


def test_numpys_numbers_and_whole_fractions_are_the_values_that_they_mean(tmp_path):
    def made(rates, budgets):
        recipes = {"x": lambda few, seed, rate: Knowing(rate)}
        return tl.compare(recipes, task(), range(2), budgets, over={"rate": rates}, file=tmp_path / "trials")

    made(np.linspace(0.25, 0.75, 3), np.array([1, 5])).finish()
    assert made((0.25, 0.5, 0.75), [1.0, 5.0]).finished


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(over={"layer": "block1"}), r"layer has the value 'block1', but takes several values; .* \['block1'\]"),
        (dict(budgets="all"), r"budget has the value 'all', .* write \['all'\]"),
        (dict(budgets=5), r"budget has the value 5, .* write \[5\]"),
        (dict(skip="all"), r"budget has the value 'all'"),
        (dict(budgets=[float("inf")]), "the budget inf is not a number of labels"),
        (dict(budgets=[None]), "the budget None is not a number of labels"),
    ],
)
def test_one_value_in_the_place_of_several_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        tl.compare({"x": lambda few, seed, **_: Knowing(1)}, task(), **call)


def test_a_metric_that_is_no_number_is_no_trial():
    compared = tl.compare({"x": recipe(HIGH)}, task(), range(1), [5], metric=lambda run, task: float("nan"))
    with pytest.raises(FloatingPointError, match="x, 5 labels per class, seed 0: its <lambda> is nan"):
        compared.finish()
    assert compared.trials == [] and not compared.finished


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(TypeError, match='recipe "x" returned nothing; end it with "return run"'):
        tl.compare({"x": lambda few, seed: None}, task(), range(1), [5]).finish()


def test_a_file_of_another_comparison_is_refused(tmp_path):
    filed(tmp_path / "trials")[0].finish()
    with pytest.raises(ValueError, match=r"of another comparison \(metric: accuracy there, f1 here\)"):
        filed(tmp_path / "trials", metric="f1")
    with pytest.raises(ValueError, match=r"of another comparison \(data: .* there, .* here\)"):
        tl.compare({"fixed": recipe(HIGH)}, task(train=90), budgets=[5], file=tmp_path / "trials")


# ---- intervals ----


@pytest.mark.parametrize("n", [2, 5, 30])
def test_the_interval_is_that_of_a_paired_t_test(n):
    torch.manual_seed(n)
    first, second = torch.randn(2, n).double() * 5 + 70
    expected = ttest_rel(first, second).confidence_interval(0.95)
    interval = Interval(tuple((first - second).tolist()))
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_one_seed_has_no_interval_and_separates_nothing():
    interval = Interval((12.0,))
    assert (interval.mean, interval.low, interval.high, interval.separated) == (12, None, None, False)


@pytest.mark.parametrize(
    ("values", "separated"),
    [((1, 2, 3, 2), True), ((-1, -2, -3, -2), True), ((-1, 2, 1, 0), False), ((0, 0, 0), False)],
)
def test_an_interval_is_separated_where_it_excludes_zero(values, separated):
    assert Interval(values).separated is separated


def test_wins_are_the_values_above_zero():
    assert Interval((1, 0, -1, 2)).wins == 2


# ---- claims ----

CLAIMS = {
    "better, by enough": (HIGH, LOW, dict(better_than="y", by=10), True, ""),
    "better, and zero is outside": (HIGH, LOW, dict(better_than="y"), True, ""),
    "better, but by less": (HIGH, LOW, dict(better_than="y", by=30), False, "smaller than 30 points"),
    "better by enough, on average": (HIGH, LOW, dict(better_than="y", by=18), False, "reaches below 18 points"),
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
        assert claim.reason == f"not measured at this scale: {skipped} labels per class"


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
            "\"heed kept\" was not compared.*did you mean 'head kept'?",
        ),
        (dict(name="head kept", better_than="scrach", at=1), "'head kept', 'scratch'; did you mean 'scratch'?"),
        (
            dict(name="head kept", better_than="scratch", at=7),
            "with 7 labels per class nothing was compared; there are 1, 5",
        ),
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
        measured({"head kept": HIGH}).values("q", at=1)


def test_a_recipe_that_trains_one_network_over_and_over_is_refused():
    net = network()
    compared = tl.compare({"same": lambda few, seed: run(3, few, net)}, task(), range(3), [5])
    with pytest.raises(
        ValueError, match=r'recipe "same" trains the network that an earlier trial has trained.*inside th'
    ):
        compared.finish()
    assert len(compared.trials) == 1


def test_a_frozen_backbone_may_be_shared_by_all_seeds():
    backbone = network().backbone.requires_grad_(False)

    def probe(few, seed):
        return run(3, few, tl.models.Network(backbone, torch.nn.Linear(6, 3)))

    assert tl.compare({"probe": probe}, task(), range(3), [5]).finish().finished


@pytest.mark.parametrize("mean", [2 - 1.2e-7, 1.9999999999999998, 2.0])
def test_rounding_alone_lets_no_claim_fall(mean):
    assert decide("better than", 2.0, Interval((mean,) * 5), "points") == (True, "")
    assert decide("better than", 2.0, Interval((1.999,) * 5), "points") == (False, "smaller than 2 points")


def test_a_network_that_a_recipe_sets_anew_or_never_changes_is_no_network_trained_twice():
    net, backbone = network(), network().backbone
    first = {name: value.clone() for name, value in net.state_dict().items()}

    def anew(few, seed):
        net.load_state_dict(first)
        return run(3, few, net)

    class Frozen(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = backbone, torch.nn.Linear(6, 3)

        def forward(self, images):
            with torch.no_grad():
                features = self.backbone(images)
            return self.head(features)

    recipes = {"anew": anew, "frozen": lambda few, seed: run(3, few, Frozen())}
    assert tl.compare(recipes, task(), range(2), [5]).finish().finished


def test_a_task_may_depend_on_the_further_axes():
    """Each place has its own data, learnt and tested; all recipes of a place and a seed get the very same."""
    digits = tl.data.digits()
    met = []

    class Brightness:
        def predict(self, images):
            met.append(round(float(images.mean()), 4))
            return torch.zeros(len(images), dtype=torch.int64)

    def recipe(task, seed, strength):
        assert torch.allclose(task.test.images, tl.data.Shift("inversion", strength)(digits.redraw(seed).test.images))
        return Brightness()

    def at(strength):
        return digits.shifted(tl.data.Shift("inversion", strength))

    over = {"strength": (0, 1)}
    compared = tl.compare({"one": recipe, "other": recipe}, at, range(2), ["all"], over=over).finish()
    assert compared.task.name == "handwritten digits, inversion 0" and compared.tested_on == "600 test images"
    assert met[0] == met[1] and met[2] == met[3] == round(1 - met[0], 4) and len(met) == 8
    again = compared.anew({"one": recipe}, range(1), ["all"]).finish()
    assert len(again.trials) == 2


def test_a_file_knows_the_data_of_every_place(tmp_path):
    def filed(seed):
        def at(strength):
            return task().shifted(tl.data.Shift("blur", strength, seed))

        over = {"strength": (0, 1)}
        return tl.compare({"x": lambda few, n, strength: Knowing(1)}, at, range(1), [1], over=over, file=tmp_path / "f")

    filed(0).finish()
    assert filed(0).finished
    with pytest.raises(ValueError, match="data"):
        filed(9)


def test_what_is_no_task_is_refused_in_words():
    recipes, over = {"x": lambda few, n, strength: Knowing(1)}, {"strength": (0, 1)}
    with pytest.raises(TypeError, match="is no task, nor can it be called as task"):
        tl.compare(recipes, task().train, over=over)
    with pytest.raises(TypeError, match=r"called as task\(strength\): .*; give a tl.data.Task"):
        tl.compare(recipes, lambda shift: task(), over=over)
    with pytest.raises(TypeError, match=r"task\(strength\) returned a NoneType; let it return a Task"):
        tl.compare(recipes, lambda strength: None, over=over)


def test_a_file_of_a_task_by_place_is_gone_on_with(tmp_path):
    """More places, seeds and budgets join; the data of those that it has must be the same."""
    places = []

    def filed(strengths, seeds=1, budgets=(1,), seed=0):
        def at(strength):
            places.append(strength)
            return task().shifted(tl.data.Shift("blur", strength, seed))

        recipes, over = {"x": lambda few, n, strength: Knowing(1)}, {"strength": strengths}
        return tl.compare(recipes, at, range(seeds), budgets, over=over, file=tmp_path / "trials")

    filed((0, 0.5), budgets=(1, 2)).finish()
    assert len(places) == 1 + 2 + 2 + 4  # the first; for each budget; for the file; for each trial
    more = filed((1, 0.5, 0), seeds=2)
    assert len(more.trials) == 2
    more.finish()
    assert filed((0, 0.5, 1), seeds=2).finished
    with pytest.raises(ValueError, match=r"strength 0.5: .* there"):
        filed((0, 0.5), seed=9)


def test_task_is_no_name_of_an_axis():
    with pytest.raises(ValueError, match="'task' cannot be an axis here"):
        tl.compare({"x": lambda few, n, **_: Knowing(1)}, task(), over={"task": (0, 1)})


def test_shifts_themselves_are_values_of_an_axis():
    import json

    over = {"shift": [tl.data.Shift("blur"), tl.data.Shift("contrast")]}
    recipes = {name: lambda few, n, shift: Knowing(1) for name in "xy"}
    compared = tl.compare(recipes, lambda shift: task().shifted(shift), range(2), [1], over=over).finish()
    assert "contrast 1" in json.dumps(tl.widgets.BudgetExplorer(compared).view)
