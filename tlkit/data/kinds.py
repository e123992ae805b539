"""The kinds of examples a network learns from: how each is checked, described in words, and drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

COLUMNS, ROWS = 96, 32  # pixels of a sound's picture
OVERSHOOT = 0.25  # how far outside 0..1 an image may reach: a bicubic resampling overshoots at edges


class Stream(Protocol):
    """Inputs that are read only when they are needed: a `Split` uses them like a tensor `[n, ...]`."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Tensor: ...
    def __add__(self, other: Any, /) -> Stream: ...
    def part(self, index: Any) -> Stream: ...  # the part that a slice, a mask or numbers choose, still unread
    def to(self, device: torch.device | str) -> Stream: ...  # to be read onto that device
    def split(self, size: int) -> Iterable[Tensor]: ...  # in tensors of `size` inputs, one after the other


@dataclass(frozen=True)
class Kind:
    """What inputs `[n, ...]` are: how they are checked, described in words, and drawn.

    A subclass sets `noun` and what its inputs look like: `ndim` (0: any), `dtype` (None: any floating point), `shape`
    in words, and `repair`, what to do with other inputs. A kind of your own overrides what it needs.
    """

    noun: ClassVar[str] = "example"
    ndim: ClassVar[int] = 0  # 0: any
    dtype: ClassVar[torch.dtype | None] = None  # any that is floating point
    shape: ClassVar[str] = "[n, ...]"
    repair: ClassVar[str] = ""  # what to do with other inputs

    def prepared(self, inputs: Tensor) -> Tensor:
        """Inputs as a split holds them.

        Args:
            inputs: `[n, ...]`, not checked yet.

        Returns:
            The same numbers; those of double precision, as numpy makes them, in the precision that networks have.
        """
        return inputs.to(torch.get_default_dtype()) if inputs.dtype == torch.float64 else inputs

    def check(self, inputs: Tensor | Stream) -> None:
        """Refuse inputs that are not of this kind.

        Args:
            inputs: `[n, ...]`; of a stream only the shape and the type can be checked.

        Raises:
            ValueError: for another shape or type, or values that are not finite; it says what to do.
        """
        fits = inputs.dtype == self.dtype if self.dtype else inputs.dtype.is_floating_point
        if self.ndim not in (0, len(inputs.shape)) or not fits:
            numbers = self.dtype or "fractions"
            raise ValueError(
                f"{self.noun}s are {numbers} of the shape {self.shape}, but these are {inputs.dtype} of the shape "
                f"{list(inputs.shape)}; {self.repair}"
            )
        if isinstance(inputs, Tensor) and (first := first_not_finite(inputs)) is not None:
            raise ValueError(f"{self.noun} {first} has values that are not finite (NaN, infinity); take it out")

    def size(self, shape: torch.Size) -> str:
        """How large one example is, in words.

        Args:
            shape: the inputs' shape, `[n, ...]`.

        Returns:
            Words to stand after the noun: "of 8 x 8", "of 64 numbers", "of at most 12 tokens", "of 1.0 s at 16 kHz".
        """
        return f"of {' x '.join(map(str, shape[1:]))}"

    def adjective(self, shape: torch.Size) -> str:
        """What else describes all examples, such as "grey ".

        Args:
            shape: the inputs' shape, `[n, ...]`.

        Returns:
            A word and a space to stand before the noun, or nothing.
        """
        return ""

    def pictures(self, inputs: Tensor) -> Tensor:
        """Each example as an image.

        Args:
            inputs: `[n, ...]` of this kind.

        Returns:
            `[n, channels, height, width]` in 0..1; images are their own pictures.

        Raises:
            TypeError: if examples of this kind have no picture.
        """
        raise TypeError(f"{self.noun}s have no picture; a page shows images and sounds")


