"""Few labels with and without the images that have none, from scratch and pre-trained.

`python -m benchmarks.semisupervised`

Accuracy in %, mean and 95 % interval over eight seeds, and seconds a training; the source is trained once. Every
network takes the same 300 steps of 32 labelled images (with 96 unlabelled ones where the method reads them).
It takes half an hour on a machine that does nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

import tlkit as tl
from benchmarks.supervised import Make, percent, pretrained_on, words
from tlkit.experiments import Comparison
from tlkit.intervals import Interval
from tlkit.objectives import Objective

BASELINE = "labels only, strong"
PRETRAINED = "pre-trained, labels only, strong"


def learnt(
    objective: Callable[[], Objective], start: nn.Module | None = None, average: float | None = 0.97, lr: float = 3e-3
) -> Make:
    """A recipe of 300 steps: from a copy of `start`, or from scratch."""

    def recipe(task: tl.data.Task, seed: int) -> tl.Run:
        network = tl.models.SmallCNN(seed=seed) if start is None else start.copy()  # type: ignore[operator]
        batches = tl.data.PairedBatches(task.train, task.unlabelled, seed=seed)
        decay = partial(torch.optim.AdamW, weight_decay=5e-4)
        options = {"steps": 300, "lr": lr, "average": average, "optimizer": decay, "seed": seed, "fast": True}
        return tl.Run(network, objective(), batches, **options)

    return recipe


class Classical:
    """One of scikit-learn's semi-supervised classifiers, fitted to pixels; unlabelled images have the label -1.

    Pixels count 0 to 16, as in scikit-learn's digits. On 0 to 1 a regularised logistic regression is hardly ever sure:
    self-training then takes no image, or so few that it ends in one class.
    """

    def __init__(self, classifier: Any, task: tl.data.Task, seed: int):
        assert task.unlabelled is not None
        images = torch.cat([task.train.images, task.unlabelled.images])
        known = task.train.required_labels("so nothing can be learnt")
        labels = np.concatenate([known.numpy(), np.full(len(task.unlabelled), -1)])
        with np.errstate(invalid="ignore"):  # an image that no label has reached divides zero by zero
            self.classifier = classifier().fit(self.pixels(images), labels)

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        with np.errstate(invalid="ignore"):
            return torch.from_numpy(self.classifier.predict(self.pixels(images)))

    @staticmethod
    def pixels(images: torch.Tensor) -> np.ndarray:
        return 16 * images.flatten(1).numpy()


def label_spreading() -> Any:
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading(kernel="knn", n_neighbors=7)


def self_training() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.semi_supervised import SelfTrainingClassifier

    return SelfTrainingClassifier(LogisticRegression(max_iter=1000), threshold=0.75)


def recipes() -> dict[str, Make]:
    digits = pretrained_on(tl.data.glyphs(seed=0))
    of = tl.objectives
    weak = partial(of.CrossEntropy, augment=tl.data.weak)
    strong = partial(of.CrossEntropy, augment=(tl.data.weak, tl.data.strong))
    return {
        "labels only, weak": learnt(weak),
        BASELINE: learnt(strong),
        "pseudo-label": learnt(of.PseudoLabel),
        "Pi-model": learnt(partial(of.MeanTeacher, decay=0)),
        "Mean Teacher": learnt(of.MeanTeacher, average=None),
        "FixMatch": learnt(of.FixMatch),
        "SoftMatch": learnt(of.SoftMatch),
        "LabelSpreading": partial(Classical, label_spreading),
        "SelfTraining": partial(Classical, self_training),
        PRETRAINED: learnt(strong, digits, lr=1e-3),
        "pre-trained, SoftMatch": learnt(of.SoftMatch, digits, lr=1e-3),
    }


def table(found: Comparison) -> None:
    """Print accuracies, seconds, and paired differences to the baselines."""
    budgets = found.budgets

    def row(name: str, cell: Callable[[int], Interval | None], end: str = "") -> None:
        print(f"{name:34}" + "".join(f"{words(cell(k)):>14}" for k in budgets) + end, flush=True)

    print(f"\n{'accuracy, %':34}" + "".join(f"{k:>14}" for k in budgets) + f"{'s/run':>8}")
    for name in found.recipes:
        seconds = [trial.seconds for trial in found.trials if trial.settings["recipe"] == name]
        row(name, partial(percent, found, name), f"{sum(seconds) / len(seconds):8.2f}")
    against = [(name, BASELINE) for name in found.recipes if name != BASELINE]
    against += [("LabelSpreading", "SoftMatch"), ("pre-trained, SoftMatch", PRETRAINED)]
    for other in dict.fromkeys(other for _, other in against):
        print(f"\nminus {other}, points")
        for name in [name for name, than in against if than == other]:
            row(name, partial(found.difference, name, other))


def main(quick: bool = False) -> None:
    """Compare, and print the tables."""
    seeds, budgets = (range(2), (2,)) if quick else (range(8), (1, 2, 5))
    table(tl.compare(recipes(), tl.data.digits(), seeds=seeds, budgets=budgets).finish())


if __name__ == "__main__":
    main("--quick" in sys.argv)
