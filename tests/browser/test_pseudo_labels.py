"""The PseudoLabelMonitor in a real JupyterLab, by mouse and by keyboard."""

from __future__ import annotations

import pytest

from jupyter_browser import rest

SETUP = """
import torch
import tlkit as tl

labels = torch.arange(200) % 10
images = torch.zeros(200, 1, 8, 8)
images[:, 0, 4:, 4:] = 1
predicted = torch.where(torch.arange(200) % 10 == 3, 7, labels)  # every 3 is called a 7

def probabilities(least):  # surer with every image
    sure = torch.linspace(least, 0.999, 200)
    all_classes = ((1 - sure) / 9)[:, None].repeat(1, 10)
    all_classes[torch.arange(200), predicted] = sure
    return all_classes

split = tl.data.Split(images, labels, ("<b>0</b>", *map(str, range(1, 10))))
"""
CELLS = {
    "setup": SETUP,
    "measured": "one = tl.widgets.PseudoLabelMonitor(split, probabilities(0.5), threshold=0.9)\none",
    "recorded": """
frames = {0: probabilities(0.2), 10: probabilities(0.9)}
tl.widgets.PseudoLabelMonitor(split, frames, name="FixMatch")""",
    "words": "print(one, one.threshold)",
}
NUMBER = {name: number for number, name in enumerate(CELLS)}


@pytest.fixture(scope="module")
def monitors(notebook):
    for name in ("measured", "recorded"):
        notebook.run_cell(NUMBER[name])
    notebook.fit_height()
    return {name: notebook.output(NUMBER[name]).locator(".tl[data-widget]") for name in ("measured", "recorded")}


@pytest.fixture
def measured(monitors):
    """The monitor of one network with the threshold 0.90."""
    knob = monitors["measured"].get_by_role("slider", name="Threshold")
    knob.press("Home")
    for _ in range(80):
        knob.press("ArrowRight")
    assert knob.get_attribute("aria-valuetext") == "0.90"
    return monitors["measured"]


def title(monitor):
    return monitor.locator(".tl-title").inner_text().replace("\xa0", " ")


def cards(monitor):
    return monitor.locator(".tl-mistake:visible")


def test_keys_move_the_threshold_and_all_counts_follow_in_the_page_and_in_the_kernel(measured, notebook):
    assert title(measured) == "40 of 200 images are pseudo-labelled, 90.0 % of them rightly"
    assert "Least covered: class 3, with 0 pseudo-labels for 20 images." in measured.inner_text()
    assert "Most mistaken: class 7, 4 of 8." in measured.inner_text()
    assert "Confidently wrong: 4 images to be learnt from" in measured.inner_text()
    knob = measured.get_by_role("slider", name="Threshold")
    knob.press("ArrowRight")
    knob.press("Shift+ArrowLeft")
    assert knob.get_attribute("aria-valuetext") == "0.909"
    assert "threshold 0.909" in measured.locator(".tl-sure").inner_text()
    shown = title(measured)
    rest(notebook.page, 500)  # a key's value is sent when it rests
    notebook.run_cell(NUMBER["words"])
    assert notebook.output_text(NUMBER["words"]) == f"{shown} 0.909"


def test_bars_below_the_threshold_are_hollow_and_wrong_ones_hatched(measured):
    bars = measured.locator(".tl-sure rect")
    fills = [bar.get_attribute("fill") for bar in bars.all()]
    assert fills.count("var(--tl-ink2)") == 4  # of 0.025 each, from 0.90 on
    assert fills.count("var(--tl-ground)") == 16
    assert sum(fill.startswith("url(") for fill in fills) == 20


def test_dragging_to_the_end_leaves_nothing(measured):
    box = measured.locator(".tl-sure .tl-line").bounding_box()
    measured.locator(".tl-sure .tl-knob").hover()
    measured.page.mouse.down()
    measured.page.mouse.move(box["x"] + box["width"] + 5, box["y"] + 10)
    measured.page.mouse.up()
    assert title(measured) == "None of 200 images is pseudo-labelled"
    assert "No image is sure enough: lower the threshold." in measured.inner_text()
    assert cards(measured).count() == 0


def test_the_surest_mistakes_stand_in_order_and_one_is_marked_in_the_histogram(measured):
    words = [" ".join(card.split()) for card in cards(measured).all_inner_texts()]
    assert words == [f"says 7 · {sure} % is 3" for sure in (98, 95, 93, 90)]
    marks = measured.locator(".tl-sure path[d^='M-5,9']")
    assert marks.count() == 0
    cards(measured).nth(1).click()
    measured.page.keyboard.press("ArrowRight")
    assert [card.get_attribute("aria-pressed") for card in cards(measured).all()] == ["false", "false", "true", "false"]
    assert marks.count() == 1
    measured.page.keyboard.press("Shift+Tab")
    assert measured.locator(":focus").get_attribute("role") == "slider"


def test_a_recorded_run_is_played_to_its_end(monitors):
    recorded = monitors["recorded"]
    assert "recorded run" in recorded.inner_text()
    assert "FixMatch, after step 0. True labels are shown to you, never to the network." in recorded.inner_text()
    before = title(recorded)
    recorded.focus()
    recorded.press(" ")
    recorded.get_by_text("step 10 of 10").wait_for()
    assert title(recorded) != before
    recorded.get_by_role("slider", name="Step").press("Home")
    assert title(recorded) == before


def test_in_a_narrow_column_the_figures_stack(measured, notebook):  # the last: it leaves the page narrow
    notebook.set_width(420)
    measured.locator("xpath=self::*[contains(@class, 'tl-narrow')]").wait_for()
    upper, lower = (cell.bounding_box() for cell in measured.locator(".tl-cell").all())
    assert lower["y"] >= upper["y"] + upper["height"]
    assert measured.evaluate("node => node.scrollWidth <= node.clientWidth")
