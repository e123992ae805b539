"""The course's own machinery: scales, catalogue, copies, claims on a page, exercises, and the source shown."""

from __future__ import annotations

import errno
import inspect
import json
from pathlib import Path

import nbformat
import pytest
from helpers import measured, network, recipe, task
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import tlkit as tl
from tlkit.lessons.claims import ClaimDoesNotHold
from tlkit.lessons.copies import older_copies
from tlkit.lessons.course import survey
from tlkit.lessons.page import on_page, paragraph
from tlkit.lessons.source import Source

X, Y = (0.9, 0.91, 0.92, 0.93, 0.94), (0.7, 0.72, 0.71, 0.7, 0.7)
SOLUTION = "before = 1\n# solution\nanswer = 42\nmore = 43\n# end of solution\ncheck(answer)"


def plant(folder: Path, name: str, title: str = "A title", solution: str = SOLUTION) -> Path:
    """A lesson in a folder: a title, and an exercise with its solution."""
    about = {"title": title, "question": f"What is {title}?", "minutes": 20, "transfer": "supervised"}
    cells = [
        new_markdown_cell(f"# {title}", id="title"),
        new_code_cell(solution, id="exercise", metadata={"tags": ["solution"]}, execution_count=3),
    ]
    nbformat.write(new_notebook(cells=cells, metadata={"tlkit": about}), folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


@pytest.fixture
def lessons(tmp_path, monkeypatch) -> Path:
    """A folder of two lessons that takes the place of the course."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    plant(folder, "02_how_to_freeze", "Freezing")
    plant(folder, "01_why_transfer", "Transfer")
    plant(folder, "notes")  # without a number it is not a lesson
    monkeypatch.setattr("tlkit.lessons.course.lessons_folder", lambda: folder)
    return folder


def source(path: Path, cell: int = 1) -> str:
    return nbformat.read(path, as_version=4).cells[cell].source


def edit(path: Path, words: str) -> str:
    """A learner's work in the exercise; returns the file as it is then."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = words
    nbformat.write(notebook, path)
    return path.read_text()


# ---- scales ----


@pytest.mark.parametrize(("scale", "value"), [("quick", 1), ("standard", 2), ("full", 3), ("", 2)])
def test_a_value_is_chosen_by_the_scale_of_the_environment(scale, value, monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", scale)
    assert tl.lessons.at_scale(quick=1, standard=2, full=3) == value


def test_full_is_as_standard_by_default(monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", "full")
    assert tl.lessons.at_scale(quick=1, standard=2) == 2
    assert tl.lessons.at_scale(quick=1, standard=2, full=None) is None


def test_a_scale_that_does_not_exist_is_refused_with_those_that_do(monkeypatch):
    monkeypatch.setenv("TLKIT_SCALE", "huge")
    with pytest.raises(ValueError, match="TLKIT_SCALE='huge'; use one of quick, standard, full"):
        tl.lessons.at_scale(quick=1, standard=2)


# ---- the catalogue ----


def test_the_lessons_are_the_numbered_notebooks_in_order_and_say_what_they_are(lessons):
    first, second = tl.lessons.catalogue()
    assert (first.name, second.name) == ("01_why_transfer", "02_how_to_freeze")
    assert (first.title, first.question, first.minutes, first.transfer) == (
        ("Transfer", "What is Transfer?", 20, "supervised")
    )
    assert first.path == lessons / "01_why_transfer.ipynb"


def test_here_the_lessons_are_those_of_the_repository():
    """So that an edited lesson is seen at once, and never a copy inside the package that is out of date."""
    assert tl.lessons.lessons_folder() == Path(__file__).resolve().parent.parent / "notebooks"
    assert "01_why_transfer" in [lesson.name for lesson in tl.lessons.catalogue()]


def test_here_every_numbered_notebook_is_a_lesson():
    assert survey()[1] == {}


def test_elsewhere_the_lessons_are_inside_the_package(tmp_path, monkeypatch):
    import tlkit.lessons.course as course

    monkeypatch.setattr(course, "__file__", str(tmp_path / "site-packages" / "tlkit" / "lessons" / "course.py"))
    assert tl.lessons.lessons_folder() == tmp_path.resolve() / "site-packages" / "tlkit" / "lessons" / "notebooks"


@pytest.mark.parametrize("wanted", ["01_why_transfer", "01", "01_why_transfer.ipynb"])
def test_a_lesson_is_found_by_its_name_or_number(wanted, lessons):
    assert tl.lessons.find(wanted).name == "01_why_transfer"


def test_a_file_is_itself_also_where_the_course_has_a_lesson_of_that_name(lessons, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    mine = plant(tmp_path / "mine", "01_why_transfer", "My own")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert {tl.lessons.find(name).path for name in (str(mine), "~/mine/01_why_transfer.ipynb")} == {mine}
    monkeypatch.chdir(tmp_path / "mine")
    assert tl.lessons.find("01_why_transfer.ipynb").title == "My own"
    assert tl.lessons.find("01_why_transfer").title == "Transfer"


def test_a_file_that_is_not_there_is_no_lesson_of_the_course(lessons):
    with pytest.raises(ValueError, match=r'there is no notebook "some/01_why_transfer\.ipynb"; for a lesson of the'):
        tl.lessons.find("some/01_why_transfer.ipynb")


def test_a_file_that_is_not_a_lesson_is_refused_with_the_reason(tmp_path):
    nbformat.write(new_notebook(), tmp_path / "notes.ipynb")
    with pytest.raises(ValueError, match=r"notes\.ipynb is not a lesson: its metadata does not say"):
        tl.lessons.find(str(tmp_path / "notes.ipynb"))


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("01_why_transfers", 'did you mean "01_why_transfer"?'),
        ("freeze", 'did you mean "02_how_to_freeze"?'),
        ("zzz", "`tlkit lessons` lists them all"),
        ("", "`tlkit lessons` lists them all"),
        ("0", ""),
    ],
)
def test_a_lesson_that_does_not_exist_gets_the_nearest_match(wanted, hint, lessons):
    with pytest.raises(ValueError) as raised:
        tl.lessons.find(wanted)
    assert f'there is no lesson "{wanted}"; ' in str(raised.value) and hint in str(raised.value)


BROKEN = {
    "03_no_metadata": '{"cells": [], "metadata": {}}',
    "04_half_of_it": '{"cells": [], "metadata": {"tlkit": {"title": "Half", "question": "What?", "minutes": "5"}}}',
    "05_no_json": "{",
    "06_no_cells": '{"metadata": {}}',
    "07_a_list": "[]",
    "08_odd_cells": '{"cells": [{}], "metadata": {}}',
    "09_odd_metadata": '{"cells": [], "metadata": {"tlkit": "yes"}}',
    "10_no_text": "\xff",
}


def test_a_numbered_notebook_that_is_not_a_lesson_is_left_out_with_the_reason(lessons, tmp_path):
    for name, text in BROKEN.items():
        (lessons / f"{name}.ipynb").write_text(text, encoding="latin-1")
    plant(lessons, "02_again")
    plant(lessons, "1_short")
    found, left_out = survey()
    assert [*found] == ["01_why_transfer", "02_again"]
    assert [*left_out] == ["02_how_to_freeze", *BROKEN, "1_short"]
    assert left_out["02_how_to_freeze"].endswith(
        "is left out: its number is that of 02_again.ipynb; give one of them another"
    )
    assert 'does not say, under "tlkit", its title, question, minutes, transfer; see' in left_out["03_no_metadata"]
    assert 'does not say, under "tlkit", its minutes, transfer; see' in left_out["04_half_of_it"]
    for name in [*BROKEN][2:]:
        assert left_out[name].startswith(f"{name}.ipynb is left out: it is not a notebook (")
    assert len(tl.lessons.make_copies(tmp_path / "mine")) == 2


def test_a_copy_beside_a_lesson_does_not_take_its_place(lessons):
    plant(lessons, "01_why_transfer-Copy1")
    assert "01_why_transfer" in [lesson.name for lesson in tl.lessons.catalogue()]


@pytest.mark.parametrize("wanted", ["05_no_json", "05", "05_no_json.ipynb"])
def test_a_notebook_that_is_left_out_is_not_found_and_the_reason_is_given(wanted, lessons):
    (lessons / "05_no_json.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"05_no_json\.ipynb is left out: it is not a notebook"):
        tl.lessons.find(wanted)


# ---- copies ----


def test_students_get_three_dots_in_the_place_of_each_solution(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    assert source(first) == "before = 1\nanswer = ...  # your turn\ncheck(answer)"


def test_teachers_keep_the_solutions(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine", teacher=True)
    assert source(first) == SOLUTION


def test_a_copy_carries_no_outputs_and_the_lesson_keeps_its_own(lessons, tmp_path):
    before = (lessons / "01_why_transfer.ipynb").read_text()
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    assert nbformat.read(first, as_version=4).cells[1].execution_count is None
    assert (lessons / "01_why_transfer.ipynb").read_text() == before


def test_only_a_cell_tagged_as_a_solution_is_emptied(lessons, tmp_path):
    planted = nbformat.read(lessons / "01_why_transfer.ipynb", as_version=4)
    planted.cells[1].metadata.tags = []
    nbformat.write(planted, lessons / "01_why_transfer.ipynb")
    assert source(tl.lessons.make_copies(tmp_path / "mine")[0]) == SOLUTION


def test_indented_and_several_solutions_are_emptied_each_in_its_place(lessons, tmp_path):
    one = "    # solution\n    answer = 1\n    # end of solution\n"
    plant(lessons, "01_why_transfer", solution=f"if True:\n{one}{one}")
    expected = "if True:\n" + 2 * "    answer = ...  # your turn\n"
    assert source(tl.lessons.make_copies(tmp_path / "mine")[0]).rstrip() == expected.rstrip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_copying_twice_changes_nothing(lessons, tmp_path):
    mine = tmp_path / "mine"
    first = tl.lessons.make_copies(mine)
    times = [path.stat().st_mtime_ns for path in first]
    assert tl.lessons.make_copies(mine) == first
    assert [path.stat().st_mtime_ns for path in first] == times
    assert names(mine) == ["01_why_transfer.ipynb", "02_how_to_freeze.ipynb"]


def test_an_edited_lesson_stays_and_a_fresh_copy_is_put_beside_it(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    edited = edit(first, "answer = my_own")
    for _ in range(2):
        assert tl.lessons.make_copies(tmp_path / "mine")[0] == first
        assert first.read_text() == edited
    fresh = tmp_path / "mine" / "01_why_transfer-fresh.ipynb"
    assert "answer = ..." in source(fresh)
    assert names(tmp_path / "mine") == [fresh.name, first.name, "02_how_to_freeze.ipynb"]


def test_a_copy_that_was_not_edited_follows_the_lesson_when_it_changes(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    edit(lessons / first.name, "print('a newer lesson')")
    tl.lessons.make_copies(tmp_path / "mine")
    assert source(first) == "print('a newer lesson')"
    assert len(names(tmp_path / "mine")) == 2


def test_an_edited_copy_of_an_older_tlkit_is_called_older(lessons, tmp_path):
    first, second = tl.lessons.make_copies(tmp_path / "mine")
    for path in (first, second):  # as they were stamped before
        before = json.loads(path.read_text())
        del before["metadata"]["tlkit"]["names"]
        path.write_text(json.dumps(before))
    assert older_copies(tmp_path / "mine") == []  # neither is edited, so both follow the lesson
    edit(first, "answer = my_own")
    assert older_copies(tmp_path / "mine") == [first.name]
    (tmp_path / "mine" / "notes.ipynb").write_text('["no notebook"]')
    tl.lessons.make_copies(tmp_path / "mine")
    assert older_copies(tmp_path / "mine") == [first.name]


def test_an_edited_fresh_copy_stays_too(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    edit(first, "answer = my_own")
    tl.lessons.make_copies(tmp_path / "mine")
    fresh = tmp_path / "mine" / "01_why_transfer-fresh.ipynb"
    edited = edit(fresh, "answer = another")
    tl.lessons.make_copies(tmp_path / "mine")
    assert fresh.read_text() == edited
    assert "answer = ..." in source(tmp_path / "mine" / "01_why_transfer-fresh-2.ipynb")


def test_running_a_copy_is_not_editing_it(lessons, tmp_path):
    first, _ = tl.lessons.make_copies(tmp_path / "mine")
    run = nbformat.read(first, as_version=4)
    run.cells[1].execution_count = 12
    nbformat.write(run, first)
    tl.lessons.make_copies(tmp_path / "mine")
    assert len(names(tmp_path / "mine")) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', "\xff"])
def test_a_file_that_cannot_be_read_is_somebodys_work_too(content, lessons, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "01_why_transfer.ipynb").write_text(content, encoding="latin-1")
    tl.lessons.make_copies(mine)
    assert (mine / "01_why_transfer.ipynb").read_text(encoding="latin-1") == content
    assert (mine / "01_why_transfer-fresh.ipynb").exists()


def test_a_full_disk_leaves_nothing_half_written(lessons, tmp_path, monkeypatch):
    write = Path.write_text

    def full(path, text, **options):
        write(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        tl.lessons.make_copies(tmp_path / "mine")
    assert names(tmp_path / "mine") == []
    monkeypatch.undo()


# ---- claims on a page ----


class Pieces(list[str]):
    """What is displayed, and its words."""

    def __init__(self):
        super().__init__()
        self.words: list[str] = []


@pytest.fixture
def shown(monkeypatch) -> Pieces:
    """The HTML that is displayed, in order, and in `words` what stands for it where there is no page."""
    pieces = Pieces()

    def display(what):
        pieces.append(what._repr_html_())
        pieces.words.append(repr(what))

    monkeypatch.setattr("IPython.display.display", display)
    return pieces


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """What is recorded for `tlkit run`, read when it is needed."""
    monkeypatch.setenv("TLKIT_CLAIMS", str(tmp_path / "claims.jsonl"))
    return lambda: [json.loads(line) for line in (tmp_path / "claims.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def comparison():
    return measured({"<i>kept</i>": X, "scratch": Y}, budgets=(1,), skip=(50,))


def test_a_claim_is_shown_once_with_its_sentence_and_its_words_hold_nothing_that_varies(comparison, shown, capsys):
    tl.lessons.claim(comparison, "<i>kept</i>", better_than="scratch", at=1, by=5, text="Transfer helps")
    assert shown.words == ["Holds: Transfer helps"] and capsys.readouterr().out == ""
    assert "".join(shown).count("Transfer helps") == 1


def test_a_claim_shows_its_numbers_and_names_as_text(comparison, shown):
    tl.lessons.claim(comparison, "<i>kept</i>", better_than="scratch", at=1, by=5)
    interval = comparison.difference("<i>kept</i>", "scratch", at=1)
    html = "".join(shown)
    assert "✓ Holds: with 1 label per class, &lt;i&gt;kept&lt;/i&gt; is better than scratch by 5 points." in html
    assert f"+{interval.mean:.1f} points, 95 % interval +{interval.low:.1f} to +{interval.high:.1f}, 5 seeds" in html
    assert "with 5 of them" in html and "wrong winner 0 times out of 5" in html
    assert html.count("<svg") == 2 and "<i>" not in html


def test_a_claim_that_falls_is_shown_and_recorded_before_it_raises(comparison, shown, recorded, capsys):
    with pytest.raises(ClaimDoesNotHold, match=r"scratch wins: the other way round \(−.* points, .*, 5 seeds\)"):
        tl.lessons.claim(comparison, "scratch", better_than="<i>kept</i>", at=1, text="scratch wins")
    assert shown.words == ["Does not hold: scratch wins"] and capsys.readouterr().out == ""
    assert "✕ Does not hold: scratch wins." in shown[0]
    assert [entry["holds"] for entry in recorded()] == [False]


def test_an_undecided_claim_is_no_error_and_says_what_is_missing(comparison, shown, recorded):
    tl.lessons.claim(comparison, "scratch", level_with="<i>kept</i>", at=50)
    assert "○ Undecided" in shown[0] and "Not measured at this scale: 50 labels per class." in shown[0]
    assert [(entry["holds"], entry["difference"], entry["low"]) for entry in recorded()] == [(None, None, None)]


def test_each_claim_adds_its_numbers_to_the_record(comparison, shown, recorded):
    for by in (5, 10):
        tl.lessons.claim(comparison, "<i>kept</i>", better_than="scratch", at=1, by=by, text=f"by {by}")
    interval = comparison.difference("<i>kept</i>", "scratch", at=1)
    numbers = {"holds": True, "difference": interval.mean, "low": interval.low, "high": interval.high, "seeds": 5}
    assert recorded() == [{"text": "by 5"} | numbers, {"text": "by 10"} | numbers]


def test_without_a_record_a_claim_is_only_shown(comparison, shown, monkeypatch):
    monkeypatch.delenv("TLKIT_CLAIMS", raising=False)
    tl.lessons.claim(comparison, "<i>kept</i>", better_than="scratch", at=1)
    assert len(shown) == 1


def test_what_stands_on_a_page_brings_its_look_and_keeps_text_as_text():
    html = on_page(paragraph("a < b & c", "tl-second"))
    assert "<p class='tl-second'>a &lt; b &amp; c</p>" in html
    assert "--tl-ink:" in html and html.startswith("<style>")


# ---- exercises ----


def judged(exercise, answer, *by):
    verdict = tl.lessons.check(exercise, answer, *by)
    return len(verdict.right), len(verdict.missing), verdict.complete


def test_an_exercise_without_an_answer_says_where_to_put_it():
    verdict = tl.lessons.check("01.1", ..., network())
    assert repr(verdict) == "○ Missing: an answer: put it in the place of the three dots"


def test_an_exercise_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r'there is no exercise "01\.9"; there are 01\.1, 01\.2, 01\.3'):
        tl.lessons.check("01.9", 1)


@pytest.mark.parametrize("wanted", ["xx.1", "", 1.2])
def test_an_exercise_of_a_lesson_without_any_is_refused_with_the_lessons_that_have_some(wanted):
    with pytest.raises(ValueError, match=rf'there is no exercise "{wanted}"; these lessons have some: .*01'):
        tl.lessons.check(wanted, 1)


def sharing(source):
    other = network(seed=1).with_new_head(4)
    other.backbone = source.backbone
    return other


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (lambda source: source.with_new_head(4, seed=9), []),
        (lambda source: source.copy(), ["a head for 4 classes"]),
        (lambda source: network(seed=1).with_new_head(4), ["the backbone still has weights of its own"]),
        (sharing, ["a copy: training this one would change the source too"]),
        (lambda source: 4, ["a network; this is an int"]),
    ],
    ids=["right", "old head", "nothing copied", "shared", "no network"],
)
def test_exercise_1_wants_the_backbone_of_the_source_under_a_new_head(answer, missing):
    source = network()
    assert list(tl.lessons.check("01.1", answer(source), source).missing) == missing


@pytest.fixture(scope="module")
def gains():
    """Head kept gains 20 points at 1 label, 1 at 5 labels, nothing at 20."""
    kept = {1: [y + 0.2 for y in Y], 5: [0.81, 0.82, 0.81, 0.83, 0.81], 20: [0.9, 0.91, 0.9, 0.9, 0.9]}
    scratch = {1: Y, 5: [0.80, 0.81, 0.80, 0.82, 0.80], 20: [0.9, 0.91, 0.9, 0.91, 0.9]}
    return measured({"head kept": kept, "from scratch": scratch}, budgets=(1, 5, 20))


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (5, []),
        (20, ["the first such budget: a smaller one would do"]),
        (
            1,
            [
                "a smaller gain: at 1 the mean is above 2 points",
                "the whole interval: at 1 or later it reaches beyond 2",
            ],
        ),
        (7, ["one of the budgets that were measured: 1, 5, 20"]),
    ],
)
def test_exercise_2_wants_the_first_budget_from_which_on_the_gain_is_small(answer, missing, gains):
    assert list(tl.lessons.check("01.2", answer, gains).missing) == missing


def test_exercise_2_takes_none_where_no_budget_is_enough(gains):
    large = measured({"head kept": X, "from scratch": Y})
    assert judged("01.2", None, large) == (1, 0, True)
    assert judged("01.2", None, gains) == (0, 1, False)


def test_exercise_2_says_when_its_comparison_is_not_finished():
    waiting = tl.compare({"head kept": recipe(X), "from scratch": recipe(Y)}, task(), range(5), (1,))
    assert list(tl.lessons.check("01.2", 1, waiting).missing) == ["a comparison that is finished: comparison.finish()"]


@pytest.fixture(scope="module")
def own_and_others():
    """The lesson's own comparison, where the gain is 20 points, and five other seeds, where it is 18 to 19."""
    own = measured({"head kept": [y + 0.2 for y in Y], "from scratch": Y})
    others = measured(
        {"head kept": [y + gain for y, gain in zip(Y, (0.19, 0.18, 0.19, 0.18, 0.19), strict=True)], "from scratch": Y}
    )
    return own, others


@pytest.mark.parametrize(
    ("by", "missing"),
    [(17, []), (20, ["by=17, the lower end on the other seeds, rounded down"])],
    ids=["fixed before", "chosen after looking"],
)
def test_exercise_3_wants_the_threshold_that_the_other_seeds_named(by, missing, own_and_others):
    own, others = own_and_others
    answer = own.claim("head kept", better_than="from scratch", at=1, by=by)
    assert answer.holds is True  # also the one that was chosen after looking
    assert list(tl.lessons.check("01.3", answer, own, others).missing) == missing


def test_exercise_3_takes_a_claim_that_falls():
    own, others = (measured({"head kept": [y + gain for y in Y], "from scratch": Y}) for gain in (0.1, 0.205))
    answer = own.claim("head kept", better_than="from scratch", at=1, by=20)
    verdict = tl.lessons.check("01.3", answer, own, others)
    assert verdict.complete and "on the lesson's own seeds it falls, which is a result too" in verdict.right


def test_exercise_3_wants_its_test_where_the_threshold_was_not_fixed(own_and_others):
    own, others = own_and_others
    for answer, missing in (
        (others.claim("head kept", better_than="from scratch", at=1, by=17), "a test on the lesson's own seeds: co"),
        (own.claim("head kept", level_with="from scratch", at=1, within=17), "head kept better_than from scratch"),
        (17, "a claim, what comparison.claim returns; this is an int"),
    ):
        (found,) = tl.lessons.check("01.3", answer, own, others).missing
        assert found.startswith(missing)


def test_hints_are_offered_in_steps_as_long_as_something_is_missing(gains):
    missing, complete = (tl.lessons.check("01.2", answer, gains)._repr_html_() for answer in (1, 5))
    assert [f"Hint {number} of 3" in missing for number in (1, 2, 3)] == [True] * 3
    assert "Hint" not in complete and "<b>Missing:" not in complete and "✓" in complete


# ---- the source shown in a lesson ----


def example(values):
    """A docstring."""
    return [value < 2 for value in values]  # ①


def test_the_source_shown_is_the_one_that_runs():
    assert repr(tl.show_source(example)) == (
        'def example(values):\n    """A docstring."""\n    return [value < 2 for value in values]  # ①'
    )


def test_the_line_of_the_equation_is_marked_and_code_is_text_not_markup():
    html = tl.show_source(example)._repr_html_()
    assert html.count("tl-equation'") == 1 and "'>    <b>return</b> [value &lt; <b>2</b>" in html
    assert "<i># ①</i>" in html and "<i>&quot;&quot;&quot;A docstring.&quot;&quot;&quot;</i>" in html


def two(values):
    low = min(values)  # ①
    return max(values) - low  # ②


def test_an_equation_has_the_number_that_the_text_gives_it():
    assert repr(tl.show_source(two, first=2)).endswith("low = min(values)  # ②\n    return max(values) - low  # ③")
    assert repr(tl.show_source(two, first=9)).count("⑨") == 2  # there are no more
    assert repr(tl.show_source(two)) == inspect.getsource(two).rstrip()


@pytest.mark.parametrize(
    "lines",
    [
        tl.objectives.CrossEntropy.forward,
        tl.objectives.L2SP.forward,
        tl.objectives.Reconstruction.forward,
        tl.objectives.SimCLR.loss,
        tl.objectives.VICReg.loss,
        tl.objectives.PseudoLabel.forward,
        tl.objectives.MeanTeacher.forward,
        tl.objectives.FixMatch.forward,
        tl.objectives.SoftMatch.used,
    ],
    ids=lambda lines: lines.__qualname__,
)
def test_the_line_that_is_the_equation_has_its_number_wherever_a_lesson_gives_it_one(lines):
    assert repr(tl.show_source(lines)).count("①") == 1


def test_no_line_of_code_is_cut_off_a_long_one_goes_on_under_its_beginning():
    html = tl.show_source(example)._repr_html_()
    assert "tl-equation' style='--indent:8ch'>    <b>return" in html
    assert "white-space: pre-wrap" in html and "overflow-x" not in html


def test_a_method_is_shown_without_its_indentation():
    assert repr(Source(tl.models.Network.copy)).startswith("def copy(self)")


def test_what_is_not_written_in_python_cannot_be_shown():
    with pytest.raises(TypeError):
        tl.show_source(len)


def test_a_claim_is_broken_in_the_unit_of_its_metric_and_where_it_was_not_measured():
    recipes = {"x": recipe([0.5] * 5), "y": recipe([0.4] * 5)}
    own = tl.compare(recipes, task(), range(5), [5, 10], skip=[10], metric=lambda predictor, task: predictor.share / 10)
    table = tl.lessons.break_claim(own.finish(), "x", better_than="y", at=5).children[1].value
    assert "<b>+0.010</b> +0.010 to +0.010" in table
    table = tl.lessons.break_claim(own, "x", better_than="y", at=10).children[1].value
    assert "not measured at this scale" in table and "not tested" in table
