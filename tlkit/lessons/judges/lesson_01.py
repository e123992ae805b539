"""The exercises of lesson 01: a new head, the budget where the gain ends, the largest claim that holds."""

from typing import Any

from tlkit.experiments import Comparison
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network
from tlkit.widgets.teach import Teach


@exercise("01.1")
def starts_from(answer: Any, source: Network) -> Judgement:
    """Starts from.

    where to look: The repair in step 6 copies one thing. Here everything but the head is to be copied.
    the method: A Network has a method whose name says what you want; type network. and press Tab.
    the line: network.with_new_head(10, seed=0) copies the backbone and draws a fresh head.
    """
    if not isinstance(answer, Network):
        return f"a network; this is a {type(answer).__name__}"
    shared = {p.data_ptr() for p in answer.parameters()} & {p.data_ptr() for p in source.parameters()}
    answer, source = answer.copy().cpu(), source.copy().cpu()

    def outputs(head: Any) -> int:
        return getattr(head, "out_features", 0)

    mine, others = answer.backbone.state_dict(), source.backbone.state_dict()
    same = mine.keys() == others.keys() and all(mine[key].equal(others[key]) for key in mine)
    classes = outputs(source.head)
    old, new = source.head.state_dict(), answer.head.state_dict()
    head = any(old[key].shape == new[key].shape and old[key].equal(new[key]) for key in old.keys() & new.keys())
    return {
        ("the backbone has the weights of the source", "the backbone still has weights of its own"): same,
        ("the head is new", "a new head: this one is the head of the source"): not head,
        ("the head has as many classes", f"a head for {classes} classes"): outputs(answer.head) == classes,
        ("training it leaves the source as it is", "a copy: training this one would change the source too"): not shared,
    }


@exercise("01.2")
def where_the_gain_ends(answer: Any, comparison: Comparison) -> Judgement:
    """Where the gain ends.

    which end: An interval has two ends. Which of them decides whether a gain is surely smaller than 2?
    which column: comparison.difference(first, second, budget) has a mean, a low and a high.
    the condition: Find the first budget from which on the high end stays below 2.
    """

    def small(budget: int) -> bool:
        interval = comparison.difference("head kept", "from scratch", budget)
        return bool(interval and interval.high is not None and interval.high < 2)

    if answer is None and comparison.finished and not small(comparison.budgets[-1]):
        return {("right: at this scale no measured budget is enough", ""): True}
    if answer not in comparison.budgets:
        return f"one of the budgets that were measured: {', '.join(map(str, comparison.budgets))}"
    interval = comparison.difference("head kept", "from scratch", answer)
    if interval is None:
        return "a comparison that is finished: comparison.finish()"
    at = comparison.budgets.index(answer)
    little, more = (
        f"at {answer} the mean gain is below 2 points",
        f"a smaller gain: at {answer} the mean is above 2 points",
    )
    surely = f"from {answer} on the whole interval is below 2"
    not_surely = f"the whole interval: at {answer} or later it reaches beyond 2"
    first = at == 0 or not small(comparison.budgets[at - 1])
    return {
        (little, more): interval.mean < 2,
        (surely, not_surely): all(map(small, comparison.budgets[at:])),
        ("no smaller budget would do", "the first such budget: a smaller one would do"): first,
    }


@exercise("01.3")
def the_largest_claim_that_holds(answer: Any, comparison: Comparison) -> Judgement:
    """The largest claim that holds.

    what a claim asks: better_than with by asks for two things. Which of them depends on by?
    how to ask: comparison.claim("head kept", better_than="from scratch", at=1, by=5).holds is True or False.
    the number: The mean gain must be at least by, so the answer is the mean, rounded down.
    """
    if not isinstance(answer, int) or isinstance(answer, bool):
        return f"a whole number of points; this is a {type(answer).__name__}"

    def holds(by: int) -> bool | None:
        return comparison.claim("head kept", better_than="from scratch", at=1, by=by).holds

    return {
        (f"by={answer} holds", f"a claim that holds: by={answer} does not"): holds(answer) is True,
        ("one point more does not", "the largest: one point more holds as well"): holds(answer + 1) is False,
    }


@exercise("01.4")
def fooled(answer: Any, teach: Teach) -> Judgement:
    """Fooled.

    what it knows: Print was turned by some degrees, slanted, stretched and bent, and never more than that.
    what to change: Turn the drawing: upside down, or lying on its side. Not every symbol gives in; try them all.
    one that works here: With the four classes of the start, an upside-down heart is predicted as a house.
    """
    taught = list(teach.beliefs())
    if len(taught) < 2:
        return "two classes with drawings, and a drawing on the pad: leave the one that fools it there"
    if answer not in taught:
        return f"the name of the class that is right: one of {', '.join(map(repr, taught))}"
    predicted = teach.answer()
    if predicted is None:
        return "a drawing that it takes for one of your classes: of this one it says that it was never taught"
    found = f"it says {predicted} (whether you still know it as {answer}, only you can judge)"
    return {(found, f"a drawing that fools it: it does say {predicted}"): predicted != answer}
