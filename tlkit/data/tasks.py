"""What there is to learn: a `Split` is inputs with labels, a `Task` is the splits of one data set."""

from __future__ import annotations

import operator
import reprlib
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler, default_collate

from tlkit.data.kinds import Images, Kind, Stream, checked
from tlkit.words import listed

Labels = Tensor | Mapping[str, Tensor] | None


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Examples, their labels, and what they are.

    Args:
        inputs: `[n, ...]`, a tensor, or a stream (`tlkit.data.kinds.Stream`) if they do not fit into memory.
        labels: `[n]` whole numbers, those of the classes, held as int64; None if nobody knows them; of several tasks a
            dictionary by their names, with -1 where a label is not known.
        classes: the class names, in the order of the labels; of several tasks a dictionary by their names.
        kind: what the inputs are, such as `tl.data.Tokens(vocabulary)`; None recognises images
            `[n, channels, height, width]` and vectors `[n, d]` by their shape. Images lie in 0..1; of uint8 in 0..255
            they are scaled.
        files: `[n]`, the paths of the inputs in their folder, if they come from one.
        groups: `[n]`, who or what each example belongs to, such as a patient or a speaker.

    Raises:
        ValueError: if the shapes do not fit, a label is not the number of a class, or the kind refuses the inputs.
        TypeError: if the inputs are neither a tensor nor a stream, or `kind` is not a `Kind`.

    A part of a split is a split: `split[2:5]`, `split[mask]`, `split[numbers]`. `one + other` joins two, whose classes
    may stand in another order.

    >>> Split(torch.zeros(5, 1, 8, 8), torch.arange(5), tuple("abcde"))
    5 grey images of 8 x 8, 5 classes
    """

    inputs: Tensor | Stream
    labels: Labels
    classes: tuple[str, ...]  # of several tasks a mapping of such
    kind: Kind = None  # type: ignore[assignment]  # set when the split is made
    files: Sequence[str] | None = None
    groups: Sequence[Hashable] | None = None

    def __post_init__(self):
        inputs, kind = checked(self.inputs, self.kind)
        several = isinstance(self.labels, Mapping)
        classes: Any = self.classes
        classes = {name: tuple(of) for name, of in classes.items()} if isinstance(classes, Mapping) else tuple(classes)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "classes", classes)
        for name in ("files", "groups"):
            values = getattr(self, name)
            if values is None:
                continue
            if len(values) != len(self):
                raise ValueError(f"there are {len(self)} {kind.noun}s, but {len(values)} {name}; name one for each")
            object.__setattr__(self, name, tuple(values.tolist() if isinstance(values, Tensor) else values))
        if self.labels is None:
            return
        if several != isinstance(classes, Mapping) or (several and self.labels.keys() != classes.keys()):  # type: ignore
            raise ValueError("labels of several tasks need the classes of the same tasks, both by the task's name")
        every: dict[str, Any] = dict(self.labels) if isinstance(self.labels, Mapping) else {"": self.labels}
        for name, labels in every.items():
            count = len(classes[name] if several else classes)
            every[name] = self._class_numbers(labels, count, least=-1 if several else 0)
        object.__setattr__(self, "labels", every if several else every[""])

    def _class_numbers(self, labels: Any, classes: int, least: int) -> Tensor:
        """Labels as int64; ValueError if they do not fit the examples, or are not from `least` to `classes` - 1."""
        noun = self.kind.noun
        if not isinstance(labels, Tensor):
            try:
                labels = torch.as_tensor(labels, device=self.inputs.device)
            except (TypeError, ValueError, RuntimeError):  # as torch happens to name it
                raise ValueError(
                    f"labels are {reprlib.repr(labels)}, but one is the number of a class for each {noun}; "
                    "of names take [classes.index(name) for name in names]"
                ) from None
        if labels.shape != (len(self),):
            raise ValueError(
                f"there are {len(self)} {noun}s, but labels of shape {list(labels.shape)}; "
                f"give one whole number for each {noun}"
            )
        if labels.dtype.is_floating_point or labels.dtype.is_complex:
            raise ValueError(
                f"labels are {labels.dtype}, but class numbers are whole; use torch.as_tensor(labels).long()"
            )
        labels = labels.long()
        outside = (labels < least) | (labels >= classes)
        if outside.any():
            first = int(outside.nonzero()[0])
            raise ValueError(
                f"label {int(labels[first])} of {noun} {first} is out of range: {classes} classes have "
                f"the labels 0 to {classes - 1}; check the class list or subtract the smallest label"
            )
        return labels

    @property
    def images(self) -> Any:
        """The inputs of a split of images.

        Raises:
            AttributeError: if they are something else.
        """
        if not isinstance(self.kind, Images):
            raise AttributeError(f"these are {self.kind.noun}s, not images; take split.inputs")
        return self.inputs

    def one_label_each(self) -> Tensor | None:
        """The labels `[n]`, one of each example, or None if there are none.

        Raises:
            ValueError: if they are of several tasks.
        """
        if isinstance(self.labels, Mapping):
            names, first = ", ".join(self.labels), next(iter(self.labels))
            raise ValueError(f"these labels are of several tasks ({names}); choose one, as in split.of({first!r})")
        return self.labels

    def required_labels(self, why: str) -> Tensor:
        """The labels, for a caller that cannot do without them.

        Args:
            why: how the error ends, such as "so there is nothing to learn".

        Returns:
            `[n]` int64.

        Raises:
            ValueError: if there are none, or if they are of several tasks.
        """
        labels = self.one_label_each()
        if labels is None:
            raise ValueError(f"this split has no labels, {why}")
        return labels

    def of(self, task: str) -> Self:
        """The examples whose label in one of several tasks is known, with that label.

        Args:
            task: its name, one of the keys of `labels`.

        Returns:
            A split with labels of this task alone.

        Raises:
            ValueError: if there are no labels of that name.
        """
        if not isinstance(self.labels, Mapping) or task not in self.labels:
            names = ", ".join(self.labels) if isinstance(self.labels, Mapping) else "one without a name"
            raise ValueError(f"there are no labels of a task {task!r}; this split has those of {names}")
        classes: Any = self.classes
        return self._with(labels=self.labels[task], classes=classes[task])[self.labels[task] >= 0]

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: Tensor | slice) -> Self:
        """The part of the split that `index` (a slice, a mask or numbers of examples) chooses.

        Raises ValueError for a single number: one example is a part as well, `split[0:1]`.
        """
        if not isinstance(index, slice) and (index := torch.as_tensor(index)).ndim != 1:
            raise ValueError("a part of a split is chosen by a slice, a mask or numbers [k]; one example is split[0:1]")
        inputs = self.inputs[index] if isinstance(self.inputs, Tensor) else self.inputs.part(index)
        columns = [self.files, self.groups]
        numbers = numbers_chosen(index, len(self)) if columns != [None, None] else []
        files, groups = (column and tuple(column[n] for n in numbers) for column in columns)
        return self._with(inputs=inputs, labels=by_task(self.labels, lambda t: t[index]), files=files, groups=groups)

    def __add__(self, other: Split) -> Self:
        """The examples of both splits, with the classes in the order of the first; without labels if one has none.

        Raises ValueError if they are of two kinds or sizes, or their labels are of different classes.
        """
        if (self.kind, self.inputs.shape[1:]) != (other.kind, other.inputs.shape[1:]):
            raise ValueError(f"{self} cannot be joined to {other}; bring both to one kind and one size")
        labelled = self.labels is not None and other.labels is not None
        other = other.with_classes(self.classes) if labelled else other
        in_memory = isinstance(self.inputs, Tensor) and isinstance(other.inputs, Tensor)
        inputs = torch.cat([self.inputs, other.inputs]) if in_memory else self.inputs + other.inputs  # type: ignore[list-item, operator]
        labels = by_task(self.labels, lambda one, two: torch.cat([one, two]), other.labels) if labelled else None
        pairs = (self.files, other.files), (self.groups, other.groups)
        files, groups = (None if one is None or two is None else (*one, *two) for one, two in pairs)
        return self._with(inputs=inputs, labels=labels, files=files, groups=groups)

    def with_classes(self, classes: Any) -> Self:
        """The same examples with the classes in another order: each label keeps its meaning, and so gets its number.

        Args:
            classes: the same names, each once; of several tasks a dictionary by their names.

        Returns:
            A new split, or this one if the order is the same.

        Raises:
            ValueError: if the names are others, or one stands for several classes.
        """
        if classes == self.classes:
            return self
        several = isinstance(classes, Mapping)
        old, new = ({**of} if isinstance(of, Mapping) else {"": of} for of in (self.classes, classes))
        the_same = (len(names) == len({*names} & {*new[of]}) == len(new[of]) for of, names in old.items())
        if old.keys() != new.keys() or not all(the_same):
            raise ValueError(
                f"the classes are {classes} and {self.classes}, so that one label would mean two things; rename or "
                "regroup them until both splits have the same"
            )
        places: Any = {of: torch.tensor([*map(new[of].index, names), -1]) for of, names in old.items()}  # -1: not known
        moved = by_task(self.labels, lambda labels, to: to.to(labels.device)[labels], places if several else places[""])
        return self._with(labels=moved, classes=classes)

    def without_labels(self) -> Self:
        """The same examples, as if nobody knew their classes."""
        return self._with(labels=None)

    def to(self, device: torch.device | str) -> Self:
        """The same split with its tensors on `device`.

        Args:
            device: such as "cuda".

        Returns:
            A new split; this one stays where it is.
        """
        return self._with(inputs=self.inputs.to(device), labels=by_task(self.labels, lambda t: t.to(device)))

    def fingerprint(self) -> str:
        """A short word, cheap to compute, that hardly any other data share.

        It is made of the kind, the shape, the class names, and some 32 examples with their labels and files.
        """
        sample = self[torch.arange(0, len(self), max(len(self) // 32, 1))]
        tensors = [*_values(sample.labels), *([sample.inputs.detach()] if isinstance(sample.inputs, Tensor) else [])]
        numbers = b"".join(tensor.cpu().double().numpy().tobytes() for tensor in tensors)
        about = repr((self.kind, [*self.inputs.shape], self.classes, sample.files)).encode()
        return f"{zlib.crc32(about + numbers):08x}"

    def _with(self, **changes: Any) -> Self:
        """A copy with these fields, not checked again: a part of good data is good."""
        changed = copy(self)
        for name, value in changes.items():
            object.__setattr__(changed, name, value)
        return changed

    def __repr__(self) -> str:
        kind, shape = self.kind, self.inputs.shape
        what = f"{len(self):,} {kind.adjective(shape)}{kind.noun}s {kind.size(shape)}"
        return f"{what}, {'no labels' if self.labels is None else _counted(self.classes)}"


def as_split(data: Any, classes: Sequence[str] | None = None, kind: Kind | None = None) -> Split:
    """Data in PyTorch's own form as a split.

    Args:
        data: a torch Dataset whose examples begin with (tensor, class number), or a list of such; a DataLoader of such
            batches, read once as it is; or a `Split`, which comes back as it is.
        classes: the class names, in the order of the numbers; by default what the data set calls its `classes`, else
            the numbers themselves.
        kind: what the examples are, as for `Split`; by default their shape and type tell.

    Returns:
        A split that holds all examples in memory.

    Raises:
        TypeError: if they cannot be read by number, or are not pairs that begin with a tensor or an array.
        ValueError: if there are none, or they make no split.

    Each example is read once: random changes belong into `augment=` of an objective, not into the data set.
    """
    if isinstance(data, Split):
        return data
    if isinstance(data, DataLoader) and _shows_all(data):
        data = data.dataset
    elif isinstance(data, DataLoader):  # its sampler and its collate_fn decide what is in it
        whole = [[*map(torch.as_tensor, columns)] for columns in zip(*(batch[:2] for batch in data), strict=True)]
        pairs = list(zip(*(torch.cat(column) for column in whole), strict=True)) if whole else []
        return as_split(pairs, classes or _class_names(data.dataset), kind)
    by_number = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    if isinstance(data, Tensor | Mapping | IterableDataset) or not by_number:
        raise TypeError(
            f"a {type(data).__name__} cannot be made into a split: that takes len(data) examples data[i], each "
            "(tensor, class number); of a task give one of its splits, such as task.train, and make a split of tensors "
            "by tl.data.Split(inputs, labels, classes)"
        )
    if not len(data):
        raise ValueError(f"the {type(data).__name__} has no examples")
    first = data[0]
    if not isinstance(first, tuple | list) or len(first) < 2:
        raise TypeError(
            f"the examples of this {type(data).__name__} are a {type(first).__name__} each, but a split is made of "
            "pairs (tensor, class number)"
        )
    if not hasattr(first[0], "dtype"):
        raise TypeError(
            f"the examples of this {type(data).__name__} begin with a {type(first[0]).__name__}, not a tensor; of "
            "pictures a data set makes tensors with transform=torchvision.transforms.ToTensor()"
        )
    pairs = [data[number] for number in range(len(data))]
    inputs = [torch.as_tensor(one) for one, *_ in pairs]
    try:
        labels = [operator.index(label) for _, label, *_ in pairs]
    except TypeError as error:
        raise TypeError(f"the labels of this {type(data).__name__} are no class numbers, 0, 1, ...: {error}") from error
    classes = classes or _class_names(data)
    alike = len({one.shape for one in inputs}) == 1
    names = range(max(labels) + 1) if classes is None else classes
    return Split(torch.stack(inputs) if alike else inputs, labels, tuple(map(str, names)), kind)  # type: ignore[arg-type]


def _shows_all(loader: DataLoader) -> bool:
    """Whether a loader gives each example of its data set once, as it is: its order does not matter then."""
    again = getattr(loader.sampler, "replacement", False)
    usual = isinstance(loader.sampler, SequentialSampler | RandomSampler) and not again
    return usual and len(loader.sampler) == len(loader.dataset) and loader.collate_fn is default_collate  # type: ignore


def _class_names(data: Any) -> Sequence[str] | None:
    """What a torch data set calls its `classes`; a part of one knows it as its `dataset`."""
    classes = None
    while classes is None and data is not None:
        data, classes = getattr(data, "dataset", None), getattr(data, "classes", None)
    return classes


def by_task(labels: Labels, change: Callable[..., Tensor], *others: Labels) -> Any:
    """`change` applied to the labels, with `others` beside them, task by task if there are several; None stays None."""
    if isinstance(labels, Mapping):
        return {name: change(one, *(other[name] for other in others)) for name, one in labels.items()}  # type: ignore[index]
    return None if labels is None else change(labels, *others)


def _values(labels: Labels) -> list[Tensor]:
    """The label tensors: of one task, of several, or none."""
    return [*labels.values()] if isinstance(labels, Mapping) else [] if labels is None else [labels]


def _counted(classes: Any) -> str:
    """How many classes there are, of each task where there are several."""
    if not isinstance(classes, Mapping):
        return f"{len(classes)} classes"
    return ", ".join(f"{name} of {len(of)} classes" for name, of in classes.items())


def _shifted(split: Split, shift: Callable[[Any], Any]) -> Split:
    """The same examples with what a shift, which may write into its inputs, makes of them."""
    inputs = shift(split.inputs.clone() if isinstance(split.inputs, Tensor) else split.inputs)
    if len(inputs) != len(split):
        raise ValueError(f"the shift made {len(inputs)} inputs of {len(split)} {split.kind.noun}s; it returns one each")
    return replace(split, inputs=inputs)


def require_same_classes(source: Sequence[str], target: Sequence[str]) -> None:
    """Raise ValueError, naming the classes, if two domains do not have the same."""
    if differ := {*source} ^ {*target}:
        raise ValueError(
            f"source and target have other classes: {listed(sorted(map(repr, differ)))} in one of them only; a label "
            "must mean the same in both, so leave these classes out, or rename them"
        )


def whole_number(name: str, value: Any, least: int, why: str) -> int:
    """`value` as an int, numpy's and torch's too; ValueError, with `why`, if it is none or less than `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r}, but it is a whole number: {why}") from None
    if number < least:
        raise ValueError(f"{name}={value!r}, but {why}")
    return number


def numbers_chosen(index: Any, count: int) -> list[int]:
    """Which numbers of 0 to `count` - 1 a slice, a mask or numbers choose."""
    return torch.arange(count)[index.cpu() if isinstance(index, Tensor) else index].view(-1).tolist()


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """A data set to learn from and to be tested on.

    Args:
        name: what the data are, such as "handwritten digits".
        train: the examples to learn from; this and the others are splits or what `tl.data.as_split` takes.
        validation: those that choose settings.
        test: those that are tested once, at the end.
        unlabelled: examples of the same kind whose labels are not learnt from, or None.
        redraw: called with a seed, it draws all splits anew from all examples; None if the split is fixed.
        two_domains: whether `unlabelled` and `test` come from another domain than `train`, as `adapted_to` makes it:
            the examples that `few_labels` leaves over do not belong to `unlabelled` then.

    Where the same classes stand in another order, they are put into that of `train`. A split of other classes stays as
    it is: it is for networks that know those.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    unlabelled: Split | None = None
    redraw: Callable[[int], Task] | None = None
    two_domains: bool = False

    def __post_init__(self):
        for name, split in vars(self).items():
            if name not in ("name", "redraw", "two_domains") and split is not None:
                own = name == "train" or isinstance(split, Split) or _class_names(split) is not None
                object.__setattr__(self, name, as_split(split, None if own else self.train.classes))
        for name in ("validation", "test", "unlabelled"):
            split = getattr(self, name)
            if split is None:
                continue
            with suppress(ValueError):  # other classes: what a network keeps of an earlier task is tested so
                object.__setattr__(self, name, split.with_classes(self.train.classes))

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the labels."""
        return self.train.classes

    def few_labels(self, per_class: int, seed: int = 0) -> Task:
        """Keep the labels of some random training examples of each class; the others become `unlabelled`.

        Args:
            per_class: how many labels of each class are kept; with 0 nothing is left to train on.
            seed: which examples keep theirs. The split is redrawn first where the task can (`redraw`), so that a seed
                stands for everything that is random.

        Returns:
            A task with a small `train` and a large `unlabelled`, whose hidden labels are for diagnosis only.

        Raises:
            ValueError: if `per_class` is no whole number, below 0 or above the size of the smallest class, or there are
                no labels.

        >>> import tlkit as tl
        >>> tl.data.digits().few_labels(1).train
        10 grey images of 8 x 8, 10 classes
        """
        per_class = whole_number("per_class", per_class, 0, "a class keeps at least 0 labels")
        task = self.redraw(seed) if self.redraw else self
        labels = task.train.required_labels(f"so none of {self.name!r} can be kept")
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
        noun, labelled = task.train.kind.noun, torch.zeros(len(labels), dtype=torch.bool)
        for number, name in enumerate(self.classes):
            members = order[labels[order] == number]
            if len(members) < per_class:
                raise ValueError(
                    f'per_class={per_class}, but class "{name}" has only {len(members)} training {noun}s; '
                    f"use at most {int(labels.bincount(minlength=len(self.classes)).min())} or another class list"
                )
            labelled[members[:per_class]] = True
        unlabelled = task.unlabelled
        if not task.two_domains:
            others = task.train[~labelled]
            unlabelled = others if unlabelled is None else unlabelled + others
        return replace(task, train=task.train[labelled], unlabelled=unlabelled, redraw=None)

    def of(self, task: str) -> Task:
        """One of several tasks alone, whose labels each split holds by name.

        Args:
            task: its name.

        Returns:
            A task of the examples whose label in it is known; see `Split.of`.

        Raises:
            ValueError: if there are no labels of that name.
        """
        parts = {name: part and part.of(task) for name, part in vars(self).items() if isinstance(part, Split)}
        redraw = self.redraw and (lambda seed, redraw=self.redraw: redraw(seed).of(task))
        return replace(self, name=f"{self.name}, {task}", **parts, redraw=redraw)

    def with_fixed_split(self) -> Task:
        """The same task with the same test examples for every seed: `few_labels` then draws labels only.

        For a network that was pre-trained on this task's own unlabelled images, which must never be test images.
        """
        return replace(self, redraw=None)

    def shifted(self, shift: Callable[[Any], Any]) -> Task:
        """The same task in another style: every image of it changed, every label kept.

        Args:
            shift: from images `[n, channels, height, width]` to such, as a `tl.data.Shift`; or any change of inputs.

        Returns:
            A task whose splits hold the changed inputs; it is redrawn as this one is.

        Raises:
            ValueError: if the shift refuses the inputs, or gives back another number of them.
        """
        parts = {part: _shifted(split, shift) for part, split in vars(self).items() if isinstance(split, Split)}
        redraw = self.redraw and (lambda seed, redraw=self.redraw: redraw(seed).shifted(shift))
        name = getattr(shift, "__name__", str(shift))
        return replace(self, name=f"{self.name}, {name}", **parts, redraw=redraw)

    def adapted_to(self, target: Task) -> Task:
        """Domain adaptation: this task's labels are the source, another domain without labels is the target.

        Args:
            target: a task with the same classes, such as `task.shifted(shift)`.

        Returns:
            A task with half of this one's training examples, drawn at random, as `train`, its validation examples, half
            of the target's training examples, without labels, as `unlabelled`, and the target's test examples. Where
            the target is this task seen otherwise the halves are opposite ones, so that no example is in both. It is
            redrawn if both can be.

        Raises:
            ValueError: if the classes differ, labels are of several tasks, or a domain has fewer than 2 examples to
                train on.

        >>> import tlkit as tl
        >>> digits = tl.data.digits()
        >>> both = digits.adapted_to(digits.shifted(tl.data.Shift("contrast")))
        >>> len(both.train), len(both.unlabelled), both.unlabelled.labels is None
        (498, 499, True)
        """
        for domain in (self, target):
            domain.train.one_label_each()
            if len(domain.train) < 2:
                raise ValueError(
                    f"{domain.name} has {len(domain.train)} {domain.train.kind.noun}s to learn from; give at least 2"
                )
        require_same_classes(self.classes, target.classes)
        both = self.redraw, target.redraw
        redraw = all(both) and (lambda seed, both=both: both[0](seed).adapted_to(both[1](seed)))  # type: ignore[misc]
        ours, theirs = (
            torch.randperm(n, generator=torch.Generator().manual_seed(0)) for n in (len(self.train), len(target.train))
        )
        return Task(
            f"{self.name} to {target.name}",
            self.train[ours[: len(ours) // 2]],
            self.validation,
            target.test,
            target.train[theirs[len(theirs) // 2 :]].without_labels(),
            redraw or None,
            two_domains=True,
        )

    def with_shuffled_labels(self, seed: int = 0) -> Task:
        """The same images with their training labels shuffled: a source that can teach nothing about its classes.

        Args:
            seed: the random seed of the order.

        Returns:
            A task with the same training labels in another order, whose split is not redrawn.

        Raises:
            ValueError: if the training images have no labels.
        """
        labels = self.train.required_labels(f"so none of {self.name!r} can be shuffled")
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        train = replace(self.train, labels=labels[order])
        return replace(self, name=f"{self.name}, labels shuffled", train=train, redraw=None)

    def __repr__(self) -> str:
        parts = {"train": self.train, "validation": self.validation, "test": self.test, "unlabelled": self.unlabelled}
        counts = ", ".join(f"{len(split):,} {name}" for name, split in parts.items() if split is not None)
        kind, shape = self.train.kind, self.train.inputs.shape
        return f"{self.name}: {_counted(self.classes)}, {counts} {kind.noun}s {kind.size(shape)}"
