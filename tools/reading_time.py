"""How long a lesson takes a reader, by a formula that agrees with trials: `python tools/reading_time.py [paths]`.

A minute for 200 words, a minute for 15 lines of code, a minute and a half for a widget, five minutes for an exercise.
The core path leaves out the optional sections; what a solution needs is counted in its exercise.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
from nbformat import NotebookNode

import notebooks

WORDS_A_MINUTE, LINES_A_MINUTE, MINUTES_A_WIDGET, MINUTES_AN_EXERCISE = 200, 15, 1.5, 5
# What one reads as one word: a formula, a line of a table's frame, a link's address are none.
FORMULA = re.compile(r"\$\$?.+?\$\$?", re.DOTALL)
FRAME, ADDRESS = re.compile(r"^\|[-| ]+\|$", re.MULTILINE), re.compile(r"\]\(.*?\)")
WIDGET = re.compile(r"tl\.widgets\.[A-Z]\w+\(|\bbreak_claim\(|\.recorded\(")
EXERCISE = re.compile(r"tl\.lessons\.check\(")


@dataclass
class Reading:
    """What there is to read in some cells."""

    words: int = 0
    lines: int = 0
    widgets: int = 0
    exercises: int = 0

    @property
    def minutes(self) -> float:
        """How long it takes."""
        return (
            self.words / WORDS_A_MINUTE
            + self.lines / LINES_A_MINUTE
            + self.widgets * MINUTES_A_WIDGET
            + self.exercises * MINUTES_AN_EXERCISE
        )

    @property
    def rounded(self) -> int:
        """As a lesson says it: to the nearest five minutes."""
        return 5 * max(1, round(self.minutes / 5))

    def add(self, cell: NotebookNode) -> None:
        """Count a cell."""
        if cell.cell_type == "markdown":
            text = ADDRESS.sub("]", FRAME.sub("", FORMULA.sub("formula", cell.source)))
            self.words += len(re.findall(r"\w[\w'’.,-]*", text))
            return
        if EXERCISE.search(cell.source):
            self.exercises += 1
            return
        self.lines += lines_of(cell)
        self.widgets += len(WIDGET.findall(cell.source))


def lines_of(cell: NotebookNode) -> int:
    """How many lines of code a cell has that are not empty."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def is_optional(cells: Sequence[NotebookNode]) -> list[bool]:
    """For each cell whether it stands in an optional section: below a folded heading, to the next of no lower level."""
    level, found = 0, []
    for cell in cells:
        heading = re.match(r"#+ ", cell.source) if cell.cell_type == "markdown" else None
        if heading and (not level or len(heading[0]) <= level):
            level = len(heading[0]) if cell.metadata.get(notebooks.FOLDED) else 0
        found.append(bool(level))
    return found


def reading(lesson: NotebookNode) -> tuple[Reading, Reading]:
    """What there is to read on the core path, and in all of a lesson."""
    core, everything = Reading(), Reading()
    for cell, optional in zip(lesson.cells, is_optional(lesson.cells), strict=True):
        everything.add(cell)
        if not optional:
            core.add(cell)
    return core, everything


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each lesson."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all in notebooks/)")
    for path in parser.parse_args(arguments).paths or sorted(notebooks.LESSONS.glob("*.ipynb")):
        lesson = nbformat.read(path, as_version=4)
        core, everything = reading(lesson)
        length = median(lines_of(cell) for cell in lesson.cells if cell.cell_type == "code")
        print(
            f"{path.stem:32} {core.minutes:5.1f} min, all of it {everything.minutes:5.1f} min "
            f"({everything.words:,} words, {everything.lines} lines, {everything.widgets} widgets, "
            f"{everything.exercises} exercises); median cell {length:g} lines"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
