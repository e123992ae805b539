"""Recipes: ways to learn a task, as a comparison tries them; each has the colour and mark of its family."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tlkit.data.tasks import Task
from tlkit.features import LinearProbe, extract_features, linear_probe

FAMILIES = ("pre-trained", "from scratch", "frozen features", "unlabelled target", "nothing learnt")


@dataclass(frozen=True)
class Recipe:
    """A way to learn a task, with the family that gives it its colour and mark in the whole course.

    Args:
        make: `make(task, seed)` returns a Run that has not started (or `observed(run, ...)`), or anything that
            `tl.evaluate` tests. Over further axes it gets their values by name: `make(task, seed, layer="block3")`.
        family: how it uses data: "pre-trained", "from scratch", "frozen features", "unlabelled target" or "nothing
            learnt"; None for a grey mark.

    Raises:
        ValueError: for another family.
    """

    make: Callable[..., Any]
    family: str | None = None

    def __post_init__(self):
        if self.family not in (None, *FAMILIES):
            raise ValueError(f"family={self.family!r}; use one of {', '.join(map(repr, FAMILIES))}")

    def __call__(self, task: Task, seed: int, **settings: Any) -> Any:
        return self.make(task, seed, **settings)


def probe_recipe(
    network: nn.Module, layer: str | None = None, grid: int | None = 1, family: str = "frozen features", **how: Any
) -> Recipe:
    """The recipe of a linear probe on the frozen features of a network.

    Args:
        network: it stays as it is.
        layer: where its features are taken, as in `extract_features`. A comparison with an axis `layer` decides it.
        grid: how many places of them are kept, as in `extract_features`.
        family: "frozen features", or "nothing learnt" for a network that was not trained.
        **how: the `strengths` and the `scaling` of `linear_probe`.

    Returns:
        A recipe that fits the probe to the features of `task.train`.

    Raises:
        ValueError: for another family.

    >>> import tlkit as tl
    >>> recipes = {"pixels": tl.probe_recipe(nn.Flatten(), family="nothing learnt", scaling="unit length")}
    >>> tl.compare(recipes, tl.data.digits(), seeds=range(2), budgets=[5]).finish().mean("pixels", at=5) > 0.5
    True
    """

    def probe(task: Task, seed: int, layer: str | None = layer) -> LinearProbe:
        return linear_probe(extract_features(network, task.train, layer, grid=grid), **how)

    return Recipe(probe, family)


def classical_recipe(make: Callable[[], Any], unlabelled: bool = False, family: str | None = None) -> Recipe:
    """The recipe of a classifier with scikit-learn's `fit` and `predict`, on the inputs as they are, such as pixels.

    Args:
        make: returns a new classifier, such as `partial(LabelSpreading, kernel="knn")`.
        unlabelled: whether it learns from `task.unlabelled` too; it gets -1 in the place of their labels, which is
            scikit-learn's way to say that nobody knows.
        family: "unlabelled target" or "nothing learnt" by default, as `unlabelled` says.

    Returns:
        A recipe that fits the classifier to `task.train`.

    Raises:
        ValueError: for another family.

    >>> import tlkit as tl
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> recipes = {"nearest": tl.classical_recipe(lambda: KNeighborsClassifier(1))}
    >>> tl.compare(recipes, tl.data.digits(), seeds=range(2), budgets=[5]).finish().mean("nearest", at=5) > 0.5
    True
    """

    def fitted(task: Task, seed: int) -> _Classical:
        inputs, labels = _flat(task.train.inputs[:]), task.train.required_labels("so nothing can be fitted")
        if unlabelled and task.unlabelled is not None:
            inputs = np.concatenate([inputs, _flat(task.unlabelled.inputs[:])])
            labels = torch.cat([labels, torch.full((len(task.unlabelled),), -1, device=labels.device)])
        classifier = make()
        with np.errstate(invalid="ignore"):  # LabelSpreading divides 0 by 0 where no label arrives
            classifier.fit(inputs, labels.cpu().numpy())
        return _Classical(classifier)

    return Recipe(fitted, family or ("unlabelled target" if unlabelled else "nothing learnt"))


class _Classical:
    """A fitted classifier that takes tensors."""

    def __init__(self, classifier: Any):
        self.classifier = classifier

    def predict(self, inputs: Tensor) -> Any:
        with np.errstate(invalid="ignore"):
            return self.classifier.predict(_flat(inputs))


def _flat(inputs: Tensor) -> np.ndarray:
    return inputs.flatten(1).cpu().numpy()
