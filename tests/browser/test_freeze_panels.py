"""The FreezePanel in a real JupyterLab: by mouse and by keyboard it makes the plan that the next cell trains with."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from jupyter_browser import rest

SETUP = """
import torch
import tlkit as tl
from collections import OrderedDict
from torch import nn

digits = tl.data.digits()
network = tl.models.SmallCNN()
"""
TRAIN = """
learner = network.copy()
before = {name: weight.clone() for name, weight in learner.named_parameters()}
run = tl.Run(learner, tl.objectives.CrossEntropy(), digits, steps=20, lr=3e-3, plan=panel.plan, device="cpu").finish()
changed = {name.split(".")[-3 if "backbone" in name else 0] for name, weight in learner.named_parameters()
           if not torch.equal(before[name], weight)}
print(sorted(changed), panel)
"""
CELLS = {
    "setup": SETUP,
    "panel": "panel = tl.widgets.FreezePanel(network, split=digits, steps=20)\nawait panel.measured()",
    "train": TRAIN,
    "plan": "print(panel.plan, sorted(panel.costs))",
    "set": "panel.plan = tl.freezing.gradual_unfreezing(network)",
    "names": 'tl.widgets.FreezePanel(nn.Sequential(OrderedDict([("<b>1", nn.Linear(4, 4)), ("2", nn.Linear(4, 3))])))',
    "deep": "tl.widgets.FreezePanel(nn.Sequential(*(nn.Linear(4, 4) for _ in range(11))))",
    "unlabelled": "tl.widgets.FreezePanel(network, split=tl.data.Split(digits.test.images, None, digits.classes))",
}
NUMBER = {name: number for number, name in enumerate(CELLS)}


@pytest.fixture
def panel(notebook):
    """The panel as it is at first: the head alone learns, the costs of every depth are measured."""
    notebook.run_cell(NUMBER["panel"])
    shown = notebook.output(NUMBER["panel"]).locator('[data-widget="freeze-panel"]')
    shown.get_by_text("of 3.2 MB with all thawed").wait_for()
    return shown


def switch(panel, group):
    return panel.get_by_role("switch", name=re.compile(f"^{group}:"))


def edge(panel, group):
    return panel.get_by_role("slider", name=f"edge of {group}", exact=True)


def learning(panel):
    return [one.get_attribute("aria-label").split(":")[0] for one in panel.get_by_role("switch", checked=True).all()]


def status_of(panel):
    return panel.get_by_role("status").inner_text()


def printed(notebook, cell):
    """What a cell prints once Python has the last change: it is sent when Python has answered the one before."""
    notebook.run_cell(NUMBER["plan"])
    notebook.run_cell(NUMBER[cell])
    return notebook.output_text(NUMBER[cell])


def drag(page, handle, by, release=True):
    """Pull a handle by a number of pixels."""
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=5)
    if release:
        page.mouse.up()


def width(panel):
    """Pixels from the first step to the last on the timeline."""
    left, right = (edge(panel, group).bounding_box()["x"] for group in ("head", "block1"))
    return right - left


def test_a_plan_made_with_the_mouse_trains_the_next_cell(panel, notebook):
    switch(panel, "features").click()
    drag(notebook.page, edge(panel, "block3"), -width(panel) / 2)
    assert "Next: block3 thaws at step 10 with rate 0.003. Batch-norm statistics of locked groups" in status_of(panel)
    words = "head learns from the start, features from the start, block3 from step 10; frozen: block2, block1"
    assert printed(notebook, "train") == f"['block3', 'features', 'head'] {words}"
    assert panel.locator(".tl-network").get_attribute("aria-label") == words


def test_the_same_plan_by_keyboard_alone(panel, notebook):
    press = notebook.page.keyboard.press
    panel.focus()
    for key in ("Tab", " "):  # Thaw one more group
        press(key)
    for key in ("Tab", "Tab"):  # Reset plan, the switches
        press(key)
    assert panel.locator(":focus").get_attribute("aria-label") == "block1: frozen"
    for key in ("End", "Tab", "End", "ArrowLeft"):  # the last switch; the rates, of which the last is higher
        press(key)
    press(" ")
    assert panel.locator(":focus").get_attribute("aria-label") == "lower rate of head"
    press("Tab")
    assert panel.locator(":focus").get_attribute("aria-valuetext") == "step 0"
    press("Tab")
    assert panel.locator(":focus").get_attribute("aria-valuetext") == "head learns with rate 0.0009 from step 0"
    for key in ("ArrowDown", "ArrowDown", "Home", *["ArrowRight"] * 10):
        press(key)
    assert panel.locator(":focus").get_attribute("aria-valuetext") == "block3 learns with rate 0.003 from step 10"
    rows = [
        "block1    frozen",
        "block2    frozen",
        "block3    frozen, from 50 % on 1 × lr",
        "features  1 × lr",
        "head      0.3 × lr",
    ]
    assert printed(notebook, "plan").startswith("\n".join(rows))
    assert notebook.execution_count(NUMBER["panel"]) is not None  # Space and the arrows were the panel's


def test_a_switch_changes_what_holds_from_the_step_shown_on(panel, notebook):
    panel.get_by_role("slider", name="Step shown").focus()
    for _ in range(5):
        notebook.page.keyboard.press("ArrowRight")
    panel.get_by_role("button", name="Thaw one more group").click()
    switch(panel, "head").click()
    assert "What may change at step 5: one of five groups is learning" in panel.inner_text()
    assert learning(panel) == ["features"]
    panel.get_by_role("slider", name="Step shown").press("Home")
    assert learning(panel) == ["head"]
    assert "Next: features, head change at step 5." in status_of(panel)
    for _ in range(2):
        notebook.page.keyboard.press("Control+z")
    assert "Next: nothing changes up to step 20." in status_of(panel)


def test_blocks_are_hatched_and_the_wall_stands_at_the_deepest_group_that_learns(panel):
    def fills(name):
        return {one.get_attribute("fill") for one in panel.locator(".tl-sheet").all()[name]}

    sheets = slice(-10, None)  # the cells of the head
    assert fills(sheets) == {"var(--tl-s1)"}
    assert any("url(" in fill for fill in fills(slice(0, -10)))
    network = panel.locator(".tl-network")
    assert "gradients stop here: nothing to the left can change" in network.inner_text()
    wall = network.locator("path[stroke-width='2.5']")
    assert wall.bounding_box()["x"] == pytest.approx(switch(panel, "head").bounding_box()["x"], abs=4)
    switch(panel, "block2").click()
    assert wall.bounding_box()["x"] == pytest.approx(switch(panel, "block2").bounding_box()["x"], abs=4)
    switch(panel, "block1").click()
    assert "gradients reach the first group" in network.inner_text()


def test_costs_answer_to_the_switches_and_a_gap_is_measured_when_asked(panel, notebook):
    costs = panel.locator(".tl-costs")
    assert "650 of 40,618 · 1.6\xa0%" in costs.inner_text()
    assert "27.3\xa0kB of 3.2\xa0MB with all thawed" in costs.inner_text()
    assert re.search(r"Cost of one step, \d+ images\s+[\d.]+\xa0ms of [\d.]+\xa0ms with all thawed", costs.inner_text())
    switch(panel, "features").click()
    assert "17,098 of 40,618" in costs.inner_text() and "307\xa0kB of 3.2\xa0MB" in costs.inner_text()
    switch(panel, "block1").click()  # with block2 and block3 frozen above it: no depth has that
    costs.get_by_text("of 3.2 MB with all thawed").wait_for()
    assert "'10011'" in printed(notebook, "plan")


def test_rates_go_down_and_up_a_ladder_of_multiples_of_the_run_s(panel):
    lower, higher = (panel.get_by_role("button", name=f"{way} rate of head") for way in ("lower", "higher"))
    value = panel.locator(".tl-stepper").last.locator("span")
    assert (value.inner_text(), higher.get_attribute("aria-disabled")) == ("0.003", "true")
    for rate in ("0.0009", "0.0003", "9e-5"):
        lower.click()
        assert value.inner_text() == rate
    higher.click()
    assert value.inner_text() == "0.0003"
    assert panel.locator(".tl-stepper").first.inner_text() == "none"


def test_the_cursor_and_every_edge_are_large_enough_to_hit(panel):
    boxes = [one.bounding_box() for one in panel.get_by_role("slider").all()]
    assert len(boxes) == 6 and all(min(box["width"], box["height"]) >= 24 for box in boxes)  # WCAG 2.5.8


def test_if_nothing_can_learn_it_waits_and_says_what_to_do(panel):
    switch(panel, "head").click()
    assert panel.locator(".tl-word").inner_text() == "waiting for you"
    assert status_of(panel).endswith("nothing can learn: let at least one group learn at the start")
    panel.get_by_role("button", name="Reset plan").click()
    assert panel.locator(".tl-word").inner_text() == "up to date"
    assert learning(panel) == ["head"]
    edge(panel, "head").press("ArrowRight")
    assert status_of(panel).endswith("nothing can learn: let at least one group learn at the start")


def test_an_edge_goes_no_further_than_its_neighbours_and_escape_puts_it_back(panel, notebook):
    page, end = notebook.page, width(panel)
    drag(page, edge(panel, "features"), -end / 2, release=False)
    assert edge(panel, "features").get_attribute("aria-valuenow") == "10"
    page.keyboard.press("Escape")
    page.mouse.up()
    assert edge(panel, "features").get_attribute("aria-valuetext") == "features stays frozen"
    drag(page, edge(panel, "features"), -2 * end)
    assert edge(panel, "features").get_attribute("aria-valuenow") == "0"
    drag(page, edge(panel, "features"), 2 * end)
    assert edge(panel, "features").get_attribute("aria-valuetext") == "features stays frozen"


def test_a_plan_set_in_python_is_shown_and_its_edges_are_where_it_says(panel, notebook):
    notebook.run_cell(NUMBER["set"])
    panel.get_by_text("Next: features thaws at step 4 with rate 0.0015.").wait_for()
    assert [edge(panel, group).get_attribute("aria-valuenow") for group in ("head", "block1")] == ["0", "16"]
    left, right = (edge(panel, group).bounding_box()["x"] for group in ("features", "block1"))
    switch(panel, "block1").click()
    assert width(panel) == 0  # both from the start
    panel.get_by_role("button", name="Reset plan").click()
    assert right - left == pytest.approx(0.6 * width(panel), abs=1)


def test_names_are_text_and_many_groups_stand_in_rows(notebook):
    notebook.run_cell(NUMBER["names"])
    named = notebook.output(NUMBER["names"]).locator('[data-widget="freeze-panel"]')
    named.get_by_text("not measured").first.wait_for()
    assert named.get_by_text("<b>1").count() == 2  # under its block and at its row
    assert named.get_by_text("not measured").count() == 2
    notebook.run_cell(NUMBER["deep"])
    deep = notebook.output(NUMBER["deep"]).locator('[data-widget="freeze-panel"]')
    deep.wait_for()
    tops = [one.bounding_box()["y"] for one in deep.get_by_role("switch").all()]
    assert len(set(tops)) == 2 and tops == sorted(tops)


def test_what_cannot_be_measured_is_named_with_its_reason(notebook):
    notebook.run_cell(NUMBER["unlabelled"])
    shown = notebook.output(NUMBER["unlabelled"]).locator('[data-widget="freeze-panel"]')
    shown.get_by_text("Costs are not measured: CrossEntropy needs labels").wait_for()
    assert shown.locator(".tl-word").inner_text() == "error"


def test_without_a_kernel_switches_and_costs_go_on(panel, notebook):  # the last but one: it ends the kernel
    notebook.lab.request(f"/api/sessions/{notebook.session}", "DELETE")
    panel.get_by_role("button", name="Thaw one more group").click()
    assert learning(panel) == ["features", "head"]
    assert "307\xa0kB of 3.2\xa0MB" in panel.locator(".tl-costs").inner_text()


def test_in_a_narrow_column_everything_is_stacked(notebook):  # the last: it leaves the page narrow
    notebook.set_width(420)
    panel = notebook.output(NUMBER["panel"]).locator('[data-widget="freeze-panel"]')
    rest(notebook.page, 300)
    boxes = [panel.locator(part).bounding_box() for part in (".tl-network", ".tl-costs", ".tl-timeline")]
    assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(boxes))
    box = panel.bounding_box()
    for button in panel.get_by_role("switch").all():
        inside = button.bounding_box()
        assert box["x"] < inside["x"] and inside["x"] + inside["width"] < box["x"] + box["width"]
