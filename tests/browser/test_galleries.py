"""Gallery, SideBySide and Views in a real JupyterLab, by mouse and by keyboard, their kernel gone."""

from __future__ import annotations

import re

import pytest

from jupyter_browser import rest

SETUP = """
from dataclasses import replace
import torch
import tlkit as tl

images = torch.zeros(300, 1, 8, 8)
labels = torch.arange(300) % 10
images[:, 0, 0, 0], images[:, 0, 0, 1], images[:, 0, 4:, 4:] = labels / 10, torch.arange(300) / 1000, 1

class Reads(torch.nn.Module):  # wrong on every seventh image, and surer with every image
    def forward(self, images):
        number, label = (images[:, 0, 0, 1] * 1000).round(), (images[:, 0, 0, 0] * 10).round().long()
        predicted = (label + (number % 7 == 0)) % 10
        return torch.nn.functional.one_hot(predicted, 10) * (1 + number / 100)[:, None]

names = ("<b>0</b>", *map(str, range(1, 10)))
split = tl.data.Split(images, labels, names, files=tuple(f"{i}<i>.png" for i in range(300)))
task = tl.data.Task("lit", split, split, split[:60], unlabelled=split[60:])
"""
CELLS = {
    "setup": SETUP,
    "errors": "tl.widgets.Gallery(split, Reads())",
    "unlabelled": "tl.widgets.Gallery(replace(split, labels=None), Reads())",
    "labels": "tl.widgets.Gallery(split)",
    "many": "tl.widgets.Gallery(replace(split, classes=tuple('ABCDEFGHIJKL')))",
    "sides": "tl.widgets.SideBySide(split, replace(task, train=split[:30]))",
    "views": "tl.widgets.Views(split[:10], {'<i>same</i>': lambda images: images, 'black': torch.zeros_like})",
}
NUMBER = {name: number for number, name in enumerate(CELLS)}


@pytest.fixture(scope="module")
def galleries(notebook):
    """What each cell shows; the kernel has ended, so that all that happens happens in the page."""
    for cell in NUMBER.values():
        notebook.run_cell(cell)
    notebook.fit_height()
    shown = {name: notebook.output(cell).locator(".tl[data-widget]") for name, cell in NUMBER.items() if cell}
    for gallery in shown.values():
        gallery.wait_for()  # a widget that is not yet drawn when the kernel ends never is
    notebook.lab.request(f"/api/sessions/{notebook.session}", "DELETE")
    return shown


@pytest.fixture
def errors(galleries):
    """The gallery of errors as it is at first: no class chosen, all images, in the order of the set, at its start."""
    gallery = galleries["errors"]
    for chip in gallery.locator('.tl-chips [aria-pressed="true"]').all():
        chip.click()
    gallery.get_by_role("radio", name=re.compile("^all")).click()
    gallery.get_by_role("radio", name="data set").click()
    gallery.get_by_role("listbox").focus()
    gallery.get_by_role("listbox").press("Home")
    return gallery


def selected(gallery):
    """The name of the framed image, which is the one that the list names as active."""
    framed = gallery.get_by_role("option", selected=True)
    assert framed.get_attribute("id") == gallery.get_by_role("listbox").get_attribute("aria-activedescendant")
    return framed.get_attribute("aria-label")


def pixel(canvas, x, y):
    """The colour of a canvas at a share of its width and height, as [red, green, blue, opacity]."""
    read = "(c, [x, y]) => [...c.getContext('2d').getImageData(c.width * x, c.height * y, 1, 1).data]"
    return canvas.evaluate(read, [x, y])


def test_classes_are_chosen_and_counted_in_words(errors):
    errors.get_by_role("button", name="4", exact=True).click()
    assert "30 of 300 images are a 4; 5 of them are misclassified" in errors.inner_text()
    errors.get_by_role("button", name="8", exact=True).click()
    assert "60 of 300 images are a 4 or an 8; 9 of them are misclassified" in errors.inner_text()
    assert "Most frequent here: a 4 predicted as 5, 5 times; an 8 predicted as 9, 4 times." in errors.inner_text()
    errors.get_by_role("radio", name="wrong 9").click()
    assert errors.get_by_role("option").count() == 9
    assert "1 to 9 of 9" in errors.inner_text()
    errors.get_by_role("button", name="4", exact=True).click()
    assert [label[:1] for label in errors.get_by_role("option").all_inner_texts()] == ["8"] * 4