class Images(Kind):
    """Images `[n, channels, height, width]` in 0..1, black to white: grey with one channel, in colour with three.

    Whole bytes, uint8 in 0..255, are scaled. A network that wants other numbers, such as a mean of 0, makes them itself
    (`preprocess` of `tl.models.Network`).
    """

    noun: ClassVar[str] = "image"
    ndim: ClassVar[int] = 4
    shape: ClassVar[str] = "[n, channels, height, width]"
    repair: ClassVar[str] = (
        "one grey image is images[None, None], and whole numbers are divided by the one that is white: "
        "images.float() / 255 of 8 bits, / 65535 of 16"
    )

    def prepared(self, inputs: Tensor) -> Tensor:
        """Images as a split holds them: bytes are divided by 255.

        Args:
            inputs: `[n, channels, height, width]`.

        Returns:
            The images, floating point.

        Raises:
            ValueError: for bytes that are all 0 or 1, which would be black.
        """
        if inputs.dtype == torch.uint8:
            if inputs.numel() and int(inputs.max()) == 1:
                raise ValueError("images of the bytes 0 and 1 are black in 0..255; of such take images.float()")
            return inputs.to(torch.get_default_dtype()).div_(255)
        return super().prepared(inputs)

    def check(self, inputs: Tensor | Stream) -> None:
        """Refuse inputs that are not images.

        Args:
            inputs: `[n, channels, height, width]`; of a stream only the shape and the type can be checked.

        Raises:
            ValueError: for another shape or type, or values that are not finite or outside 0..1.
        """
        super().check(inputs)
        if not isinstance(inputs, Tensor) or not inputs.numel():
            return
        low, high = inputs.detach().flatten(1).aminmax(dim=1)
        outside = torch.maximum(-low, high - 1)
        if outside.max() > OVERSHOOT:
            worst = int(outside.argmax())
            low, high = (float(end) for end in inputs[worst].aminmax())
            raise ValueError(
                f"images lie in 0..1, but image {worst} reaches {low if -low > high - 1 else high:.3g}; divide "
                "0..255 by 255 (images / 255), give normalised images as they were before (to normalise is the "
                "network's part: tl.models.Network(..., preprocess=...)), and of numbers that are no brightness state "
                "kind=tl.data.Kind() in tl.data.Split, tl.data.as_split or tl.predict"
            )

    def adjective(self, shape: torch.Size) -> str:
        return {1: "grey ", 3: "colour "}.get(shape[1], f"{shape[1]}-channel ")

    def size(self, shape: torch.Size) -> str:
        return f"of {shape[2]} x {shape[3]}"

    def pictures(self, inputs: Tensor) -> Tensor:
        return inputs


class Vectors(Kind):
    """Vectors `[n, d]` of floating-point numbers: measurements, a table's columns, or the features of a network."""

    noun: ClassVar[str] = "vector"
    ndim: ClassVar[int] = 2
    shape: ClassVar[str] = "[n, d]"
    repair: ClassVar[str] = "use values.flatten(1).float()"

    def size(self, shape: torch.Size) -> str:
        return f"of {shape[1]:,} numbers"


@dataclass(frozen=True)
class Tokens(Kind):
    """Texts `[n, length]` int64: each number is the place of a symbol in a vocabulary, and 0 is padding.

    Args:
        vocabulary: the symbols; the one at place 0 stands for padding.
        separator: what stands between two symbols when a text is written out: nothing for letters, a space for words.

    >>> words = torch.tensor([[1, 2, 3], [3, 1, 0]])
    >>> letters = Tokens(("", "a", "b", "c"))
    >>> letters.written(words), Tokens.mask(words).tolist()
    (['abc', 'ca'], [[True, True, True], [True, True, False]])
    """

    vocabulary: tuple[str, ...]
    separator: str = ""
    noun: ClassVar[str] = "text"
    ndim: ClassVar[int] = 2
    dtype: ClassVar[torch.dtype | None] = torch.int64
    shape: ClassVar[str] = "[n, length]"
    repair: ClassVar[str] = "give each symbol its place in the vocabulary, as int64, and pad shorter texts with 0"

    def __post_init__(self):
        object.__setattr__(self, "vocabulary", tuple(self.vocabulary))

    def check(self, inputs: Tensor | Stream) -> None:
        """Refuse inputs that are not texts of this vocabulary.

        Args:
            inputs: `[n, length]`; of a stream only the shape and the type can be checked.

        Raises:
            ValueError: for another shape or type, a token outside the vocabulary, or an empty text.
        """
        super().check(inputs)
        if not isinstance(inputs, Tensor):
            return
        outside, last = (inputs < 0) | (inputs >= len(self.vocabulary)), len(self.vocabulary) - 1
        if outside.any():
            text, place = outside.nonzero()[0].tolist()
            raise ValueError(
                f"token {int(inputs[text, place])} of text {text} is out of range: the vocabulary has the symbols "
                f"0 (padding) to {last}; give the vocabulary that these tokens were made with"
            )
        if not (full := self.mask(inputs).any(1)).all():
            raise ValueError(
                f"text {int(full.int().argmin())} is empty: all of its tokens are padding (0), so a mask would leave "
                "nothing; take it out"
            )

    @staticmethod
    def mask(inputs: Tensor) -> Tensor:
        """Which tokens are symbols and not padding.

        Args:
            inputs: `[n, length]` int64.

        Returns:
            `[n, length]` bool.
        """
        return inputs != 0

    def size(self, shape: torch.Size) -> str:
        return f"of at most {shape[1]} tokens"

    def written(self, inputs: Tensor) -> list[str]:
        """Each text in its symbols, without the padding.

        Args:
            inputs: `[n, length]` int64.

        Returns:
            n strings.
        """
        return [self.separator.join(self.vocabulary[t] for t in text if t) for text in inputs.tolist()]


