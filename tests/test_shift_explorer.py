"""ShiftExplorer without a browser: what is sent, its sentence, and how a mistake is answered."""

from __future__ import annotations

import pytest
import torch
from helpers import Knowing, measured, task

import tlkit as tl
from tlkit import plots
from tlkit.recipes import Recipe
from tlkit.widgets import BudgetExplorer, Frames, ShiftExplorer

SHIFTS, STRENGTHS = ("contrast", "mirror"), (0.0, 0.5, 1.0)
BEARS = {"source only": 0.2, "CORAL": 0.9, "oracle": 1.0}


def recipe(bears: float) -> Recipe:
    """Right on all images without a shift, on a share `bears` of them at full contrast; seeds differ by a point."""

    def make(task, seed, shift, strength):
        lost = strength * (1 - bears) * (1 if shift == "contrast" else 0.5)
        return Knowing(1 - lost - 0.01 * seed * strength)

    return Recipe(make, "nothing learnt")


def compared(*axes: str, seeds: int = 3, **options) -> tl.Comparison:
    over = {axis: {"shift": SHIFTS, "strength": STRENGTHS}[axis] for axis in axes or ("shift", "strength")}
    recipes = {name: recipe(bears) for name, bears in BEARS.items()}
    return tl.compare(recipes, task(), range(seeds), ["all"], over=over, **options)


@pytest.fixture(scope="module")
def comparison() -> tl.Comparison:
    return compared().finish()


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def parts(widget: ShiftExplorer) -> dict:
    return dict(widget.view["choices"])


# ---- what is sent ----


def test_each_choice_has_its_own_curves_and_differences_over_the_axis_that_it_leaves_open(comparison):
    widget = ShiftExplorer(comparison, choice="shift", first="CORAL", second="source only")
    assert (widget.view["axis"], widget.view["values"], list(parts(widget))) == ("strength", [0, 0.5, 1], [*SHIFTS])
    for shift in SHIFTS:
        coral = parts(widget)[shift]["recipes"][1]
        means = [100 * comparison.mean("CORAL", {"shift": shift, "strength": s}) for s in STRENGTHS]
        assert coral["mean"] == pytest.approx(means)
        pair = parts(widget)[shift]["pairs"][f"{widget.first}-{widget.second}"]
        difference = comparison.difference("CORAL", "source only", {"shift": shift, "strength": 1.0})
        assert (pair[2]["mean"], pair[2]["low"]) == pytest.approx((difference.mean, difference.low))


def test_the_order_of_the_axes_does_not_matter(comparison):
    other = ShiftExplorer(compared("strength", "shift").finish(), choice="shift")
    assert other.view == ShiftExplorer(comparison, choice="shift").view


def test_one_numeric_axis_and_no_images_are_enough():
    def weighed(gain: float):
        return lambda task, seed, weight: Knowing(0.5 + gain * weight)

    recipes = {"a": weighed(0.3), "b": weighed(0.1)}
    widget = ShiftExplorer(tl.compare(recipes, task(), range(3), ["all"], over={"weight": (0.1, 1)}).finish())
    assert (widget.view["axis"], widget.view["choice"], widget.images, widget.view["rows"]) == ("weight", "", b"", [])
    assert repr(widget) == "weight 1: a 80.0 %, b 60.0 %, +20.0 points, 95 % interval +20.0 to +20.0"


def test_rows_are_those_of_every_choice_or_of_each_and_a_shared_one_is_sent_once(comparison):
    source = Frames.Row("Source", images(2, 1, 4, 4))
    target = {shift: Frames.Row("Target", images(3, 2, 1, 4, 4)) for shift in SHIFTS}
    same = ShiftExplorer(comparison, choice="shift", rows=[source, target["mirror"]])
    assert [part["rows"] for part in parts(same).values()] == [[0, 1], [0, 1]]
    each = ShiftExplorer(comparison, choice="shift", rows={shift: [source, target[shift]] for shift in SHIFTS})
    assert [part["rows"] for part in parts(each).values()] == [[0, 1], [0, 2]]
    assert len(each.images) == (2 + 3 * 2 + 3 * 2) * 16


def test_the_guide_is_in_no_pair_at_the_start_and_drawn_in_ink(comparison):
    widget = ShiftExplorer(comparison, choice="shift", guide="oracle")
    assert (widget.first, widget.second) == (0, 1)
    assert ["guide" in recipe for recipe in parts(widget)["mirror"]["recipes"]] == [False, False, True]
    assert ShiftExplorer(comparison, choice="shift", guide="source only").first == 1
    assert ShiftExplorer(comparison, choice="shift", second="source only").first == 1


def test_all_choices_share_one_axis_of_values(comparison):
    """Contrast falls to 20 %, so the mirror, which stays above half, is drawn on the whole axis too."""
    assert ShiftExplorer(comparison, choice="shift").view["y"]["bottom"] == 0
    kept = {name: recipe(bears) for name, bears in (("a", 0.85), ("b", 0.95))}
    over = {"shift": SHIFTS, "strength": STRENGTHS}
    close = ShiftExplorer(tl.compare(kept, task(), range(3), ["all"], over=over).finish(), choice="shift")
    assert close.view["y"]["bottom"] >= 80
    assert f"it begins at {close.view['y']['bottom']} %" in close.view["subtitle"]


