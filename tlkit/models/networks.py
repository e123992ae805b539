"""A network is a backbone, which transfers, and a head, which belongs to one task."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import torch
from torch import Tensor, nn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw initial weights from `seed` and leave torch's default generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed every GPU too
        yield


class Network(nn.Module):
    """`head(backbone(preprocess(images)))`.

    `backbone` maps images [n, channels, height, width] to features [n, `backbone.feature_dim`],
    `head` maps features to logits [n, classes]; `preprocess` is any callable on images.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, preprocess: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.preprocess = preprocess

    def features(self, images: Tensor) -> Tensor:
        """What the backbone makes of images: [n, feature_dim]."""
        return self.backbone(self.preprocess(images) if self.preprocess else images)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, classes]."""
        return self.head(self.features(images))

    def copy(self) -> Self:
        """A second network with the same weights; training one leaves the other as it is."""
        return copy.deepcopy(self)

    def with_new_head(self, classes: int, seed: int = 0) -> Self:
        """A copy with the same backbone and a fresh linear head for `classes` classes, drawn from `seed`."""
        network = self.copy()
        like = next(network.backbone.parameters())
        with seeded(seed):
            head = nn.Linear(network.backbone.feature_dim, classes)  # type: ignore[arg-type]
            network.head = head.to(like.device, like.dtype)
        return network

    def __repr__(self) -> str:
        weights = sum(p.numel() for p in self.parameters())
        groups = ", ".join(
            name for name, child in self.backbone.named_children() if any(True for _ in child.parameters())
        )
        return f"{type(self).__name__} of {weights:,} weights: {groups}, head"


class Blocks(nn.Sequential):
    """A backbone whose children are its layer groups; `feature_dim` is the number of features it ends in."""

    def __init__(self, groups: OrderedDict[str, nn.Module], feature_dim: int):
        super().__init__(groups)
        self.feature_dim = feature_dim


class SmallCNN(Network):
    """The network of the lessons: convolutions, a feature layer, a head; 40,618 weights at its defaults.

    For each of `widths` a block: 3 x 3 convolution, batch norm, ReLU, halved in size after the blocks named in
    `pool_after` (counted from 1). The feature layer has a leaky ReLU (0.1): with plain ReLU all its units can die,
    which makes a source look far worse than it is; `feature_norm` puts a batch norm before it. The layer groups are
    block1, block2, ..., features, head.

    >>> import tlkit as tl
    >>> tl.models.SmallCNN()
    SmallCNN of 40,618 weights: block1, block2, block3, features, head
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (16, 32, 64),
        features: int = 64,
        classes: int = 10,
        channels: int = 1,
        image_size: int = 8,
        pool_after: tuple[int, ...] = (2, 3),
        feature_norm: bool = False,
        seed: int = 0,
    ):
        groups: OrderedDict[str, nn.Module] = OrderedDict()
        size, before = image_size, channels
        with seeded(seed):
            for number, width in enumerate(widths, start=1):
                layers = [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                if number in pool_after:
                    layers.append(nn.MaxPool2d(2))
                    size //= 2
                groups[f"block{number}"] = nn.Sequential(*layers)
                before = width
            if not size:
                raise ValueError(
                    f"image_size={image_size} is halved {len(pool_after)} times and nothing is left; "
                    "name fewer blocks in pool_after"
                )
            norm = [nn.BatchNorm1d(features)] if feature_norm else []
            layers = [nn.Flatten(), nn.Linear(before * size * size, features), *norm, nn.LeakyReLU(0.1)]
            groups["features"] = nn.Sequential(*layers)
            head = nn.Linear(features, classes)
        super().__init__(Blocks(groups, features), head)


@contextmanager
def as_evaluated(network: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode it was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def logits(network: nn.Module, images: Tensor, batch_size: int | None = None) -> Tensor:
    """What the network makes of each image: [n, classes], where its weights are. Changes nothing in the network."""
    device = next((p.device for p in network.parameters()), images.device)
    batch_size = batch_size or evaluation_batch(network, images, device)
    with as_evaluated(network):
        return torch.cat([network(part.to(device)) for part in images.split(batch_size)])


def evaluation_batch(network: nn.Module, images: Tensor, device: torch.device) -> int:
    """How many images to take at once, at most 1,000: fewer, the larger they are when they reach the backbone.

    Measured: a CPU reads 16 images of 128 x 128 at once 1.5 times as fast as 32 (EfficientNet-Lite0), and 1,000 of
    224 x 224 would need gigabytes.
    """
    size = getattr(getattr(network, "preprocess", None), "size", 0)
    pixels = size**2 or images.shape[-2] * images.shape[-1]
    return min(max(2 ** (18 if device.type == "cpu" else 24) // pixels, 1), 1_000)


def predictions(network: nn.Module, images: Tensor, batch_size: int | None = None) -> Tensor:
    """The class of the largest logit for each image: [n] int64, on the CPU. Changes nothing in the network."""
    return logits(network, images, batch_size).argmax(1).cpu()
