"""Batches by number: `batches[step]` is a pure function of (seed, step), so a run needs to remember only its step."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import reduce
from operator import add
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

    def going_round(self, size: int, step: int) -> Tensor:
        """The `size` numbers of a step, where the steps go round all numbers, epoch after epoch."""
        epoch, place = divmod(step * size, self.count)
        epochs = range(epoch, epoch + (place + size - 1) // self.count + 1)
        return torch.cat([self[epoch] for epoch in epochs])[place : place + size]


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
        ours = self._orders[0].going_round(self.batch_size, step)
        others = self._orders[1].going_round(self.ratio * self.batch_size, step)
        comparable = isinstance(unlabelled.labels, Tensor) and unlabelled.classes == labelled.classes
        hidden = unlabelled.labels[others] if comparable else None  # type: ignore[index]
        return PairedBatch(labelled.inputs[ours], labelled.labels[ours], unlabelled.inputs[others], hidden)  # type: ignore[index]

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


class JointBatches:
    """Batches of several splits at once, each with labels of its own task, such as few digits beside a pool.

    Args:
        splits: the examples by the name of their task, in memory and of one kind and size. A split whose labels are of
            several tasks keeps the names of those; of a task that two splits have, the classes are the same.
        batch_size: how many examples each split gives to a batch: one number for all, or one for each by its name.
        seed: the random seed of the orders; batch number `step` depends on nothing but this seed and `step`.

    Raises:
        ValueError: if there is no split, a split has no examples or no labels, two are of unlike kinds, sizes or
            classes, or a batch size is below 1, missing or of no split.
        TypeError: if a side is not a `Split`.

    `batches[step]` is a `Batch` of all splits' examples, one split after another. Its labels are a dictionary by task,
    with -1 where the split of an example does not know them. Each split goes round its own examples, epoch after epoch,
    so none has to wait for a larger one. `batches.split` is all of them as one split, `batches.sizes` the batch sizes.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> odd = replace(few.unlabelled, labels=few.unlabelled.labels % 2, classes=("even", "odd"))
    >>> batches = JointBatches({"digit": few.train, "parity": odd}, batch_size={"digit": 10, "parity": 40})
    >>> batches
    batches of 10 + 40 (digit, parity), from 997 grey images of 8 x 8, digit of 10 classes, parity of 2 classes
    >>> {task: int((labels >= 0).sum()) for task, labels in batches[0].labels.items()}
    {'digit': 10, 'parity': 40}
    """

    def __init__(self, splits: Mapping[str, Split], batch_size: int | Mapping[str, int] = 32, seed: int = 0):
        if not splits:
            raise ValueError("there is no split to take batches from; give one by the name of its task")
        for name, split in splits.items():
            if not isinstance(split, Split):
                raise TypeError(f"{name!r} is a {type(split).__name__}; give one of its splits, such as task.train")
            if not len(split) or split.labels is None:
                missing = "labels" if len(split) else f"{split.kind.noun}s"
                raise ValueError(f"the split {name!r} has no {missing}, so there is nothing to learn from it")
        sizes = batch_size if isinstance(batch_size, Mapping) else dict.fromkeys(splits, batch_size)
        if sizes.keys() != splits.keys():
            raise ValueError(f"batch_size is for {', '.join(sizes)}, but the splits are {', '.join(splits)}")
        noun = next(iter(splits.values())).kind.noun
        why = f"each split gives at least 1 {noun} to a batch"
        self.sizes = {name: whole_number(f"batch_size of {name!r}", sizes[name], 1, why) for name in splits}
        self.batch_size, self.seed, self.split = sum(self.sizes.values()), seed, _joined(splits)
        self._counts = [len(split) for split in splits.values()]
        self._draw_orders()

    def _draw_orders(self) -> None:
        device = self.split.inputs.device
        self._orders = [Shuffled(count, device, self.seed, number) for number, count in enumerate(self._counts)]

    def __getitem__(self, step: int) -> Batch:
        members, first = [], 0
        for orders, size in zip(self._orders, self.sizes.values(), strict=True):
            members.append(first + orders.going_round(size, step))
            first += orders.count
        chosen = torch.cat(members)
        return Batch(self.split.inputs[chosen], by_task(self.split.labels, lambda labels: labels[chosen]))

    def to(self, device: torch.device | str) -> JointBatches:
        """The same batches, of data that live on `device`.

        Args:
            device: such as "cuda".

        Returns:
            Batches of the same seed and sizes, from copies of the splits on that device.
        """
        moved = copy(self)
        moved.split = self.split.to(device)
        moved._draw_orders()
        return moved

    def __repr__(self) -> str:
        sizes = " + ".join(map(str, self.sizes.values()))
        return f"batches of {sizes} ({', '.join(self.sizes)}), from {self.split}"


def _joined(splits: Mapping[str, Split]) -> Split:
    """All examples as one split whose labels are by task, -1 where they are not known."""
    several = [
        split
        if isinstance(split.labels, Mapping)
        else replace(split, labels={name: split.labels}, classes={name: split.classes})  # type: ignore[arg-type]
        for name, split in splits.items()
    ]
    classes: dict[str, Any] = {}
    for split in several:
        classes |= {task: of for task, of in split.classes.items() if task not in classes}  # type: ignore[attr-defined]
    parts = []
    for split in several:
        split = split.with_classes({task: classes[task] for task in split.classes})
        unknown = torch.full((len(split),), -1, device=split.inputs.device)
        labels = {task: split.labels.get(task, unknown) for task in classes}  # type: ignore[union-attr]
        parts.append(replace(split, labels=labels, classes=classes))  # type: ignore[arg-type]
    return reduce(add, parts)
