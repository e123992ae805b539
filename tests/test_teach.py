"""Teach from Python: what was drawn as a Task, files, bad input, and the page that needs no kernel."""

from __future__ import annotations

import json
import re

import pytest

import tlkit as tl
from tlkit.data.drawings import SAMPLES, pictures

LINE = [[[100, 500], [900, 500]]]


def test_default_drawings_are_there_and_what_is_drawn_on_the_pad_is_read():
    teach = tl.widgets.Teach()
    assert [(one["name"], len(one["drawings"])) for one in teach.classes] == [
        ("heart", 1),
        ("star", 1),
        ("house", 1),
        ("smiley", 1),
    ]
    assert repr(teach) == "Teach: 4 drawings in 4 classes"
    teach.drawing = [[[0.8 * x + 0.2 * y, 0.9 * y] for x, y in stroke] for stroke in SAMPLES["heart"]]
    assert repr(teach).startswith("Teach: 4 drawings in 4 classes; the drawing on the pad is predicted as heart, ")
    assert teach.answer() == "heart"
    assert max(teach.beliefs(), key=teach.beliefs().get) == "heart"
    assert sum(teach.beliefs().values()) == pytest.approx(1)


def test_the_drawings_are_a_task_that_the_next_cell_can_train_on():
    teach = tl.widgets.Teach({"star": [SAMPLES["star"]] * 2, "line": [LINE], "empty": []})
    task = teach.task
    assert task.train.images.equal(pictures([*[SAMPLES["star"]] * 2, LINE]))
    assert (task.train.labels.tolist(), task.classes) == ([0, 0, 1], ("star", "line", "empty"))
    assert repr(task) == "your drawings: 3 classes, 3 train, 0 validation, 0 test images of 16 x 16"
    network = tl.models.SmallCNN(image_size=16, classes=3)
    tl.Run(network, tl.objectives.CrossEntropy(), task, steps=2).finish()


def test_without_drawings_there_is_nothing_to_believe_and_an_empty_task():
    teach = tl.widgets.Teach(["one", "two"])
    assert repr(teach) == "Teach: 0 drawings in 2 classes" and teach.beliefs() == {}
    assert len(teach.task.train) == 0
    with pytest.raises(ValueError, match="the split has no images"):
        tl.data.Batches(teach.task.train)


def test_a_drawing_like_no_class_was_never_taught():
    teach = tl.widgets.Teach(["heart", "star"])
    teach.drawing = LINE
    assert repr(teach).endswith("the drawing on the pad was never taught") and teach.answer() is None


def test_who_was_right_how_often_is_said_of_both_networks_and_kept_in_a_page(tmp_path):
    teach = tl.widgets.Teach()
    teach.score = {"pre-trained": [15, 20], "random weights": [9, 20], "pixels": [11, 20]}
    assert repr(teach) == "Teach: 4 drawings in 4 classes; right were pre-trained 15 of 20, random weights 9 of 20"
    teach.opponent = "pixels"
    assert repr(teach).endswith("; right were pre-trained 15 of 20, pixels 11 of 20")
    assert "score" in teach._remembered
    assert '"score":{"pre-trained":[15,20],' in teach.save_page(tmp_path / "teach.html").read_text(encoding="utf-8")


def test_a_file_gives_back_what_was_drawn(tmp_path):
    teach = tl.widgets.Teach({"<b>star</b>": [SAMPLES["star"]], "empty": []})
    teach.to_file(tmp_path / "mine.json")
    assert json.loads((tmp_path / "mine.json").read_text())["version"] == 1
    assert tl.widgets.Teach.from_file(tmp_path / "mine.json").classes == teach.classes


@pytest.mark.parametrize(
    "text",
    [
        *('{"tlkit": "drawings", "vers', "[1]", '{"tlkit": "other"}', '{"tlkit": "drawings"}', ""),
        '{"tlkit": "drawings", "version": 2, "classes": [{"name": "a", "drawings": []}]}',
        json.dumps({"tlkit": "drawings", "version": 1, "classes": [{"name": "a", "drawings": []}] * 2}),
    ],
)
def test_a_file_that_is_truncated_or_not_ours_is_refused(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match=r"bad\.json holds no drawings of Teach, or only a part of them"):
        tl.widgets.Teach.from_file(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([], "0 classes; give 1 to 9"),
        ("heart", "classes='heart' is one name; give a list of names"),
        (list("abcdefghij"), "10 classes; give 1 to 9"),
        (["star", "star "], "classes must differ in name; there are 'star', 'star '"),
        ([" "], "a class needs a name"),
        ({"a": [[[1, 2]]]}, "a drawing of 'a' is not one"),
        ({"a": [[[[1, float("nan")]]]]}, "a drawing of 'a' is not one"),
        ({"a": [[]]}, "a drawing of 'a' is not one"),
    ],
)
def test_classes_that_cannot_be_are_refused_in_words(classes, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        tl.widgets.Teach(classes)


def test_points_off_the_pad_are_put_on_its_edge():
    assert tl.widgets.Teach({"a": [[[[-50, 500.4], [1200, 0]]]]}).classes[0]["drawings"] == [[[[0, 500], [1000, 0]]]]


# ---- a page without a kernel


def test_a_page_with_it_is_one_file_of_at_most_200_kB_that_names_no_address(tmp_path):
    page = tl.widgets.Teach().save_page(tmp_path / "teach.html")
    assert page.stat().st_size <= 200_000
    text = page.read_text(encoding="utf-8").replace("http://www.w3.org/", "")  # names of kinds of elements
    assert not re.search(r"https?:|src=|@import|url\((?!#)", text)  # url(#...) is a place in the page itself


def test_names_cannot_close_the_pages_script(tmp_path):
    name = "</script><script>alert(1)</script><!--"
    text = tl.widgets.Teach([name]).save_page(tmp_path / "a.html").read_text(encoding="utf-8")
    assert text.count("</script>") == 3 and "<!--" not in text
    models = json.loads(re.findall(r"widget-state\+json\">(.*?)</script>", text)[0])["state"].values()
    [classes] = [model["state"]["classes"] for model in models if "classes" in model["state"]]
    assert classes[0]["name"] == name


def test_a_widget_that_needs_python_is_not_saved(tmp_path):
    run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), steps=1)
    with pytest.raises(ValueError, match="Monitor needs Python for what it does"):
        tl.widgets.Monitor(run).save_page(tmp_path / "a.html")


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    page = tl.widgets.Teach().save_page(tmp_path / "a.html")
    before = page.read_bytes()
    monkeypatch.setattr("pathlib.Path.write_text", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        tl.widgets.Teach(["a"]).save_page(page)
    assert page.read_bytes() == before and list(tmp_path.iterdir()) == [page]
