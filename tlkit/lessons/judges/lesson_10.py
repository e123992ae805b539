"""The exercises of lesson 10: a trivial answer, live units, where noise surely helps."""

from numbers import Integral
from typing import Any

from torch import Tensor

from tlkit.data.tasks import Split
from tlkit.experiments import Comparison
from tlkit.features import extract_features
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network


def plain(answer: Any) -> Any:
    """A tensor of one number as that number; anything else as it is."""
    return answer.item() if isinstance(answer, Tensor) and answer.numel() == 1 else answer


@exercise("10.1")
def always_the_mean(answer: Any, pool: Split, validation: Split) -> Judgement:
    """Always the mean.

    two images: What is drawn is pool.images.mean(0); what was asked for is watched.images.
    the error: Subtract, square, then one mean over everything: the shapes fit as they are.
    the line: float((pool.images.mean(0) - watched.images).square().mean())
    """
    answer = plain(answer)
    if not isinstance(answer, float):
        return f"a number, the mean squared error; this is of type {type(answer).__name__}"
    images, others = validation.images.cpu().double(), pool.images.cpu().double()

    def costs(drawn: Any) -> float:
        return float((images - drawn).square().mean())

    def near(wanted: float) -> bool:
        return abs(answer - wanted) < 1e-4 * wanted

    wanted = costs(others.mean(0))
    mistakes = {
        "the mean image of the pool: that is what the mean of the validation images would cost, and the network "
        "never sees them": costs(images.mean(0)),
        "a mean image: keep its pixels apart, the mean is over the images alone": costs(others.mean()),
        "the mean over the pixels too: that is the sum over an image": wanted * images[0].numel(),
        "the square: that is its root": wanted**0.5,
        "the images of validation: that is what it costs on the pool": float((others - others.mean(0)).square().mean()),
        "the mean image: that is what a black image costs": costs(0),
    }
    unknown = "another number: square, then take the mean over images and pixels"
    mistake = next((what for what, cost in mistakes.items() if near(cost)), unknown)
    return {("that is what the mean image costs; any autoencoder must do better", mistake): near(wanted)}


@exercise("10.2")
def live_units(answer: Any, network: Network, pool: Split) -> Judgement:
    """Live units.

    what to look at: Of each column of the features the deviation over the images: values.std(0).
    what to compare: Each deviation with a hundredth of the largest of them.
    the line: int((spread > 0.01 * spread.max()).sum()), with spread = values.std(0)
    """
    answer = plain(answer)
    if not isinstance(answer, Integral) or isinstance(answer, bool):
        return f"a whole number of units; this is of type {type(answer).__name__}"
    spread = extract_features(network, pool).values.std(0)
    alive = int((spread > 0.01 * spread.max()).sum())
    dead = answer == len(spread) - alive
    missing = "the live units: these are the dead ones" if dead else "another number: the rule gives another one"
    return {(f"{alive} of {len(spread)} feature units are alive", missing): answer == alive}


@exercise("10.3")
def surely_more(answer: Any, comparison: Comparison) -> Judgement:
    """Surely more.

    which end: Above zero with the whole interval: look at its low end.
    where it stands: comparison.difference("denoising", "plain", 5).low
    in code: A set comprehension over comparison.budgets, with that condition.
    """
    if not isinstance(answer, set | frozenset | list | tuple):
        return f"a set of budgets, such as {{{comparison.budgets[0]}}}; this is of type {type(answer).__name__}"
    if not all(at in comparison.budgets for at in answer):
        return f"budgets that were measured, and no others: {', '.join(map(str, comparison.budgets))}"
    if not comparison.finished:
        return "a comparison that is finished: comparison.finish()"
    found = {at: comparison.difference("denoising", "plain", at) for at in comparison.budgets}
    surely = {at for at, interval in found.items() if interval and interval.separated and interval.mean > 0}
    above = "at all that you name the whole interval is above zero"
    return {
        (above, "the low end: at one of yours it is not above zero"): set(answer) <= surely,
        ("none is left out", "all of them: at one more the whole interval is above zero"): surely <= set(answer),
    }
