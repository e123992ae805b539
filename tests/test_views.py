"""What the pictures show, checked without a picture."""

from __future__ import annotations

import math
import re

import pytest
from helpers import measured, recipe, task

import tlkit as tl
from tlkit import views
from tlkit.intervals import Interval
from tlkit.recipes import FAMILIES

X, Y = (0.9, 0.91, 0.92, 0.93, 0.94), (0.7, 0.72, 0.71, 0.7, 0.7)


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


# The grounds of a plain page, of JupyterLab and of the book, and the kit's own panel.
GROUNDS = (("#ffffff", views.TOKENS["panel"][0]), ("#111111", "#121212", "#212121", views.TOKENS["panel"][1]))
TEXT = ("ink", "ink2", "s1", "s2", "s3", "s4", "wrong")
BOUNDS = {name: 4.5 for name in TEXT} | {"edge": 3.3, "focus": 3.0}
THEMES = pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])


@THEMES
@pytest.mark.parametrize(("name", "least"), BOUNDS.items(), ids=BOUNDS)
def test_a_colour_contrasts_with_every_ground(name, least, theme):
    assert min(contrast(views.TOKENS[name][theme], ground) for ground in GROUNDS[theme]) >= least


@THEMES
def test_earlier_runs_contrast_with_the_ground(theme):
    grounds = [ground for ground in GROUNDS[theme] if ground != views.TOKENS["panel"][theme]]
    assert min(contrast(views.TOKENS["ghost"][theme], ground) for ground in grounds) >= 3


@THEMES
@pytest.mark.parametrize("button", ["ink", "s1"])
def test_words_in_the_colour_of_the_ground_contrast_with_a_filled_button(button, theme):
    assert contrast(views.TOKENS["ground"][theme], views.TOKENS[button][theme]) >= 4.5


HOSTS = {  # where the look is drawn: the selector, its theme, its ground
    ".tl": (0, "#ffffff"),
    "@dark .tl": (1, "#111111"),
    'html[data-theme="light"] .tl': (0, "var(--pst-color-background, #fff)"),
    'html[data-theme="dark"] .tl': (1, "var(--pst-color-background, #121212)"),
    'html body[data-jp-theme-light="true"] .tl': (0, "var(--jp-layout-color0, #fff)"),
    'html body[data-jp-theme-light="false"] .tl': (1, "var(--jp-layout-color0, #111)"),
}


@pytest.mark.parametrize("host", HOSTS)
def test_every_colour_is_a_property_in_every_theme_and_the_ground_is_the_hosts(host):
    theme, ground = HOSTS[host]
    css = views.tokens_css().replace("@media (prefers-color-scheme: dark){.tl", "@dark .tl")
    found: dict[str, str] = {}
    for selectors, properties in re.findall(r"^}?(.+?){(.+?)}", css, re.M):  # of equal selectors the last rule counts
        if host in selectors.split(","):
            found |= dict(re.findall(r"--tl-(\w+):([^;}]+)", properties))
    wanted = {name: pair[theme] for name, pair in views.TOKENS.items()}
    assert found == wanted | {"ground": ground, "invert": str(theme)}


def test_every_family_of_recipes_has_its_colour_and_mark():
    assert set(views.MARKS) == {None, *FAMILIES}


def test_no_two_families_share_both_colour_and_mark():
    assert len(set(views.MARKS.values())) == len(views.MARKS)
    assert {token for token, _ in views.MARKS.values()} <= set(views.TOKENS)


def test_the_second_recipe_of_a_family_has_an_open_mark():
    recipes = {
        "head kept": tl.Recipe(recipe(X), "pre-trained"),
        "scratch": tl.Recipe(recipe(Y), "from scratch"),
        "new head": tl.Recipe(recipe(X), "pre-trained"),
    }
    found = views.styles(tl.compare(recipes, task(), budgets=(1,)))
    assert [(s["name"], s["token"], s["mark"], s["open"]) for s in found] == [
        ("head kept", "s1", "circle", False),
        ("scratch", "s2", "triangle", False),
        ("new head", "s1", "circle", True),
    ]


def family(count: int, *others: str):
    """A comparison of so many pre-trained recipes, and of others."""
    recipes = {f"way {n}": tl.Recipe(recipe(X), "pre-trained") for n in range(count)}
    recipes |= {name: tl.Recipe(recipe(X), name) for name in others}
    return tl.compare(recipes, task(), budgets=(1,))


