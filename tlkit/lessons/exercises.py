"""Exercises: an answer is judged by what the lesson itself measured, said in words, with hints in steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from tlkit.lessons.page import on_page

Judgement = tuple[list[str], list[str]]  # what is right, what is missing
Exercises = dict[str, tuple[Callable[..., Judgement], tuple[tuple[str, str], ...]]]  # by name: judge, (title, hint)s


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
    """Judge the answer to an exercise, such as "01.2", by the values of the lesson that it is about.

    Raises ValueError for an exercise that does not exist.
    """
    lessons = sorted(path.stem[-2:] for path in (Path(__file__).parent / "judges").glob("lesson_*.py"))
    lesson = str(exercise)[:2]
    if lesson not in lessons:
        raise ValueError(f'there is no exercise "{exercise}"; these lessons have some: {", ".join(lessons)}')
    exercises: Exercises = import_module(f"tlkit.lessons.judges.lesson_{lesson}").EXERCISES
    if exercise not in exercises:
        raise ValueError(f'there is no exercise "{exercise}"; there are {", ".join(exercises)}')
    judge, hints = exercises[exercise]
    right, missing = (
        ([], ["an answer: put it in the place of the three dots"]) if answer is ... else judge(answer, *judged_by)
    )
    return Verdict(tuple(right), tuple(missing), hints)


def sorted_out(facts: dict[tuple[str, str], bool]) -> Judgement:
    """Facts as {(when true, when false): whether it is so}, into what is right and what is missing."""
    return [yes for (yes, _), so in facts.items() if so], [no for (_, no), so in facts.items() if not so]
