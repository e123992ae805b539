"""Each widget as a page, with names as biologists have, and with numbers that are none: nothing leaves its frame."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

import tlkit as tl
from tlkit.widgets import Frames

NAMES = (
    "Saccharomyces_cerevisiae_var_boulardii_CNCM_I-745",
    "heterogeneous nuclear ribonucleoproteins A2/B1, isoform 2",
    "Escherichia coli O157:H7 strain EDL933, grown without oxygen",
    "methylenetetrahydrofolatedehydrogenasecyclohydrolase",
)
LABELS = torch.arange(40) % len(NAMES)
NOISE = torch.Generator().manual_seed(0)
SPLIT = tl.data.Split(torch.rand(40, 1, 8, 8, generator=NOISE), LABELS, NAMES)
MANY = tl.data.Split(SPLIT.inputs, torch.arange(40) % 12, tuple(f"{name}, {at}" for name in NAMES for at in "abc"))
FEATURES = torch.randn(40, 5, generator=NOISE)
SURE = (4 * FEATURES[:, :4]).softmax(1)


class Guess:
    """Predicts the wrong class for every fourth image."""

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        classes = torch.arange(len(inputs)) % len(NAMES)
        return torch.where(torch.arange(len(inputs)) % 16 == 1, 3, classes)


def comparison() -> tl.Comparison:
    families = dict(zip(NAMES, ("pre-trained", "from scratch", "frozen features"), strict=False))
    recipes = {name: tl.Recipe(lambda task, seed: Guess(), family=family) for name, family in families.items()}
    return tl.compare(recipes, tl.data.Task(NAMES[0], SPLIT, SPLIT, SPLIT), seeds=range(5), budgets=[1, 5]).finish()


def shifted(trials: int | None = None, strengths: Any = (0, NAMES[3], 1), **options: Any) -> tl.widgets.ShiftExplorer:
    """Long names everywhere; finished, or after some trials."""
    recipes = {name: tl.Recipe(lambda task, seed, **where: Guess(), "nothing learnt") for name in NAMES}
    over = {NAMES[0]: NAMES, NAMES[1]: strengths}
    compared = tl.compare(recipes, tl.data.Task(NAMES[0], SPLIT, SPLIT, SPLIT), range(2), ["all"], over=over)
    for _ in range(compared.steps if trials is None else trials):
        next(compared)
    rows = [Frames.Row(NAMES[3], SPLIT.inputs[:3], note=NAMES[1])]
    return tl.widgets.ShiftExplorer(compared, rows=rows, choice=NAMES[0], guide=NAMES[2], title=NAMES[3], **options)


def prediction() -> tl.widgets.Prediction:
    measured = comparison()
    asked = tl.widgets.Prediction(
        {1: 0.5, 5: 0.7},
        question=f"How well will {NAMES[3]} do?",
        name=NAMES[0],
        baseline_name=NAMES[1],
        statements=NAMES,
        statements_question="Which of these?",
    )
    asked.placed, asked.locked = [60, 80], True
    return asked.reveal(measured, NAMES[0])


def monitor() -> tl.widgets.Monitor:
    def run(steps: int) -> tl.Run:
        network = tl.models.SmallCNN(classes=len(NAMES))
        return tl.Run(network, tl.objectives.CrossEntropy(), SPLIT, steps=steps, device="cpu")

    watched = tl.validated(run(60), SPLIT, every=20)
    for _ in range(40):
        next(watched)
    return tl.widgets.Monitor(watched, title=NAMES[2], name=NAMES[3], earlier={NAMES[0]: run(9).finish()})


def frames(**options: Any) -> Frames:
    curve = Frames.Curve(NAMES[0], [3.0, 2.0, 1.0], name=NAMES[1], lines={NAMES[3]: 1.5})
    row = Frames.Row(NAMES[3], SPLIT.inputs[:3], note=NAMES[1], captions=NAMES[:3])
    parts = {"number": "3.1 %", "table": {NAMES[0]: [1, 2, 3]}, "sentence": f"{NAMES[3]}. And more.", "strips": [row]}
    rows = {NAMES[0]: [row], NAMES[1]: [row], NAMES[3]: [row]}
    return Frames(NAMES[1], ["1", NAMES[3], "3"], title=NAMES[2], rows=rows, curve=curve, **(parts | options))


def groups() -> tl.widgets.FreezePanel:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4), torch.nn.Linear(4, 4))
    parts = {NAMES[0]: ["1"], NAMES[3]: ["2"]}
    plan = tl.freezing.FreezePlan((tl.freezing.Rule(NAMES[0], None), tl.freezing.Rule(NAMES[3])), parts)
    return tl.widgets.FreezePanel(network, split=SPLIT, plan=plan)


CNN = tl.models.SmallCNN(classes=len(NAMES))
LONG: dict[str, Callable[[], Any]] = {
    "gallery": lambda: tl.widgets.Gallery(SPLIT, Guess()),
    "gallery of beliefs": lambda: tl.widgets.Gallery(SPLIT, CNN),
    "gallery of many classes": lambda: tl.widgets.Gallery(MANY, tl.models.SmallCNN(classes=12)),
    "side by side": lambda: tl.widgets.SideBySide(SPLIT, tl.data.Task(NAMES[0], SPLIT[:8], SPLIT, SPLIT, SPLIT[8:])),
    "views": lambda: tl.widgets.Views(SPLIT, {NAMES[0]: tl.data.weak, NAMES[3]: tl.data.strong}),
    "feature map": lambda: tl.widgets.FeatureMap(
        SPLIT, {0: FEATURES, 10: FEATURES + 1}, predictions={0: LABELS, 10: LABELS.flip(0)}, method="PCA"
    ),
    "feature map of many classes": lambda: tl.widgets.FeatureMap(MANY, FEATURES, method="PCA"),
    "frames": frames,
    "frames along a curve": lambda: frames(number="", table=None, recorded=True),
    "pseudo-labels": lambda: tl.widgets.PseudoLabelMonitor(SPLIT, {0: SURE, 10: SURE}, threshold=0.5, name=NAMES[2]),
    "freeze panel": groups,
    "teach": lambda: tl.widgets.Teach(NAMES, title=NAMES[0]),
    "explorer": lambda: tl.widgets.BudgetExplorer(comparison()),
    "shift explorer": shifted,
    "prediction": prediction,
    "monitor": monitor,
    "monitor of a comparison": lambda: tl.widgets.Monitor(comparison()),
}


@pytest.fixture
def show(lab, tmp_path) -> Iterator[Callable[..., Page]]:
    """Opens a widget's saved page; what the page complains of is wrong."""
    context = lab.new_context(offline=True, viewport={"width": 908, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def show(widget: Any, theme: str = "light") -> Page:
        widget.needs_python = False  # its buttons do nothing, but it is drawn
        page.emulate_media(color_scheme=theme)
        page.goto(widget.save_page(tmp_path / "page.html").as_uri())
        page.locator(".tl-status").get_by_text(re.compile(".")).first.wait_for()
        return page

    yield show
    context.close()
    assert complaints == []


# What leaves the frame, or reaches from one part of it into another: boxes as far as no box around them cuts them off.
OUTSIDE = """() => {
    const frame = document.querySelector(".tl");
    const box = (node) => {
        if (node.nodeType === Node.ELEMENT_NODE) return node.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(node);
        return range.getBoundingClientRect();
    };
    const seen = (node) => {
        let { left, right } = box(node);
        for (let around = node.parentElement; around && around !== frame; around = around.parentElement) {
            if (getComputedStyle(around).overflowX === "visible") continue;
            [left, right] = [Math.max(left, box(around).left), Math.min(right, box(around).right)];
        }
        return { left, right };
    };
    const leaves = (node, part, beside) => {
        const [one, other] = [seen(node), box(part)];
        return one.right > one.left && (one.left < other.left - beside || one.right > other.right + beside);
    };
    const outside = (part, beside) => [...part.querySelectorAll(":not(.tl-hidden, svg *, select *), text")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .flatMap((node) => [node, ...[...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE)])
        .filter((node) => leaves(node, part, beside))
        .map((node) => `${node.nodeName} "${node.textContent.slice(0, 40)}" leaves ${part.className}`);
    const parts = frame.querySelectorAll(".tl-body > *");
    const found = [...outside(frame, 0), ...[...parts].flatMap((part) => outside(part, 16))];
    const page = document.documentElement;
    return page.scrollWidth > page.clientWidth ? [`the page is ${page.scrollWidth} px wide`, ...found] : found;
}"""


@pytest.mark.parametrize("name", LONG)
def test_names_of_fifty_characters_stay_in_their_frame(name, show):
    page = show(LONG[name]())
    found = {}
    for width in (900, 420):
        page.set_viewport_size({"width": width + 8, "height": 900})
        page.wait_for_function("width => document.querySelector('.tl').clientWidth <= width", arg=width)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found[width] = page.evaluate(OUTSIDE)
    assert not any(found.values()), found


LOST = Frames.Curve("Error", [1, math.nan, math.inf], low=[0, math.nan, -math.inf], high=[2, 3, math.inf])
ODD: dict[str, Callable[[], Any]] = {
    "a curve with a gap": lambda: Frames("step", [0, 1, 2], title="Lost", curve=LOST, recorded=True, frame=1),
    "a line that is nowhere": lambda: Frames(
        "step", [0, 1], title="Lost", curve=Frames.Curve("Error", [1, 2], lines={"mean": math.nan})
    ),
    "nothing measured": lambda: Frames("step", [0, 1], title="Lost", curve=Frames.Curve("Error", [math.nan] * 2)),
    "a comparison that has just begun": lambda: shifted(1),
    "a comparison at one place": lambda: shifted(strengths=[0.5]),
    "an unknown baseline": lambda: tl.widgets.Prediction({1: 0.5, 5: math.nan, 20: 0.7}, question="?"),
    "one class, pseudo-labels": lambda: tl.widgets.PseudoLabelMonitor(ONE, torch.ones(8, 1)),
    "one class, gallery": lambda: tl.widgets.Gallery(ONE, tl.models.SmallCNN(classes=1)),
    "one class, map": lambda: tl.widgets.FeatureMap(ONE, FEATURES[:8], predictions=ONE.labels, method="PCA"),
    "one class, side by side": lambda: tl.widgets.SideBySide(ONE, ONE),
    "one class, teach": lambda: tl.widgets.Teach(["heart"]),
    "one class, prediction": lambda: tl.widgets.Prediction({1: 0.5, 5: 0.7}, question="?", classes=1),
    "one weight group": lambda: tl.widgets.FreezePanel(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))),
}
ONE = tl.data.Split(SPLIT.inputs[:8], torch.zeros(8, dtype=torch.int64), ("a",))


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_number_or_alone_is_drawn_without_a_complaint(name, show):
    page = show(ODD[name]())
    assert page.locator("[role=alert]").count() == 0
    drawn = "nodes => nodes.map((node) => node.outerHTML).filter((words) => /NaN|Infinity|undefined/.test(words))"
    assert page.locator(".tl svg *, .tl [style]").evaluate_all(drawn) == []
