"""Learning from labels."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.data.batches import Batch


class CrossEntropy(nn.Module):
    """The supervised objective: L(theta, phi) = 1/M sum_i -log p(y_i | x_i), p the softmax of the network's logits.

    `augment`: any callable from images [batch, channels, height, width] to such images.
    """

    def __init__(self, augment: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.augment = augment

    def forward(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The mean loss over the batch. Raises ValueError if the batch has no labels."""
        images, labels = batch
        if labels is None:
            raise ValueError("CrossEntropy needs labels, but this batch has none; give the run a labelled split")
        if self.augment:
            images = self.augment(images)
        return {"loss": F.cross_entropy(network(images), labels)}  # ①
