"""The exercises of lesson 20."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from tlkit.data.tasks import Split
from tlkit.experiments import Comparison
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import logits

EACH = 20  # images of a class


@exercise("20.1")
def low_enough(answer: Any, thresholds: Sequence[float], used: Sequence[int], good: Sequence[int]) -> Judgement:
    """Low enough.

    one threshold: A threshold is strict enough if good is at least nine tenths of used, at its place.
    all of them: [t for t, n, g in zip(thresholds, used, good) if g >= 0.9 * n]
    the line: The lowest of these is min(...); min(..., default=None) if there may be none.
    """
    enough = [t for t, n, g in zip(thresholds, used, good, strict=True) if g >= 0.9 * n]
    if answer is None:
        return {("no threshold is strict enough", "a threshold: one of them is strict enough"): not enough}
    if isinstance(answer, bool) or answer not in [*thresholds]:  # an answer may be a list
        return f"one of the thresholds: {', '.join(map(str, thresholds))}"
    return {
        ("nine in ten are right", "nine in ten right: at this threshold fewer are"): answer in enough,
        ("no lower one does it", "the lowest: a lower threshold does it too"): answer <= min(enough, default=answer),
    }


@exercise("20.2")
def evenly_chosen(answer: Any, network: nn.Module, pool: Split) -> Judgement:
    """Evenly chosen.

    an order: sure.argsort(descending=True) gives the numbers of the images, the surest first.
    one class: order[said[order] == 3][:20] are the 20 images that it calls 3 most surely.
    all classes: Join the numbers of all ten with torch.cat, then build tl.data.Split from them.
    """
    labels = answer.one_label_each() if isinstance(answer, Split) else None
    if labels is None:
        return f"a Split with labels: tl.data.Split(images, labels, classes); this is a {type(answer).__name__}"
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
def where_separated(answer: Any, comparison: Comparison) -> Judgement:
    """Where separated.

    what to look at: Two methods are separated where the interval of their difference leaves zero out.
    in code: classical.difference(first, second, budget).separated says whether it does.
    the line: [k for k in classical.budgets if classical.difference("LabelSpreading", ...).separated]
    """
    found = {at: comparison.difference("LabelSpreading", "SelfTraining", at) for at in comparison.budgets}
    apart = {at for at, interval in found.items() if interval and interval.separated}
    if not isinstance(answer, list | tuple | set) or any(one not in comparison.budgets for one in answer):
        return f"a list of budgets, of these: {', '.join(map(str, comparison.budgets))}"
    return {
        ("zero is outside where you say so", "only budgets whose interval leaves zero out"): {*answer} <= apart,
        ("no other budget separates them", "all of them: one more interval leaves zero out"): apart <= {*answer},
    }
