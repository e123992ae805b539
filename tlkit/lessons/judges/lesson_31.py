"""The exercises of lesson 31."""

from __future__ import annotations

from typing import Any

from torch import nn

from tlkit.experiments import Comparison
from tlkit.freezing import FreezePlan
from tlkit.lessons.exercises import Exercises, Judgement, sorted_out


def _thaws_at_half(answer: Any, network: nn.Module) -> Judgement:
    if not isinstance(answer, FreezePlan):
        return [], [f"a FreezePlan; this is a {type(answer).__name__}"]
    try:
        answer.groups_in(network)
    except ValueError as error:
        return [], [f"a plan for this network: {error}"]
    blocks, above = ("block1", "block2", "block3"), ("features", "head")
    facts = {
        ("the blocks are frozen in the first half", "frozen blocks at the start, and still at 49 %"): all(
            answer.rate(block, share) is None for block in blocks for share in (0, 0.49)
        ),
        ("then they learn at a tenth of the rate", "blocks that learn at 0.1 from 50 % on"): all(
            answer.rate(block, 0.5) == 0.1 for block in blocks
        ),
        ("feature layer and head learn throughout", "a rate for features and head at every time"): all(
            answer.rate(group, share) for group in above for share in (0, 0.5, 0.99)
        ),
    }
    return sorted_out(facts)


def _surely_worse(answer: Any, comparison: Comparison) -> Judgement:
    if not isinstance(answer, set | frozenset | list | tuple):
        return [], [f'a set of names, such as {{"gradual"}}; this is a {type(answer).__name__}']
    others = [name for name in comparison.recipes if name != "full"]
    found = {name: comparison.difference(name, "full", 10) for name in others}
    worse = {name for name, sample in found.items() if sample and sample.high is not None and sample.high < 0}
    named = set(answer)
    facts = {
        ("all that you name are", "only such names: not all of yours are surely worse"): named <= worse,
        ("none is left out", "all of them: at least one more is surely worse"): worse <= named,
    }
    return sorted_out(facts)


EXERCISES: Exercises = {
    "31.1": (
        _thaws_at_half,
        (
            ("how many rules", "A block has two rules: one at the start, one from the middle on."),
            ("the words", 'Rule("block1", None) is frozen; Rule("block1", 0.1, 0.5) learns at a tenth from 50 % on.'),
            ("the whole", "FreezePlan takes all rules in one tuple: eight of them here."),
        ),
    ),
    "31.2": (
        _surely_worse,
        (
            ("which end", "Below zero with the whole interval: look at its high end."),
            ("where it stands", 'comparison.difference("gradual", "full", 10).high'),
            ("in code", "A set comprehension over the names, with that condition."),
        ),
    ),
}
