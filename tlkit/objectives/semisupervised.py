"""Learning from few labels and many unlabelled images: what the network predicts for them is what it learns from."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, drawn_for_each, strong, weak
from tlkit.data.batches import PairedBatch, split_of
from tlkit.models.batch_norm import call_unmoved
from tlkit.models.moving_average import MovingAverage
from tlkit.models.networks import logits, required_logits
from tlkit.objectives.objective import Objective

NONE = 1e-12  # what a share of nothing is divided by, so that it is 0


class WithUnlabelled(Objective):
    """What the objectives with unlabelled images share: L = supervised + `weight` x unsupervised, and what is recorded.

    Args:
        weight: how much the unsupervised loss counts, at least 0.
        weak: makes a weak view of images `[n, channels, height, width]`.

    Raises:
        ValueError: if `weight` is negative.

    The data of the run are `tl.data.PairedBatches`, or other batches that are a `PairedBatch` each. supervised is the
    mean cross-entropy of the labelled images. unsupervised is a mean over all unlabelled images, used or not. Targets
    never receive gradients. All views go through the network in one pass, except in MeanTeacher, so batch norm sees
    labelled and unlabelled images together, in every view.

    A run also records `supervised` and `unsupervised`; `used`, the share of the unlabelled images that counts; `right`,
    the share of what is used whose pseudo-label is its hidden label, if that is known; and `balance`, how evenly the
    pseudo-labels in use are spread over the classes: their entropy / log(classes), from 0, one class takes all, to 1. A
    share of nothing counts as 0.
    """

    def __init__(self, weight: float, weak: Augment):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight={weight}, but it cannot be below 0; 1 is a good start")
        self.weight, self.weak = weight, drawn_for_each(weak)

    def begin(self, network: nn.Module, batches: Any) -> None:
        """Begin anew; a run calls it once, before its first step.

        Args:
            network: the run's network.
            batches: the run's data, whose batches are a `tl.data.PairedBatch` each.

        Raises:
            ValueError: if there are no unlabelled images, if the two sides do not fit into one batch, or if the network
                distinguishes another number of classes.
        """
        batch = batches[0]
        if not hasattr(batch, "unlabelled"):
            raise ValueError(
                f"{type(self).__name__} learns from unlabelled images too, but these data have none; give the run "
                "tl.data.PairedBatches(task.train, task.unlabelled), or batches of your own that yield "
                "tl.data.PairedBatch(inputs, labels, unlabelled, hidden)"
            )
        labelled = split_of(batches)
        noun = labelled.kind.noun if labelled is not None else "example"
        sizes = [tuple(inputs.shape[1:]) for inputs in (batch.inputs, batch.unlabelled)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"labelled {noun}s are {sizes[0]}, unlabelled ones {sizes[1]}; bring them to one size")
        classes = None if labelled is None else len(labelled.classes)
        required_logits(logits(network, batch.inputs[:1]), classes, noun)

    def values(
        self, batch: PairedBatch, labelled: Tensor, unsupervised: Tensor, pseudo: Tensor, used: Tensor
    ) -> dict[str, Tensor]:
        """The loss, and what else a run records.

        Args:
            batch: the batch.
            labelled: the logits of the labelled images, `[batch, classes]`.
            unsupervised: the unsupervised loss, `[]`.
            pseudo: the pseudo-label of each unlabelled image, `[n]` int64.
            used: how much each unlabelled image counts, `[n]` in 0..1.

        Returns:
            "loss", "supervised", "unsupervised", "used", "balance", and "right" if the hidden labels are known: `[]`
            each.
        """
        supervised, total = F.cross_entropy(labelled, batch.labels), used.sum().clamp(min=NONE)
        loss = supervised + self.weight * unsupervised
        values = {"loss": loss, "supervised": supervised, "unsupervised": unsupervised, "used": used.mean()}
        if batch.hidden is not None:
            values["right"] = (used * (pseudo == batch.hidden)).sum() / total
        classes = labelled.shape[1]
        shares = (used[:, None] * F.one_hot(pseudo, classes)).sum(0) / total
        return values | {"balance": torch.special.entr(shares).sum() / math.log(classes)}


class PseudoLabel(WithUnlabelled):
    """Believe what you are sure of: the class that the network predicts with confidence is the label of an image.

    Args:
        threshold: the confidence from which an image is used, above 0 and at most 1.
        weight: how much the unsupervised loss counts, at least 0.
        weak: makes a weak view of images `[n, channels, height, width]`.

    Raises:
        ValueError: if `threshold` is not in (0, 1], or `weight` is negative.

    Source: Lee, Pseudo-Label, 2013. There the weight rises slowly; here, as in USB, a threshold keeps out what the
    network guesses early on.

    With p = softmax of the logits of the weak view u of an unlabelled image, y^ = argmax p:
    unsupervised = mean of [max p >= threshold] H(y^, p). Both come from the same view.

    A run also records `supervised`, `unsupervised`, `used`, `right` and `balance`, see `tl.objectives.FixMatch`.
    """

    def __init__(self, threshold: float = 0.95, weight: float = 1.0, weak: Augment = weak):
        super().__init__(weight, weak)
        self.threshold = required_threshold(threshold)

    def forward(self, network: nn.Module, batch: PairedBatch) -> dict[str, Tensor]:
        images = self.weak(torch.cat([batch.inputs, batch.unlabelled]))
        labelled, unlabelled = network(images).float().tensor_split([len(batch.inputs)])
        confidence, pseudo = unlabelled.detach().softmax(1).max(1)
        used = (confidence >= self.threshold).float()
        unsupervised = (used * F.cross_entropy(unlabelled, pseudo, reduction="none")).mean()  # ①
        return self.values(batch, labelled, unsupervised, pseudo, used)


class MeanTeacher(WithUnlabelled):
    """Predict of one view what the teacher predicts of another; the teacher is a moving average of the network itself.

    Args:
        decay: how much of the teacher a step keeps. 0.8 is for a few hundred steps; the paper's 0.999 is for tens of
            thousands. With 0 the network is its own teacher.
        weight: how much the unsupervised loss counts, at least 0.
        weak: makes a weak view of images `[n, channels, height, width]`; it is called twice for the unlabelled ones.

    Raises:
        ValueError: if `weight` is negative.

    Source: Tarvainen and Valpola, Mean teachers, 2017; with `decay` 0 the Pi-model of Laine and Aila, Temporal
    Ensembling, 2017, where the other view goes through the network in the same pass.

    unsupervised = mean over unlabelled images and classes of (softmax f(u) - softmax f'(u'))^2, u and u' two weak views
    and f' the teacher: the network in the mode it learns in, so with the batch norm and dropout of training, but with
    the weights of `tl.models.MovingAverage`, updated after each step. That average is what a run tests, except where
    the run keeps one of its own.

    Every image is used; its pseudo-label is the class that the teacher holds most likely. A run also records
    `supervised`, `unsupervised`, `used`, `right` and `balance`, see `tl.objectives.FixMatch`.
    """

    def __init__(self, decay: float = 0.8, weight: float = 1.0, weak: Augment = weak):
        super().__init__(weight, weak)
        self.decay = decay
        self.teacher: MovingAverage | None = None

    @property
    def averaged(self) -> nn.Module | None:
        """The network of the teacher, once a run has begun; None with a decay of 0."""
        return self.teacher and self.teacher.network

    def begin(self, network: nn.Module, batches: Any) -> None:
        self.teacher = MovingAverage(network, self.decay) if self.decay else None
        super().begin(network, batches)

    def forward(self, network: nn.Module, batch: PairedBatch) -> dict[str, Tensor]:
        images, other = self.weak(torch.cat([batch.inputs, batch.unlabelled])), self.weak(batch.unlabelled)
        labelled = len(batch.inputs)
        if self.teacher:
            supervised, student = network(images).float().tensor_split([labelled])
            with torch.no_grad():
                teacher = call_unmoved(network, other, self.teacher.network).float()
        else:
            both = network(torch.cat([images, other])).float()
            supervised, student, teacher = both.tensor_split([labelled, len(images)])
        target = teacher.detach().softmax(1)
        unsupervised = F.mse_loss(student.softmax(1), target)  # ①
        return self.values(batch, supervised, unsupervised, target.argmax(1), torch.ones_like(target[:, 0]))

    def after_step(self, network: nn.Module) -> None:
        if self.teacher:
            self.teacher.update(network)


class FixMatch(WithUnlabelled):
    """What the network is sure of in the weak view of an image, it learns to predict of the strong view.

    Args:
        threshold: the confidence from which an image is used, above 0 and at most 1.
        weight: how much the unsupervised loss counts, at least 0.
        weak: makes a weak view of images `[n, channels, height, width]`.
        strong: makes a strong view of such images.

    Raises:
        ValueError: if `threshold` is not in (0, 1], or `weight` is negative.

    Source: Sohn et al., FixMatch, 2020, algorithm 1.

    With p = softmax of the logits of the weak view of an unlabelled image, y^ = argmax p, and q = softmax of those of
    its strong view: unsupervised = mean of [max p >= threshold] H(y^, q).

    A run also records `supervised` and `unsupervised`; `used`, the share of the unlabelled images that counts; `right`,
    the share of what is used whose pseudo-label is its hidden label, if that is known; and `balance`, how evenly the
    pseudo-labels in use are spread over the classes, from 0, one class takes all, to 1.
    """

    def __init__(self, threshold: float = 0.95, weight: float = 1.0, weak: Augment = weak, strong: Augment = strong):
        super().__init__(weight, weak)
        self.threshold, self.strong = required_threshold(threshold), drawn_for_each(strong)

    def forward(self, network: nn.Module, batch: PairedBatch) -> dict[str, Tensor]:
        weak, strong = self.weak(torch.cat([batch.inputs, batch.unlabelled])), self.strong(batch.unlabelled)
        views = network(torch.cat([weak, strong])).float().tensor_split([len(batch.inputs), len(weak)])
        labelled, weakly, strongly = views
        p = weakly.detach().softmax(1)
        pseudo, used = p.argmax(1), self.used(p)
        unsupervised = (used * F.cross_entropy(strongly, pseudo, reduction="none")).mean()  # ①
        return self.values(batch, labelled, unsupervised, pseudo, used)

    def used(self, p: Tensor) -> Tensor:
        """How much each unlabelled image counts.

        Args:
            p: the probabilities of its weak view, `[n, classes]`.

        Returns:
            `[n]`, each 0 or 1.
        """
        return (p.amax(1) >= self.threshold).float()


class SoftMatch(FixMatch):
    """FixMatch without a threshold: the less sure the network is of an image than of others, the less the image counts.

    Args:
        n_sigma: how fast an image loses weight below the mean confidence, above 0: the higher, the faster.
        momentum: how much of the running means a step keeps, at least 0 and below 1.
        weight: how much the unsupervised loss counts, at least 0.
        weak: makes a weak view of images `[n, channels, height, width]`.
        strong: makes a strong view of such images.

    Raises:
        ValueError: if `momentum` is not in [0, 1), `n_sigma` is not above 0, or `weight` is negative.

    Source: Chen et al., SoftMatch, 2023, section 3; USB.

    With c the highest of an image's aligned probabilities, m and s^2 the running mean and variance of c:
    used = exp(-(c - m)^2 n_sigma^2 / (2 s^2)) if c < m, else 1. Aligned (uniform alignment): p / E[p], scaled to sum
    to 1, where E[p] is the running mean of p, so that classes that are often predicted count less. Pseudo-labels are
    those of p itself.

    When a run begins, m = 1/classes and s^2 = 1, as in the paper, and E[p] is even. The paper's momentum of 0.999
    remembers 1,000 steps; 0.97 remembers 33, a tenth of a run of 300 steps, in which 96 images a step go three times
    through the lessons' thousand: long enough to know the classes' shares, short enough to follow a network that grows
    sure within 100 steps.
    """

    marginal: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(
        self,
        n_sigma: float = 2.0,
        momentum: float = 0.97,
        weight: float = 1.0,
        weak: Augment = weak,
        strong: Augment = strong,
    ):
        super().__init__(weight=weight, weak=weak, strong=strong)
        if not 0 <= momentum < 1 or not n_sigma > 0:
            raise ValueError(
                f"momentum={momentum} and n_sigma={n_sigma}, but momentum is at least 0 and below 1, n_sigma above 0"
            )
        self.n_sigma, self.momentum = n_sigma, momentum

    def begin(self, network: nn.Module, batches: Any) -> None:
        super().begin(network, batches)
        classes = logits(network, batches[0].inputs[:1]).shape[1]
        even = torch.full((classes,), 1 / classes)
        for name, start in (("marginal", even), ("mean", even[0]), ("variance", torch.ones(()))):
            self.register_buffer(name, start.clone())

    def used(self, p: Tensor) -> Tensor:
        """How much each unlabelled image counts; each call moves the running means.

        Args:
            p: the probabilities of its weak view, `[n, classes]`.

        Returns:
            `[n]`, each above 0 and at most 1.
        """
        new = 1 - self.momentum
        self.marginal.lerp_(p.mean(0), new)
        confidence = F.normalize(p / (self.marginal + 1e-6), p=1, dim=1).amax(1)
        self.mean.lerp_(confidence.mean(), new)
        if len(p) > 1:  # one image has no variance
            self.variance.lerp_(confidence.var(), new)
        below = (confidence - self.mean).clamp(max=0)
        return torch.exp(-below.square() * self.n_sigma**2 / (2 * self.variance).clamp(min=NONE))  # ①


def required_threshold(threshold: float) -> float:
    """The threshold itself; raises ValueError if it is not a probability that can be reached, or keeps nothing out."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold={threshold}, but it is a probability above 0 and at most 1; 0.95 is usual")
    return threshold
