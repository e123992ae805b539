"""The picture that the course fills, and the end of a lesson."""

from __future__ import annotations

import json
from math import inf

import pytest

import tlkit as tl
from tlkit.intervals import Interval
from tlkit.lessons import course_picture


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TLKIT_SCALE", "standard")
    return tmp_path


def test_each_lesson_adds_its_bars_to_those_before_it(folder):
    tl.lessons.uses_of_data({"nothing else": 0.71, "labelled source": 0.87})
    svg = tl.lessons.uses_of_data({"own images, two views": 0.8}).svg()
    for words in ("labelled source (01)", "87.0 %", "own images, two views (here)", "80.0 %", "redrawn (10)"):
        assert words in svg
    assert "3 of 8 measured" in svg


def test_a_lesson_run_again_has_its_newest_number(folder):
    tl.lessons.uses_of_data({"labelled source": 0.5})
    assert "87.0 %" in tl.lessons.uses_of_data({"labelled source": 0.87}).svg()


def test_each_scale_has_a_picture_of_its_own(folder, monkeypatch):
    tl.lessons.uses_of_data({"labelled source": 0.87})
    monkeypatch.setenv("TLKIT_SCALE", "quick")
    assert "1 of 8 measured" in tl.lessons.uses_of_data({"own images, redrawn": 0.6}).svg()
    monkeypatch.setenv("TLKIT_SCALE", "standard")
    assert "2 of 8 measured" in tl.lessons.uses_of_data({"nothing else": 0.7}).svg()


@pytest.mark.parametrize("accuracy", [62.5, -0.2, float("nan"), float("inf")])
def test_what_is_no_accuracy_is_refused_and_nothing_is_written(folder, accuracy):
    with pytest.raises(ValueError, match=r"labelled source: .* is not an accuracy in 0\.\.1; divide per cent by 100"):
        tl.lessons.uses_of_data({"labelled source": accuracy})
    assert not (folder / course_picture.FILE).exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"standard": {"labelled source": "much"}}', '{"standard": 3}', "[" * 100_000]
)
def test_a_spoilt_file_costs_nothing(folder, text):
    (folder / course_picture.FILE).write_text(text)
    assert "1 of 8 measured" in tl.lessons.uses_of_data({"own images, redrawn": 0.6}).svg()
    assert json.loads((folder / course_picture.FILE).read_text()) == {"standard": {"own images, redrawn": 0.6}}


def test_where_nothing_can_be_written_the_picture_is_drawn_all_the_same(folder):
    (folder / course_picture.FILE).mkdir()
    assert "1 of 8 measured" in tl.lessons.uses_of_data({"own images, redrawn": 0.6}).svg()


def test_the_lessons_themselves_leave_no_file(monkeypatch):
    monkeypatch.chdir(tl.lessons.lessons_folder())
    tl.lessons.uses_of_data({"own images, redrawn": 0.6})
    assert not (tl.lessons.lessons_folder() / course_picture.FILE).exists()


def test_a_use_without_a_place_is_refused_with_those_that_have_one(folder):
    with pytest.raises(ValueError, match=r"no place \"own image, redrawn\".*did you mean 'own images, redrawn'"):
        tl.lessons.uses_of_data({"own image, redrawn": 0.6})


# ---- what the measurements say of the statements ----


@pytest.fixture
def prediction():
    made = tl.widgets.Prediction({1: 0.7}, question="Where?", statements=["more", "level", "less", "odd"])
    made.choice, made.locked = 1, True
    return made


def test_statements_are_borne_out_refuted_or_left_open_by_whole_intervals(prediction, capsys):
    gain = Interval((4.0, 5.0, 6.0))  # from 2.5 to 7.5
    tl.lessons.judge(prediction, (gain, 2, inf), (gain, -2, 2), (gain, -inf, 5), (None, 0, inf))
    assert capsys.readouterr().out.splitlines()[:4] == ["✓ more", "✕ level  (your choice)", "○ less", "○ odd"]


def test_the_prediction_itself_stands_below(prediction, capsys):
    tl.lessons.judge(prediction, True, False, None, True)
    assert capsys.readouterr().out.splitlines()[-1] == repr(prediction)


def test_each_statement_needs_its_finding(prediction):
    with pytest.raises(ValueError, match="there are 4 statements to judge, but 2 findings"):
        tl.lessons.judge(prediction, True, False)
