"""A widget or a lesson saved as one file: opened from the disk, without a network, it works as in JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Page

import tlkit as tl
from hand_drawn import by_hand, draw
from jupyter_browser import notebook_of, rest
from tlkit.data.drawings import SAMPLES
from tlkit.lessons.headless import page_of

ROUNDS = [list(SAMPLES)[start : start + 3] for start in range(0, 12, 3)]  # all samples, three by three
QUESTIONS = 3  # of each class


@pytest.fixture
def page(lab, tmp_path) -> Iterator[Page]:
    """The saved page, opened from the disk; the network is cut, and whatever it asks for or complains of is wrong."""
    path = tl.widgets.Teach({"a": [], "b": [], "c": []}).save_page(tmp_path / "teach.html")
    context = lab.new_context(offline=True, reduced_motion="reduce", viewport={"width": 960, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert [line for line in complaints if not line.startswith((path.as_uri(), "blob:"))] == []
    context.close()


def believed(page: Page, side: int) -> str:
    """The class with the widest bar: left what the pre-trained network believes, right its opponent."""
    widths = page.locator(".tl-share").evaluate_all("bars => bars.map((bar) => bar.getBoundingClientRect().width)")
    return "abc"[int(np.argmax(np.split(np.array(widths), 2)[side]))]


def test_symbols_drawn_with_the_pointer_are_recognised_and_pixels_are_8_points_behind(page):
    page.get_by_label("Compare with").select_option("pixels")
    right = np.zeros(2)
    for names in ROUNDS:
        for key, name in enumerate(names, start=1):
            draw(page, by_hand(name, seed=0))
            page.keyboard.press(str(key))
        for seed in range(1, QUESTIONS + 1):
            for letter, name in zip("abc", names, strict=True):
                draw(page, by_hand(name, seed))
                rest(page, 150)
                right += [believed(page, side) == letter for side in (0, 1)]
                page.locator('[data-do="clear"]').click()
        page.locator('[data-do="empty"]').click()
    pre_trained, pixels = 100 * right / (len(SAMPLES) * QUESTIONS)
    assert pre_trained - pixels >= 8, (pre_trained, pixels)
    assert pre_trained > 80


def test_what_was_drawn_is_there_again_after_the_page_is_loaded_anew_but_not_after_it_is_saved_anew(page, tmp_path):
    draw(page, by_hand("star", seed=0))
    page.keyboard.press("2")
    page.get_by_text("added to b").wait_for()
    for name, key in (("heart", "1"), ("star", "2")):  # the last is a question: both classes were taught before
        draw(page, by_hand(name, seed=1))
        page.keyboard.press(key)
    page.get_by_text("of 1 right").first.wait_for()
    page.reload()
    page.get_by_text("3 drawings in 3 classes").wait_for()
    assert page.get_by_text("of 1 right").count() == 2
    assert [card.inner_text().split("\n")[0] for card in page.locator(".tl-card").all()] == [
        "1 drawn",
        "2 drawn",
        "0 drawn",
    ]
    tl.widgets.Teach({"d": [], "e": []}).save_page(tmp_path / "teach.html")
    page.reload()
    page.get_by_text("0 drawings in 2 classes", exact=True).wait_for()


def test_the_page_of_a_lesson_holds_each_file_once_and_its_widgets_answer_without_a_network(lab, tmp_path):
    digits = "import tlkit as tl\ndigits = tl.data.digits().test"
    shown = ["tl.widgets.Gallery(digits[:20])", "tl.widgets.Gallery(digits)", "tl.widgets.SideBySide(digits, digits)"]
    notebook = notebook_of([digits, *shown])
    with ThreadPoolExecutor(1) as beside:  # Playwright's event loop runs in this thread
        beside.submit(NotebookClient(notebook).execute).result()
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]
    names = [one["state"]["name"] for one in state["state"].values() if one["model_name"] == "WidgetModel"]
    assert sorted(names) == sorted({*names}) and {"style.css", "chart.js", "gallery.js", "side_by_side.js"} <= {*names}

    (saved := tmp_path / "saved.html").write_text(page_of(notebook), encoding="utf-8")
    context = lab.new_context(offline=True, viewport={"width": 960, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    page.get_by_text("20 images of 10 classes").wait_for()
    assert page.locator(".tl[data-widget]").count() == 3
    first = page.get_by_role("listbox").first
    first.press("ArrowRight")
    assert first.get_by_role("option", selected=True).get_attribute("id").endswith("-1")
    asked = [url for url in asked if not url.startswith((saved.as_uri(), "blob:", "data:"))]
    assert all("mathjax" in url for url in asked), asked  # formulas alone, for as long as nbconvert brings none
    context.close()
