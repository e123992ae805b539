"""Batches by number: `batches[step]` is a pure function of (seed, step), so a run needs to remember only its step."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import torch
from torch import Tensor

from tlkit.data.tasks import Split


def mixed_seed(*numbers: int) -> int:
    """One 32-bit seed from several numbers (torch's generator on a CPU reads no more than 32 bits of a seed)."""
    return zlib.crc32(repr(tuple(map(int, numbers))).encode())


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
        self._epoch, self._order = -1, torch.empty(0)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.split) // self.batch_size

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(step, len(self))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(mixed_seed(self.seed, epoch))
            order = torch.randperm(len(self.split), generator=generator).to(self.split.images.device)
            self._epoch, self._order = epoch, order
        chosen = self._order[place * self.batch_size : (place + 1) * self.batch_size]
        labels = self.split.labels
        return Batch(self.split.images[chosen], None if labels is None else labels[chosen])

    def to(self, device: torch.device | str) -> Batches:
        """The same batches, of data that live on `device`."""
        return Batches(self.split.to(device), self.batch_size, self.seed)

    def __repr__(self) -> str:
        return f"{len(self)} batches of {self.batch_size} an epoch, from {self.split}"
