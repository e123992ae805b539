"""Frames saved as one file: by mouse and by keyboard, without a kernel and without a network."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import torch
from playwright.sync_api import Locator

from tlkit.widgets import Frames

ROW, CURVE = Frames.Row, Frames.Curve
INK = torch.ones(2, 1, 8, 8)
HIDDEN = torch.zeros(2, 8, 8, dtype=torch.bool)
HIDDEN[:, :4] = True


def recorded() -> Frames:
    """Three frames of a run, at steps that are not evenly apart; one row is in both choices."""
    given = ROW("Given", INK, hidden=HIDDEN)
    made = ROW("Made", torch.stack([0 * INK, INK / 2, INK]), note=lambda frame: f"frame {frame}")
    missed = ROW("Missed", torch.stack([INK, INK / 2, 0 * INK]))
    return Frames(
        "epoch",
        [0, 2, 8],
        title="A run",
        rows={"reconstruction": [given, made], "<b>difference</b>": [given, missed]},
        curve=CURVE("Error", [0.3, 0.2, 0.1], name="autoencoder", lines={"always the mean": 0.25}),
        sentence=["Worse. It has just begun.", "Better: than the mean.", "Better still."],
        recorded=True,
    )


def choice() -> Frames:
    """Three thresholds over an axis of their own; above the last, one image is left."""
    left = ROW("Left out", INK, captions=["0.9\n\u2715 says <i>7</i>", "0.8\nsays 1"])
    taken = ROW("Let in", [INK, INK, INK[:1]], captions=[["a", "b"], ["c", "d"], ["e"]], used=False)
    return Frames(
        "threshold",
        [0.5, 0.8, 0.95],
        title="A choice",
        curve=CURVE("Accuracy", [80, 90, 96], x=[1000, 800, 453], x_title="images used", unit="%", start=70),
        number=["80.0 % right", "90.0 % right", "96.0 % right"],
        table={"used": [1000, 800, 453]},
        strips=[left, taken],
        sentence="Surer is rarer. Fewer are used.",
        note="The axis starts at 70 %.",
        frame=2,
    )


VIEWS = ("nothing", "noise", "shift, rotation and scale", "elastic", "cut-out", "all of them, stronger")


def categories() -> Frames:
    """Six choices that are no numbers."""
    reached = [62.0, 64, 70, 73, 66, 81]
    curve = CURVE("Accuracy", reached, "SimCLR", [v - 4 for v in reached], [v + 4 for v in reached], unit="%")
    return Frames("views", VIEWS, title="Which change teaches?", curve=curve, number=[f"{v:.1f} %" for v in reached])


def position(frames: Locator) -> str:
    return frames.get_by_role("slider").get_attribute("aria-valuetext") or ""


def shades(canvas: Locator) -> list[list[int]]:
    """The opacity of a picture's pixels, from 0 to 255, row by row."""
    read = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, at) => at % 4 === 3)"
    found = canvas.evaluate(read)
    width = int(canvas.get_attribute("width"))
    return [found[start : start + width] for start in range(0, len(found), width)]


def pictures(frames: Locator, title: str) -> Locator:
    return frames.get_by_role("img", name=re.compile(f"^{title}")).locator("canvas")


def test_the_slider_is_moved_by_keys_and_everything_follows(show):
    run = show(recorded())
    knob = run.get_by_role("slider", name="Epoch")
    for key, words in [("ArrowRight", "2"), ("End", "8"), ("ArrowLeft", "2"), ("Home", "0"), ("ArrowLeft", "0")]:
        knob.press(key)
        assert position(run).startswith(f"epoch {words} of 8: autoencoder 0."), key
    knob.press("End")
    assert run.get_by_role("img", name="Error. epoch 8 of 8: autoencoder 0.100").count() == 1
    assert run.get_by_role("img", name="Made, frame 2, 2 images").count() == 1
    assert "epoch 8 of 8" in run.inner_text() and "Better still." in run.inner_text()
    assert shades(pictures(run, "Made").first)[30][30] == 255


def test_knob_and_mark_stand_over_each_other_wherever_the_slider_is_clicked(show, page):
    run = show(recorded())
    line = run.locator(".tl-line").bounding_box()
    for share, words in [(0.2, "2"), (0.9, "8"), (0.05, "0")]:  # 2 of 8 is a quarter of the way
        page.mouse.click(line["x"] + share * line["width"], line["y"] + 16)
        assert position(run).startswith(f"epoch {words} of 8")
        knob, mark = (run.locator(part).bounding_box() for part in (".tl-knob", ".tl-chart path[d^='M-6'][transform]"))
        assert knob["x"] + knob["width"] / 2 == pytest.approx(mark["x"] + mark["width"] / 2, abs=1)


def test_the_knob_is_drawn_small_and_hit_over_32_pixels(show):
    knob = show(recorded()).get_by_role("slider")
    box, drawn = knob.bounding_box(), knob.evaluate("node => getComputedStyle(node, '::before').width")
    assert (box["width"], box["height"], drawn) == (32, 32, "16px")


def test_a_run_plays_two_frames_a_second_and_stops_at_its_end(show, page):
    run = show(recorded())
    run.get_by_role("button", name="Play").click()
    assert position(run).startswith("epoch 2")
    page.clock.run_for(499)
    assert position(run).startswith("epoch 2")
    page.clock.run_for(1)
    assert position(run).startswith("epoch 8")
    assert run.get_by_role("button", name="Next frame").get_attribute("aria-disabled") == "true"
    page.clock.run_for(500)
    run.get_by_role("button", name="Play").click()  # once more, from the beginning
    assert position(run).startswith("epoch 0")


