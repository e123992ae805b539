"""Every way of the course to use a printed source for handwriting, at every budget. `python -m benchmarks.supervised`

Accuracy in %, mean and 95 % interval over eight seeds; the sources are trained once. It takes a quarter of an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

import tlkit as tl
from tlkit.experiments import Comparison
from tlkit.freezing import FreezePlan
from tlkit.intervals import Interval
from tlkit.objectives import Objective

Make = Callable[[tl.data.Task, int], Any]


def pretrained_on(source: tl.data.Task) -> tl.models.SmallCNN:
    """The lessons' network after 400 steps on a source."""
    network = tl.models.SmallCNN(classes=len(source.classes), seed=0)
    options = {"steps": 400, "batch_size": 128, "schedule": "one-cycle", "fast": True}
    tl.Run(network, tl.objectives.CrossEntropy(), source, **options).finish()
    return network


def tuned(
    start: Callable[[int], nn.Module], plan: FreezePlan | None = None, objective: Objective | None = None
) -> Make:
    """A recipe that trains what `start(seed)` gives for 150 steps."""

    def recipe(task: tl.data.Task, seed: int) -> tl.Run:
        learns = objective or tl.objectives.CrossEntropy(augment=tl.data.weak)
        return tl.Run(start(seed), learns, task, steps=150, schedule="one-cycle", plan=plan, seed=seed, fast=True)

    return recipe


def probe(network: nn.Module, **how: Any) -> Make:
    return lambda task, seed: tl.linear_probe(tl.extract_features(network, task.train), **how)


class Nearest:
    """The class of the nearest labelled image."""

    def __init__(self, task: tl.data.Task, seed: int):
        self.images = task.train.images.flatten(1)
        self.labels = task.train.required_labels("so nothing can be learnt")

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        return self.labels[torch.cdist(images.flatten(1), self.images).argmin(1)]


def recipes() -> dict[str, Make]:
    digits = pretrained_on(tl.data.glyphs(seed=0))
    letters = pretrained_on(tl.data.glyphs("ABCDEFGHIJKLMNOPQRSTUVWXYZ", seed=0))
    fresh = partial(letters.with_new_head, 10)
    freezing = tl.freezing
    return {
        "pixels, probe": probe(nn.Flatten(), strengths=(0.1,), scaling="unit length"),
        "pixels, nearest": Nearest,
        "untrained, probe": probe(tl.models.SmallCNN(seed=0)),
        "scratch, no augmentation": tuned(lambda s: tl.models.SmallCNN(seed=s), objective=tl.objectives.CrossEntropy()),
        "scratch": tuned(lambda s: tl.models.SmallCNN(seed=s)),
        "digits, probe": probe(digits),
        "letters, probe": probe(letters),
        "letters, full": tuned(lambda s: fresh(seed=s)),
        "digits, full, new head": tuned(lambda s: digits.with_new_head(10, seed=s)),
        "digits, full, head kept": tuned(lambda s: digits.copy()),
        "letters, last two layers": tuned(lambda s: fresh(seed=s), freezing.last_layers(letters, 2)),
        "letters, gradual": tuned(lambda s: fresh(seed=s), freezing.gradual_unfreezing(letters)),
        "letters, discriminative": tuned(lambda s: fresh(seed=s), freezing.discriminative_rates(letters, decay=0.4)),
        "letters, probe then all": tuned(lambda s: fresh(seed=s), freezing.probe_then_finetune(letters)),
        "letters, batch norm still": tuned(lambda s: fresh(seed=s), freezing.batch_norm_still(letters)),
        "letters, L2-SP": tuned(
            lambda s: fresh(seed=s), objective=tl.objectives.L2SP(letters, strength=0.05, augment=tl.data.weak)
        ),
    }


def main(quick: bool = False) -> None:
    """Print accuracies, then paired differences to training from scratch."""
    budgets = (1, 10) if quick else (1, 2, 5, 10, 20, 50)
    found = tl.compare(recipes(), tl.data.digits(), seeds=range(2 if quick else 8), budgets=budgets).finish()
    for title, cell in (
        ("accuracy, %", lambda name, k: percent(found, name, k)),
        ("minus scratch, points", lambda name, k: found.difference(name, "scratch", k)),
    ):
        print(f"\n{title:26}" + "".join(f"{k:>14}" for k in budgets))
        for name in found.recipes:
            if name != "scratch" or not title.startswith("minus"):
                print(f"{name:26}" + "".join(f"{words(cell(name, k)):>14}" for k in budgets), flush=True)


def percent(found: Comparison, name: str, k: int) -> Interval:
    """The accuracies of a recipe at a budget."""
    return Interval(tuple(100 * accuracy for accuracy in found.values(name, k).values()))


def words(interval: Interval | None) -> str:
    """A mean with its interval; nothing if nothing was measured."""
    return f"{interval.mean:.1f} +-{interval.half_width or 0:.1f}" if interval else ""


if __name__ == "__main__":
    main("--quick" in sys.argv)
