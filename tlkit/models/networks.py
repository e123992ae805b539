"""A network is a backbone, which transfers, and a head, which belongs to one task."""

import inspect
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn

from tlkit.data.kinds import Stream, as_precise
from tlkit.models.copying import copied
from tlkit.models.modes import evaluating


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw initial weights from `seed` and leave torch's default generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed every GPU too
        yield


class Network(nn.Module):
    """`head(backbone(preprocess(inputs)))`: what is learnt once and transfers, and what belongs to one task.

    Args:
        backbone: maps inputs `[n, ...]`, such as images or texts, to features `[n, backbone.feature_dim]`.
        head: maps features to logits `[n, classes]`.
        preprocess: any callable on inputs that comes first; None by default.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, preprocess: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.preprocess = preprocess

    def features(self, inputs: Tensor) -> Tensor:
        """What the backbone makes of inputs.

        Args:
            inputs: `[n, ...]`.

        Returns:
            `[n, feature_dim]`.
        """
        return self.backbone(self.preprocess(inputs) if self.preprocess else inputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits `[n, classes]` of inputs `[n, ...]`."""
        return self.head(self.features(inputs))

    def copy(self) -> Self:
        """A second network with the same weights; training one leaves the other as it is."""
        return copied(self)

    def with_new_head(self, classes: int, seed: int = 0) -> Self:
        """A classifier with a copy of this backbone and a fresh linear head.

        Args:
            classes: how many logits the head has.
            seed: the random seed of its weights.

        Returns:
            A new network on the same device, in the same precision; of an `Autoencoder` a plain `Network`.
        """
        network = self.copy()
        with seeded(seed):
            network.head = new_head(network.backbone, classes)
        return network

    def __repr__(self) -> str:
        weights = sum(p.numel() for p in self.parameters())
        children = self.backbone.named_children()
        groups = ", ".join(name for name, child in children if any(True for _ in child.parameters()))
        return f"{type(self).__name__} of {weights:,} weights: {groups}, head"


def new_head(backbone: nn.Module, classes: int) -> nn.Linear:
    """A linear head for the features of a backbone, on its device and in its precision.

    Raises ValueError if the backbone does not say how many features it ends in.
    """
    if not hasattr(backbone, "feature_dim"):
        raise ValueError(
            f"this {type(backbone).__name__} does not say how many features it ends in, so no head can be made for "
            "it; set backbone.feature_dim"
        )
    like = next(backbone.parameters(), torch.zeros(0))
    return nn.Linear(backbone.feature_dim, classes).to(like.device, like.dtype)  # type: ignore[arg-type]


class Blocks(nn.Sequential):
    """A backbone whose children are its layer groups; `feature_dim` is the number of features it ends in."""

    def __init__(self, groups: OrderedDict[str, nn.Module], feature_dim: int):
        super().__init__(groups)
        self.feature_dim = feature_dim


class SmallCNN(Network):
    """The network of the lessons: convolutions, a feature layer, a head; 40,618 weights at its defaults.

    Args:
        widths: channels of each block: a 3 x 3 convolution, batch norm, ReLU.
        features: units of the feature layer, which is linear with a leaky ReLU (0.1).
        classes: how many logits the head has.
        channels: the number of channels of the images, 1 for grey.
        image_size: height and width of the images, in pixels.
        pool_after: the blocks, counted from 1, that end in halving height and width; the default brings 8 x 8 to 2 x 2.
        feature_norm: True puts a batch norm before the leaky ReLU.
        seed: the random seed of the initial weights.

    Raises:
        ValueError: if the image is halved so often that nothing is left.

    The layer groups are block1, block2, ..., features, head. The feature layer's ReLU is leaky because all units of a
    plain one can die, which would make a source look far worse than it is.

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


class Autoencoder(Network):
    """A network whose head draws: images `[n, channels, size, size]` in, the same images out, values in 0..1.

    Args:
        backbone: the encoder, any backbone with a `feature_dim`; it is used as it is, so training trains it.
        channels: the number of channels of the images, 1 for grey.
        image_size: height and width of the images, in pixels.
        widths: channels of the decoder's stages; the defaults mirror `SmallCNN`.
        preprocess: any callable on inputs that comes before the encoder; None by default.
        seed: the random seed of the decoder's initial weights.

    Raises:
        ValueError: if `image_size` cannot be halved as often as the decoder doubles.

    The head is the decoder: a linear layer to `widths[0]` small pictures, then for each width a 3 x 3 convolution,
    doubled in size before all but the first; a sigmoid keeps what it draws in 0..1. The encoder is what transfers:
    `with_new_head(10)` gives it a head that classifies.

    >>> import tlkit as tl
    >>> autoencoder = Autoencoder(tl.models.SmallCNN(features=8).backbone)
    >>> autoencoder(torch.rand(5, 1, 8, 8)).shape, autoencoder.features(torch.rand(5, 1, 8, 8)).shape
    (torch.Size([5, 1, 8, 8]), torch.Size([5, 8]))
    """

    def __init__(
        self,
        backbone: nn.Module,
        channels: int = 1,
        image_size: int = 8,
        widths: tuple[int, ...] = (64, 32, 16),
        preprocess: Callable[[Tensor], Tensor] | None = None,
        seed: int = 0,
    ):
        scale = 2 ** (len(widths) - 1)
        if image_size % scale:
            raise ValueError(
                f"image_size={image_size}, but {len(widths)} widths draw pictures that are doubled {len(widths) - 1} "
                f"times, so the size is a multiple of {scale}; give fewer widths"
            )
        small = image_size // scale
        with seeded(seed):
            small_pictures = nn.Linear(backbone.feature_dim, widths[0] * small**2)  # type: ignore[arg-type]
            layers = [small_pictures, nn.LeakyReLU(0.1), nn.Unflatten(1, (widths[0], small, small))]
            for before, width in pairwise(widths):
                layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, width, 3, padding=1)]
                layers += [nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Sigmoid()]
        super().__init__(backbone, nn.Sequential(*layers), preprocess)

    def with_new_head(self, classes: int, seed: int = 0) -> Network:
        return Network(self.backbone, self.head, self.preprocess).with_new_head(classes, seed)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, without what torch.compile, DataParallel and DistributedDataParallel put around it."""
    while True:
        if isinstance(inner := getattr(network, "_orig_mod", None), nn.Module):
            network = inner
        elif isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        else:
            return network