def test_it_begins_in_the_middle_and_says_how_to_read_it(comparison):
    widget = ShiftExplorer(comparison, choice="shift", subtitle="Only the oracle has seen target labels.")
    assert (widget.place, widget.shown) == (1, "contrast")
    assert widget.view["title"] == "How much shift can each method bear?"
    told = "Only the oracle has seen target labels. Mean of 3 seeds; bands are 95 % intervals. Drag the strength or"
    assert widget.view["subtitle"].startswith(told)


def test_what_is_skipped_is_no_place(comparison):
    quick = compared(skip={"shift": ["mirror"], "strength": [0.5]}).finish()
    widget = ShiftExplorer(quick, choice="shift")
    assert (widget.view["values"], list(parts(widget))) == ([0, 1], ["contrast"])


def test_the_other_pictures_draw_the_axis_that_at_leaves_open_too(comparison):
    at = {"shift": "mirror"}
    assert BudgetExplorer(comparison, at=at).view["axis"] == "strength"
    drawn = plots.curves(comparison, at)
    words = [label.get_text() for label in drawn.axes[0].get_xticklabels()]
    assert words == ["0", "0.5", "1"]


# ---- the sentence ----


def test_it_says_where_it_is_both_values_and_their_difference(comparison):
    widget = ShiftExplorer(comparison, choice="shift", first="CORAL", second="source only")
    widget.place = 2
    assert (
        repr(widget)
        == "contrast, strength 1: CORAL 89.0 %, source only 19.0 %, +70.0 points, 95 % interval +70.0 to +70.0"
    )
    widget.shown = "mirror"
    assert repr(widget).startswith("mirror, strength 1: CORAL 94.0 %, source only 59.0 %, +35.0 points")


def test_what_is_not_measured_yet_and_a_single_seed_say_so():
    begun = compared(seeds=1)
    for _ in range(5):  # contrast at 0 of all three, at 0.5 of the first two
        next(begun)
    widget = ShiftExplorer(begun, choice="shift", first="oracle", second="source only")
    assert repr(widget) == "contrast, strength 0.5: oracle not measured, source only 60.0 %"
    widget.place = 0
    assert repr(widget).endswith("+0.0 points, one seed gives no interval")


# ---- mistakes ----

ROW = Frames.Row("Target", images(2, 2, 1, 4, 4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"at= leaves strength open; write at=\{'strength': ...\}; there are"),
        ({"choice": "kind"}, "no axis 'kind'; this comparison has budget, shift, strength"),
        ({"choice": "shift", "at": {"strength": 0.5}}, "choice='shift' leaves no axis for the slider; compare over"),
        ({"first": "DANN"}, "\"DANN\" was not compared; there are 'source only', 'CORAL', 'oracle'"),
        ({"guide": "DANN"}, '"DANN" was not compared'),
        (
            {"guide": "oracle", "first": "oracle"},
            '"oracle" is the guide of a ShiftExplorer, so it is in no pair; compare two others',
        ),
        ({"choice": "shift", "rows": [ROW]}, 'row "Target" has 2 frames, but the slider has 3 values'),
        (
            {"choice": "shift", "rows": {"contrast": [ROW]}},
            "rows are given for contrast, but shift is contrast, mirror",
        ),
        ({"at": {"shift": "mirror"}, "rows": {"contrast": [ROW]}}, "given for contrast, but there is no choice="),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(comparison, options, message):
    with pytest.raises(ValueError, match=message):
        ShiftExplorer(comparison, **options)


def test_a_comparison_without_a_pair_or_a_result_has_nothing_to_explore():
    with pytest.raises(ValueError, match=r"a ShiftExplorer compares two recipes, .* one besides the guide \"y\""):
        ShiftExplorer(measured({"x": [0.5] * 5, "y": [0.6] * 5}), guide="y")
    with pytest.raises(ValueError, match="nothing is measured yet"):
        ShiftExplorer(compared(), choice="shift")


def test_a_lesson_can_go_to_places_and_choices_that_are_there(comparison):
    widget = ShiftExplorer(comparison, choice="shift")
    with pytest.raises(ValueError, match="there is no place 3; they are counted from 0 to 2"):
        widget.place = 3
    with pytest.raises(ValueError, match="no choice \"blur\"; there are 'contrast', 'mirror'"):
        widget.shown = "blur"
    assert (widget.place, widget.shown) == (1, "contrast")


def test_no_recipe_is_compared_with_itself(comparison):
    with pytest.raises(ValueError, match='"CORAL" cannot be compared with itself; name another recipe'):
        ShiftExplorer(comparison, choice="shift", first="CORAL", second="CORAL")
    widget = ShiftExplorer(comparison, choice="shift")
    widget.second = widget.first
    assert repr(widget)