def test_space_plays_and_pauses_and_the_arrow_goes_on(show, page):
    run = show(recorded())
    run.focus()
    run.press(" ")
    assert run.get_by_role("button", name="Pause").is_visible()
    run.press(" ")
    page.clock.run_for(2000)
    assert position(run).startswith("epoch 2")
    run.press("ArrowRight")
    assert position(run).startswith("epoch 8")
    run.get_by_role("slider").press("Home")
    run.get_by_role("button", name="Next frame").click()
    page.clock.run_for(2000)
    assert position(run).startswith("epoch 2")


def test_who_moves_the_slider_has_the_run_paused(show, page):
    run = show(recorded())
    run.get_by_role("button", name="Play").click()
    run.get_by_role("slider").press("ArrowLeft")
    page.clock.run_for(2000)
    assert position(run).startswith("epoch 0")
    assert run.get_by_role("button", name="Play").is_visible()


def test_with_reduced_motion_nothing_plays_and_space_is_a_step(show, page):
    page.emulate_media(reduced_motion="reduce")
    run = show(recorded())
    assert run.get_by_role("button").all_text_contents() == ["Next framespace"]
    run.focus()
    run.press(" ")
    page.clock.run_for(2000)
    assert position(run).startswith("epoch 2")


def test_other_rows_are_chosen_and_a_shared_one_stays(show):
    run = show(recorded())
    run.get_by_role("radio", name="<b>difference</b>").click()
    assert run.locator(".tl-lines b").all_inner_texts() == ["Given", "Missed"]
    run.page.keyboard.press("ArrowLeft")
    assert run.locator(".tl-lines b").all_inner_texts() == ["Given", "Made"]
    many = Frames("value", [0, 1], title="Code", rows={f"dimension {d}": [ROW(f"Row {d}", INK)] for d in range(8)})
    latent = show(many)
    latent.get_by_role("combobox").select_option("dimension 5")
    assert latent.locator(".tl-lines b").all_inner_texts() == ["Row 5"]


def test_what_was_hidden_is_hatched(show):
    given = shades(pictures(show(recorded()), "Given").first)
    above, below = ([shade for line in half for shade in line[10:60]] for half in (given[10:30], given[45:60]))
    assert set(below) == {255}
    assert 0.05 < sum(shade > 100 for shade in above) / len(above) < 0.6


def test_a_choice_is_measured_and_not_played(show):
    threshold = show(choice())
    assert threshold.get_attribute("data-state") == "measured"
    assert threshold.get_by_role("button").count() == 0
    threshold.focus()
    threshold.press(" ")
    assert position(threshold) == "threshold 0.95: 96.0 % right"


def test_a_choice_changes_number_table_and_the_ticks_at_the_mark(show):
    threshold = show(choice())
    for key, number, used in [("End", "96.0 % right", "453"), ("ArrowLeft", "90.0 % right", "800")]:
        threshold.get_by_role("slider").press(key)
        assert threshold.locator(".tl-number").inner_text() == number
        assert threshold.locator(".tl-counts").inner_text().split() == ["used", used]
        assert {used, number.split()[0]} <= set(threshold.locator("svg .tl-text-bold").all_text_contents())
    assert threshold.locator(".tl-meaning").inner_text() == "Surer is rarer. Fewer are used."
    assert threshold.locator(".tl-status").inner_text() == "The axis starts at 70 %."


def test_under_images_stand_their_words_a_wrong_one_with_a_cross(show):
    threshold = show(choice())
    left, taken = threshold.locator(".tl-pictures").all()
    assert left.locator("b").all_inner_texts() == ["\u2715 says <i>7</i>"]
    assert taken.locator(".tl-shot:visible").all_inner_texts() == ["e"]
    assert taken.locator(".tl-shot").first.evaluate("node => getComputedStyle(node).borderStyle") == "dashed"
    threshold.get_by_role("slider").press("Home")
    assert taken.locator(".tl-shot:visible").all_inner_texts() == ["a", "b"]


@pytest.mark.parametrize("make", [recorded, choice])
def test_in_a_narrow_column_everything_is_stacked(show, page, make):
    page.set_viewport_size({"width": 428, "height": 900})
    frames = show(make())
    parts = [".tl-lines", ".tl-chart", ".tl-side", ".tl-strips", ".tl-controls", ".tl-status"]
    boxes = [frames.locator(part).first.bounding_box() for part in parts if frames.locator(part).count()]
    assert all(one["y"] + one["height"] <= other["y"] + 1 for one, other in pairwise(boxes))
    assert frames.evaluate("node => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("width", [960, 436])
def test_choices_that_are_no_numbers_have_each_a_row_with_its_whole_name_and_no_line_between_them(page, show, width):
    page.set_viewport_size({"width": width, "height": 900})
    frames = show(categories())
    chart = frames.locator(".tl-chart")
    assert {*VIEWS} <= {*chart.locator("text").all_text_contents()}
    marks = [
        box["y"] for box in map(Locator.bounding_box, chart.locator('path[stroke="var(--tl-ground)"]').all()) if box
    ]
    assert len(marks) == len(VIEWS) and min(later - before for before, later in pairwise(sorted(marks))) > 15
    lines = [
        path.get_attribute("d") or "" for path in chart.locator('path[fill="none"][stroke="var(--tl-ink2)"]').all()
    ]
    heights = [{*re.findall(r",(-?[\d.]+)", line)} for line in lines]
    assert len(heights) == len(VIEWS) and all(len(ys) == 1 for ys in heights)  # intervals, each within its row
    chart.get_by_text("elastic").click()
    assert position(frames) == "views elastic: 73.0 %"
