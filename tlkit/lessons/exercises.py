"""Exercises: an answer is judged by what the lesson itself measured, in words, with hints in steps."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import Any

from tlkit.lessons.page import on_page

# What a judge finds: facts as {(words if true, words if false): whether it is so}, or what is missing, in words.
Judgement = dict[tuple[str, str], bool] | str

JUDGES: dict[str, Callable[..., Judgement]] = {}  # by exercise, of those lessons that were checked


def exercise(name: str) -> Callable[[Callable[..., Judgement]], Callable[..., Judgement]]:
    """Make a function the judge of an exercise: it takes the answer, and the values that decide whether it is right.

    The hints stand in its docstring, one a paragraph line, "title: hint", each giving away more than the one before.
    """

    def register(judge: Callable[..., Judgement]) -> Callable[..., Judgement]:
        JUDGES[name] = judge
        return judge

    return register


@dataclass(frozen=True, repr=False)
class Verdict:
    """What is right about an answer, what is missing, and hints, each giving away more than the one before."""

    right: tuple[str, ...]
    missing: tuple[str, ...]
    hints: tuple[tuple[str, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    def __repr__(self) -> str:
        return "\n".join([*(f"✓ {line}" for line in self.right), *(f"○ Missing: {line}" for line in self.missing)])

    def _repr_html_(self) -> str:
        lines = [f"<p><span class='tl-glyph'>✓</span>{escape(line)}</p>" for line in self.right]
        lines += [f"<p><span class='tl-glyph'>○</span><b>Missing:</b> {escape(line)}</p>" for line in self.missing]
        for number, (title, hint) in enumerate(self.hints if self.missing else (), start=1):
            what = f"Hint {number} of {len(self.hints)}: {title}"
            lines.append(f"<details><summary>{escape(what)}</summary><div>{escape(hint)}</div></details>")
        return on_page(f"<div class='tl-check'>{''.join(lines)}</div>")


def check(exercise: str, answer: Any, *judged_by: Any) -> Verdict:
    """Judge the answer to an exercise by the lesson's own values.

    Args:
        exercise: the lesson's number and the exercise's, such as "01.2".
        answer: the learner's; `...` is none yet.
        *judged_by: the values of the lesson that the exercise is about.

    Returns:
        What is right and what is missing, with hints as long as something is.

    Raises:
        ValueError: if there is no such exercise; with those that there are.
    """
    lessons = sorted(path.stem[-2:] for path in (Path(__file__).parent / "judges").glob("lesson_*.py"))
    lesson = str(exercise)[:2]
    if lesson not in lessons:
        raise ValueError(f'there is no exercise "{exercise}"; these lessons have some: {", ".join(lessons)}')
    import_module(f"tlkit.lessons.judges.lesson_{lesson}")
    if exercise not in JUDGES:
        known = [name for name in JUDGES if name.startswith(lesson)]
        raise ValueError(f'there is no exercise "{exercise}"; there are {", ".join(known)}')
    judge = JUDGES[exercise]
    found = "an answer: put it in the place of the three dots" if answer is ... else judge(answer, *judged_by)
    facts = {("", found): False} if isinstance(found, str) else found
    right = tuple(yes for (yes, _), so in facts.items() if so)
    return Verdict(right, tuple(no for (_, no), so in facts.items() if not so), _hints(judge))


def _hints(judge: Callable[..., Judgement]) -> tuple[tuple[str, str], ...]:
    """The (title, hint) pairs of a judge's docstring; a hint goes on in lines that are indented."""
    hints = (getdoc(judge) or "").partition("\n\n")[2].replace("\n  ", " ").splitlines()
    return tuple((title, hint) for title, _, hint in (line.partition(": ") for line in hints))
