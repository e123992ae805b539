"""ShiftExplorer saved as one file: by mouse and by keyboard, without a kernel and without a network."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
import torch
from playwright.sync_api import Locator

import tlkit as tl
from tlkit.widgets import Frames, ShiftExplorer

LABELS = torch.arange(100) % 10
CODED = (LABELS / 20).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
SPLIT = tl.data.Split(CODED, LABELS, tuple("0123456789"))
STRENGTHS = (0, 0.25, 0.5, 1)
LOSES = {"contrast": {"source only": 0.8, "CORAL": 0.1}, "blur": {"source only": 0.2, "CORAL": 0.3}}


class Right:
    """Reads the label from the pixels, and is right on a share of the images."""

    def __init__(self, share: float):
        self.share = share

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        labels = (20 * inputs[:, 0, 0, 0]).round().long()
        return torch.where(torch.arange(len(labels)) < self.share * len(labels), labels, (labels + 1) % 10)


@cache
def comparison() -> tl.Comparison:
    def recipe(name: str, family: str) -> tl.Recipe:
        def make(task: tl.data.Task, seed: int, shift: str, strength: float) -> Right:
            return Right(0.98 - strength * LOSES[shift].get(name, 0) - 0.01 * seed)

        return tl.Recipe(make, family)

    families = {"source only": "nothing learnt", "CORAL": "unlabelled target", "oracle": "nothing learnt"}
    recipes = {name: recipe(name, family) for name, family in families.items()}
    over = {"shift": tuple(LOSES), "strength": STRENGTHS}
    return tl.compare(recipes, tl.data.Task("coded", SPLIT, SPLIT, SPLIT), range(3), ["all"], over=over).finish()


def explorer() -> ShiftExplorer:
    """Two shifts at four strengths; the target's images are paler with each."""
    ink = torch.ones(3, 1, 8, 8)
    source = Frames.Row("Source", ink, note="as it was trained")
    notes = [f"at strength {strength}" for strength in STRENGTHS]
    paler = Frames.Row("Target", torch.stack([ink * (1 - strength / 2) for strength in STRENGTHS]), note=notes)
    blurred = Frames.Row("Blurred target", paler.images, note=notes)
    rows = {"contrast": [source, paler], "blur": [source, blurred]}
    return ShiftExplorer(comparison(), rows=rows, choice="shift", guide="oracle", first="CORAL", second="source only")


def plain() -> ShiftExplorer:
    return ShiftExplorer(comparison(), at={"shift": "blur"}, title="One axis")


def position(widget: Locator) -> str:
    return widget.get_by_role("slider").get_attribute("aria-valuetext") or ""


def table(widget: Locator) -> list[list[str]]:
    rows = widget.get_by_role("table").locator("tbody tr").all()
    return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]


def opacity(widget: Locator, title: str) -> int:
    """That of the middle pixel of a row's first image, from 0 to 255."""
    canvas = widget.get_by_role("img", name=title).locator("canvas").first
    read = "c => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[3]"
    return canvas.evaluate(read)


def test_the_slider_is_moved_by_keys_and_images_number_and_table_follow(show):
    widget = show(explorer())
    knob, number = widget.get_by_role("slider", name="Strength"), widget.locator(".tl-number")
    for key, words, points in [
        ("End", "strength 1: CORAL 87.0 %, source only 17.0 %", "+70.0 points"),
        ("ArrowLeft", "strength 0.5: CORAL 92.0 %, source only 57.0 %", "+35.0 points"),
        ("Home", "strength 0: CORAL 97.0 %, source only 97.0 %", "0.0 points"),
        ("ArrowLeft", "strength 0: CORAL 97.0 %, source only 97.0 %", "0.0 points"),
    ]:
        knob.press(key)
        assert position(widget).startswith(words), key
        assert number.inner_text() == points, key
    knob.press("End")
    assert [(name.split("\u00a0")[-1], value) for name, value, _ in table(widget)] == [
        ("oracle", "97.0"),
        ("CORAL", "87.0"),
        ("source only", "17.0"),
    ]
    assert table(widget)[1][2] == "\u00b1 2.5"
    assert (opacity(widget, "Source"), opacity(widget, "Target")) == (255, 128)
    assert widget.get_by_role("img", name="Target, at strength 1, 3 images").count() == 1


def test_the_figure_says_what_python_says(show):
    made = explorer()
    widget = show(made)
    for shown, place in [("contrast", 2), ("blur", 2), ("blur", 3)]:
        widget.get_by_role("radio", name=shown).click()
        widget.get_by_role("slider").press("End" if place == 3 else "Home")
        for _ in range(place % 3):
            widget.get_by_role("slider").press("ArrowRight")
        made.shown, made.place = shown, place
        assert widget.get_by_role("img", name=f"Accuracy on 100 test images. {made!r}", exact=True).count() == 1


