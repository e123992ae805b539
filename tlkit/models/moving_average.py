"""A second network that is the moving average of one that learns."""

from typing import Self

import torch
from torch import Tensor, nn

from tlkit.models.copying import copied, take_buffers
from tlkit.models.modes import as_in_training

HALF = (torch.bfloat16, torch.float16)


class MovingAverage(nn.Module):
    """A second network whose weights are the exponential moving average of those of a network that learns.

    Args:
        network: the network that learns; the average starts as a copy of it.
        decay: the share of the average that is kept in each update, at least 0 and below 1: 0 keeps the last weights
            alone, 1 would keep the first.

    Raises:
        ValueError: if `decay` is below 0, or 1 or more.

    Source: B. Polyak and A. Juditsky, 1992; A. Tarvainen and H. Valpola, Mean teachers, 2017.

    With update t, from 0: average <- d average + (1 - d) weight, d = min(decay, (1 + t) / (10 + t)), for weights and
    for buffers that are fractions, such as the statistics of batch norm; whole numbers are copied.

    The rise of d, usual since TensorFlow, makes the average forget its start, which is often random: with 0.97 all
    along it would still make up a sixth after 60 updates. `average.network` is frozen, and always in evaluation mode.

    >>> import tlkit as tl
    >>> average = MovingAverage(tl.models.SmallCNN(), decay=0.9)
    >>> average.update(tl.models.SmallCNN(seed=1))
    >>> average.network
    SmallCNN of 40,618 weights: block1, block2, block3, features, head
    """

    def __init__(self, network: nn.Module, decay: float):
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}, but it is the share of the average that is kept, at least 0 and below 1")
        self.decay = decay
        self.network = copied(network).requires_grad_(False).eval()
        self.updates: Tensor
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        # In half precision small steps would be rounded away, so such values are averaged beside the network.
        values = _values(self.network)
        self._half = [at for at, value in enumerate(values) if value.dtype in HALF]
        for at in self._half:
            self.register_buffer(f"average{at}", values[at].float())

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Let the average take a step towards the present weights.

        Args:
            network: the network that learns.
        """
        with as_in_training(self.network):
            self._update(network)

    def _update(self, network: nn.Module) -> None:
        new = 1 - ((1 + self.updates) / (10 + self.updates)).clamp(max=self.decay)
        self.updates += 1
        averages, values = _values(self.network), _values(network)
        if len(averages) != len(values):  # the network made buffers in its first pass
            take_buffers(self.network, {**dict(network.named_parameters()), **dict(network.named_buffers())})
            averages = _values(self.network)
        shown = [averages[at] for at in self._half]
        for at in self._half:
            averages[at] = self._buffers[f"average{at}"]  # type: ignore[call-overload]
        for average, value in zip(averages, values, strict=True):
            if value.is_floating_point():
                average.lerp_(value.to(average.dtype), new.to(average))
            else:
                average.copy_(value)
        for at, half in zip(self._half, shown, strict=True):
            half.copy_(averages[at])

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode.

        Args:
            mode: ignored.

        Returns:
            This module.
        """
        return super().train(False)


def _values(network: nn.Module) -> list[Tensor]:
    """The weights and buffers of a network, in their order."""
    return [*network.parameters(), *network.buffers()]
