"""Learning from labels."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.augmentation import Augment
from tlkit.data.batches import Batch, PairedBatch
from tlkit.objectives.objective import Objective


class CrossEntropy(Objective):
    """The supervised objective: L(theta, phi) = 1/M sum_i -log p(y_i | x_i), p the softmax of the network's logits.

    `augment`: any callable from inputs [batch, ...] to such inputs; of several, such as (weak, strong), every example
    is seen once through each in the same step. `class_weights` [classes]: how much an example of each class counts, w:
    L = sum_i w(y_i) (-log p(y_i | x_i)) / sum_i w(y_i); one over a class's share of the examples lets all classes count
    the same. Raises ValueError if a weight is negative or no finite number.

    Given `PairedBatches` it learns from what is labelled and leaves the rest: what an objective with unlabelled
    examples is to be compared with.
    """

    class_weights: Tensor | None

    def __init__(self, augment: Augment | Sequence[Augment] | None = None, class_weights: Tensor | None = None):
        super().__init__()
        self.augment = augment
        if class_weights is not None and not ((class_weights >= 0) & class_weights.isfinite()).all():
            raise ValueError(f"class_weights={class_weights.tolist()}, but a weight is a finite number, at least 0")
        self.register_buffer("class_weights", class_weights)

    def forward(self, network: nn.Module, batch: Batch | PairedBatch) -> dict[str, Tensor]:
        """The mean loss over the batch. Raises ValueError if the batch has no labels, or classes without a weight."""
        inputs, labels = batch[:2]
        if not isinstance(labels, Tensor):
            which = "none" if labels is None else f"those of several tasks ({', '.join(labels)})"
            raise ValueError(f"CrossEntropy needs labels of one task, but this batch has {which}; give it such a split")
        if self.augment:
            views = [self.augment] if callable(self.augment) else self.augment
            inputs, labels = torch.cat([view(inputs) for view in views]), labels.repeat(len(views))
        logits = network(inputs)
        if self.class_weights is not None and self.class_weights.shape != logits.shape[1:]:
            raise ValueError(
                f"class_weights has the shape {list(self.class_weights.shape)}, but the network tells "
                f"{logits.shape[1]} classes apart; give one weight for each"
            )
        return {"loss": F.cross_entropy(logits, labels, self.class_weights)}  # ①


class L2SP(Objective):
    """Cross-entropy with the start as the point that weights are drawn to.

    L = cross-entropy + strength/2 ||theta - theta_start||^2 + head_strength/2 ||phi||^2. theta are the weights that
    `start`, the pre-trained network, has under the same name and with the same shape, its `head` left out; phi are the
    others: the new head. Frozen weights add nothing that could change. Li, Grandvalet and Davoine, Explicit Inductive
    Bias for Transfer Learning with Convolutional Networks, 2018 (there alpha and beta). It takes the place of weight
    decay, which draws to zero: `optimizer=partial(torch.optim.AdamW, weight_decay=0)`.

    `augment`, `class_weights`: see `CrossEntropy`. A run also records the cross-entropy, and the distance from the
    start, ||theta - theta_start||. Raises ValueError if a strength is negative, or the network has nothing of `start`.
    """

    def __init__(
        self,
        start: nn.Module,
        strength: float = 0.05,
        head_strength: float = 0.01,
        augment: Augment | Sequence[Augment] | None = None,
        class_weights: Tensor | None = None,
    ):
        super().__init__()
        if not min(strength, head_strength) >= 0:
            raise ValueError(f"strength={strength} and head_strength={head_strength}, but neither can be below 0")
        self.cross_entropy = CrossEntropy(augment, class_weights)
        self.start = copy.deepcopy(start).requires_grad_(False)
        self.strength, self.head_strength = strength, head_strength

    def forward(self, network: nn.Module, batch: Batch | PairedBatch) -> dict[str, Tensor]:
        """The loss, the cross-entropy of the batch, and the distance from the start."""
        start = {name: w for name, w in self.start.named_parameters() if not name.startswith("head.")}
        moved, new = [], []
        for name, weight in network.named_parameters():
            known = name in start and start[name].shape == weight.shape
            (moved if known else new).append(weight - start[name] if known else weight)
        if not moved:
            raise ValueError("this network has no weight of the start, so nothing can stay near it; start from a copy")
        distance, size = (sum(w.square().sum() for w in weights) for weights in (moved, new))
        loss = self.cross_entropy(network, batch)["loss"]
        return {
            "loss": loss + self.strength / 2 * distance + self.head_strength / 2 * size,  # ①
            "cross_entropy": loss,
            "distance": torch.as_tensor(distance).sqrt(),
        }
