"""How good a network is: a report of a test, and validation while a run goes on."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from tlkit.data.batches import split_of
from tlkit.data.kinds import Kind, Stream, checked
from tlkit.data.tasks import Split, as_split
from tlkit.models.networks import logits, required_logits
from tlkit.training.history import Step
from tlkit.training.interrupts import uninterrupted
from tlkit.training.run import Run
from tlkit.words import listed


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The result of a test, example by example; accuracy, precision, recall, F1 and log loss are computed from it.

    Args:
        labels: the true class of each example, `[n]` int64.
        predictions: the predicted class of each example, `[n]` int64.
        classes: the class names, in the order of the labels.
        probabilities: what a network gives each class, `[n, classes]` in 0..1; None for a predictor that has none.
        noun: what an example is called where the report is printed.

    Shares are in 0..1. A share of nothing (a class never predicted, or absent) counts as 0, as in scikit-learn.
    """

    labels: Tensor
    predictions: Tensor
    classes: tuple[str, ...]
    probabilities: Tensor | None = None
    noun: str = "example"

    @cached_property
    def confusion(self) -> Tensor:
        """The confusion matrix, counts `[classes, classes]`: rows are the true class, columns the predicted one."""
        classes = len(self.classes)
        return torch.bincount(self.labels * classes + self.predictions, minlength=classes**2).view(classes, classes)

    @property
    def accuracy(self) -> float:
        """The share of examples that were classified correctly, in 0..1."""
        return int((self.labels == self.predictions).sum()) / len(self.labels)

    @property
    def recall(self) -> Tensor:
        """For each class, `[classes]`: the share of its examples that were predicted as it."""
        return self._share(self.confusion.sum(1))

    @property
    def precision(self) -> Tensor:
        """For each class, `[classes]`: the share of the examples predicted as it that belong to it."""
        return self._share(self.confusion.sum(0))

    @property
    def f1(self) -> Tensor:
        """For each class, `[classes]`: the harmonic mean of precision and recall."""
        return self._share((self.confusion.sum(0) + self.confusion.sum(1)) / 2)

    @property
    def macro(self) -> dict[str, float]:
        """Precision, recall and F1 by name, each the plain mean over the classes: every class counts the same."""
        return {name: float(getattr(self, name).mean()) for name in ("precision", "recall", "f1")}

    @property
    def log_loss(self) -> float:
        """The mean over the examples of -log p, where p is the probability of the true class (natural logarithm).

        Raises:
            ValueError: if the predictor gave no probabilities.
        """
        if self.probabilities is None:
            raise ValueError(
                "this predictor names classes, not how probable they are, so it has no log loss; compare its accuracy, "
                "or let the recipe return a network or a Run"
            )
        true = self.probabilities.gather(1, self.labels[:, None]).double()
        return float(-true.clamp_min(torch.finfo(torch.float32).tiny).log().mean())

    def _share(self, of: Tensor) -> Tensor:
        """The correct predictions of each class as a share of these counts; 0 of nothing."""
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
    """A number by which tests are compared.

    Args:
        name: as `compare(..., metric=name)` takes it.
        of: computes it from a report; None if it does not come from one.
        share: whether it is a share in 0..1, which is shown in per cent and its differences in points.
        lower_is_better: whether the smaller of two values is the better.
    """

    name: str
    of: Callable[[Report], float] | None
    share: bool = True
    lower_is_better: bool = False

    @property
    def scale(self) -> int:
        """What a value is multiplied by where it is shown: 100 for a share."""
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


def evaluate(network_or_predictor: Any, split: Any) -> Report:
    """Test a network, a Run, or anything with `predict(inputs) -> labels` on a labelled split; changes nothing.

    Args:
        network_or_predictor: a network; a Run, whose averaged network is tested if it keeps one; or an object whose
            `predict(inputs)` returns one class number for each example.
        split: the labelled examples, or what `tl.data.as_split` takes.

    Returns:
        The `Report`, with its tensors on the CPU.

    Raises:
        ValueError: if the split has no labels or no examples, if the network has another number of classes or outputs
            that are not finite, or if the predictor does not return one class number for each example.
        TypeError: if it is none of the three, or `split` cannot be made a split.

    >>> import tlkit as tl
    >>> report = tl.evaluate(tl.models.SmallCNN(), tl.data.digits().test)
    >>> int(report.confusion.sum())
    600
    """
    split = _tested_on(network_or_predictor, split)
    labels = split.required_labels("so there is nothing to compare predictions with").cpu()
    if not len(split):
        raise ValueError(f"the split has no {split.kind.noun}s, so there is nothing to test on")
    predicted, outputs = answers(network_or_predictor, split)
    probabilities = None if outputs is None else outputs.float().softmax(1)
    return Report(labels, predicted, split.classes, probabilities, split.kind.noun)


