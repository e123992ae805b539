"""The exercises of lesson 11: the loss of a collapse, the nearest labelled image, where the gain ends."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tlkit.data.tasks import Task
from tlkit.experiments import Comparison
from tlkit.features import extract_features
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import Network
from tlkit.objectives.unsupervised import SimCLR


@exercise("11.1")
def collapsed(answer: Any, objective: SimCLR, images: int) -> Judgement:
    """Collapsed.

    what is equal: All products of two arrows are the same number. Call its exponential e.
    the fraction: Above the line stands e. Below it stands e once for each view but the view itself.
    the number: It is the natural logarithm of 2 x 128 - 1, at every temperature.
    """
    try:
        value = float("no number" if isinstance(answer, str | bool) else answer)
    except (TypeError, ValueError, RuntimeError):  # the last from a tensor of several numbers
        return f"a number; this is of type {type(answer).__name__}"
    same = torch.ones(images, 2)
    n, loss = 2 * images, float(objective.loss(same, same))
    slips = {
        "the natural logarithm, as in the equation": math.log10(n - 1),
        "a larger sum: each view is compared with the views of every image, two for each": math.log(images),
        "a smaller sum: no view is compared with itself": math.log(n),
        "a sum that has the other view in it as well": math.log(n - 2),
        "the logarithm: this is what stands inside it": n - 1,
        "the sign: a loss is minus the logarithm of a share": -loss,
    }
    slip = next((words for words, other in slips.items() if abs(value - other) < 1e-3), "")
    near = "the third decimal, which tells it from sums of one number more or less" if abs(value - loss) < 0.01 else ""
    wrong = slip or near or "the loss of equal projections: put the same number into every product of the equation"
    return {("it is what the objective gives for equal projections", wrong): abs(value - loss) < 1e-3}


@exercise("11.2")
def nearest_labelled(answer: Any, network: Network, few: Task) -> Judgement:
    """Nearest labelled.

    two sets: You need features of one_each.train, ten of them, and of the test images.
    all cosines at once: With both scaled to length 1, tested @ known.mT has a row for each test image (known: the ten).
    the line: one_each.train.labels[(tested @ known.mT).argmax(1).cpu()]
    """
    labels, tested = few.train.required_labels("so none is nearest"), few.test
    if not isinstance(answer, Tensor) or answer.shape != (len(tested),):
        what = (
            f"has the shape {list(answer.shape)}"
            if isinstance(answer, Tensor)
            else f"is of type {type(answer).__name__}"
        )
        return f"a tensor of {len(tested)} class numbers, one for each test image; this {what}"

    def nearest(of: torch.nn.Module, by_cosine: bool = True) -> Tensor:
        known, others = (extract_features(of, split).values.cpu() for split in (few.train, tested))
        if by_cosine:
            return labels[(F.normalize(others) @ F.normalize(known).mT).argmax(1)]
        return labels[torch.cdist(others, known).argmin(1)]

    def is_answer(labels: Tensor) -> bool:
        return bool((answer.cpu() == labels).double().mean() > 0.99)

    slips = {
        "the network's features: these are the neighbours of the pixels": nearest(torch.nn.Flatten()),
        "the cosine: these features were not scaled to length 1": nearest(network, by_cosine=False),
    }
    slip = next((words for words, labels in slips.items() if is_answer(labels)), "")
    wrong = slip or "the label of the nearest labelled image: this gives others"
    return {("each test image has the label of its nearest labelled image", wrong): is_answer(nearest(network))}


@exercise("11.3")
def where_the_gain_ends(answer: Any, rivals: Comparison) -> Judgement:
    """Where the gain ends.

    which end: Ahead with the whole interval: which of its two ends decides that?
    how to ask: rivals.difference("SimCLR", "from scratch", 1).low
    the line: The last budget of rivals.budgets at which that is above 0; None if there is none.
    """
    if not rivals.finished:
        return "a comparison that is finished: rivals.finish()"
    if answer is not None and answer not in rivals.budgets:
        return f"None, or one of the budgets that were measured: {', '.join(map(str, rivals.budgets))}"

    def ahead(at: int) -> bool:
        found = rivals.difference("SimCLR", "from scratch", at)
        return bool(found and found.separated and found.mean > 0)

    later = [at for at in rivals.budgets if at > (answer or 0)]
    behind = not any(map(ahead, later))
    facts = {("at no larger budget it is ahead", "a larger budget: there is one at which it is"): behind}
    if answer is not None:
        where = f"at {answer} the whole interval is above zero"
        facts[where, f"an interval above zero: at {answer} it is not"] = ahead(answer)
    return facts
