"""What a prediction is compared with when it is revealed, without a browser."""

from __future__ import annotations

import pytest
from helpers import measured

import tlkit as tl

SCRATCH = (0.6, 0.7, 0.71, 0.69, 0.8)  # by seed
KEPT = (0.9, 0.91, 0.92, 0.93, 0.94)
MEAN = sum(SCRATCH) / 5


def locked(first_look: float, baseline: str = "from scratch") -> tl.widgets.Prediction:
    """A prediction of 80 % with one label per class, before anything but the first look is known."""
    prediction = tl.widgets.Prediction({1: first_look}, question="Where?", name="kept", baseline_name=baseline)
    prediction.placed, prediction.locked = [80], True
    return prediction


@pytest.fixture(scope="module")
def comparison():
    return measured({"from scratch": SCRATCH, "kept": KEPT})


def test_the_baseline_of_a_result_is_that_of_the_comparison_and_the_first_look_stays_beside_it(comparison):
    shown = locked(SCRATCH[0]).reveal(comparison, "kept")
    baseline = shown.result["baseline"]
    assert (baseline["values"], shown.view["baseline"]["values"]) == ([pytest.approx(100 * MEAN)], [pytest.approx(60)])
    assert baseline["low"][0] < 100 * MEAN < baseline["high"][0]
    assert shown.result["first_look"] == "first look, 1 seed"
    assert "Lines are means of 5 seeds; thin: the first look, 1 seed." in repr(shown)


def test_a_first_look_at_some_of_the_seeds_says_how_many_and_another_one_does_not(comparison):
    assert locked(sum(SCRATCH[:2]) / 2).reveal(comparison, "kept").result["first_look"] == "first look, 2 seeds"
    assert locked(0.655).reveal(comparison, "kept").result["first_look"] == "first look"


def test_a_first_look_at_all_the_seeds_is_the_comparisons_own_curve_and_not_drawn_twice(comparison):
    shown = locked(MEAN).reveal(comparison, "kept")
    assert shown.result["first_look"] == "" and repr(shown).endswith("Lines are means of 5 seeds.")


def test_a_baseline_that_was_not_compared_stays_and_is_not_taken_for_a_mean_of_as_many_seeds(comparison):
    shown = locked(0.6, baseline="guessing").reveal(comparison, "kept")
    assert "baseline" not in shown.result
    assert repr(shown).endswith("kept: mean of 5 seeds; guessing: as it was before.")


def test_nothing_of_the_comparison_is_sent_before_the_prediction_is_locked(comparison):
    prediction = tl.widgets.Prediction({1: 0.6}, question="Where?", name="kept").reveal(comparison, "kept")
    assert prediction.result == {} and "seeds" not in repr(prediction)


def test_a_prediction_of_the_baselines_own_family_has_an_open_mark():
    for family, opened in (("from scratch", True), ("pre-trained", False)):
        view = tl.widgets.Prediction({1: 0.6}, question="Where?", family=family).view
        assert view["target"]["open"] is opened and not view["baseline"].get("open")
