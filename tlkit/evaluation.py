"""How good a network is: a report, and validation while a run goes on."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.data.tasks import Split
from tlkit.models.networks import logits
from tlkit.training.history import Step
from tlkit.training.interrupts import uninterrupted
from tlkit.training.run import Run


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a test found, example by example.

    - `labels` [n] int64: the true classes.
    - `predictions` [n] int64: the classes that were predicted.
    - `classes`: the class names.
    - `probabilities` [n, classes]: what a network gives each class; None for what only predicts.
    - `noun`: what an example is called, in words about it.

    Shares are in 0..1; a share of nothing (a class never predicted, or absent) counts as 0, as in scikit-learn.
    """

    labels: Tensor
    predictions: Tensor
    classes: tuple[str, ...]
    probabilities: Tensor | None = None
    noun: str = "example"

    @cached_property
    def confusion(self) -> Tensor:
        """Counts [classes, classes]: rows are the true class, columns the predicted."""
        classes = len(self.classes)
        return torch.bincount(self.labels * classes + self.predictions, minlength=classes**2).view(classes, classes)

    @property
    def accuracy(self) -> float:
        """The share of examples whose class was predicted."""
        return int((self.labels == self.predictions).sum()) / len(self.labels)

    @property
    def recall(self) -> Tensor:
        """For each class [classes]: of its examples, the share that was found."""
        return self._share(self.confusion.sum(1))

    @property
    def precision(self) -> Tensor:
        """For each class [classes]: of the examples given its name, the share that belongs to it."""
        return self._share(self.confusion.sum(0))

    @property
    def f1(self) -> Tensor:
        """For each class [classes]: the harmonic mean of precision and recall."""
        return self._share((self.confusion.sum(0) + self.confusion.sum(1)) / 2)

    @property
    def macro(self) -> dict[str, float]:
        """Precision, recall and F1 as plain means over the classes, each class counting the same."""
        return {name: float(getattr(self, name).mean()) for name in ("precision", "recall", "f1")}

    @property
    def log_loss(self) -> float:
        """The mean of -log p, p the probability of the true class. Raises ValueError where there are none."""
        if self.probabilities is None:
            raise ValueError(
                "this predictor names classes, not how probable they are, so it has no log loss; compare its accuracy, "
                "or let the recipe return a network or a Run"
            )
        true = self.probabilities.gather(1, self.labels[:, None]).double()
        return float(-true.clamp_min(torch.finfo(torch.float32).tiny).log().mean())

    def _share(self, of: Tensor) -> Tensor:
        return self.confusion.diagonal().double() / of.double().clamp(min=0.5)

    def __repr__(self) -> str:
        return (
            f"{self.accuracy:.1%} of {len(self.labels):,} {self.noun}s right; "
            + ", ".join(f"macro {name.replace('f1', 'F1')} {value:.1%}" for name, value in self.macro.items())
        ).replace("%", " %")

    def _repr_html_(self) -> str:
        from html import escape

        def row(cells: list[str], tag: str = "td") -> str:
            return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"

        rows = [row(["class", f"{self.noun}s", "precision", "recall", "F1"], "th")]
        for number, name in enumerate(self.classes):
            shares = (float(values[number]) for values in (self.precision, self.recall, self.f1))
            count = int(self.confusion[number].sum())
            rows.append(row([escape(name), str(count), *(f"{s * 100:.1f} %" for s in shares)]))
        rows.append(row(["macro", str(len(self.labels)), *(f"{s * 100:.1f} %" for s in self.macro.values())]))
        return f"<table>{''.join(rows)}</table><p>{self.accuracy * 100:.1f} % of all {self.noun}s right</p>"


