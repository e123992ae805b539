"""The Monitor in a real JupyterLab: real clicks and keys, while the kernel trains."""

from __future__ import annotations

import os
import signal
import statistics
import time

import pytest

from jupyter_browser import rest

SETUP = """
import hashlib
import torch
import tlkit as tl

task = tl.data.digits()
few = task.few_labels(1)

def new_run(steps=5_000):
    return tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(augment=tl.data.weak), few, steps=steps)

def digest(run):
    weights = b"".join(t.cpu().numpy().tobytes() for t in run.network.state_dict().values())
    return hashlib.sha256(weights + repr(run.history.series("loss")).encode()).hexdigest()
"""
CELLS = {
    "setup": SETUP,
    "train": "run = await tl.widgets.Monitor(new_run()).train()\nprint('step', run.step)",
    "compare": """
two = {name: lambda task, seed: new_run(100) for name in "ab"}
comparison = tl.compare(two, task, seeds=range(50), budgets=[1])
comparison = await tl.widgets.Monitor(comparison).train()""",
    "probes": """
class Guessing:
    def predict(self, images):
        return torch.zeros(len(images), dtype=torch.long)

probes = tl.compare({"guessing": lambda task, seed: Guessing()}, task, seeds=range(5), budgets=[1])
probes = await tl.widgets.Monitor(probes).train()""",
    "step by step": "tl.widgets.Monitor(new_run(20))",
    "rate": "run = await tl.widgets.Monitor(new_run()).train()\nprint('rate', run.current_lr)",
    "diverging": """
run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), task, steps=200, lr=1e20)
await tl.widgets.Monitor(run).train()""",
    "awaited": "run = new_run(6_000)\nawait tl.widgets.Monitor(run).train()",
    "awaited, queued": "print('queued cell ran')",
    "finish": "run = new_run(99_000)\nnext(run)\nprint('begun')\nrun.finish()",
    "finish, queued": "print('queued cell ran')",
    "same digest": """
interrupted, twin = run.step, new_run(99_000)
for _ in zip(range(50), run): pass
for _ in zip(range(run.step), twin): pass
print(0 < interrupted < run.step, digest(run) == digest(twin))""",
    "another loop": """
class Another:
    def __init__(self):
        self.history, self.finished, self._going = [], False, True
    def __iter__(self):
        self._going = True
        return self
    def __next__(self):
        if not self._going or self.finished:
            raise StopIteration
        step = len(self.history) + 1
        self.history.append({"step": step, "loss": 10 / step, "skill": step / 1e6})
        self.finished = step == 1_000_000
        return step
    def stop(self):
        self._going = False

loop = await tl.widgets.Monitor(Another(), show="skill", name="keras").train()
print("stopped at", len(loop.history), loop.history[-1]["loss"] == 10 / len(loop.history))""",
    "watched": "run = await tl.widgets.Monitor(new_run(2_000)).train()\nprint(digest(run))",
    "bare": """
import asyncio, time, ipywidgets
clicks, button = [], ipywidgets.Button(description="Stop")
button.on_click(clicks.append)
display(button)
while not clicks:
    end = time.perf_counter() + 0.03
    while time.perf_counter() < end: pass
    await asyncio.sleep(0)""",
}
NUMBER = {name: number for number, name in enumerate(CELLS)}


@pytest.fixture
def begin(notebook):
    """Start a cell and return its monitor, once it is in a state."""

    def begin(name, state="training"):
        notebook.run_cell(NUMBER[name], wait=False)
        return in_state(notebook.output(NUMBER[name]), state)

    return begin


def in_state(where, state):
    monitor = where.locator(f'.tl[data-widget="monitor"][data-state="{state}"]')
    monitor.wait_for()
    return where.locator('.tl[data-widget="monitor"]')


def click(monitor, name):
    monitor.locator(f'button[data-do="{name}"]').click()


def curve(monitor):
    """Where the live curve ends, and the words about it."""
    box = monitor.locator(".tl-live").first.bounding_box()
    return box["width"], monitor.locator(".tl-progress").inner_text()


def seconds_to_end(notebook, cell, button):
    """From a click to the end of the cell."""
    clicked = time.perf_counter()
    button.click()
    notebook.wait_execution_count(NUMBER[cell])
    return time.perf_counter() - clicked


@pytest.mark.parametrize("cell", ["train", "compare"])
def test_stop_ends_the_cell_within_half_a_second_or_on_a_busy_machine_as_a_bare_loop_does(notebook, begin, cell):
    stopped, bare = [], []
    for _ in range(3):
        monitor = begin(cell)
        rest(notebook.page, 1_000)
        stopped.append(seconds_to_end(notebook, cell, monitor.locator('button[data-do="stop"]')))
        in_state(notebook.output(NUMBER[cell]), "stopped")
        notebook.run_cell(NUMBER["bare"], wait=False)
        bare.append(seconds_to_end(notebook, "bare", notebook.output(NUMBER["bare"]).get_by_role("button")))
    assert statistics.median(stopped) < max(0.5, 3 * statistics.median(bare)), (stopped, bare)


def test_the_curve_grows_stands_still_in_pause_and_goes_on_by_single_steps(notebook, begin):
    monitor = begin("train")
    before, _ = curve(monitor)
    grown = "([live, before]) => live.getBoundingClientRect().width > before"
    notebook.page.wait_for_function(grown, arg=[monitor.locator(".tl-live").first.element_handle(), before])

    click(monitor, "pause")
    in_state(notebook.output(NUMBER["train"]), "paused")
    rest(notebook.page, 300)
    paused = curve(monitor)
    rest(notebook.page, 600)
    assert curve(monitor) == paused

    step = int(paused[1].split()[1].replace(",", ""))
    click(monitor, "step")
    monitor.locator(".tl-progress").get_by_text(f"Step {step + 1:,} of").wait_for()
    notebook.page.keyboard.press("ArrowRight")
    monitor.locator(".tl-progress").get_by_text(f"Step {step + 2:,} of").wait_for()
    notebook.page.keyboard.press("s")
    notebook.wait_output(NUMBER["train"], f"step {step + 2}")


