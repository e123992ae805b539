"""What lesson 11 records: networks trained anew with each seed, other views and temperatures, photographs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.data.augmentation import Augment, brightness, contrast, cut_out, noise, strong, warp, weak
from tlkit.data.sources import digits, glyphs
from tlkit.data.tasks import Split, Task
from tlkit.data.torchvision_data import cifar10
from tlkit.evaluation import observed
from tlkit.experiments import Comparison, compare
from tlkit.features import extract_features, linear_probe
from tlkit.models.networks import Autoencoder, SmallCNN
from tlkit.objectives.supervised import CrossEntropy
from tlkit.objectives.unsupervised import Reconstruction, SimCLR
from tlkit.recipes import Recipe, probe_recipe
from tlkit.training.run import Run

# ---- what is pre-trained, and then read by a probe ----


def pretraining(network: nn.Module, objective: nn.Module, images: Split, seed: int, **more: Any) -> Run:
    """The pre-training of lessons 10 and 11, with the random numbers of a seed."""
    options = {"steps": 300, "batch_size": 128, "lr": 2e-3, "schedule": "one-cycle", "fast": True, "seed": seed}
    return Run(network, objective, images, **options | more)


def probed(run: Run, task: Task) -> observed:
    """A pre-training that ends with a linear probe on its features, as the head of its network.

    Args:
        run: it trains a `Network`.
        task: its labelled training images are what the probe learns from.

    Returns:
        What a comparison iterates and tests.
    """

    def look(run: Run) -> None:
        if run.finished:
            run.network.head = linear_probe(extract_features(run.network, task.train)).head

    return observed(run, look, every=run.steps)  # type: ignore[arg-type]  # a look may return None


def two_views(images: Split, seed: int, augment: Augment = strong, temperature: float = 0.2, **more: Any) -> Run:
    """SimCLR on images, from the first weights of a seed."""
    objective = SimCLR(augment=augment, temperature=temperature, seed=seed)
    return pretraining(SmallCNN(seed=seed), objective, images, seed, **more)


def autoencoder(seed: int = 0) -> Autoencoder:
    """The autoencoder of lesson 10: its bottleneck is linear."""
    backbone = SmallCNN(seed=seed).backbone
    backbone.features[-1] = nn.Identity()  # type: ignore[index]
    return Autoencoder(backbone, seed=seed)


# ---- trained anew ----


def trainings() -> Comparison:
    """Every network trained anew for each seed, from other first weights; then 1 label per class.

    Returns:
        A comparison of SimCLR on own and on printed images, the autoencoder, an untrained network, and a network from
        scratch with SimCLR's augmentation, not yet run.
    """
    task = digits().with_fixed_split()
    pool, printed = task.train.without_labels(), glyphs(count=16_000).train.without_labels()

    def redrawn(task: Task, seed: int) -> observed:
        return probed(pretraining(autoencoder(seed), Reconstruction(), pool, seed), task)

    def untrained(task: Task, seed: int) -> Any:
        return probe_recipe(SmallCNN(seed=seed))(task, seed)

    recipes = {
        "SimCLR": Recipe(lambda task, seed: probed(two_views(pool, seed), task), "frozen features"),
        "autoencoder": Recipe(redrawn, "frozen features"),
        "SimCLR, printed digits": Recipe(lambda task, seed: probed(two_views(printed, seed), task), "frozen features"),
        "untrained": Recipe(untrained, "nothing learnt"),
        "from scratch": Recipe(from_scratch, "from scratch"),
    }
    return compare(recipes, task, range(8), [1])


def from_scratch(task: Task, seed: int) -> Run:
    """A network that learns from the labelled images alone, under the augmentation that SimCLR has."""
    options = {"steps": 150, "schedule": "one-cycle", "seed": seed, "fast": True}
    return Run(SmallCNN(seed=seed), CrossEntropy(augment=(weak, strong)), task, **options)


# ---- one choice after the other ----


def half_turned(images: Tensor) -> Tensor:
    """Half of the images stand on their head."""
    return torch.where(some(images, 0.5), images.flip((2, 3)), images)


def bent(images: Tensor) -> Tensor:
    """The first part of `tl.data.strong`: rotated, larger or smaller, shifted, bent."""
    return warp(images, rotation=20, scale=0.15, shift=1.1, elastic=0.2)


def paler(images: Tensor) -> Tensor:
    """Its second part: another contrast, and noise."""
    return noise(contrast(images, 0.3), 0.05)


VIEWS: dict[str, Augment] = {
    "all": strong,
    "no bending": lambda images: cut_out(paler(images), 3),
    "no noise": lambda images: cut_out(bent(images), 3),
    "no cut-out": lambda images: paler(bent(images)),
    "weak": weak,
    "none": lambda images: images,
    "turned over": lambda images: strong(half_turned(images)),
}


def views() -> Comparison:
    """SimCLR with other views.

    Returns:
        A comparison over views, 1 label per class, not yet run.
    """
    return _over("views", list(VIEWS), lambda pool, seed, name: two_views(pool, seed, VIEWS[name]))


def temperatures() -> Comparison:
    """SimCLR at other temperatures.

    Returns:
        A comparison over temperatures, 1 label per class, not yet run.
    """
    at = [0.05, 0.2, 0.5, 1.0]
    return _over("temperature", at, lambda pool, seed, value: two_views(pool, seed, temperature=value))


def _over(axis: str, values: list[Any], made: Callable[[Split, int, Any], Run]) -> Comparison:
    """SimCLR, trained anew for each seed and value, beside a network that was not trained."""
    task = digits().with_fixed_split()
    pool = task.train.without_labels()

    def simclr(task: Task, seed: int, **at: Any) -> observed:
        return probed(made(pool, seed, at[axis]), task)

    def untrained(task: Task, seed: int, **at: Any) -> Any:
        return probe_recipe(SmallCNN(seed=seed))(task, seed)

    recipes = {"SimCLR": Recipe(simclr, "frozen features"), "untrained": Recipe(untrained, "nothing learnt")}
    return compare(recipes, task, range(5), [1], over={axis: values})


# ---- photographs ----


def some(images: Tensor, share: float) -> Tensor:
    """A random share of the images, as a mask `[n, 1, 1, 1]`."""
    return torch.rand(len(images), 1, 1, 1, device=images.device) < share


def mirrored(images: Tensor) -> Tensor:
    """Half of the images, mirrored."""
    return torch.where(some(images, 0.5), images.flip(3), images)


def photo_views(images: Tensor) -> Tensor:
    """A view of a photograph: mirrored, turned, cropped, grey at times, brighter or paler."""
    images = warp(mirrored(images), rotation=10, scale=0.3, shift=6)
    images = torch.where(some(images, 0.3), images.mean(1, keepdim=True), images)
    return brightness(contrast(images, 0.5), 0.4)


def photo_network(seed: int = 0) -> SmallCNN:
    """A small network for photographs of 32 x 32."""
    return SmallCNN(widths=(24, 48, 96), channels=3, image_size=32, pool_after=(1, 2, 3), seed=seed)


def photographs() -> Comparison:
    """CIFAR-10: SimCLR on ten thousand photographs, trained once; then labels for one in a hundred, and in ten.

    Returns:
        A comparison of its probe with an untrained network's, the pixels, and training from scratch, not yet run.

    Raises:
        OSError: if CIFAR-10 is not found and cannot be downloaded.
    """
    everything = cifar10()
    labelled, tested = everything.few_labels(1_000).train, everything.test[::5]
    task = Task("photographs", labelled, everything.validation, tested)
    learnt: list[nn.Module] = []

    def simclr(task: Task, seed: int) -> Any:
        if not learnt:
            objective = SimCLR(augment=photo_views)
            run = pretraining(photo_network(), objective, labelled.without_labels(), 0, steps=1_000)
            learnt.append(run.finish().network)
        return probe_recipe(learnt[0])(task, seed)

    def scratch(task: Task, seed: int) -> Run:
        objective = CrossEntropy(augment=lambda images: warp(mirrored(images), shift=4))
        options = {"steps": 400, "schedule": "one-cycle", "seed": seed, "fast": True}
        return Run(photo_network(seed), objective, task, **options)

    small = nn.Sequential(nn.AvgPool2d(2), nn.Flatten())
    recipes = {
        "SimCLR": Recipe(simclr, "frozen features"),
        "untrained": probe_recipe(photo_network(), family="nothing learnt"),
        "pixels": probe_recipe(small, family="nothing learnt", strengths=(0.1,), scaling="unit length"),
        "from scratch": Recipe(scratch, "from scratch"),
    }
    return compare(recipes, task, range(5), (10, 100))
