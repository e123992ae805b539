"""PyTorch's own data sets and loaders as batches by number, so that a run can start over and go on in the middle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tlkit.data.batches import Batch, Batches, PairedBatch, mixed_seed
from tlkit.data.kinds import Images, Kind
from tlkit.data.tasks import Split, Task, whole_number

# Normalised images lie within some 3 deviations of their mean; what is far beyond was never divided by 255.
WHOLE_BYTES = 20


def as_batches(data: Any, batch_size: int, seed: int) -> Any:
    """What a run takes its batches from.

    Args:
        data: a Task (its training split), a Split, a torch Dataset or DataLoader of (inputs, labels), or anything with
            `batches[step]`.
        batch_size: examples in a batch, where `data` does not decide it.
        seed: the random seed of the order, where `data` does not decide it.

    Returns:
        An object whose `[step]` is a batch.

    Raises:
        TypeError: if it is none of these.
        ValueError: if it is empty, or a loader that does not know its length.
    """
    data = data.train if isinstance(data, Task) else data
    if isinstance(data, Split):
        return Batches(data, batch_size, seed)
    if isinstance(data, Dataset) and isinstance(_first(data), Batch | PairedBatch):
        return data
    if isinstance(data, Dataset) and hasattr(data, "__len__"):
        batch_size = whole_number("batch_size", batch_size, 1, "a batch holds at least 1 example")
        size = min(batch_size, len(data))  # type: ignore[arg-type]
        if not size:
            raise ValueError("this data set is empty, so there is nothing to learn from")
        data = DataLoader(data, size, shuffle=True, drop_last=True)
    if isinstance(data, DataLoader):
        return LoadedBatches(data, seed)
    if isinstance(data, Dataset) or not hasattr(data, "__getitem__"):
        raise TypeError(
            f"a {type(data).__name__} gives no batches by number; give a Task, a Split, a torch Dataset or DataLoader "
            "that knows its length, or an object of your own with batches[step]"
        )
    return data


def _first(data: Dataset) -> Any:
    """The first example of a data set; None if there is none, or none with a number."""
    try:
        return data[0]
    except (IndexError, KeyError, NotImplementedError):
        return None


class LoadedBatches:
    """The batches of a torch DataLoader by number: each epoch is a pass over it, in an order that the seed decides.

    Args:
        loader: yields (inputs, labels); what comes after those two is left out.
        seed: the random seed of the orders, unless the loader has a generator of its own.
        device: where the batches are brought.

    Raises:
        ValueError: if the loader does not know how many batches it has, or has none.

    Going on in the middle of an epoch reads the batches before again. A `Split` on the device is many times as fast.
    """

    def __init__(self, loader: DataLoader, seed: int = 0, device: torch.device | str = "cpu"):
        try:
            self.count = len(loader)
        except TypeError as error:
            raise ValueError(
                "this DataLoader does not know its length; give batches of your own, batches[step]"
            ) from error
        if not self.count:
            raise ValueError("this DataLoader has no batch, so there is nothing to learn from")
        self.loader, self.seed, self.device, self.batch_size = loader, seed, device, loader.batch_size
        self._next = -1
        self._pass: Iterator[Any] = iter(())

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return self.count

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step. Each is drawn from a seed of its own, in whatever order they are read."""
        place, batch = step % self.count, None
        begins = step if place and step == self._next else step - place
        self._next = -1  # until this batch is read: what raises has moved the pass
        others = (random.getstate(), np.random.get_state()) if begins < step else None
        with torch.random.fork_rng(devices=[]):
            for number in range(begins, step + 1):
                torch.default_generator.manual_seed(mixed_seed(self.seed, number))
                if others and number == step:  # what is read over again draws nothing from these
                    random.setstate(others[0])
                    np.random.set_state(others[1])
                if number == step - place:
                    self._pass = iter(self.loader)
                if (batch := next(self._pass, None)) is None:
                    raise ValueError(
                        f"the DataLoader promised {self.count} batches a pass, but ended after "
                        f"{number - step + place}; correct the __len__ of its data set"
                    )
        self._next = step + 1
        if not isinstance(batch, list | tuple) or not all(isinstance(part, Tensor) for part in batch[:2]):
            raise TypeError(
                f"the DataLoader yields a {type(batch).__name__}, but a batch is a pair (inputs, labels) of tensors; "
                "give it a collate_fn that returns one"
            )
        inputs, labels = batch[0], batch[1] if len(batch) > 1 else None
        if labels is not None and not labels.is_floating_point():
            labels = labels.long()
        kind = Images() if inputs.ndim == 4 else Kind()
        inputs = kind.prepared(inputs)
        if inputs.ndim == 4 and not step and inputs.abs().max() > WHOLE_BYTES:
            raise ValueError(
                f"images reach {float(inputs.abs().max()):g}, but lie in 0..1, or about 0 where they are normalised; "
                "let the data set divide 0..255 by 255"
            )
        return Batch(inputs.to(self.device), None if labels is None else labels.to(self.device))

    def to(self, device: torch.device | str) -> LoadedBatches:
        """The same batches, brought to `device`.

        Args:
            device: such as "cuda".

        Returns:
            Batches of the same loader and seed.
        """
        return LoadedBatches(self.loader, self.seed, device)

    def __getstate__(self) -> dict[str, Any]:
        """For copies: a pass under way cannot be copied, so that the copy begins one of its own."""
        return vars(self) | {"_next": -1, "_pass": iter(())}

    def __repr__(self) -> str:
        drawn = f"{type(self.loader.dataset).__name__}, {type(self.loader.sampler).__name__}"
        return f"{self.count} batches an epoch, of a DataLoader ({drawn})"
