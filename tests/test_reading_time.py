"""How long a lesson takes, by the formula; and that each lesson says so and keeps within it."""

from __future__ import annotations

import re
from statistics import median

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks
import reading_time

FOLD = {notebooks.FOLDED: True}
LESSONS = sorted(notebooks.LESSONS.glob("*.ipynb"))
OPTIONAL = r", (?:and )?(\d+) with (?:the optional sections|that section)"
SAID = re.compile(rf"^About (\d+) minutes(?:{OPTIONAL})?\b", re.MULTILINE)
COUNTED = re.compile(r"\b(three|four|five|six|seven|eight|nine|ten) (recipes|ways|kinds|networks|methods)\b", re.I)


@pytest.fixture(params=LESSONS, ids=[path.stem for path in LESSONS])
def lesson(request):
    return nbformat.read(request.param, as_version=4)


def cells(*more):
    return new_notebook(cells=[new_markdown_cell("# " + "word " * 199), *more])


def minutes(*more) -> tuple[float, float]:
    core, everything = reading_time.reading(cells(*more))
    return core.minutes, everything.minutes


def test_two_hundred_words_are_a_minute_and_fifteen_lines_another():
    assert minutes()[0] == pytest.approx(1, abs=0.01)
    assert minutes(new_code_cell("\n\n".join(["x = 1"] * 15)))[0] == pytest.approx(2, abs=0.01)


def test_a_formula_is_one_word_and_the_frame_of_a_table_none():
    text = "the $\\frac{1}{n} \\sum_i x_i$ is | a | b |\n|---|---|\n| c | d |\n\n$$a + b = c$$"
    core, _ = reading_time.reading(new_notebook(cells=[new_markdown_cell(text)]))
    assert core.words == len(["the", "formula", "is", "a", "b", "c", "d", "formula"])


def test_a_widget_takes_a_minute_and_a_half_and_an_exercise_five():
    widget = "tl.widgets.Gallery(tl.data.digits())"
    solution = "# solution\nanswer = 1\n# end of solution\ntl.lessons.check('01.1', answer)"
    assert minutes(new_code_cell(widget))[0] == pytest.approx(1 + 1.5 + 1 / 15, abs=0.01)
    assert minutes(new_code_cell(solution))[0] == pytest.approx(1 + 5, abs=0.01)


def test_an_optional_section_reaches_to_the_next_heading_of_its_level():
    folded = new_markdown_cell("### Optional: more", metadata=FOLD)
    inside = [folded, new_markdown_cell("#### Below it"), new_code_cell("x = 1")]
    after = [new_markdown_cell("### Next"), new_code_cell("y = 1")]
    assert reading_time.is_optional([new_code_cell("a"), *inside, *after]) == [False, True, True, True, False, False]
    core, everything = minutes(*inside, *after)
    assert core < everything == minutes(*inside, *after)[1]


def test_a_section_above_ends_it_too_and_another_optional_one_begins_anew():
    folded = new_markdown_cell("### Optional: more", metadata=FOLD)
    row = [folded, new_code_cell("a"), folded, new_code_cell("b"), new_markdown_cell("## End"), new_code_cell("c")]
    assert reading_time.is_optional(row) == [True, True, True, True, False, False]


def test_the_tool_prints_a_line_for_each_lesson(capsys):
    assert reading_time.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(list(notebooks.LESSONS.glob("*.ipynb")))


# ---- the lessons ----


def test_a_lesson_says_its_minutes_as_the_formula_counts_them(lesson):
    core, everything = reading_time.reading(lesson)
    optional = any(reading_time.is_optional(lesson.cells))
    said = SAID.search(lesson.cells[0].source)
    assert said, "the first cell says: About N minutes, M with the optional sections, which are folded."
    counted = (str(core.rounded), str(everything.rounded) if optional else None)
    assert said.groups() == counted
    assert lesson.metadata.tlkit.minutes == core.rounded


def test_the_core_path_takes_35_minutes_at_most_and_all_of_it_60(lesson):
    core, everything = reading_time.reading(lesson)
    assert core.minutes <= 35.05
    assert everything.minutes <= 60.05


def test_half_of_the_cells_have_five_lines_at_most_and_a_lesson_three_claims(lesson):
    code = [cell for cell in lesson.cells if cell.cell_type == "code"]
    assert median(map(reading_time.lines_of, code)) <= 5
    assert sum(cell.source.count("tl.lessons.claim(") for cell in code) <= 3


def test_a_folded_section_is_called_optional_and_no_other(lesson):
    headings = [cell for cell in lesson.cells if cell.cell_type == "markdown" and cell.source.startswith("#")]
    folded = [bool(cell.metadata.get(notebooks.FOLDED)) for cell in headings]
    assert folded == [bool(re.match(r"#+ Optional: ", cell.source)) for cell in headings]


def test_no_title_of_a_comparison_counts_what_is_compared(lesson):
    """The number of recipes changes sooner or later, and the words are forgotten."""
    titles = [title for cell in lesson.cells for title in re.findall(r'title="([^"]*)"', cell.source)]
    assert [title for title in titles if COUNTED.search(title)] == []
