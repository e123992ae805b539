"""Teach in a real JupyterLab: what is drawn reaches the next cell and is there again after a reload."""

from __future__ import annotations

from test_pages import believed

from hand_drawn import by_hand, draw
from jupyter_browser import rest

CELLS = {
    "teach": 'import tlkit as tl\nteach = tl.widgets.Teach({"a": [], "b": [], "c": []})\nteach',
    "task": "print(teach.task)",
    "words": "print(teach)",
}
NAMES = ("heart", "house", "fish")


def test_drawn_symbols_are_recognised_reach_python_and_survive_a_reload(notebook):
    page = notebook.page
    for key, name in enumerate(NAMES, start=1):
        draw(page, by_hand(name, seed=0))
        page.keyboard.press(str(key))
    assert notebook.execution_count(1) is None  # keys went to the widget, not to the notebook
    right = 0
    for letter, name in zip("abc", NAMES, strict=True):
        draw(page, by_hand(name, seed=1))
        rest(page, 300)
        right += believed(page, side=0) == letter
        page.locator('[data-do="clear"]').click()
    assert right >= 2
    draw(page, by_hand("house", seed=2))
    notebook.run_cell(1)
    notebook.wait_output(1, "your drawings: 3 classes, 3 train")
    notebook.run_cell(2)
    notebook.wait_output(2, "Teach: 3 drawings in 3 classes; the drawing on the pad")
    notebook.save()
    page.reload()
    notebook.wait_for_kernel()
    page.locator(".tl-card").nth(2).wait_for()
    assert [card.inner_text().split("\n")[0] for card in page.locator(".tl-card").all()] == ["1 drawn"] * 3
