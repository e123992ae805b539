"""Recorded results: shown like live ones and marked, measured anew on demand, and known to be older than their code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import nbformat
import pytest
from helpers import measured, recipe, task
from nbformat.v4 import new_code_cell, new_notebook

import tlkit as tl
from tlkit import plots
from tlkit.lessons import recording
from tlkit.lessons.course import catalogue
from tlkit.lessons.recording import as_record, calls, code_behind

X, Y = (0.9, 0.91, 0.92, 0.93, 0.94), (0.7, 0.72, 0.71, 0.7, 0.7)
RECORDS = [(lesson, name) for lesson in catalogue() for name in calls(lesson.path)]


@pytest.fixture
def live():
    return measured({"x": X, "y": Y}, budgets=(1, 5), skip=(20,))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of one lesson, which records a result that its own code makes."""
    monkeypatch.setattr(recording, "lessons_folder", lambda: tmp_path)
    plant(tmp_path, "base = 1", "def make():\n    return base", 'await tl.lessons.recorded("01_x", make)')
    monkeypatch.setattr(recording, "find", lambda number: tl.lessons.Lesson("01", "", "", 1, "", tmp_path / "01.ipynb"))
    monkeypatch.delenv("TLKIT_RECORD", raising=False)
    return tmp_path


def plant(folder: Path, *cells: str) -> Path:
    path = folder / "01.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(text) for text in cells]), path)
    return path


def recorded(make, monkeypatch, record: bool):
    monkeypatch.setenv("TLKIT_RECORD", "1" if record else "")
    monkeypatch.setattr("IPython.display.display", lambda *_: None)
    return asyncio.run(tl.lessons.recorded("01_x", make))


def test_a_recorded_comparison_says_what_the_live_one_said(live, folder, monkeypatch, capsys):
    made = recorded(lambda: live, monkeypatch, record=True)
    assert made is live and not made.recorded
    again = recorded(pytest.fail, monkeypatch, record=False)
    for at in (1, 5):
        assert again.values("x", at) == live.values("x", at)
        assert again.difference("x", "y", at) == live.difference("x", "y", at)
        assert again.claim("x", better_than="y", at=at, by=5) == live.claim("x", better_than="y", at=at, by=5)
    assert again.claim("x", better_than="y", at=20).holds is None
    assert again.finished and len(again.trials) == len(live.trials)
    assert again.with_seeds((0, 1)).values("x", 1) == live.with_seeds((0, 1)).values("x", 1)
    assert capsys.readouterr().out.startswith("Recorded on 20")


def test_what_is_recorded_is_marked_wherever_it_is_drawn(live, folder, monkeypatch):
    recorded(lambda: live, monkeypatch, record=True)
    again = recorded(pytest.fail, monkeypatch, record=False)
    claim = again.claim("x", better_than="y", at=1)
    assert "(recorded)" in plots.curves(again).svg() and "(recorded)" not in plots.curves(live).svg()
    assert "(recorded)" in plots.differences(again, claim).svg()
    assert again.recorded in tl.widgets.BudgetExplorer(again).view["subtitle"]
    assert tl.widgets.BudgetExplorer(again).view["recorded"] and not tl.widgets.BudgetExplorer(live).view["recorded"]


