"""The exercises of lesson 21."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.tasks import Split
from tlkit.lessons.exercises import Judgement, exercise
from tlkit.models.networks import logits
from tlkit.words import with_article

THRESHOLD = 0.95  # FixMatch's usual one


@exercise("21.1")
def row_one(answer: Any) -> Judgement:
    """Row one.

    where the label comes from: From the weak outputs: confidence, pseudo = weak_outputs.detach().softmax(1).max(1).
    every image by itself: F.cross_entropy(strong_outputs, pseudo, reduction="none") is one loss an image.
    divided by what: Multiply each loss by whether its image is used, then take the mean over all.
    """
    if not callable(answer):
        return f"a function of two outputs and a threshold; this is {with_article(type(answer).__name__)}"
    row: Callable[..., Any] = answer
    generator = torch.Generator().manual_seed(0)
    weak, strong = (4 * torch.randn(64, 10, generator=generator) for _ in range(2))
    weak, strong = weak.requires_grad_(), strong.requires_grad_()
    confidence, pseudo = weak.detach().softmax(1).max(1)
    each = F.cross_entropy(strong, pseudo, reduction="none")
    some, most = (float(confidence.sort().values[at]) for at in (32, -1))  # thresholds that are met exactly

    def gives(threshold: float, expected: Tensor) -> bool:
        found = row(weak, strong, threshold)
        return isinstance(found, Tensor) and found.shape == () and bool((found - expected).abs() < 1e-4)

    try:
        row(weak, strong, some).sum().backward()
        half, one = (gives(at, ((confidence >= at) * each).mean()) for at in (some, most))
        none = gives(1.1, torch.tensor(0.0))
    except Exception as error:  # a learner's function may raise anything
        return f"a function that runs on outputs [64, 10]: {type(error).__name__}: {error}"
    leaks, learns = (bool(view.grad is not None and view.grad.any()) for view in (weak, strong))
    wrong_mean = "row ① with half of the images used: the sum over these, divided by the number of all"
    return {
        ("the mean is over all images, those not used included", wrong_mean): half,
        ("an image exactly at the threshold is used", "images whose confidence is the threshold itself"): one,
        ("it is 0 when no image is sure enough", "0 where no image reaches the threshold"): none,
        ("no gradient goes through the label", "a stop for the gradient through the weak view"): not leaks,
        ("the strong view learns", "a gradient through the strong view, else nothing is learnt"): learns,
    }


@exercise("21.2")
def the_largest_decay(answer: Any, steps: int) -> Judgement:
    """The largest decay.

    the equation: After t steps the start counts decay ** t.
    solve it: decay ** steps == 0.01, so decay is the root: 0.01 to the power of one over steps.
    in code: 0.01 ** (1 / steps)
    """
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not 0 < answer < 1:
        return "a number between 0 and 1"
    too_much = answer - 0.01 ** (1 / steps)  # rounded or cut to the third decimal, it is exact
    return {
        ("the start is forgotten in time", "a smaller decay: the start still counts more than a hundredth"): (
            too_much <= 0.0005
        ),
        ("no larger decay would do", "the largest decay, to the third decimal: a larger one would do"): (
            too_much > -0.001
        ),
    }


@exercise("21.3")
def least_covered(answer: Any, network: nn.Module, pool: Split) -> Judgement:
    """Least covered.

    where to read it: The line below FixMatch's picture says it, at the threshold with which it opens.
    two counts: labelled = predicted[sure >= 0.95].bincount(minlength=10), there the same of few.unlabelled.labels.
    the smallest share: few.classes[int((labelled / there).argmin())]
    """
    if str(answer) not in pool.classes:
        return f"one of the classes: {', '.join(pool.classes)}"
    labels = pool.required_labels("so nothing is known to be covered").cpu()
    confidence, predicted = logits(network, pool.inputs).cpu().float().softmax(1).max(1)
    classes = len(pool.classes)
    used = predicted[confidence >= THRESHOLD].bincount(minlength=classes)
    covered = used / labels.bincount(minlength=classes).clamp(min=1)
    least = covered[pool.classes.index(str(answer))] == covered.min()
    return {("no class is covered less", "the least covered: another class is covered less"): bool(least)}