@dataclass(frozen=True)
class Metric:
    """One number of a test, by its `name`: a share is shown in per cent, and differences of it in points."""

    name: str
    of: Callable[[Report], float] | None  # None: it is not read off a report
    share: bool = True
    lower_is_better: bool = False

    @property
    def scale(self) -> int:
        """What a value is multiplied by where it is shown."""
        return 100 if self.share else 1

    def __str__(self) -> str:
        return self.name.replace("_", " ").replace("f1", "F1")


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", lambda report: report.accuracy),
        *(Metric(name, lambda report, name=name: report.macro[name]) for name in ("precision", "recall", "f1")),
        Metric("log_loss", lambda report: report.log_loss, share=False, lower_is_better=True),
    )
}


def evaluate(network_or_predictor: Any, split: Split) -> Report:
    """Test a network, or anything with `predict(inputs) -> labels`, on a labelled split. Changes nothing.

    >>> import tlkit as tl
    >>> report = tl.evaluate(tl.models.SmallCNN(), tl.data.digits().test)
    >>> int(report.confusion.sum())
    600

    Raises ValueError if the split has no labels or no examples, the network has other classes, or the predictor does
    not give one class number an example.
    """
    labels = split.required_labels("so there is nothing to compare predictions with").cpu()
    if not len(split):
        raise ValueError(f"the split has no {split.kind.noun}s, so there is nothing to test on")
    predicted, outputs = answers(network_or_predictor, split)
    probabilities = None if outputs is None else outputs.float().softmax(1)
    return Report(labels, predicted, split.classes, probabilities, split.kind.noun)


def answers(network_or_predictor: Any, split: Split) -> tuple[Tensor, Tensor | None]:
    """The class predicted of each example [n] int64, and a network's logits [n, classes]; both on the CPU.

    Raises ValueError if it is not one class number an example, or the network has other classes.
    """
    outputs, classes, nouns = None, len(split.classes), f"{split.kind.noun}s"
    asked = network_or_predictor.tested if isinstance(network_or_predictor, Run) else network_or_predictor
    if not isinstance(asked, nn.Module):
        if not hasattr(asked, "predict"):
            raise TypeError(
                f"a {type(asked).__name__} cannot be tested; give a network, a Run, or what has predict(inputs)"
            )
        predicted = torch.as_tensor(asked.predict(split.inputs)).cpu().long()
    else:
        outputs = logits(asked, split.inputs).cpu()
        if outputs.shape[1] != classes:
            raise ValueError(
                f"the network tells {outputs.shape[1]} classes apart, but these {nouns} have {classes}; give it a head "
                f"for them: network.with_new_head({classes})"
            )
        if not (outputs < torch.inf).all():  # NaN is not; minus infinity may stand for what is ruled out
            raise ValueError("the network's outputs are no finite numbers; train it anew with a lower learning rate")
        predicted = outputs.argmax(1)
    if predicted.shape != (len(split),):
        shape = list(predicted.shape)
        raise ValueError(f"{len(split)} {nouns} got predictions of shape {shape}; give one class number each")
    if len(predicted) and not 0 <= int(predicted.min()) <= int(predicted.max()) < classes:
        raise ValueError(
            f"predictions run from {int(predicted.min())} to {int(predicted.max())}, but the split has the classes "
            f"0 to {classes - 1}; does the head belong to another task?"
        )
    return predicted, outputs


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

    def __getattr__(self, name: str) -> Any:
        """What else is asked of it (stop, finished, history, ...) the run answers."""
        if name == "run":  # a copy that is being made has none yet
            raise AttributeError(name)
        return getattr(self.run, name)

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
    is before the first step, the last after the last. Early stopping is a `break`. Validation examples are for the
    reader's eyes: nothing is selected on them.
    """

    def __init__(self, run: Run, split: Split, every: int = 20):
        split.required_labels("and validation needs them")
        self.split = split.to(run.device)
        super().__init__(run, lambda run: {"accuracy": evaluate(run.tested, self.split).accuracy}, every)

    def __repr__(self) -> str:
        return f"{self.run!r}, tested on {len(self.split)} {self.split.kind.noun}s every {self.every} steps"
