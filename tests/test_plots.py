"""Pictures are drawn, say what they show, and take the colours of the page."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib.image
import pytest
from helpers import Knowing, measured, network, run, split, task
from matplotlib.colors import to_hex, to_rgba
from matplotlib.text import Text

import tlkit as tl
from tlkit import plots
from tlkit.freezing import FreezePlan, Rule, gradual_unfreezing

EVIL = '<b>&"x" $\\frac$ y'  # markup, quotes, and what matplotlib would take for a formula
X, Y = (0.9, 0.91, 0.92, 0.93, 0.94), (0.7, 0.72, 0.71, 0.7, 0.7)


def compared(first: str = "head kept", second: str = "scratch"):
    return measured({first: X, second: Y}, budgets=(1, 5), skip=(50,))


def claim_picture(width: int = 648, first: str = "head kept", **test):
    comparison = compared(first)
    test = test or dict(better_than="scratch", by=10)
    return plots.differences(comparison, comparison.claim(first, at=1, **test), width)


def validated(name: str):
    return {name: tl.validated(run(3), split(9)).finish(), "other": run(3)}


def with_classes(data, name: str):
    return replace(data, classes=(name, "b", "c"))


def depths(name: str = "near", at: int = 5):
    reached = {name: {"early": Y, "late": X}, "far": {"early": X, "late": Y}}
    recipes = {one: lambda task, seed, layer, by=by: Knowing(by[layer][seed]) for one, by in reached.items()}
    over = {"layer": ("early", "late")}
    comparison = tl.compare(recipes, task(), range(5), budgets=(5,), skip=(50,), over=over).finish()
    return plots.curves(comparison, {"budget": at})


PICTURES = {
    "gallery": lambda name="a": plots.gallery(with_classes(split(5), name)),
    "differences": lambda name="head kept": claim_picture(first=name),
    "plan": lambda name="head": plots.plan(FreezePlan((Rule("body", None), Rule("body", 0.5, 0.4), Rule(name)))),
    "curves": depths,
    "uses_of_data": lambda name="head kept": plots.uses_of_data(
        {name: (0.9, "pre-trained"), "later": None}, "What is gained"
    ),
}
EACH = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


def texts(picture) -> str:
    """All text of the SVG as a reader sees it."""
    return " | ".join(
        "".join(element.itertext()) for element in ElementTree.fromstring(picture.svg()).iter() if "text" in element.tag
    )


@EACH
def test_a_picture_takes_the_colours_of_the_page(draw):
    svg = draw().svg()
    assert "var(--tl-ink" in svg
    coloured = re.findall(r"(?:fill|stroke): (?!none|var|url)([^;\"]+)", svg)
    assert coloured == []


@EACH
def test_a_picture_is_drawn_in_the_same_bytes_each_time(draw):
    assert draw().svg() == draw().svg()


@EACH
def test_a_page_that_leaves_out_drawings_has_a_sentence_in_their_place_and_no_words_of_matplotlibs(draw):
    html = draw()._repr_html_()
    assert ".tl-untrusted{display:none}" in html and "trust the notebook" in html
    assert "image/svg+xml" not in html and "Matplotlib" not in html


@EACH
def test_names_in_a_picture_are_text_not_markup(draw):
    picture = draw(EVIL)
    assert EVIL in texts(picture)
    assert "<b>" not in picture.svg() and "<b>" not in picture._repr_html_()


@EACH
def test_a_picture_is_as_large_as_it_says_and_labelled_with_its_words(draw):
    picture = draw()
    width, height = picture.get_size_inches() * 72
    svg = ElementTree.fromstring(picture.svg())
    assert (svg.get("width"), svg.get("height")) == (f"{width:g}px", f"{height:g}px")
    assert svg.get("role") == "img" and svg.get("aria-label") == repr(picture) == picture.words


@EACH
def test_a_picture_is_a_figure_that_can_be_saved(draw, tmp_path):
    draw().savefig(tmp_path / "a.png")
    assert matplotlib.image.imread(tmp_path / "a.png")[..., :3].std() > 0


@pytest.mark.parametrize(("images", "columns", "rows"), [(1, 12, 1), (12, 12, 1), (13, 12, 2), (5, 2, 3)])
def test_a_gallery_shows_every_image_in_rows(images, columns, rows):
    picture = plots.gallery(split(images), columns)
    assert len(picture.axes[0].images) == images
    assert picture.get_size_inches()[1] * 72 == rows * 62
    assert texts(picture).count("a") == -(-images // 3)


def test_a_gallery_without_labels_gives_nothing_away():
    assert texts(plots.gallery(split(5), labels=False)) == ""
    assert texts(plots.gallery(replace(split(5), labels=None))) == ""


def test_a_difference_stands_with_its_interval_and_what_is_not_measured_says_so():
    interval = compared().difference("head kept", "scratch", at=1)
    shown = texts(claim_picture())
    assert f"+{interval.mean:.1f}   (+{interval.low:.1f} to +{interval.high:.1f})" in shown
    narrow = texts(claim_picture(372))
    for words in (f"+{interval.mean:.1f}", f"+{interval.low:.1f} to +{interval.high:.1f}", "1 label per", "class"):
        assert words in narrow.split(" | ")
    assert "not measured at this scale" in shown and "Paired difference, head kept − scratch" in shown


@pytest.mark.parametrize(
    ("test", "thresholds"),
    [(dict(better_than="scratch", by=10), [10]), (dict(level_with="scratch", within=3), [-3, 3])],
    ids=["by", "within"],
)
def test_the_threshold_of_a_claim_is_dotted_in_its_row(test, thresholds):
    axes = claim_picture(**test).axes[0]
    drawn = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata()) == 2]
    assert sorted(drawn) == thresholds


def test_a_narrow_picture_is_made_for_a_narrow_column():
    comparison = compared()
    claim = comparison.claim("head kept", at=1, better_than="scratch")
    uses = {"measured": (0.8, "pre-trained")}
    drawn = (plots.differences(comparison, claim), plots.curves(comparison), plots.uses_of_data(uses, "Gain"))
    for html in (picture._repr_html_() for picture in drawn):
        assert re.findall(r'width="(\d+)px"', html) == ["648", "372"]


def boxes(picture) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Each text of a picture that is seen, with the ends of its box in pixels: left, bottom, right, top."""
    picture.draw(renderer := picture.canvas.get_renderer())
    found = [text for text in picture.findobj(Text) if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent(renderer).extents) for text in found]


