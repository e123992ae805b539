"""What several tests need: small data, small networks, recipes that cost nothing, and a digest of weights."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tlkit.data.tasks import Split, Task
from tlkit.experiments import Comparison, compare
from tlkit.models.networks import SmallCNN
from tlkit.objectives.supervised import CrossEntropy
from tlkit.training.run import Run


@contextmanager
def reader(pipe: Path) -> Iterator[Callable[[], bytes]]:
    """Make a pipe and read it in a process of its own; yields what waits for all that is written and returns it."""
    os.mkfifo(pipe)
    taken = pipe.with_suffix(".taken")
    with taken.open("wb") as file, subprocess.Popen(["cat", pipe], stdout=file) as process:
        try:
            yield lambda: (process.wait(timeout=20), taken.read_bytes())[1]
        finally:
            process.kill()


def plant_kernel(folder: Path, code: str) -> None:
    """Make a folder in which, if JUPYTER_PATH names it, `python3` is the kernel that these lines of Python are."""
    argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
    (there := folder / "kernels" / "python3").mkdir(parents=True)
    (there / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "", "language": "python"}))


NAMES = ("a", "b", "c")


def digest(network: nn.Module) -> str:
    """One word for all weights and buffers: equal only if every bit is."""
    state = network.state_dict().values()
    return hashlib.sha256(b"".join(np.ascontiguousarray(t.cpu()).tobytes() for t in state)).hexdigest()


def split(n: int = 30, seed: int = 0) -> Split:
    """`n` images of 4 x 4 in three classes, in turn; the first pixel is a tenth of the label, the others are noise."""
    labels = torch.arange(n) % len(NAMES)
    images = torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    images[:, 0, 0, 0] = labels / 10
    return Split(images, labels, NAMES)


def task(train: int = 60, test: int = 100) -> Task:
    """A task that can be redrawn, as the digits can."""
    return drawn(0, train, test)


def drawn(seed: int, train: int = 60, test: int = 100) -> Task:
    draw = [split(n, 10 * seed + part) for part, n in enumerate((train, 9, test))]
    return Task("tenths", *draw, redraw=lambda other: drawn(other, train, test))


def network(seed: int = 0) -> SmallCNN:
    return SmallCNN(widths=(4,), features=6, classes=3, image_size=4, pool_after=(1,), seed=seed)


def run(steps: int = 20, data=None, net: nn.Module | None = None, objective: nn.Module | None = None, **options) -> Run:
    """A run that takes well under a millisecond a step, on the CPU, where losses are looked at in each step."""
    data = split() if data is None else data
    options = {"batch_size": 8, "device": "cpu"} | options
    return Run(network() if net is None else net, objective or CrossEntropy(), data, steps=steps, **options)


class Knowing:
    """A predictor that reads the label from the first pixel and is right on a given share of the images."""

    def __init__(self, share: float):
        self.share = share

    def predict(self, images: Tensor) -> Tensor:
        labels = (images[:, 0, 0, 0] * 10).round().long()
        labels[round(self.share * len(labels)) :] += 1
        return labels % len(NAMES)


Accuracies = Sequence[float] | Mapping[int, Sequence[float]]


def recipe(accuracies: Accuracies):
    """A recipe that reaches a given accuracy for each seed, at every budget or by budget."""

    def make(task: Task, seed: int) -> Knowing:
        budget = len(task.train) // len(NAMES)
        return Knowing((accuracies[budget] if isinstance(accuracies, Mapping) else accuracies)[seed])

    return make


def measured(
    recipes: Mapping[str, Accuracies], seeds: int = 5, budgets: Sequence[int] = (1,), skip: Sequence[int] = ()
) -> Comparison:
    """A finished comparison of recipes with these accuracies."""
    made = {name: recipe(accuracies) for name, accuracies in recipes.items()}
    return compare(made, task(), range(seeds), budgets, skip).finish()
