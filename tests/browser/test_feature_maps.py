"""The FeatureMap as a page that was saved: without a kernel and without a network, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
import torch

import tlkit as tl

# Twelve images around a circle, 30 degrees apart, in three classes of four; from one to the next are neighbours.
LABELS = torch.arange(12) // 4
NAMES = ("<b>4</b>", "8", "bus")
STEPS = (0, 40, 120)


def images(channels: int = 1) -> tl.data.Split:
    return tl.data.Split(torch.ones(12, channels, 8, 8), LABELS, NAMES)


def around(stride: int = 1) -> torch.Tensor:
    """Features of the twelve: every `stride`-th lies beside the one before."""
    angles = (30.0 * stride * torch.arange(12)).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1)


@pytest.fixture(scope="module")
def opened(lab, tmp_path_factory):
    """Opens a widget's saved page, 960 px wide; what a page complains of is wrong."""
    context = lab.new_context(offline=True, viewport={"width": 960, "height": 900})
    complaints: list[str] = []

    def open_page(widget, **media):
        path = widget.save_page(tmp_path_factory.mktemp("map") / "map.html")
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.emulate_media(**media)
        page.goto(path.as_uri())
        page.locator(".tl-map").wait_for()
        return page

    yield open_page
    assert complaints == []
    context.close()


@pytest.fixture(scope="module")
def trained(opened):
    """A map of three steps: classes are strewn, then their images lie beside each other, and the last one is wrong."""
    predictions = {0: torch.zeros(12).long(), 40: LABELS, 120: LABELS.clone()}
    predictions[120][11] = 0
    frames = {0: around(5), 40: around(), 120: around()}
    widget = tl.widgets.FeatureMap(images(), frames, predictions=predictions, k=2, method="PCA", colours=("8",))
    return opened(widget)


@pytest.fixture
def page(trained):
    """The map as it is at first: step 0, coloured by label."""
    trained.get_by_role("slider").press("Home")
    trained.get_by_role("radio", name="label").click()
    return trained


def selected(page):
    """The middle of the selected image in the page, as (x, y)."""
    box = page.locator('.tl-map rect[stroke-width="3"]').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def sentence(page):
    return page.locator(".tl-side p").inner_text()