def test_full_scale_measures_anew_and_writes_nothing(live, folder, monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", "full")
    assert recorded(lambda: live, monkeypatch, record=False) is live
    assert not (folder / "recorded").exists()


def test_a_record_that_is_missing_is_asked_for_with_the_command_that_makes_it(folder, monkeypatch):
    with pytest.raises(ValueError, match='no result is recorded under "01_x"; `tlkit run 01 --record` measures'):
        recorded(pytest.fail, monkeypatch, record=False)


def test_a_recorded_recipe_cannot_be_run(live, folder, monkeypatch):
    recorded(lambda: live, monkeypatch, record=True)
    again = recorded(pytest.fail, monkeypatch, record=False)
    with pytest.raises(ValueError, match="its recipes are not at hand; `tlkit run LESSON --record`"):
        again.recipes["x"](task(), 0)


def test_a_record_holds_a_line_for_each_trial_and_names_no_path(live, folder, monkeypatch):
    recorded(lambda: live, monkeypatch, record=True)
    text = (folder / "recorded" / "01_x.json").read_text()
    assert text.count('"seed":') == len(live.trials) == sum("settings" in line for line in text.splitlines())
    assert {"date", "machine", "device", "versions", "seconds", "code"} <= json.loads(text).keys()
    assert str(folder) not in text and str(Path.home()) not in text


def test_a_comparison_that_is_stopped_is_not_recorded(folder, monkeypatch):
    waiting = tl.compare({"x": recipe(X), "y": recipe(Y)}, task(), range(5), (1,))
    monkeypatch.setattr(tl.widgets.Monitor, "train", lambda self: asyncio.sleep(0, waiting))
    with pytest.raises(ValueError, match="0 of 10 trials"):
        recorded(lambda: waiting, monkeypatch, record=True)
    assert not (folder / "recorded" / "01_x.json").exists()


def test_a_record_that_is_cut_or_foreign_is_named_with_the_command_that_makes_it(live, folder, monkeypatch):
    recorded(lambda: live, monkeypatch, record=True)
    path = folder / "recorded" / "01_x.json"
    whole = path.read_text()
    one_trial_less = json.loads(whole)
    one_trial_less["trials"].pop()
    for text in (whole[:300], "", "{}", "[]", json.dumps(one_trial_less)):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"01_x\.json is no whole record \(.*`tlkit run 01 --record` measures"):
            recorded(pytest.fail, monkeypatch, record=False)


def test_what_cannot_be_recorded_is_refused_before_anything_is_measured(folder, monkeypatch):
    monkeypatch.setattr(tl.widgets.Monitor, "train", pytest.fail)
    axes = tl.compare({"x": lambda task, seed, at: None}, task(), range(5), (1,), over={"at": [(1, 2), (3, 4)]})
    with pytest.raises(ValueError, match=r"the axis at has the values .*; a record keeps words and numbers"):
        recorded(lambda: axes, monkeypatch, record=True)
    plant(folder, "nothing = 1")
    with pytest.raises(ValueError, match=r'01\.ipynb has no call tl\.lessons\.recorded\("01_x", make\)'):
        recorded(pytest.fail, monkeypatch, record=True)


def test_a_metric_of_ones_own_stays_one_whatever_it_is_called(folder, monkeypatch):
    def accuracy(run, task):
        return 7.5

    live = tl.compare({"x": recipe(X), "y": recipe(Y)}, task(), range(5), (1,), metric=accuracy).finish()
    recorded(lambda: live, monkeypatch, record=True)
    again = recorded(pytest.fail, monkeypatch, record=False)
    assert again.metric == live.metric and not again.metric.share


def test_a_recorded_comparison_is_finished_and_not_made_anew(live, folder, monkeypatch):
    recorded(lambda: live, monkeypatch, record=True)
    again = recorded(pytest.fail, monkeypatch, record=False)
    assert list(again) == [] and again.finish() is again
    with pytest.raises(ValueError, match="its recipes are not at hand"):
        again.anew(again.recipes, range(5), (1,))


# ---- is a record older than its code? ----


def test_code_counts_if_the_record_needs_it_and_else_not(folder):
    call = 'await tl.lessons.recorded("01_x", make)'

    def code(*cells):
        return code_behind(plant(folder, *cells, call), "01_x")

    made = code("base = 1", "def make():\n    return base")
    assert code("base = 1  # one", "other = 3", "def make():\n\n    return  base") == made
    assert code("base = 2", "def make():\n    return base") != made
    assert code("base = 1", "def make():\n    return base + 1") != made


def test_a_module_counts_as_a_whole(folder):
    call = 'await tl.lessons.recorded("01_x", lambda: tl.lessons.find("01"))'
    path = plant(folder, call)
    assert len({code_behind(path, "01_x", module) for module in ("", "tlkit.lessons.scales", "tlkit.words")}) == 3


@pytest.mark.parametrize(("lesson", "name"), RECORDS, ids=[name for _, name in RECORDS])
def test_no_record_is_older_than_its_code(lesson, name):
    path = lesson.path.parent / "recorded" / f"{name}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["code"] == code_behind(lesson.path, name, record["module"]), (
        f"{name} is older than the code it came from: `tlkit run {lesson.name[:2]} --record` measures it anew"
    )


def test_every_file_of_recorded_results_belongs_to_a_lesson():
    there = {path.stem for path in (tl.lessons.lessons_folder() / "recorded").glob("*")}
    assert there == {name for _, name in RECORDS}


def test_a_record_of_a_live_comparison_is_plain_values(live):
    assert json.loads(json.dumps(as_record(live)))["tested_on"] == live.tested_on
