"""Prediction, BudgetExplorer and "Break this claim" in a real JupyterLab, by mouse and by keyboard."""

from __future__ import annotations

from jupyter_browser import rest

SETUP = """
import tlkit as tl

class Reads:
    def __init__(self, task, seed, share):
        self.labels, self.right = task.test.labels, int(600 * share + 3 * (seed % 3))
    def predict(self, images):
        guess = (self.labels + 1) % 10
        guess[: self.right] = self.labels[: self.right]
        return guess

recipes = {
    "from scratch": tl.Recipe(lambda task, seed: Reads(task, seed, 0.5), family="from scratch"),
    "head kept": tl.Recipe(lambda task, seed: Reads(task, seed, 0.8), family="pre-trained"),
}
comparison = tl.compare(recipes, tl.data.digits(), seeds=range(5), budgets=(1, 5, 20)).finish()
"""
PREDICT = """
baseline = {budget: comparison.values("from scratch", budget)[0] for budget in comparison.budgets}
prediction = tl.widgets.Prediction(baseline, question="Where will it land?", name="head kept",
                                   statements=["No difference.", "A gain."], statements_question="What will be true?")
prediction
"""
BROKEN = """
def useless():
    network = tl.models.SmallCNN()
    run = tl.Run(network, tl.objectives.CrossEntropy(), tl.data.digits(), steps=100)
    return run, lambda task, seed: Reads(task, seed, 0.5)

tl.lessons.break_claim(comparison, "head kept", better_than="from scratch", at=1, by=5, sources={"useless": useless})
"""
LAYERS = """
shares = {"block1": 0.5, "block2": 0.6, "features": 0.9}
by_layer = {
    "near": tl.Recipe(lambda task, seed, layer: Reads(task, seed, shares[layer]), family="frozen features"),
    "far": tl.Recipe(lambda task, seed, layer: Reads(task, seed, 0.4), family="nothing learnt"),
}
by_layer = tl.compare(by_layer, tl.data.digits(), budgets=[0, "all"], over={"layer": list(shares)}).finish()
tl.widgets.BudgetExplorer(by_layer, at={"budget": "all"})
"""
LOSSES = """
def untrained(factor):
    def recipe(task, seed):
        network = tl.models.SmallCNN(seed=seed)
        network.head.weight.data *= factor
        return network
    return recipe

losses = {"unsure": untrained(0), "sure": untrained(3)}
losses = tl.compare(losses, tl.data.digits(), budgets=[0, 1, "all"], metric="log_loss").finish()
tl.widgets.BudgetExplorer(losses)
"""
CELLS = {
    "setup": SETUP,
    "ask": PREDICT,
    "reveal": 'prediction.reveal(comparison, "head kept")\nNone',
    "sent": "print(prediction.get_state()['result'], [guess and float(guess) for guess in prediction.placed])",
    "ask again": PREDICT,
    "break": BROKEN,
    "explore": "tl.widgets.BudgetExplorer(comparison, first='head kept', second='from scratch')",
    "explore layers": LAYERS,
    "explore losses": LOSSES,
}
NUMBER = {name: number for number, name in enumerate(CELLS)}


def shown(notebook, cell):
    """Run a cell and return what it shows."""
    notebook.run_cell(NUMBER[cell])
    return notebook.output(NUMBER[cell])


def test_a_prediction_is_placed_and_locked_by_keyboard_and_only_then_is_the_result_sent(notebook):
    asked = shown(notebook, "ask").locator('[data-widget="prediction"]')
    points = asked.locator(".tl-point")
    points.nth(0).focus()
    for key in ("PageUp", "PageUp", "PageUp", "ArrowRight", "Shift+ArrowUp"):
        notebook.page.keyboard.press(key)
    notebook.run_cell(NUMBER["reveal"])
    assert shown(notebook, "sent").inner_text().strip() == "{} [80.0, 50.1, None]"
    points.nth(2).focus()
    notebook.page.keyboard.press(" ")
    asked.get_by_text("A gain.").click()
    asked.locator('button[data-do="lock"]').click()
    asked.get_by_text("Your prediction against the measurement").wait_for()
    assert "80.4" in asked.inner_text()
    assert "'values': [80.4" in shown(notebook, "sent").inner_text()


def test_open_points_rest_on_the_baseline_and_follow_the_mouse(notebook):
    asked = shown(notebook, "ask again").locator('[data-widget="prediction"]')
    asked.scroll_into_view_if_needed()
    line = asked.locator(".tl-chart").first.bounding_box()
    box = asked.locator(".tl-point .tl-disc").nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert abs(y - (line["y"] + 10 + (line["height"] - 34) / 2)) < 3  # half way up: the baseline is at 50 %
    notebook.page.mouse.move(x, y)
    notebook.page.mouse.down()
    notebook.page.mouse.move(x, y - 60, steps=5)
    notebook.page.mouse.up()
    rest(notebook.page, 500)  # the last of the moves is still on its way to the kernel
    first, second, third = shown(notebook, "sent").inner_text().split("[")[1].strip("]\n ").split(", ")
    assert first == third == "None"
    assert 65 < float(second) < 80


def test_a_claim_is_broken_by_another_source_that_trains_in_the_background(notebook):
    page = shown(notebook, "break")
    page.get_by_text("Holds.").wait_for()
    page.locator("select").nth(2).select_option("3")
    page.get_by_role("button", name="Test again").click()
    page.get_by_text("Undecided.").wait_for()
    page.locator("select").nth(0).select_option("useless")
    page.locator("select").nth(2).select_option("5")
    page.get_by_role("button", name="Test again").click()
    page.get_by_text("Does not hold.").wait_for()
    assert "Tested 3 times" in page.inner_text()


def test_layers_are_explored_as_budgets_are(notebook):
    explorer = shown(notebook, "explore layers").locator('[data-widget="budget-explorer"]')
    explorer.get_by_text("With layer block1").wait_for()
    slider = explorer.locator(".tl-slider [role=slider]")
    assert slider.get_attribute("aria-label") == "layer"
    slider.focus()
    slider.press("End")
    explorer.get_by_text("With layer features").wait_for()
    assert "+50.0 points" in explorer.inner_text()
    ticks = explorer.locator("svg text").all_text_contents()
    assert {"block1", "block2", "features"} <= set(ticks)


def test_a_metric_that_is_no_share_is_explored_in_its_own_unit_over_no_and_all_labels(notebook):
    explorer = shown(notebook, "explore losses").locator('[data-widget="budget-explorer"]')
    explorer.get_by_text("With 0 labels per class").wait_for()
    slider = explorer.locator(".tl-slider [role=slider]")
    slider.focus()
    slider.press("End")
    explorer.get_by_text("With all labels").wait_for()
    assert "Log loss on 600 test images" in explorer.inner_text() and "points" not in explorer.inner_text()


def test_the_budget_explorer_answers_without_a_kernel(notebook):  # the last: it ends the kernel
    explorer = shown(notebook, "explore").locator('[data-widget="budget-explorer"]')
    explorer.get_by_text("With 1 label per class").wait_for()
    notebook.lab.request(f"/api/sessions/{notebook.session}", "DELETE")
    slider = explorer.locator(".tl-slider [role=slider]")
    slider.focus()
    slider.press("ArrowRight")
    explorer.get_by_text("With 5 labels per class").wait_for()
    slider.press("End")
    explorer.get_by_text("With 20 labels per class").wait_for()
    assert "+30.0 points" in explorer.inner_text()
    explorer.locator("select").first.select_option(index=0)
    explorer.get_by_text("\u221230.0 points").wait_for()