def required_parts(network: nn.Module, why: str) -> Network:
    """A network without what is wrapped around it; TypeError, with `why`, if it is not a backbone and a head."""
    inner = unwrapped(network)
    if not isinstance(inner, Network):
        raise TypeError(
            f"{why}, but a {type(inner).__name__} does not say which of its layers make features; put its parts "
            "together again as tl.models.Network(backbone, head)"
        )
    return inner


def require_one_input(network: nn.Module) -> None:
    """Raise ValueError if the forward pass of a network cannot be called with the examples alone."""
    network = unwrapped(network)
    try:
        inspect.signature(network.forward).bind(None)
    except TypeError:
        raise ValueError(
            f"this {type(network).__name__} is called as forward{inspect.signature(network.forward)}, but a classifier "
            "takes the examples alone; put it into a module whose forward(inputs) gives it the rest"
        ) from None
    except ValueError:  # a forward without a signature
        pass


def required_logits(outputs: Any, classes: int | None = None, noun: str = "example") -> Tensor:
    """The outputs of a network themselves, if they are logits.

    Args:
        outputs: what the network returned.
        classes: how many classes the data have; None if they do not say it.
        noun: what an example is called.

    Raises TypeError if they are not a tensor, ValueError if there is not one of each example for each class.
    """
    if not isinstance(outputs, Tensor):
        kept = "outputs['logits']" if isinstance(outputs, dict) else "outputs[0]"
        if hasattr(outputs, "logits"):
            kept = "outputs.logits"
        raise TypeError(
            f"the network returns a {type(outputs).__name__}, but a classifier returns one tensor of logits "
            f"[n, classes]; put it into a module whose forward returns that part of it, such as {kept}"
        )
    if classes is not None and outputs.ndim != 2:
        raise ValueError(
            f"the network returns the shape {list(outputs.shape)}, but a classifier returns logits [n, {classes}]; "
            "end it with pooling, nn.Flatten() and a linear head"
        )
    if classes is not None and outputs.shape[1] != classes:
        raise ValueError(
            f"the network distinguishes {outputs.shape[1]} classes, but these {noun}s have {classes}; "
            f"give it a head for them: network.with_new_head({classes})"
        )
    return outputs


def logits(network: nn.Module, inputs: Tensor | Stream, batch_size: int | None = None) -> Tensor:
    """The outputs of a network for each example; nothing in the network changes.

    Args:
        network: any module; it is used in evaluation mode.
        inputs: `[n, ...]`, a tensor or a stream.
        batch_size: how many examples are computed at once; None takes as many as suit the device.

    Returns:
        `[n, classes]`, on the network's device.
    """
    require_one_input(network)
    device = next((p.device for p in network.parameters()), inputs.device)
    batch_size = batch_size or evaluation_batch(network, inputs, device)
    precision = precision_of(network)
    parts = (as_precise(part.to(device), precision) for part in inputs.split(batch_size))
    with evaluating(network):
        return torch.cat([required_logits(network(part)) for part in parts])


def precision_of(network: nn.Module) -> torch.dtype:
    """The floating-point type of a network's weights; float32 for one that has none."""
    return next((weight.dtype for weight in network.parameters() if weight.is_floating_point()), torch.float32)


def evaluation_batch(network: nn.Module, inputs: Tensor | Stream, device: torch.device) -> int:
    """How many examples to compute at once, at most 1,000: fewer, the larger they are.

    Args:
        network: if it has a `preprocess` with a size, an image counts with the size at which it reaches the backbone.
        inputs: `[n, ...]`.
        device: where the network is.

    Returns:
        At least 1.

    Measured: a CPU computes 16 images of 128 x 128 at once 1.5 times as fast as 32 (EfficientNet-Lite0), and 1,000 of
    224 x 224 would need gigabytes.
    """
    size = getattr(getattr(network, "preprocess", None), "size", 0)
    before = math.prod(inputs.shape[2 if len(inputs.shape) == 4 else 1 :])
    places = (math.prod(size) if isinstance(size, tuple) else size**2) or before
    return min(max(2 ** (18 if device.type == "cpu" else 24) // max(places, 1), 1), 1_000)


def predictions(network: nn.Module, inputs: Tensor | Stream, batch_size: int | None = None) -> Tensor:
    """The class of the largest logit for each example; nothing in the network changes.

    Args:
        network: any module; it is used in evaluation mode.
        inputs: `[n, ...]`, a tensor or a stream.
        batch_size: how many examples are computed at once; None takes as many as suit the device.

    Returns:
        `[n]` int64, on the CPU.
    """
    return logits(network, inputs, batch_size).argmax(1).cpu()
