"""Learning from a labelled source domain for an unlabelled target domain: similar features, confident predictions."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment, drawn_for_each
from tlkit.data.batches import PairedBatch
from tlkit.data.tasks import require_same_classes
from tlkit.models.batch_norm import call_unmoved
from tlkit.models.networks import logits, required_logits, required_parts
from tlkit.objectives.objective import Objective


class Adaptation(Objective):
    """What the objectives of domain adaptation share: L = cross-entropy of the source + `weight` x unsupervised.

    Args:
        weight: how much the unsupervised loss, such as a distance between the two domains, counts, at least 0.
        augment: any callable from inputs `[batch, ...]` to such inputs, for both domains; None leaves them as they are.

    Raises:
        ValueError: if `weight` is negative.

    The data of the run are `tl.data.PairedBatches(source, target, ratio=1)`. The target's labels are never looked at.

    Each domain goes through the network by itself, so batch norm brings each to mean 0 and variance 1 by its own
    statistics. Only the target's move the running ones: after training, the network is ready for the target, and
    `tl.models.adapt_batchnorm(network, source)` gives one for the source.

    A run also records `supervised` and `unsupervised`.
    """

    def __init__(self, weight: float, augment: Augment | None = None):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight={weight}, but it cannot be below 0; with 0 it learns from the source alone")
        self.weight, self.augment = weight, drawn_for_each(augment)

    def begin(self, network: nn.Module, batches: Any) -> None:
        """Look at the first batch; a run calls it once, before its first step.

        Args:
            network: the run's network.
            batches: the run's data, whose batches are a `tl.data.PairedBatch` each.

        Raises:
            ValueError: if there is no target, if its classes are others than the source's, if a domain has only one
                example a batch, or if the network distinguishes another number of classes.
            TypeError: if the network has no backbone and head.
        """
        name, batch = type(self).__name__, batches[0]
        if not hasattr(batch, "unlabelled"):
            raise ValueError(
                f"{name} learns from two domains, but these data have one; give the run "
                "tl.data.PairedBatches(source.train, target.train, ratio=1)"
            )
        required_parts(network, f"{name} looks at the features of two domains")
        if min(len(batch.inputs), len(batch.unlabelled)) < 2:
            raise ValueError(
                "a batch holds one example of a domain, but its statistics need at least 2; use a larger batch_size"
            )
        source, target = getattr(batches, "labelled", None), getattr(batches, "unlabelled", None)
        if source is not None and target is not None:
            require_same_classes(source.classes, target.classes)
            required_logits(logits(network, batch.inputs[:2]), len(source.classes), source.kind.noun)
        try:
            logits(network, batch.unlabelled[:2])
        except RuntimeError as error:
            sizes = " and ".join(str(list(side.shape[1:])) for side in (batch.inputs, batch.unlabelled))
            raise ValueError(
                f"source and target examples have the shapes {sizes}, and this network does not take both ({error}); "
                "bring them to one size"
            ) from error

    def unsupervised(self, source: Tensor, target: Tensor, outputs: Tensor) -> Tensor:
        """The loss that needs no target label.

        Args:
            source: features of the source, `[n, d]`.
            target: features of the target, `[m, d]`.
            outputs: logits of the target, `[m, classes]`.

        Returns:
            `[]`, at least 0.
        """
        raise NotImplementedError

    def forward(self, network: nn.Module, batch: PairedBatch) -> dict[str, Tensor]:
        """The loss of a batch of both domains.

        Args:
            network: a `tl.models.Network`.
            batch: labelled examples of the source, and unlabelled ones of the target.

        Returns:
            "loss", "supervised" and "unsupervised", `[]` each.

        Raises:
            ValueError: if the features are not vectors.
        """
        parts = required_parts(network, f"{type(self).__name__} looks at the features of two domains")
        prepare = parts.preprocess or nn.Identity()
        ours, theirs = map(self.augment or nn.Identity(), (batch.inputs, batch.unlabelled))
        source, target = call_unmoved(parts.backbone, prepare(ours)), parts.backbone(prepare(theirs))
        if source.ndim != 2:
            raise ValueError(
                f"the features of a batch have the shape {list(source.shape)}, but two domains are compared by vectors "
                "[n, d]; move pooling and nn.Flatten() from the head into the backbone"
            )
        supervised, outputs = F.cross_entropy(call_unmoved(parts.head, source), batch.labels), parts.head(target)
        with torch.autocast(target.device.type, enabled=False):  # bfloat16 is too coarse for small distances
            unsupervised = self.unsupervised(source.float(), target.float(), outputs.float())
        loss = supervised + self.weight * unsupervised
        return {"loss": loss, "supervised": supervised, "unsupervised": unsupervised}


class CORAL(Adaptation):
    """Align how features vary together: the covariance matrices of the two domains are drawn to each other.

    Args:
        weight: how much the distance counts, at least 0.
        augment: any callable from inputs `[batch, ...]` to such inputs, for both domains; None leaves them as they are.

    Raises:
        ValueError: if `weight` is negative.

    Source: Sun and Saenko, Deep CORAL, 2016, equations 1 to 3.

    unsupervised = ||C_S - C_T||_F^2 / (4 d^2), C_S and C_T the covariance matrices `[d, d]` (divided by n - 1) of the
    features of the source and of the target in the batch.

    See `tl.objectives.MMD` for what is recorded, and for batch norm.
    """

    def __init__(self, weight: float = 100.0, augment: Augment | None = None):
        super().__init__(weight, augment)

    def unsupervised(self, source: Tensor, target: Tensor, outputs: Tensor | None = None) -> Tensor:
        difference = source.T.cov() - target.T.cov()
        return difference.square().sum() / (4 * source.shape[1] ** 2)  # ①


class MMD(Adaptation):
    """Align whole distributions of features: no smooth function has another mean in one domain than in the other.

    Args:
        weight: how much the distance counts, at least 0.
        widths: of the Gaussian kernels, whose mean is taken: multiples of the median squared distance, each above 0.
        augment: any callable from inputs `[batch, ...]` to such inputs, for both domains; None leaves them as they are.

    Raises:
        ValueError: if `weight` is negative, or a width is not above 0.

    Source: Gretton et al., A Kernel Two-Sample Test, 2012, equation 5; Long et al., Learning Transferable Features with
    Deep Adaptation Networks, 2015.

    The maximum mean discrepancy, squared: unsupervised = mean k(s, s') + mean k(t, t') - 2 mean k(s, t), over all pairs
    of source features s, s' and target features t, t' of the batch, those of an example with itself included, so that
    it is never below 0. k(x, y) = mean over widths w of exp(-||x - y||^2 / (2 w m)), m the median of ||x - y||^2 over
    the pairs of different examples of both domains; no gradient goes through m.

    A run also records `supervised`, the cross-entropy of the source, and `unsupervised`. Each domain goes through the
    network by itself, and the running statistics of batch norm follow the target: after training the network is ready
    for the target, and `tl.models.adapt_batchnorm(network, source)` gives one for the source.
    """

    def __init__(
        self,
        weight: float = 1.0,
        widths: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
        augment: Augment | None = None,
    ):
        super().__init__(weight, augment)
        self.widths = tuple(map(float, widths))
        if not self.widths or not min(self.widths) > 0:
            raise ValueError(f"widths={self.widths}, but a Gaussian kernel has a width above 0; (0.5, 1, 2) would do")

    def unsupervised(self, source: Tensor, target: Tensor, outputs: Tensor | None = None) -> Tensor:
        both, n = torch.cat([source, target]), len(source)
        squared = torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist").square()
        others = squared.detach().flatten()[1:].view(len(both) - 1, -1)[:, :-1]  # all but the diagonal
        median = others.median().clamp_min(torch.finfo(both.dtype).tiny)
        k = torch.stack([torch.exp(-squared / (2 * width * median)) for width in self.widths]).mean(0)
        return k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean()  # ①


class MCC(Adaptation):
    """Be sure of the target without naming one class alone: no example may be split between two classes.

    Args:
        weight: how much the confusion counts, at least 0.
        temperature: what the logits are divided by, above 0: 2.5 in the paper, so that sure mistakes count less.
        augment: any callable from inputs `[batch, ...]` to such inputs, for both domains; None leaves them as they are.

    Raises:
        ValueError: if `weight` is negative, or `temperature` is not above 0.

    Source: Jin et al., Minimum Class Confusion for Versatile Domain Adaptation, 2020, section 3.

    With p_i the softmax of the logits of target example i of m, divided by `temperature`, H its entropy, and the weight
    w_i = m (1 + exp(-H(p_i))) / sum_j (1 + exp(-H(p_j))), through which no gradient goes: C = sum_i w_i p_i p_i^T,
    `[classes, classes]`, and each row of C is divided by its sum. unsupervised = (sum of C - trace of C) / classes.

    Plain entropy is least when every example gets the same class; here each class has a row of its own, and as much
    weight as any other.

    See `tl.objectives.MMD` for what is recorded, and for batch norm.
    """

    def __init__(self, weight: float = 1.0, temperature: float = 2.5, augment: Augment | None = None):
        super().__init__(weight, augment)
        if not temperature > 0:
            raise ValueError(
                f"temperature={temperature}, but logits are divided by it; it is above 0, 2.5 in the paper"
            )
        self.temperature = temperature

    def unsupervised(self, source: Tensor, target: Tensor, outputs: Tensor) -> Tensor:
        p = (outputs / self.temperature).softmax(1)
        sure = 1 + torch.exp(-torch.special.entr(p).sum(1).detach())
        confusion = p.T @ (p * (len(p) * sure / sure.sum())[:, None])
        confusion = confusion / confusion.sum(1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)
        return (confusion.sum() - confusion.trace()) / len(confusion)  # ①
