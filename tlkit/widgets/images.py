"""What Gallery, SideBySide and Views share: images that are sent once, and a sentence that says what they are."""

from typing import Any

import traitlets as t

from tlkit.data.tasks import Split, Task
from tlkit.widgets.base import Widget


class ImageWidget(Widget):
    """A widget of images, of which `sentence` says what they are."""

    view = t.Dict().tag(sync=True)
    images = t.Bytes().tag(sync=True)

    def __init__(self, sentence: str, **traits: Any):
        super().__init__(**traits)
        self._sentence = sentence

    def words(self) -> str:
        return self._sentence


def part_of(data: Split | Task, part: str, widget: str) -> Split:
    """What a widget shows: that part of a Task, or a Split itself; TypeError for others, ValueError if it is empty."""
    split = getattr(data, part) if isinstance(data, Task) else data
    if not isinstance(split, Split):
        raise TypeError(f"{widget} shows a Split or a Task, not a {type(split).__name__}")
    if not len(split):
        raise ValueError(f"this split is empty: there is no {split.kind.noun} to show; choose another part of the data")
    return split


def limited(count: int, total: int) -> str:
    """What the subtitle says first if only `count` of `total` images are shown."""
    return f"The first {count:,} of {total:,}. " if count < total else ""
