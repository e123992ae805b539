"""A claim in a lesson: its sentence and its figure shown, its numbers recorded, and an error if it is false."""

import json
from html import escape
from typing import Any

from tlkit.experiments import Comparison
from tlkit.files import path_named
from tlkit.intervals import Claim, Interval
from tlkit.lessons.page import OnPage, on_page, paragraph
from tlkit.views import signed_ends
from tlkit.words import counted

WORDS = {True: ("✓ Holds", "tl-holds"), False: ("✕ Does not hold", "tl-falls"), None: ("○ Undecided", "tl-undecided")}


class ClaimDoesNotHold(AssertionError):
    """The measurements of this lesson do not support its sentence."""


def claim(comparison: Comparison, name: str, **test: Any) -> None:
    """Test a claim, show it with its figure and record it; raise if it is false.

    Args:
        comparison: what it is tested on.
        name: the recipe that the claim is about.
        **test: what is claimed of it, as in `Comparison.claim`: `better_than=`, `level_with=` or `no_better_than=`
            another recipe, `at=` a number of labels per class, `by=` or `within=` how many points, and `text=` the
            sentence.

    Raises:
        ClaimDoesNotHold: if the measurements contradict it, after all the rest: a claim that falls is a result too.
        ValueError: if it cannot be tested, such as for a recipe or budget that was not compared.

    The record is one line of JSON a claim, in the file that the environment's TLKIT_CLAIMS names, if it does.
    """
    from IPython.display import display

    found = comparison.claim(name, **test)
    display(OnPage(repr(found), claim_html(found, comparison)))
    record(found)
    if found.holds is False:
        measured = numbers(found.difference, found.unit)
        raise ClaimDoesNotHold(f"{found.text}: {found.reason} ({measured}, {found.seeds} seeds)")


def record(found: Claim) -> None:
    """Append a claim to the file named by TLKIT_CLAIMS, if there is one."""
    if path := path_named("TLKIT_CLAIMS"):
        interval = found.difference
        mean, low, high = (interval.mean, interval.low, interval.high) if interval else (None, None, None)
        numbers = {"difference": mean, "low": low, "high": high, "seeds": found.seeds}
        unit = {} if found.unit == "points" else {"unit": found.unit}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"text": found.text, "holds": found.holds, **numbers, **unit}) + "\n")


def numbers(interval: Interval | None, unit: str = "points") -> str:
    """Difference and interval in words."""
    if interval is None:
        return "not measured"
    mean, low, high = signed_ends(interval, unit)
    words = f"{mean} {unit}".rstrip()
    return words if low is None else f"{words}, 95 % interval {low} to {high}"


def claim_html(found: Claim, comparison: Comparison) -> str:
    """The claim as it stands on the page: bar, first word, sentence, numbers, the figure along the x axis."""
    from tlkit import plots

    word, kind = WORDS[found.holds]
    interval = found.difference
    if found.holds is None or interval is None:
        details = f"{found.reason[:1].upper()}{found.reason[1:]}."
    else:
        why = f"{found.reason[:1].upper()}{found.reason[1:]}: " if found.reason else ""
        wrong = round(found.seeds * (found.wrong_winner or 0))
        winner = ""
        if found.test == "better than":
            winner = (
                f"{found.first} was ahead with {interval.wins} of them: one seed alone would have named the wrong "
                f"winner {counted(wrong, 'time')} out of {found.seeds}. "
            )
        details = (
            f"{why}{numbers(interval, found.unit)}, {counted(found.seeds, 'seed')}. {winner}"
            "Framed: the claimed row, with a ring for each seed and dotted what is claimed."
        )
    if comparison.recorded:
        details += f" {comparison.recorded}."
    figure = plots.differences(comparison, found).in_page()
    sentence = f"<p class='tl-sentence'>{word}: {escape(found.text)}.</p>"
    return on_page(f"<div class='tl-claim {kind}'>{sentence}{paragraph(details, 'tl-second')}{figure}</div>")