@pytest.mark.parametrize("width", [960, 436])
def test_knob_and_marks_stand_over_each_other_wherever_the_slider_is_clicked(show, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    widget = show(explorer())
    line = widget.locator(".tl-line").bounding_box()
    for share, strength in [(0.3, "0.25"), (0.95, "1"), (0.05, "0"), (0.55, "0.5")]:
        page.mouse.click(line["x"] + share * line["width"], line["y"] + 16)
        assert position(widget).startswith(f"strength {strength}:")
        assert widget.locator(".tl-value").inner_text() == strength
        knob = widget.locator(".tl-knob").bounding_box()
        larger = widget.locator("svg path[d^='M-6,0'], svg path[d^='M0,-7.8']").all()  # a circle and a diamond
        assert len(larger) == 2
        for box in map(Locator.bounding_box, larger):
            assert knob["x"] + knob["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=1)


def test_another_kind_of_shift_has_its_own_curves_and_images_at_the_same_strength(show):
    widget = show(explorer())
    widget.get_by_role("slider").press("End")
    widget.get_by_role("radio", name="blur").click()
    assert widget.locator(".tl-number").inner_text() == "\u221210.0 points"
    assert widget.locator(".tl-lines b").all_inner_texts() == ["Source", "Blurred target"]
    assert position(widget).startswith("strength 1: CORAL 67.0 %, source only 77.0 %")
    widget.page.keyboard.press("ArrowLeft")  # back, by keyboard
    assert widget.get_by_role("radio", name="contrast").get_attribute("aria-checked") == "true"
    assert widget.locator(".tl-lines b").all_inner_texts() == ["Source", "Target"]
    lost = "source only has lost more than half of its accuracy at strength 1"
    assert widget.locator(".tl-status").inner_text().endswith(lost)


def test_the_pair_is_chosen_from_all_but_the_guide_and_never_one_with_itself(show):
    widget = show(explorer())
    first, second = (widget.get_by_role("combobox", name=f"Compare, {which} recipe") for which in ("first", "second"))
    assert [words.split("\u00a0")[-1] for words in first.locator("option").all_inner_texts()] == [
        "source only",
        "CORAL",
    ]
    widget.get_by_role("slider").press("End")
    first.select_option("0")
    assert (first.input_value(), second.input_value()) == ("0", "1")
    assert widget.locator(".tl-number").inner_text() == "\u221270.0 points"
    assert widget.locator(".tl-key").inner_text() == "At strength 1, source only over CORAL"


def test_the_guide_is_a_dotted_line_without_marks(show):
    chart = show(explorer()).locator(".tl-figure svg")
    dotted = chart.locator("path[stroke-dasharray]").all()
    assert [line.get_attribute("stroke") for line in dotted] == ["var(--tl-ink2)"]
    assert {"oracle", "CORAL", "source only", "chance 10\u00a0%"} <= set(chart.locator("text").all_text_contents())


@pytest.mark.parametrize("make", [explorer, plain])
def test_in_a_narrow_column_everything_is_stacked(show, page, make):
    page.set_viewport_size({"width": 428, "height": 900})
    widget = show(make())
    parts = [".tl-lines", ".tl-chart", ".tl-slider", ".tl-number", ".tl-methods", ".tl-controls", ".tl-status"]
    boxes = [widget.locator(part).first.bounding_box() for part in parts if widget.locator(part).count()]
    assert all(
        one["y"] + one["height"] <= other["y"] + 5 for one, other in pairwise(boxes)
    )  # the slider's line is lower
    assert widget.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_without_choices_and_images_there_is_nothing_of_them(show):
    widget = show(plain())
    assert widget.get_by_role("radio").count() == widget.locator(".tl-lines").count() == 0
    widget.get_by_role("slider").press("End")
    assert position(widget).startswith("strength 1: source only 77.0 %, CORAL 67.0 %, +10.0 points")


def test_a_choice_with_fewer_rows_leaves_none_behind(show):
    ink = torch.ones(3, 1, 8, 8)
    one, two = Frames.Row("One", ink), Frames.Row("Two", ink)
    widget = show(ShiftExplorer(comparison(), rows={"contrast": [one, two], "blur": [one]}, choice="shift"))
    for shown, rows in [("contrast", 2), ("blur", 1), ("contrast", 2)]:
        widget.get_by_role("radio", name=shown).click()
        assert widget.locator(".tl-pictures").count() == rows
