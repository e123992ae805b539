"""The exercises of lesson 31."""

from typing import Any

from torch import nn

from tlkit.experiments import Comparison
from tlkit.freezing import FreezePlan
from tlkit.lessons.exercises import Judgement, exercise


@exercise("31.1")
def thaws_at_half(answer: Any, network: nn.Module) -> Judgement:
    """Thaws at half.

    how many rules: A block has two rules: one at the start, one from the middle on.
    the words: Rule("block1", None) is frozen; Rule("block1", 0.1, 0.5) learns at a tenth from 50 % on.
    the whole: FreezePlan takes all rules in one tuple: eight of them here.
    """
    if not isinstance(answer, FreezePlan):
        return f"a FreezePlan; this is a {type(answer).__name__}"
    try:
        answer.groups_in(network)
    except ValueError as error:
        return f"a plan for this network: {error}"
    blocks, above = ("block1", "block2", "block3"), ("features", "head")

    def learn(groups: tuple[str, ...], hundredths: range, rate: float | None) -> bool:
        return all(answer.rate(group, at / 100) == rate for group in groups for at in hundredths)

    frozen, thawed = learn(blocks, range(50), None), learn(blocks, range(50, 100), 0.1)
    throughout = learn(above, range(100), 1.0)
    return {
        ("the blocks are frozen in the first half", "blocks frozen in the whole first half"): frozen,
        ("then they learn at a tenth of the rate", "blocks that learn at 0.1 in the whole second half"): thawed,
        ("feature layer and head learn throughout", "features and head at the rate 1 from the start"): throughout,
    }


@exercise("31.2")
def surely_worse(answer: Any, comparison: Comparison) -> Judgement:
    """Surely worse.

    which end: Below zero with the whole interval: look at its high end.
    where it stands: comparison.difference("gradual", "full", 10).high
    in code: A set comprehension over the names, with that condition.
    """
    if not isinstance(answer, set | frozenset | list | tuple):
        return f'a set of names, such as {{"gradual"}}; this is a {type(answer).__name__}'
    others = [name for name in comparison.recipes if name != "full"]
    found = {name: comparison.difference(name, "full", 10) for name in others}
    worse = {name for name, interval in found.items() if interval and interval.separated and interval.mean < 0}
    named = set(map(str, answer))
    return {
        ("all that you name are", "only such names: not all of yours are surely worse"): named <= worse,
        ("none is left out", "all of them: at least one more is surely worse"): worse <= named,
    }
