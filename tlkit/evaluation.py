"""How good a network is: a report, and validation while a run goes on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tlkit.data.tasks import Split
from tlkit.models.networks import logits
from tlkit.training.run import Run, Step, uninterrupted


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a test found. `confusion` [classes, classes] counts images: rows are the true class, columns the predicted.

    Shares are in 0..1; a share of nothing (a class never predicted, or absent) counts as 0, as in scikit-learn.
    """

    confusion: Tensor
    classes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """The share of images whose class was named rightly."""
        return float(self.confusion.diagonal().sum() / self.confusion.sum())

    @property
    def recall(self) -> Tensor:
        """For each class [classes]: of its images, the share that was found."""
        return self._share(self.confusion.sum(1))

    @property
    def precision(self) -> Tensor:
        """For each class [classes]: of the images given its name, the share that belongs to it."""
        return self._share(self.confusion.sum(0))

    @property
    def f1(self) -> Tensor:
        """For each class [classes]: the harmonic mean of precision and recall."""
        return self._share((self.confusion.sum(0) + self.confusion.sum(1)) / 2)

    @property
    def macro(self) -> dict[str, float]:
        """Precision, recall and F1 as plain means over the classes, each class counting the same."""
        return {name: float(getattr(self, name).mean()) for name in ("precision", "recall", "f1")}

    def _share(self, of: Tensor) -> Tensor:
        return self.confusion.diagonal().double() / of.double().clamp(min=0.5)

    def __repr__(self) -> str:
        return (
            f"{self.accuracy:.1%} of {int(self.confusion.sum()):,} images right; "
            + ", ".join(f"macro {name.replace('f1', 'F1')} {value:.1%}" for name, value in self.macro.items())
        ).replace("%", " %")

    def _repr_html_(self) -> str:
        from html import escape

        def row(cells: list[str], tag: str = "td") -> str:
            return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

        rows = [row(["class", "images", "precision", "recall", "F1"], "th")]
        for number, name in enumerate(self.classes):
            shares = (float(values[number]) for values in (self.precision, self.recall, self.f1))
            rows.append(
                row([escape(name), str(int(self.confusion[number].sum())), *(f"{s * 100:.1f} %" for s in shares)])
            )
        rows.append(row(["macro", str(int(self.confusion.sum())), *(f"{s * 100:.1f} %" for s in self.macro.values())]))
        return f"<table>{''.join(rows)}</table><p>{self.accuracy * 100:.1f} % of all images right</p>"


def evaluate(network_or_predictor: Any, split: Split) -> Report:
    """Test a network, or anything with `predict(images) -> labels`, on a labelled split. Changes nothing.

    >>> import tlkit as tl
    >>> report = tl.evaluate(tl.models.SmallCNN(), tl.data.digits().test)
    >>> int(report.confusion.sum())
    600

    Raises ValueError if the split has no labels, the network has other classes, or the predictor does not give one
    class number an image.
    """
    if split.labels is None:
        raise ValueError("this split has no labels, so there is nothing to compare predictions with")
    predicted, classes = answers(network_or_predictor, split.images, len(split.classes))[0], len(split.classes)
    counts = torch.bincount(split.labels.cpu() * classes + predicted, minlength=classes**2)
    return Report(counts.view(classes, classes), split.classes)


def answers(network_or_predictor: Any, images: Tensor, classes: int) -> tuple[Tensor, Tensor | None]:
    """What is said of each image, class numbers [n] int64, and a network's logits [n, classes]; both on the CPU.

    Raises ValueError if it is not one class number an image, or the network has other classes.
    """
    outputs = None
    if hasattr(network_or_predictor, "predict"):
        said = torch.as_tensor(network_or_predictor.predict(images)).cpu().long()
    else:
        outputs = logits(network_or_predictor, images).cpu()
        if outputs.shape[1] != classes:
            raise ValueError(
                f"the network tells {outputs.shape[1]} classes apart, but these images have {classes}; give it a head "
                f"for them: network.with_new_head({classes})"
            )
        said = outputs.argmax(1)
    if said.shape != images.shape[:1]:
        raise ValueError(
            f"{len(images)} images got predictions of shape {list(said.shape)}; give one class number each"
        )
    if len(said) and not 0 <= int(said.min()) <= int(said.max()) < classes:
        raise ValueError(
            f"predictions run from {int(said.min())} to {int(said.max())}, but the split has the classes "
            f"0 to {classes - 1}; does the head belong to another task?"
        )
    return said, outputs


class observed:
    """A run that is also looked at: iterate it like the run; every `every` steps `look(run)` is asked.

    `look` gives named numbers, which `run.history` keeps beside the losses; it may also keep copies of the network, or
    give an empty mapping. The first look is before the first step, the last after the last. A `break` ends it early.
    """

    def __init__(self, run: Run, look: Callable[[Run], Mapping[str, float]], every: int = 20):
        if every < 1:
            raise ValueError(f"every={every}, but a run can be looked at at most once a step")
        self.run, self.look, self.every = run, look, every

    def __iter__(self) -> Iterator[Step]:
        iter(self.run)
        return self

    def __next__(self) -> Step:
        with uninterrupted():  # so that no interrupt falls between a step and its measurement
            self._look_if_due()
            step = next(self.run)
            self._look_if_due()
        return step

    def finish(self) -> Run:
        """Take every step that is left, and return the run."""
        for _ in self:
            pass
        return self.run

    def stop(self) -> None:
        """Stop the run: see `Run.stop`."""
        self.run.stop()

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self.run.finished

    @property
    def seconds(self) -> float:
        """How long the run's steps took so far."""
        return self.run.seconds

    def _look_if_due(self) -> None:
        step, history = self.run.step, self.run.history
        if step % self.every and not self.run.finished:
            return
        now = itertools.takewhile(lambda record: record["step"] == step, reversed(history))
        if all("loss" in record or "rate" in record for record in now):  # not looked at yet
            history.append({"step": step, **self.look(self.run)})

    def __repr__(self) -> str:
        return f"{self.run!r}, looked at every {self.every} steps"


class validated(observed):
    """A run that is also tested: iterate it like the run, and `run.history` gets the accuracy every `every` steps.

    It is that of the network which is to be used, the averaged one if the run keeps an average. The first measurement
    is before the first step, the last after the last. Early stopping is a `break`. Validation images are for the
    reader's eyes: nothing is selected on them.
    """

    def __init__(self, run: Run, split: Split, every: int = 20):
        if split.labels is None:
            raise ValueError("validation needs labels, but this split has none")
        self.split = split.to(run.device)
        super().__init__(run, lambda run: {"accuracy": evaluate(run.tested, self.split).accuracy}, every)

    def __repr__(self) -> str:
        return f"{self.run!r}, tested on {len(self.split)} images every {self.every} steps"
