"""Lesson 01 can fail: the claims that must fall do fall, with the lesson's own cells, sources and seeds."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tlkit.lessons import find, run_lesson

NEEDED = (  # from the data to the first claim, without questions and pictures
    *("imports", "tasks", "from-scratch", "measure-from-scratch", "pretrain-run"),
    *("recipes-fine-tuned", "compare", "claim-transfer-wins"),
)
COPY = "    target.load_state_dict(network.state_dict())  # the whole transfer\n"
MUST_FAIL = 'tl.lessons.claim(comparison, "from scratch", better_than="head kept", at=1, by=5)'


@pytest.fixture
def run_changed(tmp_path):
    """Run the cells that lead to the first claim, with one text replaced in them and a cell added."""

    def run(old="", new="", added=""):
        lesson = find("01_why_transfer")
        notebook = nbformat.read(lesson.path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.id in NEEDED]
        assert [cell.id for cell in notebook.cells] == list(NEEDED)
        assert sum(cell.source.count(old) for cell in notebook.cells if old) == bool(old)
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new) if old else cell.source
        notebook.cells.append(new_code_cell(added, id="added"))
        nbformat.write(notebook, tmp_path / lesson.path.name)
        return run_lesson(replace(lesson, path=tmp_path / lesson.path.name), scale="quick")

    return run


def test_with_the_copy_of_the_source_weights_removed_the_lesson_fails_at_its_claim(run_changed):
    entry = run_changed(old=COPY, new="")
    assert "error" not in entry
    (claim,) = entry["claims"]
    assert claim["holds"] is False
    assert claim["difference"] == 0  # it is training from scratch, seed by seed


def test_unchanged_the_claim_holds_and_its_opposite_must_fail_and_does(run_changed):
    entry = run_changed(added=MUST_FAIL)
    assert "error" not in entry
    first, opposite = entry["claims"]
    assert first["holds"] is True
    assert opposite["holds"] is False and opposite["high"] < 0
