"""The exercises of lesson 31."""

import math
from typing import Any

from torch import nn

from tlkit.freezing import FreezePlan
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.words import with_article


@exercise("31.1")
def thaws_at_half(answer: Any, network: nn.Module) -> Judgement:
    """Thaws at half.

    how many rules: A block needs two: one that freezes it from the start, and one that begins in the middle.
    the words: Rule("block1", None) is frozen; Rule("block1", 0.1, start=0.5) learns at a tenth from the middle on.
    the whole: tl.freezing.FreezePlan takes all rules in one tuple: two a block, one each for features and head.
    """
    if not isinstance(answer, FreezePlan):
        return f"a FreezePlan; this is {with_article(type(answer).__name__)}"
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
def as_fast_below(answer: Any, plan: FreezePlan) -> Judgement:
    """As fast below.

    the chain: The head learns at lr, and each group at two fifths of the rate of the one above it.
    the multiple: plans["discriminative"].rate("block1", 0) is what multiplies lr for block1, from the start.
    in code: Divide 0.001 by it.
    """
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return f"a number, such as 0.003; this is {with_article(type(answer).__name__)}"
    found = answer * (plan.rate("block1", 0) or 0)
    missing = f"an lr with which block1 learns at 0.001; with {answer:g} it learns at {found:.2g}"
    return {("with it block1 learns at 0.001", missing): math.isclose(found, 0.001, rel_tol=0.03)}
