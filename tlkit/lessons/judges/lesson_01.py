"""The exercises of lesson 01: a new head, where the gain ends, a threshold fixed before, a drawing that fools."""

from math import floor
from typing import Any

from tlkit.experiments import Comparison
from tlkit.intervals import Claim
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network
from tlkit.widgets.teach import Teach
from tlkit.words import with_article

CLASSES = 4  # of the target in exercise 1


@exercise("01.1")
def starts_from(answer: Any, source: Network) -> Judgement:
    """Starts from.

    where to look: One of the five recipes begins in this very way, with another number of classes.
    the method: A Network has a method whose name says what you want; type network. and press Tab.
    the line: network.with_new_head(4, seed=0) copies the backbone and draws a fresh head.
    """
    if not isinstance(answer, Network):
        return f"a network; this is {with_article(type(answer).__name__)}"
    shared = {p.data_ptr() for p in answer.parameters()} & {p.data_ptr() for p in source.parameters()}
    answer, source = answer.copy().cpu(), source.copy().cpu()
    mine, others = answer.backbone.state_dict(), source.backbone.state_dict()
    same = mine.keys() == others.keys() and all(mine[key].equal(others[key]) for key in mine)
    fits = getattr(answer.head, "out_features", 0) == CLASSES
    return {
        ("the backbone has the weights of the source", "the backbone still has weights of its own"): same,
        (f"the head has {CLASSES} classes", f"a head for {CLASSES} classes"): fits,
        ("training it leaves the source as it is", "a copy: training this one would change the source too"): not shared,
    }


@exercise("01.2")
def where_the_gain_ends(answer: Any, comparison: Comparison) -> Judgement:
    """Where the gain ends.

    where to look: Put comparison.difference("head kept", "from scratch", 5) into a cell of its own; then other budgets.
    which end: An interval has two. The high one decides whether a gain is surely smaller than 2.
    the condition: The answer is the first budget from which on .high stays below 2.
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
def a_threshold_fixed_before(answer: Any, comparison: Comparison, trial: Comparison) -> Judgement:
    """A threshold fixed before.

    the number: trial.difference("head kept", "from scratch", 1).low is the lower end; int(...) rounds it down.
    where to test it: Not on trial, which has named the number, but on the lesson's own comparison.
    the line: answer = comparison.claim("head kept", better_than="from scratch", at=1, by=by)
    """
    if not isinstance(answer, Claim):
        return f"a claim, what comparison.claim returns; this is {with_article(type(answer).__name__)}"
    fixed, measured = (each.difference("head kept", "from scratch", 1) for each in (trial, comparison))
    if fixed is None or fixed.low is None or measured is None:
        return "two finished comparisons: press Continue in their monitors"
    by = max(0, floor(fixed.low))
    about = (answer.first, answer.second, answer.test) == ("head kept", "from scratch", "better than")
    outcome = "it holds" if answer.holds else "it falls, which is a result too"
    return {
        ("it says that head kept is better than from scratch", "head kept better_than from scratch"): about,
        (f"by={by} was fixed on other seeds", f"by={by}, the lower end on the other seeds, rounded down"): (
            answer.threshold == by
        ),
        (f"on the lesson's own seeds {outcome}", "a test on the lesson's own seeds: comparison.claim(...)"): (
            answer.difference is not None and answer.difference.values == measured.values
        ),
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
