"""Tasks and their data: real digits, rendered characters, few labels, batches and augmentation."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.data.augmentation import brightness, noise, warp, weak
    from tlkit.data.batches import Batch, Batches
    from tlkit.data.sources import digits, glyphs
    from tlkit.data.tasks import Split, Task

__all__ = ["Batch", "Batches", "Split", "Task", "brightness", "digits", "glyphs", "noise", "warp", "weak"]

__getattr__, __dir__ = attributes(
    __name__,
    {
        "augmentation": ("brightness", "noise", "warp", "weak"),
        "batches": ("Batch", "Batches"),
        "sources": ("digits", "glyphs"),
        "tasks": ("Split", "Task"),
    },
)