def answers(network_or_predictor: Any, split: Split) -> tuple[Tensor, Tensor | None]:
    """The predicted class of each example, and the logits behind it where a network predicts.

    Args:
        network_or_predictor: what `evaluate` takes.
        split: the examples; their labels are not used.

    Returns:
        The predicted classes `[n]` int64 and the logits `[n, classes]` (None without a network), both on the CPU.

    Raises:
        ValueError: if there is not one class number for each example, or if the network has another number of classes
            or outputs that are not finite.
        TypeError: if it is neither a network, nor a Run, nor has `predict`.
    """
    outputs, classes, nouns = None, len(split.classes), f"{split.kind.noun}s"
    predictor = network_or_predictor.tested if isinstance(network_or_predictor, Run) else network_or_predictor
    if not isinstance(predictor, nn.Module):
        if not hasattr(predictor, "predict"):
            raise TypeError(
                f"a {type(predictor).__name__} cannot be tested; give a network, a Run, or what has predict(inputs)"
            )
        given = torch.as_tensor(predictor.predict(split.inputs)).cpu()
        predicted = given.long()
        if given.shape == (len(split),) and not given.equal(predicted.to(given.dtype)):
            raise ValueError(
                f"predictions are fractions, such as {float(given[given != predicted][0]):g}, but predict(inputs) "
                "returns one class number each; of probabilities [n, classes] take .argmax(1)"
            )
    else:
        outputs = _finite_logits(predictor, split.inputs, classes, split.kind.noun)
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


def _tested_on(predictor: Any, data: Any) -> Split:
    """Data as a split; of a torch data set without class names those of the run, or as many as the network has."""
    split = as_split(data)
    if split is data or split.classes != tuple(map(str, range(len(split.classes)))):
        return split
    trained = split_of(predictor.batches) if isinstance(predictor, Run) else None
    network = predictor.tested if isinstance(predictor, Run) else predictor
    classes = trained.classes if trained is not None else ()
    if trained is None and isinstance(network, nn.Module):
        classes = tuple(map(str, range(logits(network, split.inputs[:1]).shape[1])))
    return replace(split, classes=classes) if len(classes) > len(split.classes) else split