@dataclass(frozen=True)
class Waves(Kind):
    """Sounds `[n, samples]`, floating point in -1..1.

    Args:
        rate: samples a second.
    """

    rate: int
    noun: ClassVar[str] = "sound"
    ndim: ClassVar[int] = 2
    shape: ClassVar[str] = "[n, samples]"
    repair: ClassVar[str] = "mix channels to one, and of whole numbers take samples.float() / 32768"

    def check(self, inputs: Tensor | Stream) -> None:
        """Refuse inputs that are not sounds.

        Args:
            inputs: `[n, samples]`; of a stream only the shape and the type can be checked.

        Raises:
            ValueError: for another shape or type, values that are not finite or far outside -1..1, or a silent sound.
        """
        super().check(inputs)
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
        seconds = shape[1] / self.rate
        return f"of {seconds:{'.1f' if seconds > 0.95 else '.2g'}} s at {self.rate / 1000:g} kHz"

    def pictures(self, inputs: Tensor) -> Tensor:
        """How far each wave swings, over time.

        Args:
            inputs: `[n, samples]`.

        Returns:
            `[n, 1, 32, 96]`: time from left to right, the loudest sample at full height.
        """
        columns = torch.stack([part.abs().amax(1) for part in inputs.tensor_split(min(COLUMNS, inputs.shape[1]), 1)], 1)
        reach = columns / columns.amax(1, keepdim=True).clamp_min(1e-12)
        height = (torch.arange(ROWS, device=inputs.device) - (ROWS - 1) / 2).abs() * 2 / ROWS
        return (height[:, None] <= reach[:, None, :])[:, None].float()


def first_not_finite(inputs: Tensor) -> int | None:
    """The number of the first example `[n, ...]` with values that are not finite; None if there is none."""
    wrong = ~inputs.isfinite()
    return int(wrong.reshape(len(inputs), -1).any(1).nonzero()[0]) if wrong.any() else None


def as_precise(inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """Inputs in a network's precision; tokens, which are whole numbers, stay as they are."""
    return inputs.to(dtype) if inputs.is_floating_point() else inputs


def checked(inputs: Any, kind: Kind | None = None) -> tuple[Any, Kind]:
    """These inputs as a split holds them, and their kind: `kind` itself, else what their shape and type show.

    Raises TypeError if they are neither a tensor nor a stream, ValueError if the kind is unclear or refuses them.
    """
    if not isinstance(inputs, Tensor) and not hasattr(inputs, "part"):
        several = isinstance(inputs, list | tuple) and [list(one.shape) for one in inputs if isinstance(one, Tensor)]
        raise TypeError(
            f"inputs are a {type(inputs).__name__}{f' of tensors of the shapes {several[:3]}' if several else ''}, but "
            "one tensor [n, ...] holds all examples: torch.stack joins tensors of one shape, "
            "torch.nn.utils.rnn.pad_sequence texts of several lengths; sounds are cut or padded to one length; of "
            "numpy's arrays take torch.from_numpy(array), of a torch Dataset tl.data.as_split(dataset)"
        )
    if kind is not None and not isinstance(kind, Kind):
        raise TypeError(f"kind={kind!r} is not a kind; make one, such as tl.data.Waves(rate=16000) or tl.data.Images()")
    ndim = len(inputs.shape)
    if kind is None and not (ndim == 4 or (inputs.dtype.is_floating_point and ndim < 4)):
        raise ValueError(
            f"{inputs.dtype} of the shape {list(inputs.shape)} could be anything; state what they are: "
            "kind=tl.data.Tokens(vocabulary) for whole numbers [n, length], tl.data.Waves(rate) for sounds, or a "
            "tl.data.Kind of your own"
        )
    kind = kind or (Vectors() if ndim == 2 else Images())
    inputs = kind.prepared(inputs) if isinstance(inputs, Tensor) else inputs
    kind.check(inputs)
    return inputs, kind