@pytest.mark.parametrize("count", range(2, 8))
def test_no_two_recipes_in_a_picture_share_colour_and_mark(count):
    for drawn in (views.styles, views.unchosen_styles):
        found = [(s["token"], s["mark"], s["open"]) for s in drawn(family(count, "from scratch", "frozen features"))]
        assert len(set(found)) == count + 2


def test_a_third_and_a_fourth_of_a_family_have_marks_of_their_own_in_its_colour_and_none_of_another_familys():
    found = views.styles(family(4))
    assert {style["token"] for style in found} == {"s1"} and not any(style["crowd"] for style in found)
    assert not {style["mark"] for style in found[2:]} & {mark for _, mark in views.MARKS.values()}


def test_of_more_than_four_of_a_family_two_have_its_colour_where_no_pair_can_be_chosen():
    found = views.unchosen_styles(family(5, "from scratch"))
    assert [style["token"] for style in found] == ["s1", "s1", "ghost", "ghost", "ghost", "s2"]
    assert [style["crowd"] for style in found] == [True] * 5 + [False]


# ---- comparisons ----


@pytest.fixture(scope="module")
def comparison():
    return measured({"x": X, "y": Y}, budgets=(5, 1), skip=(50,))


def test_the_view_of_a_comparison_has_its_means_and_intervals_in_per_cent(comparison):
    view = views.explored(comparison)
    for found, shares in zip(view["recipes"], (X, Y), strict=True):
        interval = Interval(tuple(100 * share for share in shares))
        for end in ("mean", "low", "high"):
            assert found[end] == [pytest.approx(getattr(interval, end)), pytest.approx(getattr(interval, end))]


def test_the_view_of_a_comparison_leaves_out_what_this_scale_skips_and_keeps_what_is_not_measured_yet(comparison):
    assert comparison.axes["budget"] == (1, 5, 50) and views.explored(comparison)["values"] == [1, 5]
    begun = tl.compare({"x": recipe(X), "y": recipe(Y)}, task(), range(1), budgets=(1, 5), skip=(50,))
    next(begun), next(begun)
    view = views.explored(begun)
    assert view["values"] == [1, 5] and view["pairs"]["0-1"][1] is view["recipes"][0]["mean"][1] is None


NEAR = (0.84, 0.85, 0.86, 0.85, 0.84)


def test_an_axis_is_broken_where_all_means_lie_within_20_points_spans_their_intervals_and_says_so():
    close = measured({"x": X, "near": NEAR})
    view = views.explored(close)
    ends = [recipe[end][0] for recipe in view["recipes"] for end in ("low", "high")]
    axis = view["y"]
    assert (axis["bottom"], axis["top"]) == (80, 95) and axis["bottom"] <= min(ends) and max(ends) <= axis["top"]
    assert axis["chance"] is None  # 33 %, which is not on this axis
    assert "The axis is broken: it begins at 80 %." in tl.widgets.BudgetExplorer(close).view["subtitle"]


def test_an_axis_is_whole_where_means_lie_further_apart_or_their_intervals_do():
    for other in (Y, (0.9, 0.99, 0.6, 0.99, 0.65)):  # 92 against 71, and 83 with an interval from 59 to 106
        far = measured({"x": X, "other": other})
        axis = views.explored(far)["y"]
        assert (axis["bottom"], axis["top"], axis["chance"]) == (0, 100, pytest.approx(100 / 3))
        assert "broken" not in tl.widgets.BudgetExplorer(far).view["subtitle"]


def test_the_view_of_a_comparison_has_the_differences_of_every_pair_both_ways(comparison):
    pairs = views.explored(comparison)["pairs"]
    assert set(pairs) == {"0-1", "1-0"}
    difference = comparison.difference("x", "y", at=1)
    there, back = pairs["0-1"][0], pairs["1-0"][0]
    assert (there["mean"], there["low"], there["high"]) == (difference.mean, difference.low, difference.high)
    assert there["values"] == list(difference.values) and (there["wins"], back["wins"]) == (5, 0)
    assert (back["mean"], back["low"]) == pytest.approx((-there["mean"], -there["high"]))
    assert len(pairs["0-1"]) == 2


