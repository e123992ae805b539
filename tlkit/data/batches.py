"""Batches by number: `batches[step]` is a pure function of (seed, step), so a run needs to remember only its step."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tlkit.data.kinds import as_precise
from tlkit.data.tasks import Split, as_split, by_task, whole_number


def mixed_seed(*numbers: int) -> int:
    """One 32-bit seed from several numbers (torch's generator on a CPU reads no more than 32 bits of a seed)."""
    return zlib.crc32(repr(tuple(map(int, numbers))).encode())


class Shuffled:
    """The numbers 0 to `count` - 1 in a new order for each epoch; the last two orders are kept, on `device`."""

    def __init__(self, count: int, device: torch.device, seed: int, *side: int):
        self.count, self.device, self.seed, self.side = count, device, seed, side
        self._kept: dict[int, Tensor] = {}

    def __getitem__(self, epoch: int) -> Tensor:
        if epoch not in self._kept:
            generator = torch.Generator().manual_seed(mixed_seed(self.seed, epoch, *self.side))
            order = torch.randperm(self.count, generator=generator)
            # Blocking, each epoch would wait for the steps under way.
            order = order.to(self.device, non_blocking=self.device.type == "cuda")
            self._kept = dict([*self._kept.items()][-1:]) | {epoch: order}
        return self._kept[epoch]


class Batch(NamedTuple):
    """What an objective receives in a step: examples and their labels.

    Args:
        inputs: `[batch, ...]`, of the split's kind.
        labels: `[batch]` int64; a dictionary of such by name if there are several tasks; None if there are none.
    """

    inputs: Tensor
    labels: Any


class Batches:
    """The batches of a split, shuffled anew in each epoch.

    Args:
        split: the examples, or what `tl.data.as_split` takes; the batches live on their device.
        batch_size: examples in a batch; a smaller split is one batch.
        seed: the random seed of the orders; batch number `step` depends on nothing but this seed and `step`.

    Raises:
        ValueError: if `batch_size` is below 1 or the split is empty.

    `batches[step]` is a `Batch`, `len(batches)` the number of batches in an epoch. An incomplete last batch is dropped.

    >>> import tlkit as tl
    >>> batches = tl.data.Batches(tl.data.digits().train, batch_size=64)
    >>> len(batches), batches[0].inputs.shape
    (15, torch.Size([64, 1, 8, 8]))
    """

    def __init__(self, split: Split, batch_size: int = 64, seed: int = 0):
        split = as_split(split)
        batch_size = whole_number("batch_size", batch_size, 1, f"a batch holds at least 1 {split.kind.noun}")
        if not len(split):
            raise ValueError(f"the split has no {split.kind.noun}s, so there is nothing to learn from")
        self.split = split
        self.batch_size = min(batch_size, len(split))
        self.seed = seed
        self._orders = Shuffled(len(split), split.inputs.device, seed)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.split) // self.batch_size

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(step, len(self))
        members = self._orders[epoch][place * self.batch_size : (place + 1) * self.batch_size]
        return Batch(self.split.inputs[members], by_task(self.split.labels, lambda labels: labels[members]))

    def to(self, device: torch.device | str) -> Batches:
        """The same batches, of data that live on `device`.

        Args:
            device: such as "cuda".

        Returns:
            Batches of the same seed and size, from a copy of the split on that device.
        """
        return Batches(self.split.to(device), self.batch_size, self.seed)

    def __repr__(self) -> str:
        return f"{len(self)} batches of {self.batch_size} an epoch, from {self.split}"


class PairedBatch(NamedTuple):
    """What a semi-supervised objective receives in a step: labelled examples and unlabelled ones.

    Args:
        inputs: `[batch, ...]`, the labelled examples.
        labels: `[batch]` int64, their labels.
        unlabelled: `[ratio * batch, ...]`, the examples without labels.
        hidden: `[ratio * batch]` int64, the labels of the unlabelled examples, for diagnosis only; None if nobody knows
            them.
    """

    inputs: Tensor
    labels: Tensor
    unlabelled: Tensor
    hidden: Tensor | None


def split_of(batches: Any) -> Split | None:
    """The split that a run's batches come from, the labelled one of two; None where they do not say it."""
    found = getattr(batches, "split", getattr(batches, "labelled", None))
    return found if isinstance(found, Split) else None


def in_precision(batch: Any, dtype: torch.dtype) -> Any:
    """A batch with its floating-point tensors in a network's precision; what is no named tuple stays as it is."""
    if not hasattr(batch, "_replace"):
        return batch
    tensors = {name: value for name, value in batch._asdict().items() if isinstance(value, Tensor)}
    return batch._replace(**{name: as_precise(value, dtype) for name, value in tensors.items()})