def inks(page):
    """The colours, as "red,green,blue", in which there are solid pixels on the map."""
    read = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = new Set();
        for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) found.add(data.slice(at, at + 3).join());
        return [...found];
    }"""
    return set(page.locator(".tl-map > canvas").evaluate(read))


GHOST, S1, WRONG = "139,147,155", "11,105,203", "179,38,30"


def test_a_click_takes_the_nearest_image_and_shows_its_neighbours(page):
    page.get_by_role("slider").press("End")
    neighbours = page.locator('.tl-map rect[stroke-width="1.25"]')
    for _ in range(3):
        assert neighbours.count() == 2
        box = neighbours.first.bounding_box()
        aim = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.click(aim[0] + 15, aim[1] - 10)
        assert selected(page) == pytest.approx(aim, abs=1)
    assert re.fullmatch(r"An? .* (among two|beside one) .*", sentence(page))


@pytest.mark.parametrize(
    "key, axis, way", [("ArrowRight", 0, 1), ("ArrowLeft", 0, -1), ("ArrowDown", 1, 1), ("ArrowUp", 1, -1)]
)
def test_an_arrow_selects_an_image_that_lies_where_it_points(page, key, axis, way):
    opposite = {"ArrowRight": "ArrowLeft", "ArrowLeft": "ArrowRight", "ArrowDown": "ArrowUp", "ArrowUp": "ArrowDown"}
    for _ in range(12):
        page.locator(".tl-map").press(opposite[key])
    before = selected(page)
    page.locator(".tl-map").press(key)
    assert way * (selected(page)[axis] - before[axis]) > 1
    live = page.locator("[aria-live].tl-hidden").inner_text()
    assert re.match(r"image \d+: ", live) and live.endswith(sentence(page))


def test_the_sentence_says_what_the_features_do_not_yet_tell_apart(page):
    assert "the features do not yet tell them apart." in sentence(page)
    assert not page.locator(".tl-side b").get_by_text("4", exact=True).count()  # a name is text, never markup


def test_the_slider_and_the_arrow_on_the_frame_run_through_the_steps(page):
    root = page.locator('[data-widget="feature-map"]')
    value = page.locator(".tl-value")
    assert value.inner_text() == "step 0 of 120"
    places = page.locator(".tl-map > canvas").evaluate("canvas => canvas.toDataURL()")
    root.press("ArrowRight")
    assert value.inner_text() == "step 40 of 120"
    assert page.locator(".tl-map > canvas").evaluate("canvas => canvas.toDataURL()") != places
    page.get_by_role("slider").press("ArrowRight")
    root.press("ArrowRight")  # the last one stays
    assert value.inner_text() == "step 120 of 120"
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "step 120 of 120"


def test_the_curve_says_how_many_neighbours_share_the_label_and_what_chance_would_give(page):
    page.get_by_role("slider").press("End")
    shown = page.locator(".tl-side .tl-chart")
    assert shown.get_attribute("aria-label") == "75.0\xa0% at step 120; by chance 27.3\xa0%"  # 18 of 24
    assert "75.0\xa0%" in shown.text_content() and "chance 27.3\xa0%" in shown.text_content()
    map_label = page.locator(".tl-map .tl-chart").get_attribute("aria-label")
    assert map_label == "12 images placed by their features at step 120; 75.0 % of their 2 nearest share the label"


def test_colours_follow_four_classes_at_most_or_the_errors(page):
    chips = page.locator(".tl-tints").get_by_role("button")
    assert inks(page) >= {GHOST, S1}
    chips.nth(1).click()
    assert S1 not in inks(page)
    assert chips.nth(1).get_attribute("aria-pressed") == "false"
    chips.nth(1).click()
    page.get_by_role("radio", name="prediction").click()
    assert S1 not in inks(page)  # at first the network predicts the same class for all
    page.get_by_role("slider").press("End")
    assert S1 in inks(page)
    page.get_by_role("radio", name="error").click()
    assert inks(page) >= {GHOST, WRONG} and S1 not in inks(page)
    assert page.locator('.tl-map path[d*="7,7"]').count() == 1  # a cross as well as a colour
    assert page.get_by_text("1 of 12 images is misclassified").is_visible()
    assert not chips.first.is_visible()


def test_names_stand_on_the_map_and_not_on_each_other(page):
    boxes = [box.bounding_box() for box in page.locator('.tl-map rect[height="22"]').all()]
    assert len(boxes) == 3
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            beside = one["x"] > other["x"] + other["width"] or other["x"] > one["x"] + one["width"]
            assert beside or abs(one["y"] - other["y"]) >= 22
    assert {*NAMES} <= set(page.locator(".tl-map text").all_text_contents())


def test_a_fifth_class_takes_the_colour_of_the_one_chosen_first(opened):
    many = tl.data.Split(torch.ones(12, 1, 8, 8), torch.arange(12) % 6, tuple("abcdef"))
    page = opened(tl.widgets.FeatureMap(many, around(), method="PCA"))
    chips = page.locator(".tl-tints").get_by_role("button")
    tints = [chip.get_attribute("style") for chip in chips.all()]
    chips.nth(5).click()
    assert [chip.get_attribute("aria-pressed") for chip in chips.all()] == [*["false"], *["true"] * 3, "false", "true"]
    assert chips.nth(5).get_attribute("style") == tints[0]


def test_play_runs_to_the_last_step_and_ends_there(page):
    page.clock.install()
    page.locator('[data-widget="feature-map"]').press(" ")
    assert page.locator(".tl-value").inner_text() == "step 40 of 120"
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(1_600)
    assert page.locator(".tl-value").inner_text() == "step 120 of 120"
    assert page.get_by_role("button", name="Play").is_visible()


def test_who_asks_for_less_motion_steps(opened):
    frames = {step: around() for step in STEPS}
    page = opened(tl.widgets.FeatureMap(images(), frames, method="PCA"), reduced_motion="reduce")
    page.clock.install()
    page.get_by_role("button", name="Next frame").click()
    page.clock.run_for(2_000)
    assert page.locator(".tl-value").inner_text() == "step 40 of 120"


def test_what_makes_no_sense_is_absent(opened):
    page = opened(tl.widgets.FeatureMap(images(), around(), k=2, method="PCA"))
    assert page.get_by_role("slider").count() == page.get_by_role("radio").count() == 0
    assert page.locator(".tl-number").inner_text() == "75.0\xa0%"
    page = opened(tl.widgets.FeatureMap(images().without_labels(), around(), method="PCA"))
    assert page.get_by_role("button").count() == page.locator(".tl-number").count() == 0
    assert inks(page) == {"26,29,33"}


def test_photographs_keep_their_colours_and_have_an_edge_in_that_of_their_class(opened):
    red = images(3).images * torch.tensor([1.0, 0, 0])[:, None, None]
    page = opened(tl.widgets.FeatureMap(tl.data.Split(red, LABELS, NAMES), around(), method="PCA"))
    assert {"255,0,0", S1} <= inks(page)


def test_in_a_narrow_page_the_slider_stands_below_the_map_and_above_the_rest(page):  # the last: it leaves it narrow
    page.set_viewport_size({"width": 420, "height": 900})
    page.locator(".tl-narrow").wait_for()
    boxes = [page.locator(part).bounding_box() for part in (".tl-map", ".tl-controls", ".tl-side")]
    assert sorted(boxes, key=lambda box: box["y"]) == boxes
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert page.locator(".tl").first.evaluate("node => node.scrollWidth <= node.clientWidth")


KERNEL = """
import torch
import tlkit as tl
widget = tl.widgets.FeatureMap(tl.data.digits().test[:20], {0: torch.rand(20, 4), 8: torch.rand(20, 4)}, method="PCA")
widget
"""


def test_the_frame_can_be_set_from_python_and_python_knows_the_selected_image(open_notebook):
    notebook = open_notebook([KERNEL, "widget.frame = 1; widget.selected = 5", "print(widget.frame, widget.selected)"])
    notebook.run_cell(0)
    value = notebook.output(0).locator(".tl-value")
    assert value.inner_text() == "step 0 of 8"
    notebook.run_cell(1)
    notebook.wait_output(0, "step 8 of 8")
    notebook.output(0).get_by_role("slider").press("Home")
    notebook.output(0).locator(".tl-map").press("ArrowUp")
    notebook.output(0).locator(".tl-map").press("ArrowDown")
    notebook.run_cell(2)
    frame, selected = notebook.output_text(2).split()
    assert frame == "0" and selected.isdigit()