def test_the_view_of_a_comparison_says_what_it_was_tested_on(comparison):
    view = views.explored(comparison)
    assert (view["y"]["title"], view["y"]["chance"], view["seeds"]) == ("Accuracy on 100 test images", 100 / 3, 5)


def test_with_one_seed_an_interval_is_its_mean():
    view = views.explored(measured({"x": X, "y": Y}, seeds=1))
    assert view["recipes"][0]["low"] == view["recipes"][0]["high"] == [pytest.approx(90)]
    assert view["pairs"]["0-1"][0]["high"] == pytest.approx(20)


@pytest.mark.parametrize(
    ("budgets", "over", "at", "axis"),
    [
        ((1, 5), {}, None, "budget"),
        ((1,), {"shift": ["a", "b"], "strength": (0, 1)}, None, "shift"),
        ((1,), {"shift": ["a", "b"], "strength": (0, 1)}, {"shift": "a"}, "strength"),
        ((1,), {"shift": ["a", "b"], "strength": (0, 1)}, {"strength": 0}, "shift"),
        ((1, 5), {"layer": ["a", "b"]}, 5, "layer"),
        ((1, 5), {"layer": ["a", "b"]}, {"layer": "a"}, "budget"),
        ((1,), {"shift": ["a", "b"], "strength": (1,)}, {"shift": "a"}, "strength"),
        ((1,), {"layer": ["a", "b"]}, {"layer": "a"}, "layer"),
        ((1, 5), {"layer": ["a", "b"]}, {"layer": "a", "budget": 1}, "layer"),
    ],
)
def test_a_picture_goes_along_the_axis_that_is_left_open(budgets, over, at, axis):
    compared = tl.compare({"x": lambda task, seed, **where: None}, task(), [0], budgets, over=over)
    assert views.axis_along(compared, at) == axis
    assert views.x_axis(compared, at)["axis"] == axis


def test_a_claim_has_a_row_for_every_budget_and_its_own_is_marked(comparison):
    rows = views.claim_rows(comparison, comparison.claim("x", better_than="y", at=5))
    assert [(row["value"], row["claimed"]) for row in rows] == [(1, False), (5, True), (50, False)]
    assert rows[1]["interval"] == comparison.difference("x", "y", at=5) and rows[2]["interval"] is None


# ---- numbers and words ----


@pytest.mark.parametrize("count", [1, 500, 501, 999, 1_000, 12_345])
def test_a_thinned_curve_has_at_most_500_points_in_order_and_ends_as_the_curve_does(count):
    points = views.thinned(range(1, count + 1), [float(i) for i in range(count)])
    assert len(points) <= 500
    assert points[-1] == (count, count - 1)
    assert [x for x, _ in points] == sorted({x for x, _ in points})


def test_a_curve_that_is_short_enough_stays_as_it_is():
    assert views.thinned([1, 2], [0.5, 0.25]) == [(1, 0.5), (2, 0.25)]
    assert views.thinned([], []) == []


def test_each_point_of_a_thinned_curve_is_the_mean_of_the_steps_it_stands_for():
    assert views.thinned([1, 2, 3, 4, 5], [0, 4, 2, 6, 1], most=3) == [(1.5, 2), (3.5, 4), (5, 1)]


@pytest.mark.parametrize(
    ("value", "top"),
    [(0.3, 0.3), (0.31, 0.4), (1, 1), (1.01, 1.5), (2.31, 2.5), (7, 10), (130, 150), (0.03, 0.03), (1e6, 1e6)],
)
def test_the_top_of_an_axis_is_the_next_round_number(value, top):
    assert views.round_top(value) == top


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_an_axis_has_a_top_also_where_nothing_can_be_drawn(value):
    assert views.round_top(value) == 1


@pytest.mark.parametrize(
    ("points", "digits", "words"), [(25.54, 1, "+25.5"), (-9.4, 1, "−9.4"), (0.0, 1, "+0.0"), (-3.0, 0, "−3")]
)
def test_a_difference_is_always_signed_with_a_true_minus(points, digits, words):
    assert views.signed(points, digits) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "less than a second left"), (13.87, "about 14 s left"), (89, "about 89 s left"), (200, "about 3 min left")],
)
def test_the_time_left_is_written_roughly(seconds, words):
    assert views.time_left(seconds) == words
