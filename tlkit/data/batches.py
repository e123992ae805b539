"""Batches by number: `batches[step]` is a pure function of (seed, step), so a run needs to remember only its step."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from tlkit.data.tasks import Split


def mixed_seed(*numbers: int) -> int:
    """One 32-bit seed from several numbers (torch's generator on a CPU reads no more than 32 bits of a seed)."""
    return zlib.crc32(repr(tuple(map(int, numbers))).encode())


@lru_cache(maxsize=64)
def shuffled(count: int, device: torch.device, *seed: int) -> Tensor:
    """The numbers 0 to `count` - 1 in an order of `seed`'s own, on `device`; the last ones are kept, since many ask."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mixed_seed(*seed)))
    return order.to(device, non_blocking=device.type == "cuda")  # else each epoch waits for the steps under way


class Batch(NamedTuple):
    """`images` [batch, channels, height, width] and `labels` [batch] or None."""

    images: Tensor
    labels: Tensor | None


class Batches:
    """The batches of a split, shuffled anew in each epoch.

    An incomplete last batch is dropped; a split smaller than `batch_size` is one batch.

    >>> import tlkit as tl
    >>> batches = tl.data.Batches(tl.data.digits().train, batch_size=64)
    >>> len(batches), batches[0].images.shape
    (15, torch.Size([64, 1, 8, 8]))
    """

    def __init__(self, split: Split, batch_size: int = 64, seed: int = 0):
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}, but a batch holds at least 1 image")
        if not len(split):
            raise ValueError("the split has no images, so there is nothing to learn from")
        self.split = split
        self.batch_size = min(batch_size, len(split))
        self.seed = seed

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.split) // self.batch_size

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(step, len(self))
        order = shuffled(len(self.split), self.split.images.device, self.seed, epoch)
        chosen = order[place * self.batch_size : (place + 1) * self.batch_size]
        labels = self.split.labels
        return Batch(self.split.images[chosen], None if labels is None else labels[chosen])

    def to(self, device: torch.device | str) -> Batches:
        """The same batches, of data that live on `device`."""
        return Batches(self.split.to(device), self.batch_size, self.seed)

    def __repr__(self) -> str:
        return f"{len(self)} batches of {self.batch_size} an epoch, from {self.split}"


class PairedBatch(NamedTuple):
    """`images` [batch, channels, height, width] with `labels` [batch], and `unlabelled` [ratio x batch, ...] without.

    `hidden` [ratio x batch]: the labels of the unlabelled images, for diagnosis only; None if nobody knows them.
    """

    images: Tensor
    labels: Tensor
    unlabelled: Tensor
    hidden: Tensor | None


class PairedBatches:
    """Batches of `batch_size` labelled and `ratio` times as many unlabelled images.

    Each side goes round its own images, epoch after epoch, each epoch in another order, and no batch is incomplete:
    ten labelled images fill a batch of 32 three times over. That is how FixMatch and USB draw them.

    Labels of the unlabelled images are ignored but for diagnosis: they come as `hidden`, if both sides have the same
    classes, so that an objective can say how many of its pseudo-labels are right.

    >>> import tlkit as tl
    >>> few = tl.data.digits().few_labels(1)
    >>> batches = tl.data.PairedBatches(few.train, few.unlabelled)
    >>> batches[0].images.shape, batches[0].unlabelled.shape
    (torch.Size([32, 1, 8, 8]), torch.Size([96, 1, 8, 8]))

    Raises ValueError if one side has no images, a class has no labelled image, or the two sides' images differ in size,
    TypeError if one side is not a split.
    """

    def __init__(self, labelled: Split, unlabelled: Split | None, ratio: int = 3, batch_size: int = 32, seed: int = 0):
        for given, name in ((labelled, "train"), (unlabelled, "unlabelled")):
            if not isinstance(given, Split | None):
                raise TypeError(f"a {type(given).__name__} is not a split; give one of its splits, such as task.{name}")
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}, but a batch holds at least 1 labelled image")
        if ratio < 1:
            raise ValueError(
                f"ratio={ratio}, but a batch holds at least 1 unlabelled image for each labelled one; "
                "to learn from labels alone, give the run the labelled split"
            )
        if labelled is None or labelled.labels is None or not len(labelled):
            raise ValueError("there is no labelled image; task.few_labels(per_class) keeps some labels")
        if unlabelled is None or not len(unlabelled):
            raise ValueError(
                "there is no unlabelled image; task.few_labels(per_class) leaves the others as task.unlabelled, and "
                "a task with every label known has none"
            )
        counts = labelled.labels.bincount(minlength=len(labelled.classes))
        if not counts.all():
            missing = labelled.classes[int(counts.argmin())]
            raise ValueError(
                f'class "{missing}" has no labelled image, so nothing can be called by its name; label at least one, '
                "or leave the class out of the task"
            )
        sizes = [tuple(split.images.shape[1:]) for split in (labelled, unlabelled)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"labelled images are {sizes[0]}, unlabelled ones {sizes[1]}; bring them to one size")
        self.labelled, self.unlabelled = labelled, unlabelled
        self.ratio, self.batch_size, self.seed = ratio, batch_size, seed

    def __getitem__(self, step: int) -> PairedBatch:
        labelled, unlabelled = self.labelled, self.unlabelled
        chosen = self._going_round(labelled, self.batch_size, step, 0)
        others = self._going_round(unlabelled, self.ratio * self.batch_size, step, 1)
        known = unlabelled.labels is not None and unlabelled.classes == labelled.classes
        return PairedBatch(
            labelled.images[chosen],
            labelled.labels[chosen],  # type: ignore[index]
            unlabelled.images[others],
            unlabelled.labels[others] if known else None,  # type: ignore[index]
        )

    def _going_round(self, split: Split, size: int, step: int, side: int) -> Tensor:
        """The numbers of the next `size` images of a side."""
        epoch, place = divmod(step * size, len(split))
        epochs = range(epoch, epoch + (place + size - 1) // len(split) + 1)
        orders = [shuffled(len(split), split.images.device, self.seed, epoch, side) for epoch in epochs]
        return torch.cat(orders)[place : place + size]

    def to(self, device: torch.device | str) -> PairedBatches:
        """The same batches, of data that live on `device`."""
        return PairedBatches(
            self.labelled.to(device), self.unlabelled.to(device), self.ratio, self.batch_size, self.seed
        )

    def __repr__(self) -> str:
        return (
            f"batches of {self.batch_size} from {self.labelled}, and {self.ratio * self.batch_size} from "
            f"{len(self.unlabelled):,} unlabelled images, whose labels are not learnt from"
        )
