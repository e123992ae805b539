"""tlkit beside PyTorch's transfer-learning tutorial and fastai: 20 labels per class of MNIST, CIFAR's ResNet-20.

Everyone gets the same weights, the same new head, images and test, `tl.data.weak` as augmentation, and the same epochs
on the CPU with one thread; batch size, optimizer and schedule are each one's own defaults. Nobody sees validation
images. Eight epochs are 24 steps of 64 images: fastai's defaults are small rates for longer training, so its rows say
what they give here, not what fastai can do. Ten minutes. `TLKIT_DATA=FOLDER python -m benchmarks.peers [--quick]`
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import tlkit as tl
from tlkit.intervals import Interval
from tlkit.models.networks import Network, seeded
from tlkit.recipes import Recipe

EPOCHS, LABELS, BY = 8, 20, 2
OURS = ("tlkit, full", "tlkit, probe then all")
Fit = Callable[[Network, tl.data.Split, int], object]  # trains the network on the split; the last is the seed


def run(network: Network, split: tl.data.Split, seed: int, plan: tl.freezing.FreezePlan | None = None) -> None:
    """`tl.Run` as the lessons use it: AdamW at 3e-3, one cycle, batches of 64."""
    steps = EPOCHS * len(tl.data.Batches(split))
    objective = tl.objectives.CrossEntropy(augment=tl.data.weak)
    tl.Run(network, objective, split, steps=steps, schedule="one-cycle", plan=plan, seed=seed, device="cpu").finish()


def probe_then_all(network: Network, split: tl.data.Split, seed: int) -> None:
    run(network, split, seed, tl.freezing.probe_then_finetune(network))


def tutorial(network: Network, split: tl.data.Split, seed: int) -> None:
    """The tutorial's loop, "Finetuning the ConvNet"; it also keeps its best epoch, which needs validation images.

    S. Chilamkurthy, Transfer Learning for Computer Vision Tutorial, pytorch.org.
    """
    labels = split.required_labels("so nothing can be learnt")
    loader = DataLoader(TensorDataset(split.images, labels), batch_size=4, shuffle=True)
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.001, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    network.train()
    for _ in range(EPOCHS):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(network(tl.data.weak(images)), labels)
            loss.backward()
            optimizer.step()
        scheduler.step()


def tutorial_head(network: Network, split: tl.data.Split, seed: int) -> None:
    """The tutorial's "ConvNet as fixed feature extractor": batch norm's statistics move in it."""
    network.backbone.requires_grad_(False)
    tutorial(network, split, seed)


def fastai_fits() -> dict[str, Fit]:
    """`Learner.fine_tune` with its defaults, where fastai is installed; its frozen epoch comes on top of the others."""
    try:
        import fastai.callback.progress  # gives Learner its no_bar
        import fastai.callback.schedule  # noqa: F401  # gives Learner its fine_tune
        from fastai.data.core import DataLoaders
        from fastai.data.load import DataLoader
        from fastai.learner import Learner
    except ModuleNotFoundError:
        print("fastai is not installed, so its rows are left out; to have them: pip install fastai==2.8.12\n")
        return {}

    def fine_tune(network: Network, split: tl.data.Split, seed: int, batch_size: int = 64) -> None:
        assert split.labels is not None
        random.seed(seed)  # orders its batches
        pairs = [*zip(split.images, split.labels, strict=True)]
        train = DataLoader(
            pairs, bs=batch_size, shuffle=True, drop_last=True, after_batch=lambda b: (tl.data.weak(b[0]), b[1])
        )
        loaders = DataLoaders(train, DataLoader([], bs=batch_size), device="cpu")
        parts = [[*part.parameters()] for part in (network.backbone, network.head)]
        learner = Learner(loaders, network, F.cross_entropy, splitter=lambda _: parts)
        with learner.no_bar(), learner.no_logging():
            learner.fine_tune(EPOCHS)

    return {"fastai": fine_tune, "fastai, batches of 16": partial(fine_tune, batch_size=16)}


def main(quick: bool = False) -> None:
    """Print one row a recipe: its accuracy, what it has over each of ours, the processor time of its training."""
    torch.set_num_threads(1)
    fits: dict[str, Fit] = {
        **dict(zip(OURS, (run, probe_then_all), strict=True)),
        "tutorial, all weights": tutorial,
        "tutorial, head alone": tutorial_head,
        **fastai_fits(),
    }
    source = tl.models.pretrained("resnet20", classes=10)
    seconds: dict[str, list[float]] = {name: [] for name in fits}

    def recipe(name: str) -> Recipe:
        def trained(task: tl.data.Task, seed: int) -> Network:
            network = source.with_new_head(10, seed)
            started = time.process_time()
            with seeded(seed):
                fits[name](network, task.train, seed)
            seconds[name].append(time.process_time() - started)
            return network

        return Recipe(trained)

    mnist = tl.data.mnist()
    task = replace(mnist, test=mnist.test[::5])
    seeds = range(2 if quick else 5)
    found = tl.compare({name: recipe(name) for name in fits}, task, seeds, [LABELS]).finish()

    ours, base = OURS[0], seconds[OURS[0]]
    print(f"{EPOCHS} epochs, {len(seeds)} seeds, {len(task.test):,} test images; mean and 95 % interval")
    print(f"`{ours}` trains for {statistics.median(base):.1f} s of processor time; time is a share of that\n")
    over = "".join(f" minus {mine}, points | no better by {BY} |" for mine in OURS)
    print(f"| recipe | accuracy, % |{over} time |\n|---|---|{'---|---|' * len(OURS)}---|")
    for name in found.recipes:
        cells = [_words(Interval(tuple(100 * a for a in found.values(name, LABELS).values())))]
        for mine in OURS:
            claim = found.claim(name, at=LABELS, no_better_than=mine, by=BY)
            said = {True: "holds", False: "does not hold", None: "undecided"}[claim.holds]
            cells += ["", ""] if name == mine or claim.difference is None else [_words(claim.difference), said]
        cells.append(f"{statistics.median(t / b for t, b in zip(seconds[name], base, strict=True)):.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _words(interval: Interval) -> str:
    return f"{interval.mean:.1f} ± {interval.half_width or 0:.1f}"


if __name__ == "__main__":
    main("--quick" in sys.argv)
