"""A lesson made from the template is a lesson at once: listed, run and tested, with nothing else touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import new_lesson

ROOT = Path(__file__).parent.parent
NAME = "98_choosing"


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """The repository without its history, and of its lessons the first two: each has its tests."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("tlkit", "tools", "tests", "conftest.py", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "notebooks").mkdir()
    for path in (*sorted((ROOT / "notebooks").glob("0*.ipynb")), ROOT / "notebooks" / "ruff.toml"):
        shutil.copy(path, folder / "notebooks")
    return folder


def python(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Python as in a terminal in that clone, whose tlkit comes before the one that is installed."""
    environment = os.environ | {"PYTHONPATH": str(folder), "TLKIT_SCALE": "quick"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, **pipes)


def ended(process: subprocess.Popen[str]) -> str:
    """What it printed, after a good end."""
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-5000:]
    return printed


@pytest.fixture(scope="module")
def made(clone) -> Path:
    """The clone with a lesson made in it."""
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    ended(python(clone, "tools/new_lesson.py", NAME, 'Choosing a "model"', "Which one should I start from?"))
    after = [path for path in clone.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    new = {str(path.relative_to(clone)) for path in after if path not in before}
    assert new == {f"notebooks/{NAME}.ipynb", "tlkit/lessons/judges/lesson_98.py"}
    assert all(path.read_bytes() == content for path, content in before.items())
    return clone


def test_it_is_listed_with_its_question(made):
    listed = json.loads(ended(python(made, "-m", "tlkit", "lessons", "--json")))
    about = {"title": 'Choosing a "model"', "question": "Which one should I start from?", "minutes": 25}
    assert listed[-1] == {"name": NAME, "transfer": "supervised"} | about


def test_it_runs_and_passes_the_tests_of_lessons(made):
    """Both at once, because each waits for a kernel; of the tests those of this lesson and of the list of lessons."""
    tests = [f"notebooks/{NAME}.ipynb", "tests/test_notebooks.py", "tests/test_lessons.py"]
    chosen = "98 or here or does_not_exist or without_any"
    tried = python(made, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests)
    assert "holds: with 1 label per class" in ended(python(made, "-m", "tlkit", "run", NAME, "--scale", "quick"))
    assert " passed" in ended(tried)


@pytest.mark.parametrize("tool", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_finds_nothing_in_it(tool, made):
    ended(python(made, "-m", "ruff", *tool, f"notebooks/{NAME}.ipynb", "tlkit/lessons/judges/lesson_98.py"))


# ---- what is refused ----


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A folder of its own for notebooks and for judges."""
    for name in ("notebooks", "judges"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("notebooks.LESSONS", tmp_path / "notebooks")
    monkeypatch.setattr(new_lesson, "JUDGES", tmp_path / "judges")
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.*"))


@pytest.mark.parametrize("name", ["choosing", "32", "32_", "3_choosing", "32-choosing", "32_Choosing", "32_a/../b", ""])
def test_a_malformed_name_is_refused_with_an_example(name, empty, capsys):
    assert new_lesson.main([name, "A title"]) == 2
    assert f'"{name}" is not a name of a lesson; two digits and words' in capsys.readouterr().err
    assert files(empty) == []


def test_an_empty_title_is_refused(empty, capsys):
    assert new_lesson.main(["32_choosing", " "]) == 2
    assert "a lesson needs a title" in capsys.readouterr().err and files(empty) == []


@pytest.mark.parametrize(
    "taken", ["notebooks/32_choosing.ipynb", "notebooks/32_other.ipynb", "judges/lesson_32.py"], ids=str
)
def test_a_number_that_is_taken_is_refused_and_nothing_is_written(taken, empty, capsys):
    (empty / taken).write_text("somebody's work")
    assert new_lesson.main(["32_choosing", "A title"]) == 2
    assert f"the number 32 is taken by {Path(taken).name}; nothing was written" in capsys.readouterr().err
    assert files(empty) == [Path(taken).name] and (empty / taken).read_text() == "somebody's work"


def test_without_a_question_the_title_asks_it(empty):
    notebook, _ = new_lesson.new_lesson("32_choosing", "Choosing  a\nmodel")
    assert json.loads(notebook.read_text())["metadata"]["tlkit"] == {
        "title": "Choosing a model",
        "question": "Choosing a model: what difference does it make?",
        "minutes": 25,
        "transfer": "supervised",
    }