NAMES = ("full fine-tuning", "probe, then fine-tune", "last two layers", "gradual unfreezing", "batch norm kept still")


def level(names=NAMES):
    return measured(dict.fromkeys(names, X), budgets=(1, 5), skip=(50,))


@pytest.mark.parametrize("width", [648, 372])
@pytest.mark.parametrize(
    "draw",
    [
        lambda width: plots.curves(level(), width=width),
        lambda width: plots.differences(level(), level().claim(NAMES[0], better_than=NAMES[1], at=1), width),
        lambda width: plots.differences(far(), far().claim("x", better_than="y", at=1), width),
        lambda width: plots.uses_of_data(
            {"labelled source, then SoftMatch (21)": (1.0, "pre-trained"), "own images, pseudo-labels (20)": None},
            "Ten labels, and what else one may use: accuracy on 600 test images",
            width=width,
        ),
    ],
    ids=["curves", "differences", "far differences", "uses_of_data"],
)
def test_the_words_of_a_picture_lie_in_it_and_not_over_each_other(draw, width):
    picture = draw(width)
    found, height = boxes(picture), picture.get_figheight() * 72
    for words, (left, bottom, right, top) in found:  # a pixel or two are a glyph's own margin
        assert left >= -2 and right <= width + 2 and bottom >= -2 and top <= height + 2, words
    for place, (words, one) in enumerate(found):
        for others, other in found[place + 1 :]:
            across, down = (min(one[e + 2], other[e + 2]) - max(one[e], other[e]) for e in (0, 1))
            assert across <= 1 or down <= 1, f"{words!r} lies over {others!r}"


def far():
    return measured({"x": (0.78,) * 5, "y": (0.6,) * 5})  # the axis ends at its tick, +20


def test_a_name_at_the_end_of_a_line_has_its_mark():
    lines = plots.curves(level(), width=372).axes[0].lines
    beside = [line for line in lines if line.get_marker() not in (None, "None", "") and len(line.get_xdata()) == 1]
    assert [line.get_marker() for line in beside[:3]] == ["o", "o", "P"]


def test_the_words_of_a_picture_have_the_font_of_the_page():
    for draw in PICTURES.values():
        assert "font-family" not in draw().svg()


def test_what_is_not_measured_yet_has_an_empty_place():
    picture = plots.uses_of_data({"measured": (0.815, "frozen features"), "later": None}, "Gain")
    full, empty = picture.axes[0].patches
    assert to_hex(full.get_facecolor()) == tl.views.TOKENS["s3"][0]
    assert (full.get_width(), to_rgba(full.get_facecolor())[3]) == (pytest.approx(81.5), 1)
    assert to_rgba(empty.get_facecolor())[3] == 0
    assert "81.5 %" in texts(picture)


def bars(picture):
    """What each bar of a plan says: its first and last share of the run in per cent, and whether it is hatched."""
    places = [(bar.get_x(), bar.get_x() + bar.get_width(), bool(bar.get_hatch())) for bar in picture.axes[0].patches]
    return [(round(start), round(end), hatched) for start, end, hatched in places]


def test_a_plan_is_hatched_until_a_group_thaws_the_head_on_top():
    net = network()
    picture = plots.plan(gradual_unfreezing(net), net)
    assert bars(picture) == [(0, 100, False), (0, 33, True), (33, 100, False), (0, 67, True), (67, 100, False)]
    assert [label.get_text() for label in picture.axes[0].get_yticklabels()] == ["head", "features", "block1"]
    assert "0.5 × lr" in texts(picture) and "102 weights" in texts(picture)


def test_a_rule_that_changes_nothing_draws_no_border():
    assert bars(plots.plan(FreezePlan((Rule("head"), Rule("head", 1.0, 0.3)))))[0] == (0, 100, False)


def test_curves_have_a_line_for_each_network_from_layer_to_layer_and_none_that_was_not_measured():
    chance, near, far = depths().axes[0].lines[:3]
    assert near.get_ydata() == pytest.approx([70.6, 92.0]) and far.get_ydata() == pytest.approx([92.0, 70.6])
    assert chance.get_ydata()[0] == pytest.approx(100 / 3)
    assert [label.get_text() for label in depths().axes[0].get_xticklabels()] == ["early", "late"]
    assert len(depths(at=50).axes[0].lines) == 1


def test_a_plan_for_another_network_is_refused():
    with pytest.raises(ValueError, match="this plan is for another network"):
        plots.plan(gradual_unfreezing(tl.models.SmallCNN()), network())
