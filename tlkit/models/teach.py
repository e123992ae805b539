"""The network that reads drawings: 89 kB in the package, and one example is enough for a new symbol.

Pre-trained on printed characters (by `tools/teach_source.py`), its features are frozen; a class is the mean of the
features of its examples, as in J. Snell et al., Prototypical Networks, 2017, with cosines for distances.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlkit.models.modes import evaluating
from tlkit.models.networks import SmallCNN

WEIGHTS = Path(__file__).with_name("teach.int8")
HEATS = {"pre-trained": 15.0, "random weights": 150.0, "pixels": 15.0}  # see `beliefs`
# Below it the best cosine means "I was never taught this". Chosen on pen strokes; benchmarks/teach.py counts errors.
THRESHOLD = 0.65


def untrained_teach(classes: int = 400, seed: int = 0) -> SmallCNN:
    """The same architecture with random weights: 89,248 without the head, for images `[n, 1, 16, 16]`."""
    return SmallCNN(image_size=16, pool_after=(1, 2), feature_norm=True, classes=classes, seed=seed)


def pretrained_teach() -> SmallCNN:
    """The network whose weights come with the package, pre-trained on printed characters.

    Its batch norms are folded into the weights before them and do nothing; its head is new, for ten classes.

    >>> pretrained_teach().backbone.feature_dim
    64
    """
    return restored(WEIGHTS.read_bytes())


def drawing_features(network: SmallCNN, pictures: Tensor) -> Tensor:
    """What the network makes of pictures, before the last ReLU, where classes lie best.

    Args:
        network: `pretrained_teach()`, or one of the same architecture.
        pictures: `[n, 1, 16, 16]`, such as `tlkit.data.drawings.pictures` makes.

    Returns:
        `[n, 64]`, on the CPU.
    """
    *blocks, last = network.backbone.children()
    assert isinstance(last, nn.Sequential)
    with evaluating(network):
        return nn.Sequential(*blocks, *last[:-1])(pictures.to(next(network.parameters()).device)).cpu().clone()


def class_means(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The mean of the features of each class: its prototype.

    Args:
        features: `[n, dim]`.
        labels: `[n]` int64, the numbers of the classes.
        classes: how many there are; one without an example has zeros.

    Returns:
        `[classes, dim]`.

    Source: J. Snell et al., Prototypical Networks for Few-shot Learning, 2017, section 2.2.
    """
    of_class = F.one_hot(labels, classes).to(features.dtype)
    return of_class.mT @ features / of_class.sum(0).clamp_min(1)[:, None]


def cosines(features: Tensor, means: Tensor) -> Tensor:
    """How alike features `[n, dim]` and class means `[classes, dim]` are: `[n, classes]` in -1..1."""
    return F.normalize(features, dim=1) @ F.normalize(means, dim=1).mT


def beliefs(features: Tensor, means: Tensor, heat: float) -> Tensor:
    """How much each example is believed to belong to each class: softmax(`heat` x cosine).

    Args:
        features: `[n, dim]`.
        means: `[classes, dim]`, from `class_means`.
        heat: the inverse temperature. Each kind of features has its own (`HEATS`): the cosines of random features all
            lie near 1, so one heat for all would flatten their beliefs, although they rank well.

    Returns:
        `[n, classes]`; each row sums to 1.
    """
    return (heat * cosines(features, means)).softmax(1)


# ---- The weights as bytes: for each layer int8 weights, then a float16 scale and a float16 bias an output channel


def quantised(network: SmallCNN) -> bytes:
    """The backbone in 89,424 bytes: batch norms folded in, one scale for each output channel."""
    parts = []
    for layer, norm in _layers(network):
        assert isinstance(norm.running_var, Tensor) and isinstance(norm.running_mean, Tensor)
        assert layer.bias is not None
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight = (layer.weight * factor.view(-1, *[1] * (layer.weight.ndim - 1))).detach().cpu()
        bias = ((layer.bias - norm.running_mean) * factor + norm.bias).detach().cpu()
        scale = (weight.flatten(1).abs().amax(1) / 127).half()
        whole = (weight.flatten(1) / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
        parts += [whole.numpy().tobytes(), scale.numpy().tobytes(), bias.half().numpy().tobytes()]
    return b"".join(parts)


def restored(data: bytes) -> SmallCNN:
    """The network whose backbone was `quantised`. Raises ValueError if the bytes are not as many as it has weights."""
    network, at = untrained_teach(classes=10), 0
    if len(data) != 89_424:
        raise ValueError(f"the weights have {len(data):,} bytes instead of 89,424; install tlkit again")

    def take(count: int, dtype: torch.dtype) -> Tensor:
        nonlocal at
        values = torch.frombuffer(bytearray(data), dtype=dtype, count=count, offset=at)
        at += values.nbytes
        return values.float()

    with torch.no_grad():
        for layer, norm in _layers(network):
            assert isinstance(norm.running_var, Tensor) and layer.bias is not None
            out = len(layer.bias)
            weight, scale = take(layer.weight.numel(), torch.int8).view(out, -1), take(out, torch.float16)
            layer.weight.copy_((weight * scale[:, None]).view_as(layer.weight))
            layer.bias.copy_(take(out, torch.float16))
            norm.running_var.fill_(1 - norm.eps)  # so that it changes nothing
    return network


def _layers(network: SmallCNN) -> list[tuple[nn.Conv2d | nn.Linear, nn.BatchNorm2d | nn.BatchNorm1d]]:
    """The layers with weights, each with the batch norm after it."""
    layers = [m for m in network.backbone.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [m for m in network.backbone.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d)]
    return list(zip(layers, norms, strict=True))
