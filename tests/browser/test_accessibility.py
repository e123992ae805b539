"""Each widget that can be saved, as a page: axe-core finds nothing serious, wide and light or narrow and dark.

The widgets in JupyterLab are looked at when the tests of each module are done: see `notebook` in conftest.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

import tlkit as tl
from accessibility import findings
from tlkit.data.drawings import SAMPLES

LOOKS = [(960, "light"), (428, "dark")]  # colours do not depend on the width, nor places on the theme
LABELS = torch.arange(40) % 4
SPLIT = tl.data.Split(torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)), LABELS, tuple("abcd"))
FEATURES = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))


class Guess:
    """Predicts with the wrong class for every fourth image."""

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        classes = torch.arange(len(inputs)) % 4
        return torch.where(torch.arange(len(inputs)) % 16 == 1, 3, classes)


def explorer() -> tl.widgets.BudgetExplorer:
    recipes = {name: tl.Recipe(lambda task, seed: Guess(), family=name) for name in ("pre-trained", "from scratch")}
    task = tl.data.Task("letters", SPLIT, SPLIT, SPLIT)
    return tl.widgets.BudgetExplorer(tl.compare(recipes, task, seeds=range(5), budgets=[1, 5]).finish())


def shift_explorer() -> tl.widgets.ShiftExplorer:
    def recipe(family: str) -> tl.Recipe:
        return tl.Recipe(lambda task, seed, shift, strength: Guess(), family=family)

    recipes = {name: recipe(name) for name in ("unlabelled target", "nothing learnt", "pre-trained")}
    over = {"shift": ("contrast", "blur"), "strength": (0, 0.5, 1)}
    measured = tl.compare(recipes, tl.data.Task("letters", SPLIT, SPLIT, SPLIT), range(5), ["all"], over=over).finish()
    row = tl.widgets.Frames.Row("Source", SPLIT.inputs[:5], note="as it was trained")
    return tl.widgets.ShiftExplorer(measured, rows=[row], choice="shift", guide="pre-trained")


WIDGETS: dict[str, Callable[[], Any]] = {
    "gallery": lambda: tl.widgets.Gallery(SPLIT, Guess()),
    "gallery of beliefs": lambda: tl.widgets.Gallery(SPLIT, tl.models.SmallCNN(classes=4)),
    "side by side": lambda: tl.widgets.SideBySide(SPLIT, tl.data.Task("t", SPLIT[:8], SPLIT, SPLIT, SPLIT[8:])),
    "views": lambda: tl.widgets.Views(SPLIT, {"weak": tl.data.weak, "strong": tl.data.strong}),
    "feature map": lambda: tl.widgets.FeatureMap(SPLIT, {0: FEATURES, 10: FEATURES + 1}, method="PCA"),
    "frames": lambda: tl.widgets.Frames(
        "epoch",
        [0, 1, 2],
        title="A run",
        recorded=True,
        curve=tl.widgets.Frames.Curve("Error", [3.0, 2.0, 1.0], name="a"),
    ),
    "pseudo-labels": lambda: tl.widgets.PseudoLabelMonitor(SPLIT, {0: FEATURES[:, :4].softmax(1)}),
    "freeze panel": lambda: tl.widgets.FreezePanel(tl.models.SmallCNN()),
    "teach": lambda: tl.widgets.Teach({name: [SAMPLES[name]] for name in ("heart", "star")}),
    "explorer": explorer,
    "shift explorer": shift_explorer,
    "pull and push": lambda: tl.widgets.PullPush(start="spread"),
}


@pytest.mark.parametrize("name", WIDGETS)
def test_a_saved_widget_has_no_serious_finding(name, lab, tmp_path):
    path = WIDGETS[name]().save_page(tmp_path / "page.html")
    wrong = {}
    for width, theme in LOOKS:
        context = lab.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.goto(path.as_uri())
        page.locator(".tl-status").get_by_text(re.compile(".")).first.wait_for()
        wrong[width, theme] = findings(page)
        context.close()
    assert not any(wrong.values()), wrong
