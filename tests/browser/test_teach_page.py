"""Teach in a plain page, without a kernel: its mathematics against torch, and the widget by pointer and by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page

from tlkit.data.drawings import SAMPLES, pictures
from tlkit.models.teach import beliefs, class_means, drawing_features, quantised, restored, untrained_teach
from tlkit.widgets.base import files_of, text_of
from tlkit.widgets.teach import Teach
from widget_modules import ORIGIN, serve_widgets

MODEL = """
class Model {
  constructor(traits) { this.traits = traits; this.listeners = []; }
  get(name) { return this.traits[name]; }
  set(name, value) {
    const changed = this.traits[name] !== value;
    this.traits[name] = value;
    if (changed) this.listeners.filter(([event]) => event === `change:${name}`).forEach(([, handler]) => handler());
  }
  save_changes() {}
  on(...listener) { this.listeners.push(listener); }
  off(event, handler) { this.listeners = this.listeners.filter((one) => one[0] !== event || one[1] !== handler); }
}
window.bytes = (list) => new DataView(Uint8Array.from(list).buffer);
window.mount = async (traits) => {
  window.close_?.();
  window.model = new Model({ ...traits, weights: bytes(traits.weights) });
  window.close_ = (await import("/teach.js")).render({ model, el: document.body });
};
"""
STAR, HEART = SAMPLES["star"], SAMPLES["heart"]


@pytest.fixture(scope="module")
def page(lab) -> Iterator[Page]:
    """A page that holds no more than a model; at its end it has complained of nothing and asked no network."""
    page = lab.browser.new_page(viewport={"width": 900, "height": 900}, reduced_motion="reduce")
    serve_widgets(page)
    sheets = "".join(text_of(name) for name in files_of("teach.js") if name.endswith(".css"))
    page.set_content(f"<style>{sheets}</style><body data-jp-theme-light='true'>")
    page.add_script_tag(content=MODEL)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: request.url.startswith(ORIGIN) or complaints.append(request.url))
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def mount(page: Page) -> Callable[..., Locator]:
    """Draws a Teach with these traits changed, in the place of the one before."""

    def mount(**traits: Any) -> Locator:
        widget = Teach()
        names = ("view", "classes", "drawing", "opponent", "score")
        state = {name: getattr(widget, name) for name in names} | {"weights": list(widget.weights)} | traits
        page.evaluate("(traits) => mount(traits)", state)
        return page.locator(".tl")

    return mount


@pytest.fixture(scope="module")
def reader(page: Page) -> Callable[..., Any]:
    """reader(expression, argument): the value of an expression, whose names are those of drawings.js and reader.js."""
    page.evaluate("async () => Object.assign(window, await import('/drawings.js'), await import('/reader.js'))")
    return lambda expression, argument=None: page.evaluate(f"(argument) => {expression}", argument)


def trait(page: Page, name: str) -> Any:
    return page.evaluate("(name) => model.get(name)", name)


def named(*names: str) -> list[dict[str, Any]]:
    """Classes of these names, each with its sample drawing."""
    return [{"name": name, "drawings": [SAMPLES[name]]} for name in names]


def status_says(teach: Locator, words: str) -> None:
    """Wait until the status line says so."""
    teach.locator(".tl-status").get_by_text(words).wait_for()


def scribbles(count: int) -> list[list[list[list[int]]]]:
    random = np.random.default_rng(0)

    def stroke() -> list[list[int]]:
        walk = random.integers(0, 1001, 2) + random.normal(0, 60, (random.integers(1, 12), 2)).cumsum(0)
        return walk.clip(0, 1000).round().astype(int).tolist()

    return [[stroke() for _ in range(random.integers(1, 5))] for _ in range(count)]


# ---- Mathematics


def test_pictures_and_features_of_300_drawings_equal_torch(reader):
    drawings, weights = scribbles(300), quantised(untrained_teach(seed=3))
    found = reader(
        "{ const layers = decode(bytes(argument.weights)); return argument.drawings.map((drawing) => "
        "[[...picture(drawing)], [...features(layers, picture(drawing))]]); }",
        {"drawings": drawings, "weights": list(weights)},
    )
    images = pictures(drawings)
    features = drawing_features(restored(weights), images)
    torch.testing.assert_close(torch.tensor([one for one, _ in found]).view(-1, 1, 16, 16), images, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.tensor([one for _, one in found]), features, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "drawing",
    [
        [],
        [[[500, 500]]],
        [[[10, 10]], [[900, 20]]],
        [[[3, 3], [3, 3]]],
        [[[0, 0], [1000, 0]]],
        [[[7 * (4 * n + m) % 1001, 11 * (m + n) % 1001] for m in range(4)] for n in range(500)],
    ],
    ids=["empty", "a dot", "two dots", "a dot twice", "along the edge", "500 strokes"],
)
def test_unusual_drawings_have_the_same_picture_as_in_python(reader, drawing):
    found = torch.tensor(reader("[...picture(argument)]", drawing), dtype=torch.float32).view(1, 1, 16, 16)
    torch.testing.assert_close(found, pictures([drawing]), atol=1e-5, rtol=0)


def test_beliefs_equal_those_of_python_and_an_empty_class_has_none(reader):
    features = torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
    classes = [features[:2].tolist(), [], features[2:6].tolist()]
    found = reader("believe(argument[0], argument[1], 15)", [features[6].tolist(), classes])
    means = class_means(features[:6], torch.tensor([0, 0, 1, 1, 1, 1]), 2)
    first, second = beliefs(features[6:], means, 15)[0].tolist()
    assert found["shares"] == pytest.approx([first, 0, second], abs=1e-5)


def test_random_weights_are_the_same_after_a_reload_and_within_torch_s_bounds(reader):
    found = reader(
        """[1, 1, 2].map((seed) => randomLayers(seeded(seed)).map(({ weights }) =>
        [weights.length, Math.max(...weights.map(Math.abs)), weights.reduce((sum, value) => sum + value)]))"""
    )
    assert found[0] == found[1] != found[2]
    sizes, largest, _ = zip(*found[0], strict=True)
    assert sizes == (16 * 10, 32 * 145, 64 * 289, 64 * 1025)
    for value, inputs in zip(largest, (9, 144, 288, 1024), strict=True):
        assert 0.95 < value * inputs**0.5 <= 1


def test_gradients_equal_finite_differences(reader):
    gaps = reader(
        """{
        const random = seeded(3);
        const layers = untrained(3, random);
        const image = picture(argument);
        const zeros = () => layers.map(({ weights }) => new Float64Array(weights.length));
        const gradients = zeros();
        learn(layers, image, 1, gradients);
        const loss = (weights, n, value) => { weights[n] = value; return learn(layers, image, 1, zeros()); };
        return layers.flatMap(({ weights }, depth) => Array.from({ length: 40 }, () => {
          const n = Math.floor(random() * weights.length);
          const value = weights[n];
          const slope = (loss(weights, n, value + 1e-6) - loss(weights, n, value - 1e-6)) / 2e-6;
          weights[n] = value;
          return [slope, gradients[depth][n]];
        }));
        }""",
        SAMPLES["house"],
    )
    measured, computed = np.array(gaps).T
    assert np.abs(measured).max() > 0.1
    np.testing.assert_allclose(computed, measured, atol=1e-7)


def test_training_from_scratch_learns_the_drawings_it_is_given(reader):
    shares = reader(
        """{
        const random = seeded(1);
        const layers = untrained(argument.length, random);
        const steps = [...fromScratch(layers, argument.map((drawing) => [drawing]), random)];
        return [steps.length, ...argument.map((drawing, label) => softmax(features(layers, picture(drawing)))[label])];
        }""",
        [SAMPLES[name] for name in ("heart", "star", "house", "smiley")],
    )
    assert shares[0] == 60
    assert min(shares[1:]) > 0.5


# ---- Drawing and adding


def test_a_stroke_is_drawn_with_the_mouse_stays_on_the_pad_and_is_undone(mount, page):
    teach = mount(drawing=[])
    assert teach.get_by_text("draw something").count() == 2
    box = teach.locator(".tl-pad svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 60, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    [stroke] = trait(page, "drawing")
    assert stroke[0] == pytest.approx([500, 500], abs=10)
    assert stroke[-1][0] == 0
    assert all(isinstance(value, int) and 0 <= value <= 1000 for point in stroke for value in point)
    page.keyboard.press("Control+z")
    assert trait(page, "drawing") == []


def test_a_drawing_is_taught_by_keyboard_alone_and_its_belief_is_read(mount, page):
    teach = mount(drawing=[])
    page.locator(".tl").focus()
    page.keyboard.press("Tab")  # Undo
    page.keyboard.press("Tab")  # Clear
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    label = teach.locator(".tl-pad svg").get_attribute("aria-label") or ""
    assert label.startswith("1 stroke; has read print says star, ")
    for _ in range(4):  # opponent, the first class's name, its two buttons
        page.keyboard.press("Tab")
    page.keyboard.press("2")
    status_says(teach, "added to star")
    assert [len(one["drawings"]) for one in trait(page, "classes")] == [1, 2, 1, 1]
    assert trait(page, "drawing") == []


def test_every_choice_of_a_sample_is_another_variant_on_the_pad(mount, page):
    sample = mount(drawing=[]).get_by_label("Sample drawing")
    variants = []
    for _ in range(2):
        sample.select_option("house")
        variants.append(trait(page, "drawing"))
        sample.evaluate("(node) => (node.value = '')")
    assert variants[0] != variants[1]
    assert [len(one) for one in variants] == [len(SAMPLES["house"])] * 2


@pytest.mark.parametrize("width", [420, 900])
def test_the_name_of_each_button_begins_with_its_visible_words_and_no_two_are_alike(mount, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    teach = mount()
    wanted = "Add here" if width == 420 else "Add to"
    teach.get_by_role("button", name=wanted).first.wait_for()
    for words in (wanted, "Remove last"):
        buttons = teach.locator(".tl-card button").filter(has_text=words)
        assert buttons.count() == 4
        for button, name in zip(buttons.all(), ("heart", "star", "house", "smiley"), strict=True):
            visible = button.inner_text().splitlines()[0]
            named = teach.get_by_role("button", name=re.compile(rf"^(?=.*\b{name}$){visible}"))
            assert named.count() == 1
    page.set_viewport_size({"width": 900, "height": 900})


def test_an_empty_pad_is_added_to_no_class(mount, page):
    teach = mount(drawing=[])
    teach.get_by_role("button", name="Add to star").click()
    status_says(teach, "the pad is empty: draw something first")
    assert [len(one["drawings"]) for one in trait(page, "classes")] == [1, 1, 1, 1]


def test_a_digit_that_is_held_adds_once(mount, page):
    teach = mount(drawing=STAR)
    page.locator(".tl").focus()
    for _ in range(3):  # the second press of a key that is down is a repeat
        page.keyboard.down("2")
    page.keyboard.up("2")
    status_says(teach, "added to star")
    assert [len(one["drawings"]) for one in trait(page, "classes")] == [1, 2, 1, 1]


def test_the_last_drawing_of_a_class_is_removed_and_undo_brings_it_back(mount, page):
    teach = mount()
    before = trait(page, "classes")
    teach.get_by_role("button", name="Remove last of star").click()
    assert trait(page, "classes")[1]["drawings"] == []
    assert "no drawing yet" in (teach.locator(".tl-chart").text_content() or "")
    page.keyboard.press("Control+z")
    assert trait(page, "classes") == before


def test_emptied_classes_come_back(mount, page):
    teach = mount()
    before = trait(page, "classes")
    teach.get_by_role("button", name="Start with empty classes").click()
    assert [one["drawings"] for one in trait(page, "classes")] == [[], [], [], []]
    teach.get_by_role("button", name="Bring them back").click()
    assert trait(page, "classes") == before


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("star", "there is a class star already; names must differ"),
        ("  ", "a class needs a name; this one stays heart"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words(mount, page, typed, answer):
    teach = mount()
    name = teach.get_by_label("Name of class 1", exact=True)
    name.fill(typed)
    name.press("Enter")
    status_says(teach, answer)
    assert name.input_value() == trait(page, "classes")[0]["name"] == "heart"


def test_a_name_is_text_and_typing_it_is_no_shortcut(mount, page):
    teach = mount()
    name = teach.get_by_label("Name of class 1", exact=True)
    name.fill("")
    name.press_sequentially("<b>1 & 2</b>")
    name.press("Enter")
    assert [(one["name"], len(one["drawings"])) for one in trait(page, "classes")][:2] == [
        ("<b>1 & 2</b>", 1),
        ("star", 1),
    ]
    assert "<b>1 & 2</b>" in teach.locator(".tl-status").inner_text()


# ---- Who is right how often


def turned(name: str) -> list[list[list[int]]]:
    """A sample drawing, slanted."""
    return [[[round(0.8 * x + 0.2 * y), round(0.9 * y)] for x, y in stroke] for stroke in SAMPLES[name]]


def captions(teach: Locator) -> list[str]:
    return teach.locator(".tl-networks .tl-caption").all_inner_texts()


def test_a_drawing_that_is_put_into_a_taught_class_was_a_question_to_every_network(mount, page):
    teach = mount(drawing=turned("heart"))
    assert "right" not in " ".join(captions(teach))
    teach.get_by_role("button", name="Add to heart").click()
    assert trait(page, "score")["pre-trained"] == [1, 1]
    assert {name: asked for name, (_, asked) in trait(page, "score").items()} == {
        "pre-trained": 1,
        "random weights": 1,
        "pixels": 1,
    }
    assert captions(teach)[0] == "draw something \u00b7 1 of 1 right"
    page.evaluate("(drawing) => model.set('drawing', drawing)", turned("star"))
    teach.get_by_role("button", name="Add to smiley").click()  # whoever said star is wrong: the learner decides
    assert trait(page, "score")["pre-trained"] == [1, 2]
    teach.get_by_label("Compare with").select_option("pixels")
    right, asked = trait(page, "score")["pixels"]
    assert captions(teach)[1].endswith(f"{right} of {asked} right") and asked == 2


def test_the_score_is_undone_with_the_drawing_and_counted_once_more_when_it_is_added_again(mount, page):
    teach = mount(drawing=turned("heart"))
    for _ in range(2):
        page.locator(".tl").press("1")
        assert trait(page, "score")["pre-trained"] == [1, 1]
        page.keyboard.press("Control+z")
        assert trait(page, "score") == {}
    assert "right" not in " ".join(captions(teach))


def test_the_first_drawing_of_a_class_is_no_question(mount, page):
    mount(classes=[*named("star", "heart"), {"name": "house", "drawings": []}], drawing=turned("house"))
    page.locator(".tl").press("3")
    assert trait(page, "score") == {}
    mount(classes=[{"name": "star", "drawings": [STAR]}, {"name": "heart", "drawings": []}], drawing=turned("star"))
    page.locator(".tl").press("1")  # one class only: every answer is that class
    assert trait(page, "score") == {}


def test_a_sample_of_a_taught_class_is_a_question_when_it_is_shown_and_none_when_it_is_added(mount, page):
    teach = mount(drawing=[])
    sample = teach.get_by_label("Sample drawing")
    sample.select_option("fish")
    assert trait(page, "score") == {}
    sample.select_option("star")
    counted = trait(page, "score")
    assert counted["pre-trained"][1] == counted["pixels"][1] == 1
    page.locator(".tl").press("2")
    assert trait(page, "score") == counted
    sample.evaluate("(node) => (node.value = '')")
    sample.select_option("star")
    assert trait(page, "score")["pre-trained"][1] == 2
    page.locator(".tl").press("Control+z")
    assert trait(page, "score") == counted


def test_the_score_goes_and_comes_back_with_the_classes(mount, page):
    score = {"pre-trained": [15, 20], "random weights": [9, 20]}
    teach = mount(score=score)
    assert [words.rpartition(" \u00b7 ")[2] for words in captions(teach)] == ["15 of 20 right", "9 of 20 right"]
    teach.get_by_role("button", name="Start with empty classes").click()
    assert trait(page, "score") == {}
    teach.get_by_role("button", name="Bring them back").click()
    assert trait(page, "score") == score
    opened(page, saved(*named("star")))
    status_says(teach, "mine.json is opened")
    assert trait(page, "score") == {}


def test_from_scratch_is_asked_only_once_it_is_trained(mount, page):
    teach = mount(opponent="from scratch", classes=named("star", "heart"), drawing=turned("star"))
    page.locator(".tl").press("1")
    assert set(trait(page, "score")) == {"pre-trained", "random weights", "pixels"}
    teach.get_by_role("button", name="Train it").click()
    page.evaluate("(drawing) => model.set('drawing', drawing)", turned("heart"))
    page.locator('.tl[data-state="up to date"]').wait_for()
    page.locator(".tl").press("2")
    assert trait(page, "score")["from scratch"][1] == 1
    assert trait(page, "score")["pre-trained"][1] == 2


# ---- Beliefs


def test_with_one_class_taught_no_percentage_is_shown(mount):
    classes = [{"name": "star", "drawings": [STAR]}, {"name": "heart", "drawings": []}]
    teach = mount(classes=classes, drawing=STAR)
    teach.get_by_text("one class only: every answer is that class; add a drawing to another class").first.wait_for()
    assert "%" not in teach.inner_text()


def test_what_is_like_no_class_was_never_taught(mount):
    view = Teach().view
    teach = mount(classes=named("star", "heart"), drawing=STAR, view=view | {"threshold": 0.99})
    assert "I was never taught this" not in teach.inner_text()
    teach = mount(classes=named("star", "heart"), drawing=HEART[:1] + STAR, view=view | {"threshold": 0.99})
    assert "I was never taught this" in teach.inner_text()
    assert teach.locator(".tl-share").first.get_attribute("fill") == "var(--tl-ghost)"


def test_each_opponent_is_asked_with_its_own_features(mount, page):
    teach = mount(classes=named("star", "heart", "house"), drawing=scribbles(1)[0])
    labels = set()
    for opponent in ("random weights", "pixels"):
        teach.get_by_label("Compare with").select_option(opponent)
        labels.add((teach.locator(".tl-chart").get_attribute("aria-label") or "").partition("; ")[2].partition(": ")[2])
    assert trait(page, "opponent") == "pixels"
    assert len(labels) == 2


def test_from_scratch_trains_when_asked_and_is_out_of_date_after_a_drawing(mount, page):
    teach = mount(opponent="from scratch", classes=named("star", "heart"), drawing=STAR)
    assert "not trained yet" in teach.inner_text()
    teach.get_by_role("button", name="Train it").click()
    status_says(teach, "of 60")
    page.locator('.tl[data-state="up to date"]').wait_for()
    assert "From scratch: star " in (teach.locator(".tl-chart").get_attribute("aria-label") or "")
    page.keyboard.press("1")
    page.locator('.tl[data-state="out of date"]').wait_for()
    assert teach.get_by_role("button", name="Train again").count() == 1
    page.keyboard.press("Control+z")
    page.locator('.tl[data-state="up to date"]').wait_for()


def test_training_stops_when_the_classes_change(mount, page):
    teach = mount(opponent="from scratch", classes=named("star", "heart"), drawing=STAR)
    page.evaluate(
        """() => {
        document.querySelector('[data-do="train"]').click();
        model.set("classes", model.get("classes").with(0, { name: "star", drawings: [] }));
        }"""
    )
    page.locator('.tl[data-state="not running"]').wait_for()
    assert "step" not in teach.locator(".tl-status").inner_text()
    assert teach.get_by_role("button", name="Train it").count() == 1


def test_hundreds_of_strokes_and_hundreds_of_drawings_are_drawn(mount):
    strokes = [[[(37 * n) % 1001, (91 * n) % 1001], [(37 * n) % 1001, 500]] for n in range(300)]
    classes = [{"name": "star", "drawings": scribbles(150)}, {"name": "heart", "drawings": scribbles(150)}]
    teach = mount(classes=classes, drawing=strokes)
    status_says(teach, "300 drawings in 2 classes")
    assert (teach.locator(".tl-pad svg").get_attribute("aria-label") or "").startswith("300 strokes; ")


# ---- Files


def opened(page: Page, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.json", "mimeType": "application/json", "buffer": data}
    )


def saved(*classes: dict[str, Any], **changed: Any) -> str:
    return json.dumps({"tlkit": "drawings", "version": 1, "classes": classes} | changed)


def test_what_is_saved_is_opened_again_and_by_python_too(mount, page, tmp_path):
    teach = mount(classes=named("spiral", "fish"))
    with page.expect_download() as download:
        teach.get_by_role("button", name="Save to a file").click()
    download.value.save_as(tmp_path / "drawings.json")
    assert Teach.from_file(tmp_path / "drawings.json").classes == trait(page, "classes")
    mount()
    opened(page, (tmp_path / "drawings.json").read_bytes())
    status_says(teach, "mine.json is opened")
    assert trait(page, "classes") == named("spiral", "fish")
    page.locator(".tl").press("Control+z")
    assert [one["name"] for one in trait(page, "classes")] == ["heart", "star", "house", "smiley"]


def test_points_of_a_file_outside_the_pad_are_clamped(mount, page):
    teach = mount()
    opened(page, saved({"name": "far", "drawings": [[[[-5, 3.4], [2e9, 1000]]]]}))
    status_says(teach, "mine.json is opened")
    assert trait(page, "classes") == [{"name": "far", "drawings": [[[[0, 3], [1000, 1000]]]]}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("hello", "it is not JSON, or its end is missing"),
        (saved(*named("star"))[:-9], "it is not JSON, or its end is missing"),
        ('{"cells": []}', "it holds no drawings saved by this widget"),
        ("null", "it holds no drawings saved by this widget"),
        (saved(*named("star"), version=2), "it holds no drawings saved by this widget"),
        (saved(), "it has no class, or one without a name"),
        (saved({"name": " ", "drawings": []}), "it has no class, or one without a name"),
        (saved(*named("star", "star")), "two of its classes have one name"),
        (saved(*({"name": f"{n}", "drawings": []} for n in range(10))), "it has 10 classes, at most 9 are possible"),
        (saved({"name": "a"}), "a drawing of a is not a list of strokes"),
        (saved({"name": "a", "drawings": [[[[1, 2, 3]]]]}), "a drawing of a is not a list of strokes"),
        (saved({"name": "a", "drawings": [[]]}), "a drawing of a is not a list of strokes"),
        (saved({"name": "a", "drawings": [[[[1, 2]]]]}).replace("2]", "1e999]"), "with finite numbers"),
        (b" " * 5_000_001, "it is larger than 5 MB"),
    ],
)
def test_another_file_is_refused_in_words_and_changes_nothing(mount, page, content, reason):
    teach = mount()
    before = trait(page, "classes")
    opened(page, content)
    status_says(teach, reason)
    status_says(teach, "The drawings are as they were.")
    assert trait(page, "classes") == before
