"""How long a lesson takes, by the formula; and that each lesson says so and keeps within it."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks
import reading_time

FOLD = {notebooks.FOLDED: True}


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