def test_arrows_walk_through_the_images_and_pages_turn(errors):
    assert selected(errors) == "image 1, label <b>0</b>, predicted as 1"
    grid = errors.get_by_role("listbox")
    columns = len(grid.evaluate("node => getComputedStyle(node).gridTemplateColumns").split())
    for key, number in [
        ("ArrowRight", 2),
        ("ArrowDown", 2 + columns),
        ("ArrowLeft", 1 + columns),
        ("ArrowUp", 1),
        ("ArrowUp", 1),
        ("PageDown", 1 + 7 * columns),
        ("End", 300),
        ("PageDown", 300),
        ("Home", 1),
    ]:
        grid.press(key)
        assert selected(errors).startswith(f"image {number},"), key
    errors.get_by_role("button", name="Next", exact=True).click()
    assert f"{1 + 7 * columns} to {14 * columns} of 300" in errors.inner_text()
    assert errors.get_by_role("button", name="Previous").get_attribute("aria-disabled") is None


def test_e_goes_from_error_to_error_and_round(errors):
    for number in (8, 15):
        errors.get_by_role("listbox").press("e")
        assert selected(errors).startswith(f"image {number},")
    errors.get_by_role("listbox").press("End")
    errors.get_by_role("button", name="Next error").click()
    assert selected(errors).startswith("image 1,")
    assert errors.locator("[aria-live].tl-hidden").inner_text() == "image 1, label <b>0</b>, predicted as 1"
    errors.get_by_role("radio", name=re.compile("^right")).click()
    assert errors.get_by_role("button", name="Next error").get_attribute("aria-disabled") == "true"


def test_a_click_shows_an_image_with_its_beliefs_and_its_file(errors):
    errors.get_by_role("option").nth(7).click()
    assert selected(errors) == "image 8, label 7, predicted as 8"
    assert errors.locator(".tl-picked").inner_text().split() == ["label", "7", "prediction", "✕", "8", "7<i>.png"]
    assert errors.locator(".tl-marked").all_inner_texts() == ["7\nlabel\n8\xa0%", "8\n24\xa0%"]
    hatched, track = (errors.locator(f".tl-marked {part}").last.bounding_box() for part in (".tl-hatched", "div"))
    assert hatched["width"] / track["width"] == pytest.approx(0.245, abs=0.02)  # of a scale from 0 to 100 %
    believed = "For 41 of 300 images the network believes the true label even less."
    assert f"Thin marks are the other errors. {believed}" in errors.inner_text()


def test_the_surest_stand_first_when_asked_to(errors):
    errors.get_by_role("radio", name="data set").focus()
    errors.page.keyboard.press("ArrowRight")
    errors.get_by_role("listbox").press("Home")
    assert selected(errors).startswith("image 300,")
    errors.page.keyboard.press("e")
    assert selected(errors).startswith("image 295,")
    errors.get_by_role("radio", name="least sure").click()
    errors.get_by_role("listbox").press("Home")
    assert selected(errors).startswith("image 1,")


def test_each_group_is_one_tab_stop(errors):
    errors.locator(".tl-chips button").first.focus()
    for role in ("radio", "listbox", "button"):
        errors.page.keyboard.press("Tab")
        assert errors.locator(":focus").evaluate("node => node.getAttribute('role') ?? node.localName") == role
    errors.locator(".tl-chips button").first.focus()
    errors.page.keyboard.press("ArrowRight")
    errors.page.keyboard.press(" ")
    assert "30 of 300 images are a 1;" in errors.inner_text()


def test_grey_images_are_drawn_in_the_ink_of_the_theme(errors, notebook):
    large = errors.locator(".tl-picked canvas")
    assert pixel(large, 0.75, 0.75) == [26, 29, 33, 255]
    assert pixel(large, 0.25, 0.75)[3] == 0
    notebook.set_theme("dark")
    rest(notebook.page, 300)
    assert pixel(large, 0.75, 0.75) == [233, 235, 238, 255]
    notebook.set_theme("light")