class PairedBatches:
    """Batches of labelled examples, each with `ratio` times as many unlabelled ones, as FixMatch draws them.

    Args:
        labelled: the labelled examples, at least one of each class.
        unlabelled: the others, of the same kind; their size may differ if the objective never joins the two.
        ratio: unlabelled examples for each labelled one.
        batch_size: labelled examples in a batch.
        seed: the random seed of the orders; batch number `step` depends on nothing but this seed and `step`.

    Raises:
        ValueError: if one side has no examples, a class has no labelled one, the two sides are of two kinds, or
            `batch_size` or `ratio` is below 1.
        TypeError: if one side is not a `Split`.

    Source: K. Sohn et al., FixMatch, 2020; Y. Wang et al., USB, 2022.

    `batches[step]` is a `PairedBatch`. Each side goes round its own examples, epoch after epoch, each epoch in another
    order, and no batch is incomplete: ten labelled images fill a batch of 32 three times over.

    Labels of the unlabelled side are never learnt from. They come as `hidden` if both sides have the same classes, so
    that an objective can count how many of its pseudo-labels are right.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> batches = tl.data.PairedBatches(few.train, few.unlabelled)
    >>> batches[0].inputs.shape, batches[0].unlabelled.shape
    (torch.Size([32, 1, 8, 8]), torch.Size([96, 1, 8, 8]))
    """

    def __init__(self, labelled: Split, unlabelled: Split | None, ratio: int = 3, batch_size: int = 32, seed: int = 0):
        for side, name in ((labelled, "train"), (unlabelled, "unlabelled")):
            if not isinstance(side, Split | None):
                raise TypeError(f"a {type(side).__name__} is not a split; give one of its splits, such as task.{name}")
        noun = next((side.kind.noun for side in (labelled, unlabelled) if side is not None), "example")
        batch_size = whole_number("batch_size", batch_size, 1, f"a batch holds at least 1 labelled {noun}")
        why = f"a batch holds at least 1 unlabelled {noun} for each labelled one (for labels alone give task.train)"
        ratio = whole_number("ratio", ratio, 1, why)
        if labelled is None or labelled.labels is None or not len(labelled):
            raise ValueError(f"there is no labelled {noun}; task.few_labels(per_class) keeps some labels")
        if unlabelled is None or not len(unlabelled):
            raise ValueError(
                f"there is no unlabelled {noun}; task.few_labels(per_class) leaves the others as task.unlabelled, and "
                "a task with all its labels has none"
            )
        labels = labelled.required_labels("so there is no class to predict")
        counts = labels.bincount(minlength=len(labelled.classes))
        if not counts.all():
            missing = labelled.classes[int(counts.argmin())]
            raise ValueError(
                f'class "{missing}" has no labelled {noun}, so it could never be predicted; label at least one, or '
                "leave the class out of the task"
            )
        if labelled.kind != unlabelled.kind:
            raise ValueError(f"labelled are {labelled}, unlabelled are {unlabelled}; pair examples of one kind")
        self.labelled, self.unlabelled = labelled, unlabelled
        self.ratio, self.batch_size, self.seed = ratio, batch_size, seed
        sides = enumerate((labelled, unlabelled))
        self._orders = [Shuffled(len(side), side.inputs.device, seed, number) for number, side in sides]

    def __getitem__(self, step: int) -> PairedBatch:
        labelled, unlabelled = self.labelled, self.unlabelled
        ours = self._going_round(0, self.batch_size, step)
        others = self._going_round(1, self.ratio * self.batch_size, step)
        comparable = isinstance(unlabelled.labels, Tensor) and unlabelled.classes == labelled.classes
        hidden = unlabelled.labels[others] if comparable else None  # type: ignore[index]
        return PairedBatch(labelled.inputs[ours], labelled.labels[ours], unlabelled.inputs[others], hidden)  # type: ignore[index]

    def _going_round(self, side: int, size: int, step: int) -> Tensor:
        """The numbers of the `size` examples that a side (0 or 1) gives to a step."""
        orders = self._orders[side]
        epoch, place = divmod(step * size, orders.count)
        epochs = range(epoch, epoch + (place + size - 1) // orders.count + 1)
        return torch.cat([orders[epoch] for epoch in epochs])[place : place + size]

    def to(self, device: torch.device | str) -> PairedBatches:
        """The same batches, of data that live on `device`.

        Args:
            device: such as "cuda".

        Returns:
            Batches of the same seed and sizes, from copies of both splits on that device.
        """
        both = self.labelled.to(device), self.unlabelled.to(device)
        return PairedBatches(*both, self.ratio, self.batch_size, self.seed)

    def __repr__(self) -> str:
        return (
            f"batches of {self.batch_size} from {self.labelled}, and {self.ratio * self.batch_size} from "
            f"{len(self.unlabelled):,} unlabelled {self.unlabelled.kind.noun}s, whose labels are not learnt from"
        )