def test_a_loop_of_another_framework_is_watched_paused_and_stopped(notebook, begin):
    monitor = begin("another loop")
    monitor.get_by_text("keras").first.wait_for()
    assert "Skill" in monitor.inner_text()
    click(monitor, "pause")
    in_state(notebook.output(NUMBER["another loop"]), "paused")
    rest(notebook.page, 300)
    step = int(monitor.locator(".tl-progress").inner_text().split()[1].replace(",", ""))
    click(monitor, "step")
    monitor.locator(".tl-progress").get_by_text(f"Step {step + 1:,}").wait_for()
    click(monitor, "stop")
    notebook.wait_output(NUMBER["another loop"], f"stopped at {step + 1} True")
    assert monitor.locator('button[data-do="continue"]').count() == 1
    assert monitor.locator('button[data-do="afresh"]').count() == 0  # it cannot be made anew


def test_what_trains_nothing_leaves_neither_an_empty_chart_nor_a_hole_where_buttons_were(begin):
    monitor = begin("probes", "finished")
    assert monitor.locator(".tl-cell:visible").count() == 1
    assert not monitor.locator(".tl-controls").is_visible()
    body, status = (monitor.locator(f".tl-{part}").bounding_box() for part in ("body", "status"))
    assert status["y"] - body["y"] - body["height"] < 20


def test_a_step_draws_one_more_point(notebook, begin):
    monitor = begin("step by step", "not running")
    widths = []
    for step in (1, 2, 3):
        click(monitor, "step")
        monitor.locator(".tl-progress").get_by_text(f"Step {step} of 20").wait_for()
        rest(notebook.page, 150)
        widths.append(curve(monitor)[0])
    assert widths[0] < widths[1] < widths[2]


def test_the_rate_slider_changes_the_rate_and_leaves_its_mark(notebook, begin):
    monitor = begin("rate")
    monitor.get_by_role("slider").focus()
    notebook.page.keyboard.press("ArrowRight")
    monitor.get_by_text("rate to 0.01").first.wait_for()
    click(monitor, "stop")
    notebook.wait_output(NUMBER["rate"], "rate 0.01")


def test_a_loss_that_is_no_number_is_explained_and_a_click_starts_afresh(notebook, begin):
    monitor = begin("diverging", "error")
    assert "The loss became NaN" in monitor.inner_text()
    notebook.wait_output(NUMBER["diverging"], "FloatingPointError: the loss is no longer a finite number at step")
    at = monitor.locator(".tl-note").inner_text()
    click(monitor, "repair")
    monitor.locator(".tl-note").filter(has_not_text=at).wait_for(state="attached")


@pytest.mark.parametrize("cell", ["awaited", "finish"])
def test_after_an_interrupt_queued_cells_do_not_run_and_the_run_goes_on_as_if_nothing_was(notebook, cell):
    number = NUMBER[cell]
    notebook.wait_until_idle()  # after an error, as the last test's, the kernel drops what was sent in the meantime
    notebook.run_cell(number, wait=False)
    notebook.run_cell(number + 1, wait=False)
    if cell == "awaited":
        in_state(notebook.output(number), "training")
    else:
        notebook.wait_output(number, "begun")
    notebook.interrupt()
    notebook.wait_until_idle()
    assert "CancelledError" in notebook.output_text(number) or "KeyboardInterrupt" in notebook.output_text(number)
    assert notebook.output_text(number + 1) == ""
    if cell == "awaited":
        assert "interrupted at step" in notebook.output(number).locator(".tl-word").inner_text()
    notebook.run_cell(NUMBER["same digest"])
    assert notebook.output_text(NUMBER["same digest"]) == "True True"


def test_watched_and_paused_or_alone_two_kernels_give_the_same_digest(notebook, begin, lab):
    monitor = begin("watched")
    click(monitor, "pause")
    in_state(notebook.output(NUMBER["watched"]), "paused")
    rest(notebook.page, 300)
    click(monitor, "resume")
    notebook.wait_execution_count(NUMBER["watched"])
    watched = notebook.output_text(NUMBER["watched"]).splitlines()[-1]
    with lab.open_notebook([SETUP + "\nprint(digest(new_run(2_000).finish()))"]) as alone:
        alone.run_all()
        assert alone.output_text(0) == watched
    assert len(watched) == 64


@pytest.mark.parametrize("end", ["killed", "restarted"])
def test_a_training_whose_kernel_has_ended_says_so_and_offers_nothing(end, open_notebook):
    notebook = open_notebook([SETUP + "\nimport os\nprint(os.getpid())", CELLS["train"]])
    notebook.run_cell(0)
    notebook.run_cell(1, wait=False)
    monitor = notebook.widget("monitor")
    monitor.get_by_role("button", name="Stop").wait_for()
    if end == "killed":
        os.kill(int(notebook.output_text(0)), signal.SIGKILL)
    else:
        notebook.restart()
    monitor.get_by_text("Python has ended", exact=True).wait_for(timeout=120_000)
    assert "the kernel was stopped or restarted: run the cells again" in monitor.inner_text()
    assert monitor.get_by_role("button").count() == 0
