"""The exercises of lesson 40."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.data.tasks import Split
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import logits
from tlkit.words import with_article


@exercise("40.1")
def order_of_the_classes(answer: Any, network: nn.Module, labelled: Split) -> Judgement:
    """The order of the classes.

    what to count: Where the network gives output 0, which class is it most often in truth? So for each output.
    a column an output: confusion[:, 0] counts the true classes of the images for which output 0 was the largest.
    name them: tuple(printed.classes[int(column.argmax())] for column in confusion.T)
    """
    if not isinstance(answer, tuple | list) or sorted(map(str, answer)) != sorted(labelled.classes):
        return f"the {len(labelled.classes)} names, each once: a tuple that begins with what output 0 means"
    labels = labelled.required_labels("so an output stands for none of them").cpu()
    outputs, classes = logits(network, labelled.inputs).cpu().argmax(1), len(labelled.classes)
    truth = torch.zeros(classes, classes).index_put((outputs, labels), torch.ones(len(labels)), accumulate=True)
    named = torch.tensor([labelled.classes.index(str(name)) for name in answer])
    right = named == truth.argmax(1)
    turned = torch.equal(named.argsort(), truth.argmax(1))
    wanted = "the names in the order of the outputs, not the outputs in the order of the names"
    return {
        ("every output has its own class", f"another name for {int((~right).sum())} of the outputs"): bool(right.all()),
        ("it goes from outputs to names", wanted): bool(right.all()) or not turned,
    }


@exercise("40.2")
def mixed_statistics(answer: Any) -> Judgement:
    """Mixed statistics.

    the mean: As many of each, so the mean of both together is halfway between the two means.
    the variance: It is the mean square less the square of the mean; the mean square of a part is its variance plus its squared mean.
    what comes out: The mean of the variances, plus the squared half of the distance between the means.
    """  # noqa: E501 (a hint is one line)
    if not callable(answer):
        return f"a function of two pairs (mean, variance); this is {with_article(type(answer).__name__)}"
    function: Callable[..., Any] = answer
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(2, 500, dtype=torch.float64, generator=generator)
    domains = (drawn - drawn.mean(1, keepdim=True)) * torch.tensor([[1.0], [3.0]])

    def close(apart: float) -> tuple[bool, bool]:
        parts = domains[0], domains[1] + apart
        pairs = [(float(part.mean()), float(part.var(unbiased=False))) for part in parts]
        whole = torch.cat(parts)
        found = torch.tensor([float(value) for value in function(*pairs)], dtype=torch.float64)
        near: Tensor = (found - torch.stack([whole.mean(), whole.var(unbiased=False)])).abs() < 1e-6 * (1 + apart**2)
        return bool(near[0]), bool(near[1])

    try:
        (_, alike), (mean, spread) = close(0.0), close(5.0)
    except Exception as error:  # a learner's function may raise anything
        return f"a pair (mean, variance), from two such pairs of numbers: {type(error).__name__}: {error}"
    return {
        ("the mean is halfway between", "the mean of all images together, as many of each domain"): mean,
        ("the variances are averaged", "the mean of both variances, where the domains have the same mean"): alike,
        ("a distance between the means is spread, too", "a variance that grows as the means move apart"): spread,
    }
