"""The exercises of lesson 41."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tlkit.lessons.exercises import Judgement, exercise
from tlkit.words import with_article


@exercise("41.1")
def mean_of_the_known(answer: Any) -> Judgement:
    """The mean of the known.

    which are known: known = labels >= 0 is True or False for each example.
    every example by itself: F.cross_entropy(logits, labels.clamp(min=0), reduction="none") is one loss an example.
    divided by what: The sum over the known ones, divided by known.sum().clamp(min=1), which is never 0.
    """
    if not callable(answer):
        return f"a function of logits and labels; this is {with_article(type(answer).__name__)}"
    loss: Callable[..., Any] = answer
    logits = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.tensor([0, 2, -1, 1, -1, 0, 1, -1])
    nobody = torch.full_like(labels, -1)

    def gives(labels: Tensor, expected: Tensor) -> bool:
        found = loss(logits, labels.clone())
        return isinstance(found, Tensor) and found.shape == () and bool((found - expected).abs() < 1e-5)

    try:
        every = labels.clamp(min=0)
        all_known = gives(every, F.cross_entropy(logits, every))
        some = gives(labels, F.cross_entropy(logits[labels >= 0], labels[labels >= 0]))
        none = gives(nobody, torch.tensor(0.0))
        found = loss(logits, labels.clone())
        gradient = torch.autograd.grad(found.sum(), logits, allow_unused=True)[0] if found.requires_grad else None
    except Exception as error:  # a learner's function may raise anything
        return f"a function that runs on logits [8, 3]: {type(error).__name__}: {error}"
    learns = gradient is not None and bool(gradient[labels >= 0].any()) and not gradient[labels < 0].any()
    return {
        ("where every label is known it is the mean cross-entropy", "the mean, where every label is known"): all_known,
        ("unknown labels are left out of the mean", "the sum over the known ones, divided by how many they are"): some,
        ("it is 0 where no label is known", "0, and not NaN, where no label is known"): none,
        ("the known examples learn, and only they", "a gradient for the known examples alone"): learns,
    }


@exercise("41.2")
def learnt_weight(answer: Any, loss: float) -> Judgement:
    """The learnt weight.

    the derivative: Of exp(-s) L + s / 2 with respect to s it is -exp(-s) L + 1 / 2.
    set it to zero: Then exp(-s) = 1 / (2 L).
    in code: 1 / (2 * rest)
    """
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not answer > 0:
        return "a number above 0"
    right = math.isclose(answer, 1 / (2 * loss), rel_tol=0.02)
    missing = f"the weight at which equation 2 is smallest; with {answer:.3g} its slope is not 0"
    return {("there the slope of equation 2 is 0", missing): right}
