"""What there is to learn: a `Split` is images with labels, a `Task` is the splits of one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels.

    `images` [n, channels, height, width] float32 in 0..1, `labels` [n] int64 or None, `classes` the class names;
    `files` [n], if the images come from a folder: their paths in it. Images too many for the memory stay on disk.
    Raises ValueError if the shapes do not fit or a label is not the number of a class.
    """

    images: Tensor
    labels: Tensor | None
    classes: tuple[str, ...]
    files: tuple[str, ...] | None = None

    def __post_init__(self):
        if self.images.ndim != 4:
            raise ValueError(
                f"images have the shape {list(self.images.shape)}, but a Split needs [n, channels, height, width]; "
                "one grey image is images[None, None]"
            )
        if self.files is not None and len(self.files) != len(self.images):
            raise ValueError(f"there are {len(self.images)} images, but {len(self.files)} files; name one for each")
        if self.labels is None:
            return
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"there are {len(self.images)} images, but labels of shape {list(self.labels.shape)}; "
                "give one whole number for each image"
            )
        if self.labels.dtype != torch.int64:
            raise ValueError(f"labels are {self.labels.dtype}, but class numbers are torch.int64; use labels.long()")
        outside = (self.labels < 0) | (self.labels >= len(self.classes))
        if outside.any():
            first = int(outside.nonzero()[0])
            raise ValueError(
                f"label {int(self.labels[first])} of image {first} is out of range: {len(self.classes)} classes have "
                f"the labels 0 to {len(self.classes) - 1}; check the class list or subtract the smallest label"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor | slice) -> Split:
        """The part of the split that `index` (a slice, a mask or image numbers) chooses."""
        images = self.images[index] if isinstance(self.images, Tensor) else self.images.part(index)
        files = self.files and tuple(self.files[number] for number in numbers_chosen(index, len(self)))
        return replace(self, images=images, labels=None if self.labels is None else self.labels[index], files=files)

    def __add__(self, other: Split) -> Split:
        """The images of both; without labels if one of them has none."""
        labels = None if self.labels is None or other.labels is None else torch.cat([self.labels, other.labels])
        files = None if self.files is None or other.files is None else self.files + other.files
        held = isinstance(self.images, Tensor) and isinstance(other.images, Tensor)
        images = torch.cat([self.images, other.images]) if held else self.images + other.images
        return replace(self, images=images, labels=labels, files=files)

    def without_labels(self) -> Split:
        """The same images, of which nobody knows the class."""
        return replace(self, labels=None)

    def to(self, device: torch.device | str) -> Split:
        """The same split with its tensors on `device`."""
        return replace(
            self, images=self.images.to(device), labels=None if self.labels is None else self.labels.to(device)
        )

    def __repr__(self) -> str:
        channels, height, width = self.images.shape[1:]
        colour = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
        labelled = "no labels" if self.labels is None else f"{len(self.classes)} classes"
        return f"{len(self):,} {colour} images of {height} x {width}, {labelled}"


def numbers_chosen(index: Any, count: int) -> list[int]:
    """The numbers, of `count`, that a slice, a mask or image numbers choose."""
    return torch.arange(count)[index.cpu() if isinstance(index, Tensor) else index].view(-1).tolist()


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """A data set to learn from and to be tested on.

    `redraw(seed)`, where a task has one, draws train, validation and test anew from all its images.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    unlabelled: Split | None = None
    redraw: Callable[[int], Task] | None = field(default=None)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the labels."""
        return self.train.classes

    def few_labels(self, per_class: int, seed: int = 0) -> Task:
        """Keep the labels of `per_class` random training images of each class; the others become `unlabelled`.

        The split is redrawn first where the task can (`redraw`), so that a seed stands for everything that is drawn.
        The unlabelled images keep their hidden labels, for diagnosis only.

        >>> import tlkit as tl
        >>> tl.data.digits().few_labels(1).train
        10 grey images of 8 x 8, 10 classes

        Raises ValueError if `per_class` is not at least 1, or larger than the smallest class.
        """
        if per_class < 1:
            raise ValueError(f"per_class={per_class}, but each class needs at least 1 labelled image")
        task = self.redraw(seed) if self.redraw else self
        labels = task.train.labels
        if labels is None:
            raise ValueError(f"the training images of {self.name!r} have no labels, so none can be kept")
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
        chosen = torch.zeros(len(labels), dtype=torch.bool)
        for number, name in enumerate(self.classes):
            members = order[labels[order] == number]
            if len(members) < per_class:
                raise ValueError(
                    f'per_class={per_class}, but class "{name}" has only {len(members)} training images; '
                    f"use at most {int(labels.bincount(minlength=len(self.classes)).min())} or another class list"
                )
            chosen[members[:per_class]] = True
        left = task.train[~chosen]
        unlabelled = left if task.unlabelled is None else task.unlabelled + left
        return replace(task, train=task.train[chosen], unlabelled=unlabelled, redraw=None)

    def with_fixed_split(self) -> Task:
        """The same task, whose test images stay the same for every seed: `few_labels` draws labels only.

        For a network that was pre-trained on this task's own unlabelled images, which must never be test images.
        """
        return replace(self, redraw=None)

    def with_shuffled_labels(self, seed: int = 0) -> Task:
        """The same images with their training labels shuffled: a source with nothing to teach about its classes."""
        if self.train.labels is None:
            raise ValueError(f"the training images of {self.name!r} have no labels to shuffle")
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        train = replace(self.train, labels=self.train.labels[order])
        return replace(self, name=f"{self.name}, labels shuffled", train=train, redraw=None)

    def __repr__(self) -> str:
        parts = {"train": self.train, "validation": self.validation, "test": self.test, "unlabelled": self.unlabelled}
        counts = ", ".join(f"{len(split):,} {name}" for name, split in parts.items() if split is not None)
        _, height, width = self.train.images.shape[1:]
        return f"{self.name}: {len(self.classes)} classes, {counts} images of {height} x {width}"
