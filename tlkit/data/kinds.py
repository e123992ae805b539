"""What kind of thing is learnt from: how inputs of a kind are checked, said in words, and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

COLUMNS, ROWS = 96, 32  # pixels of a sound's picture


class Stream(Protocol):
    """Inputs that stay where they are until they are asked for: to a Split they are a tensor [n, ...]."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device
    ndim: int

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Tensor: ...
    def __add__(self, other: Any, /) -> Stream: ...
    def part(self, index: Any) -> Stream:
        """The inputs that a slice, a mask or numbers choose, still unread."""
        ...

    def to(self, device: torch.device | str) -> Stream:
        """The same inputs, to be read onto `device`."""
        ...

    def split(self, size: int) -> Iterable[Tensor]:
        """The inputs in tensors of `size` of them, one after the other."""
        ...


@dataclass(frozen=True)
class Kind:
    """What inputs [n, ...] are, n examples of them.

    A kind of your own says its `noun`, what `check` refuses, and the `size` of one example in words.
    """

    noun: ClassVar[str] = "example"

    def check(self, inputs: Tensor | Stream) -> None:
        """Raise ValueError, with what to do, if `inputs` are not of this kind. Of a stream only the shape is known."""

    def size(self, shape: torch.Size) -> str:
        """How large one example is, for inputs of this `shape`: "images" have the size "of 8 x 8"."""
        return f"of {' x '.join(map(str, shape[1:]))}"

    def adjective(self, shape: torch.Size) -> str:
        """What else is said of all examples, such as "grey", or nothing."""
        return ""

    def pictures(self, inputs: Tensor) -> Tensor:
        """Each example as an image [n, channels, height, width] in 0..1. Raises TypeError if that says nothing."""
        raise TypeError(f"{self.noun}s have no picture; a page shows {' and '.join(map(_plural, PICTURED))}")


@dataclass(frozen=True)
class Images(Kind):
    """Images [n, channels, height, width], floating point in 0..1: grey with one channel, in colour with three."""

    noun: ClassVar[str] = "image"

    def check(self, inputs: Tensor | Stream) -> None:
        """Raises ValueError for another number of dimensions, whole numbers, or values that are no finite numbers."""
        if inputs.ndim != 4:
            raise ValueError(
                f"images have the shape {list(inputs.shape)}, but a Split needs [n, channels, height, width]; "
                "one grey image is images[None, None]"
            )
        if not inputs.dtype.is_floating_point:
            raise ValueError(f"images are {inputs.dtype}, but they are fractions in 0..1; use images.float() / 255")
        _require_finite(self, inputs)

    def adjective(self, shape: torch.Size) -> str:
        """The colour."""
        return {1: "grey ", 3: "colour "}.get(shape[1], f"{shape[1]}-channel ")

    def size(self, shape: torch.Size) -> str:
        """Height and width."""
        return f"of {shape[2]} x {shape[3]}"

    def pictures(self, inputs: Tensor) -> Tensor:
        """The images themselves."""
        return inputs


@dataclass(frozen=True)
class Vectors(Kind):
    """Vectors [n, d] of floating-point numbers: measurements, a table's columns, or the features of a network."""

    noun: ClassVar[str] = "vector"

    def check(self, inputs: Tensor | Stream) -> None:
        """Raises ValueError for another number of dimensions, whole numbers, or values that are no finite numbers."""
        if inputs.ndim != 2 or not inputs.dtype.is_floating_point:
            raise ValueError(
                f"{self.noun}s are floating-point numbers of the shape [n, d], not {_described(inputs)}; "
                "use values.flatten(1).float()"
            )
        _require_finite(self, inputs)

    def size(self, shape: torch.Size) -> str:
        """How many numbers each has."""
        return f"of {shape[1]:,} numbers"


@dataclass(frozen=True)
class Tokens(Kind):
    """Texts [n, length] int64: each number is the place of a symbol in `vocabulary`, and 0 is padding.

    `separator` stands between two symbols when a text is written out: nothing for letters, a space for words.

    >>> words = torch.tensor([[1, 2, 3], [3, 1, 0]])
    >>> letters = Tokens(("", "a", "b", "c"))
    >>> letters.written(words), Tokens.mask(words).tolist()
    (['abc', 'ca'], [[True, True, True], [True, True, False]])
    """

    vocabulary: tuple[str, ...]
    separator: str = ""
    noun: ClassVar[str] = "text"

    def check(self, inputs: Tensor | Stream) -> None:
        """Raises ValueError for another shape or type, a token outside the vocabulary, or a text that is empty."""
        if inputs.ndim != 2 or inputs.dtype != torch.int64:
            raise ValueError(
                f"texts are torch.int64 of the shape [n, length], not {_described(inputs)}; give each symbol its place "
                "in the vocabulary, and pad shorter texts with 0"
            )
        if not isinstance(inputs, Tensor) or not len(inputs):
            return
        outside = (inputs < 0) | (inputs >= len(self.vocabulary))
        if outside.any():
            text, place = outside.nonzero()[0].tolist()
            raise ValueError(
                f"token {int(inputs[text, place])} of text {text} is out of range: the vocabulary has "
                f"{len(self.vocabulary)} symbols, 0 (padding) to {len(self.vocabulary) - 1}; give the vocabulary that "
                "these tokens were made with"
            )
        empty = ~self.mask(inputs).any(1)
        if empty.any():
            raise ValueError(
                f"text {int(empty.nonzero()[0])} is empty: all of its tokens are padding (0), so a mask would leave "
                "nothing to read; take it out"
            )

    @staticmethod
    def mask(inputs: Tensor) -> Tensor:
        """Which tokens are symbols and not padding: [n, length] bool."""
        return inputs != 0

    def size(self, shape: torch.Size) -> str:
        """How long the longest may be."""
        return f"of at most {shape[1]} tokens"

    def written(self, inputs: Tensor) -> list[str]:
        """Each text in its symbols, without the padding."""
        return [self.separator.join(self.vocabulary[t] for t in text if t) for text in inputs.tolist()]