def _finite_logits(network: nn.Module, inputs: Tensor | Stream, classes: int | None, noun: str) -> Tensor:
    """The logits `[n, classes]` of each example, on the CPU. Raises ValueError if they do not fit or are not finite."""
    outputs = required_logits(logits(network, inputs), classes, noun).cpu()
    if not (outputs < torch.inf).all():  # NaN is not; minus infinity may stand for a class that is ruled out
        raise ValueError("the network's outputs are not all finite; train it again with a lower learning rate")
    return outputs


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What a network says of each example.

    Args:
        names: the name of the most probable class of each example, n of them.
        probabilities: of each class, `[n, classes]` in 0..1, on the CPU.
        classes: the class names, in the order of the probabilities.
    """

    names: tuple[str, ...]
    probabilities: Tensor
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        most = self.probabilities.amax(1).tolist()
        return listed(f"{name} ({100 * share:.0f} %)" for name, share in zip(self.names, most, strict=True))


def predict(network: Any, inputs: Any, classes: Sequence[str] | None = None, kind: Kind | None = None) -> Predictions:
    """What a trained network says of new examples; nothing in the network changes.

    Args:
        network: a network that classifies; or a Run, whose averaged network answers if it keeps one.
        inputs: the examples `[n, ...]`, or a Split, whose labels are not looked at.
        classes: the class names, in the order of the logits. By default those of the split, or of the data of the Run,
            or else the numbers from 0.
        kind: what the examples are, as for `tl.data.Split`; by default that of the split, or of the data of the Run, or
            else what their shape and type tell.

    Returns:
        The name of the most probable class of each example, and the probabilities of all.

    Raises:
        ValueError: for other classes than the network has, inputs it cannot take, or outputs that are not finite.
        TypeError: if it is neither a network nor a Run, or the network does not return logits.

    >>> import tlkit as tl
    >>> digits = tl.data.digits()
    >>> run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), digits, steps=100, device="cpu").finish()
    >>> predictions = tl.predict(run, digits.test.images[:5])
    >>> predictions.probabilities.shape, predictions.names == tl.predict(run.network, digits.test[:5]).names
    (torch.Size([5, 10]), True)
    """
    predictor = network.tested if isinstance(network, Run) else network
    if not isinstance(predictor, nn.Module):
        raise TypeError(f"a {type(predictor).__name__} gives no probabilities; give a network or a Run")
    batches = network.batches if isinstance(network, Run) else None
    known = inputs if isinstance(inputs, Split) else split_of(batches)
    examples = inputs.inputs if isinstance(inputs, Split) else inputs
    examples, kind = checked(examples, kind or (None if known is None else known.kind))
    if classes is None and known is not None and not isinstance(known.classes, Mapping):
        classes = known.classes
    outputs = _finite_logits(predictor, examples, None if classes is None else len(classes), kind.noun)
    names = tuple(map(str, range(outputs.shape[1]) if classes is None else classes))
    probabilities = outputs.float().softmax(1)
    return Predictions(tuple(names[number] for number in outputs.argmax(1).tolist()), probabilities, names)


class observed:
    """A run that is also looked at: iterate it like the run, and `look(run)` is called every few steps.

    Args:
        run: the run that is iterated.
        look: gets the run and returns numbers by name, which `run.history` keeps beside the losses. It may also keep
            copies of the network, and return an empty mapping or None.
        every: steps from one look to the next. The first look is before the first step, the last after the last.

    Raises:
        ValueError: if `every` is below 1.

    A `break` ends it early. `stop`, `finished`, `history` and the other names of a Run are the run's.
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
        """Every other name (stop, finished, history, ...) is the run's."""
        if name == "run":  # a copy in the making has none yet
            raise AttributeError(name)
        return getattr(self.run, name)

    def _look_if_due(self) -> None:
        """Look at the run if this step is one to look at and has not been looked at yet."""
        step, history = self.run.step, self.run.history
        if step % self.every and not self.run.finished:
            return
        now = itertools.takewhile(lambda record: record["step"] == step, reversed(history))
        if all("loss" in record or "lr" in record for record in now):  # not looked at yet
            history.append({"step": step, **self._numbers()})

    def _numbers(self) -> dict[str, float]:
        """What the look returns, as plain numbers. Raises TypeError for anything else."""
        found = self.look(self.run) or {}
        try:
            return {name: float(value) for name, value in found.items()}
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise TypeError(
                f'a look returns numbers by name, such as {{"accuracy": 0.9}}, but this returned {found!r:.60}'
            ) from error

    def __repr__(self) -> str:
        return f"{self.run!r}, looked at every {self.every} steps"


class validated(observed):
    """A run that is also tested: iterate it like the run, and `run.history` gets an accuracy every few steps.

    Args:
        run: the run that is iterated. Its averaged network is tested if it keeps one.
        split: the labelled examples that it is tested on, or what `tl.data.as_split` takes.
        every: steps from one test to the next. The first test is before the first step, the last after the last.

    Raises:
        ValueError: if the split has no labels, or if `every` is below 1.

    Early stopping is a `break`. Validation examples are for the reader's eyes: nothing is selected on them.
    """

    def __init__(self, run: Run, split: Any, every: int = 20):
        split = _tested_on(run, split)
        split.required_labels("and validation needs them")
        self.split = split.to(run.device)
        super().__init__(run, lambda run: {"accuracy": evaluate(run.tested, self.split).accuracy}, every)

    def __repr__(self) -> str:
        return f"{self.run!r}, tested on {len(self.split)} {self.split.kind.noun}s every {self.every} steps"
