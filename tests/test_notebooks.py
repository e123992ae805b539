"""The lessons' files stay clean, short and honest; and the cleaner that keeps them so does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import notebooks

ROOT = Path(__file__).parent.parent
LESSONS = sorted(notebooks.LESSONS.glob("*.ipynb"))
DECIMAL = re.compile(r"\d+[.,]\d+")
# A result in prose: a decimal, a share, a difference in points. The width of an interval is not a result.
RESULT = re.compile(r"\d+\.\d+|\d+\s*(%|per ?cent)(?!\s+(confidence\s+)?interval)|[+−-]\d+ points?")
ADDRESS = re.compile(r"https?://\S+|arXiv:\S+|doi:\S+")
LONGEST_CELL = 25
COPIED_LINES = 5


@pytest.fixture(params=LESSONS, ids=[path.stem for path in LESSONS])
def path(request) -> Path:
    return request.param


@pytest.fixture
def lesson(path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code(lesson: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def outputs(lesson: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code(lesson) for output in cell.outputs]


def words(output: NotebookNode) -> str:
    """What the output says; nothing for a picture, whose text is `<Figure size ...>`."""
    text = output.text if output.output_type == "stream" else output.data["text/plain"]
    return "" if re.fullmatch(r"<.*>", text) else text.strip()


# --- the lessons ------------------------------------------------------------------------------------------------


def test_there_is_a_lesson():
    assert LESSONS, f"no lesson in {notebooks.LESSONS}: every test below would pass unseen"


def test_the_cleaner_would_change_nothing(path, capsys):
    assert notebooks.main(["--check", str(path)]) == 0, capsys.readouterr().out


def test_nbval_compares_words_in_every_tagged_cell_and_in_one_at_least(lesson):
    checked = [cell for cell in code(lesson) if notebooks.is_checked(cell)]
    assert checked, "no cell is tagged nbval-check-output"
    assert [cell.id for cell in checked if not any(map(words, cell.outputs))] == []


def test_cell_ids_are_unique(lesson):
    """They may be what an editor makes up; a cell that a test or a text refers to is better called by a word."""
    ids = [cell.id for cell in lesson.cells]
    assert len(ids) == len(set(ids))


def test_no_cell_is_longer_than_25_lines(lesson):
    assert [cell.id for cell in lesson.cells if len(cell.source.splitlines()) > LONGEST_CELL] == []


def test_prose_states_no_result(lesson):
    prose = {
        cell.id: ADDRESS.sub("", cell.source)
        for cell in lesson.cells
        if cell.cell_type == "markdown" and "from-paper" not in cell.metadata.get("tags", [])
    }
    assert {name: found[0] for name, text in prose.items() if (found := RESULT.search(text))} == {}


def test_no_cell_holds_a_control_character(lesson):
    """Such as the backspace that \\big becomes, and the tab of \\theta, in a string of Python that is not raw."""
    assert [cell.id for cell in lesson.cells if re.search(r"[\x00-\x09\x0b-\x1f]", cell.source)] == []


def test_stored_outputs_are_words_without_decimals(lesson):
    for output in outputs(lesson):
        assert set(output.get("data", ["text/plain"])) == {"text/plain"}
        assert not DECIMAL.search(words(output)), f"other machines print other decimals: {words(output)!r}"


def test_nothing_that_nbval_does_not_honour(lesson):
    assert [cell.id for cell in code(lesson) if cell.source.rstrip().endswith(";")] == []
    assert [cell.id for cell in code(lesson) if re.search(r"\bOutput\(", cell.source)] == []


def test_no_package_code_is_copied(lesson):
    def runs(source: str) -> set[tuple[str, ...]]:
        lines = [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
        return {tuple(lines[start : start + COPIED_LINES]) for start in range(len(lines) - COPIED_LINES + 1)}

    package = {run for file in (ROOT / "tlkit").rglob("*.py") for run in runs(file.read_text(encoding="utf-8"))}
    assert {cell.id for cell in code(lesson) if runs(cell.source) & package} == set()


# --- the cleaner ------------------------------------------------------------------------------------------------


def checked_cell(source: str, id: str = "checked", **content) -> NotebookNode:
    return new_code_cell(source, id=id, metadata={"tags": ["nbval-check-output"]}, **content)


def plant(path: Path, *cells: NotebookNode) -> Path:
    nbformat.write(new_notebook(cells=list(cells), metadata={"widgets": {"state": {}}, "tlkit": {"minutes": 5}}), path)
    return path


def printed(words: str) -> list[NotebookNode]:
    return [new_output("stream", name="stdout", text=words)]


def test_cleaning_keeps_ids_tags_and_the_words_of_tagged_cells_and_nothing_else(tmp_path):
    picture = {"text/plain": "<Figure>", "image/png": "AAAA"}
    planted = plant(
        tmp_path / "lesson.ipynb",
        new_markdown_cell("# Title", id="title", metadata={"collapsed": True}),
        checked_cell("show()", execution_count=7, outputs=[*printed("yes"), new_output("display_data", picture)]),
        new_code_cell("1", id="one", execution_count=8, outputs=printed("gone"), metadata={"scrolled": True}),
    )
    assert notebooks.main([str(planted)]) == 0
    cleaned = nbformat.read(planted, as_version=4)
    assert cleaned.metadata == notebooks.METADATA | {"tlkit": {"minutes": 5}}
    assert [cell.id for cell in cleaned.cells] == ["title", "checked", "one"]
    assert [cell.metadata for cell in cleaned.cells] == [{}, {"tags": ["nbval-check-output"]}, {}]
    assert [cell.execution_count for cell in code(cleaned)] == [1, None]
    assert [output.get("text") or output.data for output in outputs(cleaned)] == ["yes", {"text/plain": "<Figure>"}]
    assert planted.read_text().endswith("}\n")
    assert notebooks.main(["--check", str(planted)]) == 0


def test_cell_ids_that_jupyterlab_writes_stay_and_missing_ones_are_given_once(tmp_path):
    ids = ["3f2a9c1e", "0b6d5c2e-8a43-4f0e-9d4e-6f1a7f0c2b11"]
    planted = plant(tmp_path / "lesson.ipynb", *(new_code_cell("1", id=name) for name in ids))
    assert notebooks.main([str(planted)]) == 0
    assert [cell.id for cell in nbformat.read(planted, as_version=4).cells] == ids
    old = json.loads(planted.read_text()) | {"nbformat_minor": 4}  # before cells had ids; other editors still write it
    for cell in old["cells"]:
        del cell["id"]
    planted.write_text(json.dumps(old))
    assert notebooks.main(["--check", str(planted)]) == 1
    assert notebooks.main([str(planted)]) == notebooks.main(["--check", str(planted)]) == 0
    assert len({cell.id for cell in nbformat.read(planted, as_version=4).cells}) == 2


def test_check_names_the_file_and_changes_nothing(tmp_path, capsys):
    planted = plant(tmp_path / "lesson.ipynb", new_code_cell("1", id="one", outputs=printed("1")))
    before = planted.read_bytes()
    assert notebooks.main(["--check", str(planted)]) == 1
    assert "lesson.ipynb: not clean" in capsys.readouterr().out
    assert planted.read_bytes() == before


def test_a_file_that_is_not_a_notebook_is_named_and_stays(tmp_path, capsys):
    (tmp_path / "lesson.ipynb").write_text("{")
    assert notebooks.main([str(tmp_path / "lesson.ipynb")]) == 1
    assert "lesson.ipynb: not a notebook: its text is not JSON" in capsys.readouterr().out
    assert (tmp_path / "lesson.ipynb").read_text() == "{"


def test_a_tagged_cell_without_an_output_is_refused(tmp_path, capsys):
    planted = plant(tmp_path / "lesson.ipynb", checked_cell("print('unseen')", execution_count=1))
    assert notebooks.main([str(planted)]) == 1
    assert 'cell "checked" is tagged nbval-check-output but no output is stored' in capsys.readouterr().out


def test_a_tagged_cell_without_a_count_is_repaired(tmp_path):
    planted = plant(tmp_path / "lesson.ipynb", checked_cell("print('yes')", outputs=printed("yes\n")))
    assert notebooks.main(["--check", str(planted)]) == 1
    assert notebooks.main([str(planted)]) == 0
    assert nbformat.read(planted, as_version=4).cells[0].execution_count == 1


WORDS_A_FIGURE_AND_A_WIDGET = """
print("seven", "images")
plt.plot([1, 2])
plt.show()
ipywidgets.Button()
"""


PICTURES = """
import sys
sys.path.insert(0, "tests")
import tlkit as tl
from helpers import measured
digits = tl.data.digits()
comparison = measured({"x": [0.9, 0.91, 0.92, 0.9, 0.9], "y": [0.7, 0.72, 0.71, 0.7, 0.7]})
tl.plots.gallery(digits.test[:12])
"""
CLAIM = "tl.lessons.claim(comparison, 'x', better_than='y', at=1)\ntl.show_source(tl.data.digits)"


def test_two_executions_of_one_lesson_are_equal_byte_for_byte():
    lesson = nbformat.read(notebooks.LESSONS / "00_start_here.ipynb", as_version=4)
    source = {cell.id: cell.source for cell in lesson.cells}
    own_folder = [source["write-folder"], source["read-folder"].rpartition("\n")[0]]  # without its widget
    cells = [PICTURES, CLAIM, "task = digits", *own_folder]

    def outputs_of() -> list:
        planted = new_notebook(cells=[new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(cells)])
        return [cell.outputs for cell in notebooks.execute(planted, ROOT).cells]

    assert outputs_of() == outputs_of()


def test_nbval_passes_what_refresh_stored_and_fails_when_the_words_change(tmp_path):
    imports = new_code_cell("import ipywidgets\nimport matplotlib.pyplot as plt", id="imports")
    rich = checked_cell(WORDS_A_FIGURE_AND_A_WIDGET)
    planted = plant(tmp_path / "lesson.ipynb", imports, rich, checked_cell("print('same')", id="changed"))
    assert notebooks.main(["--refresh", str(planted)]) == 0
    stored = planted.read_text()
    assert "image/png" not in stored and "widget-view" not in stored
    planted.write_text(stored.replace("print('same')", "print('other')"))
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "-q"]
    ran = subprocess.run([*command, "--rootdir", tmp_path, planted], cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 2 passed" in ran.stdout and "FAILED lesson.ipynb::Cell 2" in ran.stdout, ran.stdout