def test_what_makes_no_sense_is_absent(galleries):
    for name, order in [("unlabelled", 3), ("labels", 0)]:
        gallery = galleries[name]
        assert "misclassified" not in gallery.get_by_role("listbox").inner_text()  # which waits until it is there
        assert gallery.get_by_role("radio").count() == order
        assert gallery.get_by_role("button", name="Next error").count() == 0
    assert "prediction" not in galleries["labels"].inner_text()
    galleries["unlabelled"].get_by_role("button", name="1", exact=True).click()
    assert "31 of 300 images are predicted as a 1" in galleries["unlabelled"].inner_text()


def test_above_ten_classes_one_is_chosen_from_a_list(galleries):
    gallery = galleries["many"]
    assert gallery.locator(".tl-chips").count() == 0
    gallery.get_by_role("combobox").select_option("C")
    assert "30 of 300 images are a C" in gallery.inner_text()
    gallery.get_by_role("combobox").select_option("L")
    assert gallery.get_by_text("No image is left here").is_visible()


def test_side_by_side_labelled_images_are_framed_and_others_are_drawn(galleries):
    sides = galleries["sides"]
    source, target = sides.locator("canvas").all()
    before = source.evaluate("node => node.toDataURL()")
    assert pixel(target, 2 / target.bounding_box()["width"], 0.05)[3] > 0  # the frame at the line's beginning
    assert pixel(source, 2 / source.bounding_box()["width"], 0.05)[3] == 0
    sides.get_by_role("button", name="Draw others").click()
    assert source.evaluate("node => node.toDataURL()") != before
    width = source.bounding_box()["width"]
    sides.get_by_role("radio", name="source").click()
    assert source.bounding_box()["width"] > 1.9 * width
    assert not target.is_visible()


def test_a_view_is_shown_large_beside_its_image(galleries):
    views = galleries["views"]
    views.get_by_role("option", name="image 2, label 1, black, view 3").click()
    assert selected(views) == "image 2, label 1, black, view 3"
    assert views.locator(".tl-picked").inner_text().split("\n") == ["image 2", "black, view 3"]
    image, view = views.locator(".tl-picked canvas").all()
    assert (pixel(image, 0.75, 0.75)[3], pixel(view, 0.75, 0.75)[3]) == (255, 0)
    grid = views.get_by_role("listbox")
    for key, label in [("ArrowUp", "1, label <b>0</b>, black, view 3"), ("Home", "1, label <b>0</b>")]:
        grid.press(key)
        assert selected(views) == f"image {label}"
    assert not view.is_visible()
    for key, label in [
        ("ArrowRight", "1, label <b>0</b>, <i>same</i>, view 1"),
        ("PageDown", "8, label 7, <i>same</i>, view 1"),
    ]:
        grid.press(key)
        assert selected(views) == f"image {label}"
    assert "8 to 10 of 10" in views.inner_text()


def test_what_changes_while_the_page_hides_it_is_drawn_when_it_is_back(galleries):
    views = galleries["views"]
    names = [option.get_attribute("aria-label") for option in views.get_by_role("option").all()]
    views.evaluate("""node => {
        node.style.display = "none"; // as JupyterLab does while it changes the theme
        node.querySelector("[role=option]").click();
        node.style.display = "";
    }""")
    rest(views.page, 300)
    assert selected(views) == names[0]
    assert [option.get_attribute("aria-label") for option in views.get_by_role("option").all()] == names


def test_in_a_narrow_column_everything_is_stacked(errors, notebook):  # the last: it leaves the page narrow
    notebook.set_width(420)
    errors.locator("xpath=self::*[contains(@class, 'tl-narrow')]").wait_for()
    boxes = [errors.locator(part).bounding_box() for part in (".tl-images", ".tl-controls", ".tl-side")]
    assert sorted(boxes, key=lambda box: box["y"]) == boxes
    assert errors.evaluate("node => node.scrollWidth <= node.clientWidth")
