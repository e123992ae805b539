"""The exercises of lesson 20."""

from collections.abc import Callable
from typing import Any

from torch import nn

from tlkit.data.tasks import Split
from tlkit.experiments import Comparison
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import logits
from tlkit.words import with_article

EACH = 20  # images of a class
STRICT = 0.9  # of the pseudo-labels


@exercise("20.1")
def low_enough(answer: Any, network: nn.Module, pool: Split) -> Judgement:
    """Low enough.

    what is used: sure >= threshold is True for each image that a threshold lets in.
    how many are right: (predicted == hidden)[sure >= threshold].float().mean() is the share of these that is right.
    the line: min(t for t in thresholds if (predicted == hidden)[sure >= t].float().mean() >= 0.9)
    """
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not 0 < answer <= 1:
        return "a threshold: a number above 0 and at most 1"
    hidden = pool.required_labels("so nobody knows which pseudo-labels are right").cpu()
    sure, predicted = logits(network, pool.inputs).float().softmax(1).cpu().max(1)

    def strict(threshold: float) -> bool:
        used = sure >= threshold
        return bool(used.any()) and float((predicted == hidden)[used].float().mean()) >= STRICT

    lower = [hundredth / 100 for hundredth in range(1, 100) if hundredth / 100 < answer - 0.005]
    return {
        ("nine in ten are right", "nine in ten right: at this threshold fewer are"): strict(answer),
        ("no lower one does it", "the lowest: a lower threshold does it too"): not any(map(strict, lower)),
    }


@exercise("20.2")
def evenly_chosen(answer: Any, network: nn.Module, pool: Split) -> Judgement:
    """Evenly chosen.

    an order: sure.argsort(descending=True) gives the numbers of the images, the surest first.
    one class: order[predicted[order] == 3][:20] are the 20 images that it calls 3 most surely.
    all classes: Join the numbers of all ten with torch.cat; pool.images[chosen] and predicted[chosen] make the Split.
    """
    if not callable(answer):
        return f"a function of a network and a pool; this is {with_article(type(answer).__name__)}"
    choose: Callable[..., Any] = answer
    try:
        chosen = choose(network, pool)
    except Exception as error:  # a learner's function may raise anything
        return f"a function that runs on a network and a pool: {type(error).__name__}: {error}"
    return _judged(chosen, network, pool)


def _judged(answer: Any, network: nn.Module, pool: Split) -> Judgement:
    """Whether a split holds the surest images of each class, with the network's own labels."""
    labels = answer.one_label_each() if isinstance(answer, Split) else None
    if labels is None:
        given = with_article(type(answer).__name__)
        return f"a Split with labels: tl.data.Split(images, labels, classes); this is {given}"
    if answer.inputs.shape[1:] != pool.inputs.shape[1:]:
        return f"images of the pool: these have the shape {list(answer.inputs.shape[1:])}"
    sure, predicted = logits(network, pool.inputs).float().softmax(1).cpu().max(1)
    place = {image.numpy().tobytes(): number for number, image in enumerate(pool.inputs[:].cpu())}
    chosen = [place.get(image.numpy().tobytes(), -1) for image in answer.inputs[:].cpu()]
    own = -1 not in chosen and bool((labels.cpu() == predicted[chosen]).all())
    named = predicted.bincount(minlength=len(pool.classes)).clamp(max=EACH)
    even = labels.cpu().bincount(minlength=len(named)).equal(named) and len({*chosen}) == len(chosen)
    order = sure.argsort(descending=True)
    surest = {number for label in range(len(named)) for number in order[predicted[order] == label][:EACH].tolist()}
    doubtful = len({*chosen} - surest)
    return {
        ("the labels are the network's own", "the network's own labels, of images of the pool"): own,
        (f"{EACH} of each class, or all there are", f"{EACH} of each class, or all predicted as it"): even,
        ("the surest of each class", f"the surest: {doubtful} of these are not"): not doubtful and bool(chosen),
    }


@exercise("20.3")
def where_separated(answer: Any, comparison: Comparison, first: str, second: str) -> Judgement:
    """Where separated.

    what to look at: Two methods are separated where the interval of their difference leaves zero out.
    in code: classical.difference(first, second, budget).separated says whether it does.
    the line: [k for k in classical.budgets if classical.difference(first, second, k).separated]
    """
    found = {at: comparison.difference(first, second, at) for at in comparison.budgets}
    apart = {at for at, interval in found.items() if interval and interval.separated}
    if not isinstance(answer, list | tuple | set) or any(one not in comparison.budgets for one in answer):
        return f"a list of budgets, of these: {', '.join(map(str, comparison.budgets))}"
    return {
        ("zero is outside where you say so", "only budgets whose interval leaves zero out"): {*answer} <= apart,
        ("no other budget separates them", "all of them: one more interval leaves zero out"): apart <= {*answer},
    }
