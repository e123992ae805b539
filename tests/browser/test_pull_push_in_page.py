"""PullPush saved as one file: points are dragged, steps taken and settings changed, without a kernel and a network."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Locator, Page

import tlkit as tl

PullPush = tl.widgets.PullPush


def words(widget: Locator) -> str:
    """The label of the circle: the step, the settings and the numbers."""
    return widget.locator(".tl-cell > svg").get_attribute("aria-label") or ""


def degrees(widget: Locator) -> list[tuple[float, float]]:
    values = [float(one.get_attribute("aria-valuenow") or "nan") for one in widget.locator(".tl-view").all()]
    return list(zip(values[::2], values[1::2], strict=True))


def arrows(widget: Locator) -> int:
    return widget.locator("path[d$='z'][transform*='rotate']").count()


def centre(node: Locator) -> tuple[float, float]:
    box = node.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, widget: Locator, name: str, to: float) -> None:
    """Drag the view of that name to an angle, the pointer somewhat outside of the circle."""
    (x, y), circle = centre(widget.get_by_role("slider", name=name, exact=True)), widget.locator("svg circle").first
    middle, radius = centre(circle), circle.bounding_box()["width"] / 2 + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*middle)  # straight through the middle
    page.mouse.move(
        middle[0] + radius * math.cos(math.radians(to)), middle[1] - radius * math.sin(math.radians(to)), steps=4
    )


def test_a_point_is_dragged_along_the_circle_and_every_number_follows_as_in_python(show, page):
    widget = show(PullPush())
    assert words(widget) == repr(PullPush()) and arrows(widget) == 0
    drag(page, widget, "a\u2032", 90)
    page.mouse.up()
    [a, *others] = degrees(widget)
    assert a == pytest.approx((0, 90), abs=1) and others == [(120, 130), (240, 250)]
    assert words(widget) == repr(PullPush([a, *others]))
    assert arrows(widget) > 0
    cell = widget.locator("tbody tr").first.get_by_role("cell").nth(1)
    assert float(cell.inner_text().replace("\u2212", "-")) == pytest.approx(math.cos(math.radians(a[1])), abs=0.006)
    assert (
        "a\u2032 is pulled clockwise by a; is pushed clockwise, most by b" in widget.locator(".tl-status").inner_text()
    )
    assert widget.get_by_label("Start from").input_value() == ""


def test_escape_brings_a_dragged_point_back_and_undo_takes_a_drag_back(show, page):
    widget = show(PullPush())
    before = degrees(widget)
    drag(page, widget, "b", 60)
    assert degrees(widget) != before
    page.keyboard.press("Escape")
    page.mouse.up()
    assert degrees(widget) == before
    drag(page, widget, "b", 60)
    page.mouse.up()
    page.keyboard.press("Control+z")
    assert degrees(widget) == before


def test_points_are_chosen_and_moved_by_keys(show, page):
    widget = show(PullPush())
    widget.get_by_role("radio", name="off").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # the circle is one stop
    for key, moved in [("ArrowDown", 10), ("ArrowRight", 15), ("Shift+ArrowLeft", 14.5), ("ArrowRight", 19.5)]:
        page.keyboard.press(key)
        assert degrees(widget)[0] == (0, moved), key
    focused = widget.locator(".tl-view:focus")
    assert focused.get_attribute("aria-label") == "a\u2032"
    assert focused.get_attribute("aria-valuetext") == "19.5\u00b0, 19.5\u00b0 from a"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # round to the last
    page.keyboard.press("ArrowRight")
    assert degrees(widget)[2] == (240, 255)
    assert widget.locator("tr.tl-chosen th").inner_text().endswith("c\u2032")


def test_a_step_follows_the_arrows_and_lowers_the_loss(show, page):
    widget = show(PullPush(start="half a circle"))
    assert widget.get_attribute("data-state") == "waiting for you"
    losses = [float(widget.locator(".tl-number").inner_text())]
    widget.get_by_role("button", name="Step").click()
    widget.focus()
    page.keyboard.press("ArrowRight")
    assert widget.get_attribute("data-state") == "paused"
    assert words(widget).startswith("step 2, ")
    losses.append(float(widget.locator(".tl-number").inner_text()))
    assert losses[1] < losses[0]
    found = repr(PullPush(degrees(widget))).replace("step 0", "step 2")
    assert words(widget).split("; ")[1:] == found.split("; ")[1:]


def test_it_plays_two_steps_a_second_until_nothing_moves_and_begins_again(show, page):
    widget = show(PullPush(start="half a circle", temperature=1))
    widget.focus()
    page.keyboard.press(" ")
    assert words(widget).startswith("step 1,") and widget.get_attribute("data-state") == "training"
    page.clock.run_for(1000)
    assert words(widget).startswith("step 3,")
    widget.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert words(widget).startswith("step 3,") and widget.get_attribute("data-state") == "paused"
    widget.get_by_role("button", name="Play").click()
    page.clock.run_for(60_000)
    assert widget.get_attribute("data-state") == "finished" and arrows(widget) == 0
    assert "pull and push cancel at every view" in widget.inner_text()
    widget.get_by_role("button", name="Play").click()
    assert words(widget).startswith("step 0,") and arrows(widget) > 0


def test_who_moves_a_point_has_it_paused(show, page):
    widget = show(PullPush(start="spread"))
    widget.get_by_role("button", name="Play").click()
    widget.get_by_role("slider", name="a", exact=True).press("ArrowRight")
    page.clock.run_for(3000)
    assert words(widget).startswith("step 0,") and widget.get_by_role("button", name="Play").is_visible()


def test_collapsed_every_arrow_is_zero_until_one_view_is_moved(show, page):
    widget = show(PullPush(start="spread"))
    assert arrows(widget) == 6
    widget.get_by_label("Start from").select_option("collapsed")
    assert arrows(widget) == 0
    assert "loss 1.61; alignment 0.0, uniformity 0.0; collapsed would be 1.61" in words(widget)
    assert "Every arrow is zero: all views are one point" in widget.inner_text()
    for button in ("Play", "Step"):
        assert widget.get_by_role("button", name=button).get_attribute("aria-disabled") == "true"
    widget.focus()
    page.keyboard.press(" ")
    page.clock.run_for(2000)
    assert words(widget).startswith("step 0,") and widget.get_attribute("data-state") == "waiting for you"
    widget.get_by_role("slider", name="c", exact=True).press("ArrowRight")
    assert arrows(widget) > 0


def test_without_the_push_a_collapse_has_the_lowest_loss_and_pairs_close_where_they_are(show, page):
    widget = show(PullPush(start="spread"))
    widget.get_by_role("radio", name="off").click()
    assert "a network, whose weights all images share, collapses" in widget.inner_text()
    for _ in range(20):
        widget.press("ArrowRight")
    assert "loss 0.00; alignment 0.0, uniformity \u22124.4; collapsed would be 0.00" in words(widget)
    widget.get_by_label("Start from").select_option("collapsed")
    assert "the loss could not be lower" in widget.inner_text()
    assert "Pull alone at temperature 0.20" in widget.inner_text()


def test_the_temperature_is_a_slider_and_the_table_shows_shares(show):
    widget = show(PullPush(start="half a circle"))
    knob = widget.get_by_role("slider", name="Temperature")
    for key, value in [("ArrowRight", "0.50"), ("Shift+ArrowLeft", "0.49"), ("End", "1.00"), ("Home", "0.05")]:
        knob.press(key)
        assert knob.get_attribute("aria-valuetext") == value
        assert f"temperature {value}: " in words(widget)
    knob.press("End")
    widget.get_by_role("radio", name="share").click()
    rows = widget.locator("tbody tr").all()
    shares = [[float(cell) for cell in row.locator("td:not(.tl-left-out)").all_inner_texts()] for row in rows]
    assert all(sum(row) == pytest.approx(1, abs=0.03) and len(row) == 5 for row in shares)


def test_with_reduced_motion_nothing_plays_and_there_is_one_step(show, page):
    page.emulate_media(reduced_motion="reduce")
    widget = show(PullPush(start="spread"))
    assert widget.locator(".tl-controls button:visible").all_text_contents() == ["Stepspace"]
    widget.focus()
    page.keyboard.press(" ")
    page.clock.run_for(3000)
    assert words(widget).startswith("step 1,")


@pytest.mark.parametrize("images", [2, 4])
def test_in_a_narrow_column_circle_number_plane_and_cells_stand_below_each_other(show, page, images):
    page.set_viewport_size({"width": 428, "height": 900})
    widget = show(PullPush(degrees=[(90 * image, 90 * image + 40) for image in range(images)]))
    parts = [".tl-cell > svg", ".tl-number", ".tl-side svg", "table", ".tl-controls", ".tl-status"]
    tops = [widget.locator(part).first.bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)
    assert widget.evaluate("node => node.scrollWidth <= node.clientWidth")
    cells = [cell.bounding_box() for cell in widget.locator("tbody td").all()]
    assert min(box["height"] for box in cells) >= 36
    assert widget.locator("tbody td").evaluate_all("cells => cells.every((one) => one.scrollWidth <= one.clientWidth)")
