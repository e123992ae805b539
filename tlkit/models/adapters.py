"""Adapters of low rank (LoRA): the weights of a backbone rest, and a difference of few numbers is learnt for each."""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tlkit.models.copying import copied
from tlkit.models.networks import Network

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


class LowRank(nn.Module):
    """A weight W, read as a matrix `[out, in]`, plus a difference B A of low rank.

    Args:
        weight: the weight W, `[out, ...]`; all its other dimensions are the matrix's `in`.
        rank: how many rows A has, and how many columns B.
        generator: draws A. B begins at 0, so that nothing changes before it learns.
    """

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator):
        super().__init__()
        out, inputs = weight.flatten(1).shape
        rows = torch.randn(rank, inputs, generator=generator) / math.sqrt(inputs)
        self.a = nn.Parameter(rows.to(weight))
        self.b = nn.Parameter(weight.new_zeros(out, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight that is used, of the shape of W."""
        return weight + (self.b @ self.a).view_as(weight)  # ②


def with_adapters(network: AnyNetwork, rank: int = 2, seed: int = 0) -> AnyNetwork:
    """A copy in which a difference of low rank is learnt for each linear layer and convolution of the backbone.

    Args:
        network: it stays as it is.
        rank: the rank of each difference, at least 1.
        seed: the random seed of the differences, which begin at 0: the copy computes what the network does.

    Returns:
        The copy. All weights of its backbone are frozen but those of the adapters; the head learns.

    Raises:
        ValueError: if `rank` is below 1, if the backbone has neither linear layers nor convolutions, or has adapters.

    Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022, section 4.1.

    A run needs `plan=tl.freezing.batch_norm_still(copy)` too where there are batch norms: their statistics would move.

    >>> import tlkit as tl
    >>> adapted = with_adapters(tl.models.SmallCNN(), rank=2)
    >>> sum(w.numel() for w in adapted.backbone.parameters() if w.requires_grad)
    1746
    """
    if rank < 1:
        raise ValueError(f"rank={rank}, but a difference has at least rank 1")
    network = copied(network)
    layers = [part for part in network.backbone.modules() if isinstance(part, nn.Linear | nn.modules.conv._ConvNd)]
    if not layers:
        raise ValueError("this backbone has neither linear layers nor convolutions, so there is nothing to adapt")
    if any(map(parametrize.is_parametrized, layers)):
        raise ValueError("this network has adapters already; take them off first: tl.models.without_adapters(network)")
    network.backbone.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank, generator))
    return network


def without_adapters(network: AnyNetwork) -> AnyNetwork:
    """A copy with the weights that the backbone had before it got adapters, bit by bit; its head stays.

    Args:
        network: it stays as it is.

    Returns:
        The copy; its backbone's weights are still frozen.
    """
    network = copied(network)
    for layer in [*network.backbone.modules()]:
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    return network
