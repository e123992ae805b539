"""What networks learn from images alone, read by a linear probe, at every budget. `python -m benchmarks.unsupervised`

Accuracy in %, mean and 95 % interval over five seeds; a seed redraws the split and the rendered characters, and every
network is pre-trained anew, on the training images without their labels. It takes ten minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import nn

import tlkit as tl
from benchmarks.supervised import Make, percent, probe, tuned, words
from tlkit.experiments import Comparison
from tlkit.intervals import Interval
from tlkit.objectives import Objective, SimCLR, VICReg

Start = Callable[[int], tuple[nn.Module, Objective]]  # from a seed to a network and an objective

BASELINE = "scratch, strong"
DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def from_digits(seed: int) -> tl.data.Split:
    return tl.data.digits(seed).train.without_labels()


def from_glyphs(characters: str, seed: int) -> tl.data.Split:
    return tl.data.glyphs(characters, seed=seed).train.without_labels()


def redraws(**how: Any) -> Start:
    return lambda seed: (
        tl.models.Autoencoder(tl.models.SmallCNN(seed=seed).backbone, seed=seed),
        tl.objectives.Reconstruction(**how),
    )


def compares(objective: Callable[..., Objective]) -> Start:
    return lambda seed: (tl.models.SmallCNN(seed=seed), objective(seed=seed))


class Pretrained:
    """A probe on a network that learnt from `images(seed)`; the network of each seed is made once."""

    def __init__(self, start: Start, steps: int, images: Callable[[int], tl.data.Split] = from_digits):
        self.start, self.steps, self.images = start, steps, images
        self.runs: dict[int, tl.Run] = {}

    def __call__(self, task: tl.data.Task, seed: int) -> object:
        if seed not in self.runs:
            options = {"batch_size": 128, "lr": 2e-3, "schedule": "one-cycle", "seed": seed, "fast": True}
            self.runs[seed] = tl.Run(*self.start(seed), self.images(seed), steps=self.steps, **options).finish()
        return probe(self.runs[seed].network)(task, seed)


def principal_components(task: tl.data.Task, seed: int) -> object:
    """A probe on the 20 directions in which the pool varies most."""
    pixels = from_digits(seed).images.flatten(1)
    linear = nn.Linear(pixels.shape[1], 20)
    _, _, directions = torch.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
    linear.load_state_dict({"weight": directions[:20], "bias": -directions[:20] @ pixels.mean(0)})
    network = tl.models.Network(nn.Sequential(nn.Flatten(), linear), nn.Linear(20, 10))
    return probe(network, strengths=(0.1,), scaling="unit length")(task, seed)


def recipes(steps: int) -> dict[str, Make]:
    def fresh(seed: int) -> tl.models.SmallCNN:
        return tl.models.SmallCNN(seed=seed)

    return {
        "pixels": probe(nn.Flatten(), strengths=(0.1,), scaling="unit length"),
        "PCA, 20": principal_components,
        "untrained": lambda task, seed: probe(fresh(seed))(task, seed),
        "autoencoder": Pretrained(redraws(), steps),
        "denoising, 0.2": Pretrained(redraws(noise=0.2), steps),
        "masked, 0.5": Pretrained(redraws(mask=0.5), steps),
        "SimCLR": Pretrained(compares(SimCLR), steps),
        "VICReg": Pretrained(compares(VICReg), steps),
        "SimCLR, printed digits": Pretrained(compares(SimCLR), steps, partial(from_glyphs, DIGITS)),
        "SimCLR, printed letters": Pretrained(compares(SimCLR), steps, partial(from_glyphs, LETTERS)),
        "scratch, weak": tuned(fresh),
        BASELINE: tuned(fresh, objective=tl.objectives.CrossEntropy(augment=(tl.data.weak, tl.data.strong))),
    }


def main(quick: bool = False) -> None:
    """Print accuracies, seconds a pre-training, and paired differences to scratch with the same augmentation."""
    seeds, budgets = (range(2), (1, 5)) if quick else (range(5), (1, 2, 5, 10, 50))
    made = recipes(steps=20 if quick else 300)
    found = tl.compare(made, tl.data.digits(), seeds=seeds, budgets=budgets).finish()
    print(f"\n{'accuracy, %':26}" + "".join(f"{k:>14}" for k in budgets) + f"{'s/pre-training':>16}")
    for name, recipe in made.items():
        seconds = ""
        if isinstance(recipe, Pretrained):
            seconds = f"{mean(run.seconds for run in recipe.runs.values()):.1f}"
        row(found, name, partial(percent, found), seconds)
    print(f"\nminus {BASELINE}, points")
    for name in made:
        if name != BASELINE:
            row(found, name, lambda name, k: found.difference(name, BASELINE, k))


def row(found: Comparison, name: str, cell: Callable[[str, int], Interval | None], end: str = "") -> None:
    cells = [words(cell(name, k)) for k in found.budgets]
    print(f"{name:26}" + "".join(f"{cell:>14}" for cell in cells) + f"{end:>16}", flush=True)


if __name__ == "__main__":
    main("--quick" in sys.argv)
