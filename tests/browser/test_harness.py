"""The harness itself: what it clicks is clicked, what it reads is on the screen."""

from pathlib import Path
from types import SimpleNamespace

import pytest

AWAITING_CELL = """
import asyncio, ipywidgets
stop = ipywidgets.Button(description="Stop")
clicks = []
stop.on_click(clicks.append)
display(stop)
steps = 0
while not clicks:
    steps += 1
    await asyncio.sleep(0)
print("stopped by", len(clicks), "click")
"""

ANYWIDGET = """
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = '''
    function render({ model, el }) {
        const button = document.createElement("button");
        const show = () => { button.textContent = `pressed ${model.get("pressed")} times`; };
        button.onclick = () => { model.set("pressed", model.get("pressed") + 1); model.save_changes(); };
        model.on("change:pressed", show);
        show();
        el.append(button);
    }
    export default { render };
    '''
    pressed = traitlets.Int(0).tag(sync=True)
counter = Counter()
counter
"""


def test_a_click_during_an_awaiting_cell_is_answered(open_notebook):
    notebook = open_notebook([AWAITING_CELL])
    notebook.run_cell(0, wait=False)
    button = notebook.output(0).get_by_role("button", name="Stop")
    button.wait_for()
    assert notebook.execution_count(0) is None
    button.click()
    assert notebook.wait_execution_count(0) == 1
    notebook.wait_output(0, "stopped by 1 click")


def test_an_anywidget_is_shown_and_its_value_reaches_python(open_notebook):
    notebook = open_notebook([ANYWIDGET, "counter.pressed"])
    notebook.run_cell(0)
    notebook.output(0).get_by_role("button").click()
    notebook.wait_output(0, "pressed 1 times")
    notebook.run_cell(1)
    notebook.wait_output(1, "1")
    assert not notebook.script_errors


def test_width_and_theme_are_those_asked_for(open_notebook):
    notebook = open_notebook(["print('wide')"], width=420, theme="dark")
    notebook.run_all()
    for width, theme, is_light in [(420, "dark", "false"), (900, "light", "true")]:
        notebook.set_theme(theme)
        notebook.set_width(width)
        assert notebook.output(0).locator(".jp-OutputArea-output").bounding_box()["width"] == width
        assert notebook.page.locator("body").get_attribute("data-jp-theme-light") == is_light


def test_an_exception_and_the_cells_after_it_are_seen(open_notebook):
    notebook = open_notebook(["print('before')", "1 / 0", "print('after')"])
    notebook.run_all()
    assert notebook.errors() == ["ZeroDivisionError: division by zero"]
    assert [notebook.execution_count(cell) for cell in range(3)] == [1, 2, None]
    assert [notebook.output_text(cell) for cell in (0, 2)] == ["before", ""]


def test_an_interrupt_ends_an_awaiting_cell(open_notebook):
    notebook = open_notebook(["import asyncio\nprint('begun')\nwhile True:\n    await asyncio.sleep(0)"])
    notebook.run_all(wait=False)
    notebook.wait_output(0, "begun")
    notebook.interrupt()
    notebook.wait_execution_count(0)
    assert notebook.errors()


def test_a_wait_ends_with_the_kernel(lab, open_notebook):
    notebook = open_notebook(["print('before')"])
    lab.request(f"/api/sessions/{notebook.session}", "DELETE")
    with pytest.raises(AssertionError, match=r"Cell 0 does not show 'before'.*, and its kernel has ended"):
        notebook.wait_output(0, "before")


def test_text_in_a_source_is_not_taken_for_output_and_closing_ends_the_kernel(lab):
    with lab.open_notebook(["word = 'needle'"]) as notebook:
        notebook.run_all()
        with pytest.raises(AssertionError, match="does not show 'needle'"):
            notebook.wait_output(0, "needle", seconds=0.5)
        assert len(lab.request("/api/kernels")) == 1
    assert lab.request("/api/kernels") == []


@pytest.mark.parametrize(("browser", "outcome"), [("required", "failed"), ("", "skipped")])
def test_a_skip_is_a_failure_only_where_browser_tests_are_required(browser, outcome, monkeypatch, request):
    monkeypatch.setenv("TLKIT_BROWSER", browser)
    conftest = request.config.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))
    skipped = SimpleNamespace(skipped=True, outcome="skipped", longrepr="no Chromium")
    assert conftest.refuse_skipped(skipped).outcome == outcome
    assert ("although TLKIT_BROWSER=required: no Chromium" in skipped.longrepr) is bool(browser)