@dataclass(frozen=True)
class Waves(Kind):
    """Sounds [n, samples], floating point in -1..1, with `rate` samples a second."""

    rate: int
    noun: ClassVar[str] = "sound"

    def check(self, inputs: Tensor | Stream) -> None:
        """Raises ValueError for another shape or type, values far outside -1..1 or no finite numbers, and silence."""
        if inputs.ndim != 2 or not inputs.dtype.is_floating_point:
            raise ValueError(
                f"sounds are fractions of the shape [n, samples], not {_described(inputs)}; mix channels to one, "
                "and of whole numbers take samples.float() / 32768"
            )
        _require_finite(self, inputs)
        if not isinstance(inputs, Tensor) or not inputs.numel():
            return
        loudest = inputs.abs().amax(1)
        if loudest.max() > 2:  # a decoder may overshoot 1 a little
            raise ValueError(
                f"sound {int(loudest.argmax())} reaches {float(loudest.max()):g}, but samples lie in -1..1; "
                "of 16-bit samples take samples / 32768"
            )
        if not loudest.all():
            raise ValueError(f"sound {int(loudest.argmin())} is silent from beginning to end; take it out")

    def size(self, shape: torch.Size) -> str:
        """Length and rate."""
        seconds = shape[1] / self.rate
        return f"of {seconds:{'.1f' if seconds > 0.95 else '.2g'}} s at {self.rate / 1000:g} kHz"

    def pictures(self, inputs: Tensor) -> Tensor:
        """How far each wave swings: [n, 1, 32, 96], time from left to right, the loudest sample at full height."""
        columns = torch.stack([part.abs().amax(1) for part in inputs.tensor_split(min(COLUMNS, inputs.shape[1]), 1)], 1)
        reach = columns / columns.amax(1, keepdim=True).clamp_min(1e-12)
        height = (torch.arange(ROWS, device=inputs.device) - (ROWS - 1) / 2).abs() * 2 / ROWS
        return (height[:, None] <= reach[:, None, :])[:, None].float()


PICTURED: tuple[type[Kind], ...] = (Images, Waves)


def checked_kind(inputs: Any, given: Kind | None = None) -> Kind:
    """The kind of these inputs: the `given` one, else what their shape and type must be; checked.

    Raises TypeError for what is no tensor or stream, ValueError if the kind cannot be told or refuses them.
    """
    if not isinstance(inputs, Tensor) and not hasattr(inputs, "part"):
        tensors = (
            [list(one.shape) for one in inputs if isinstance(one, Tensor)] if isinstance(inputs, list | tuple) else []
        )
        shapes = f" of tensors of the shapes {tensors[:3]} and so on" if tensors else ""
        raise TypeError(
            f"inputs are a {type(inputs).__name__}{shapes}, but one tensor [n, ...] holds all examples: torch.stack "
            "joins tensors of one shape, torch.nn.utils.rnn.pad_sequence texts of several lengths; sounds are cut or "
            "padded to one length; of numpy's arrays take torch.from_numpy(array)"
        )
    kind = given
    if kind is None and inputs.dtype.is_floating_point and inputs.ndim <= 4:
        kind = Vectors() if inputs.ndim == 2 else Images()
    if kind is None and inputs.ndim == 4:
        kind = Images()
    if kind is None:
        raise ValueError(
            f"{_described(inputs)} may be anything; say what they are: kind=tl.data.Tokens(vocabulary) for whole "
            "numbers [n, length], tl.data.Waves(rate) for sounds, or a tl.data.Kind of your own"
        )
    kind.check(inputs)
    return kind


def _require_finite(kind: Kind, inputs: Tensor | Stream) -> None:
    if isinstance(inputs, Tensor) and not inputs.isfinite().all():
        first = int((~inputs.isfinite()).flatten(1).any(1).nonzero()[0])
        raise ValueError(f"{kind.noun} {first} has values that are no finite numbers (NaN or infinity); take it out")


def _described(inputs: Tensor | Stream) -> str:
    return f"{inputs.dtype} of the shape {list(inputs.shape)}"


def _plural(kind: type[Kind]) -> str:
    return f"{kind.noun}s"
