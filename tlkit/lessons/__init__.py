"""The course: its catalogue, its scales, student copies, headless runs, claims shown and exercises checked."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.lessons.catalogue import Lesson, catalogue, find, lessons_folder
    from tlkit.lessons.claims import claim
    from tlkit.lessons.copies import make_copies
    from tlkit.lessons.exercises import check
    from tlkit.lessons.headless import run_lesson
    from tlkit.lessons.scale import at_scale, scale

__all__ = [
    "Lesson",
    "at_scale",
    "catalogue",
    "check",
    "claim",
    "find",
    "lessons_folder",
    "make_copies",
    "run_lesson",
    "scale",
]

__getattr__, __dir__ = attributes(
    __name__,
    {
        "catalogue": ("Lesson", "catalogue", "find", "lessons_folder"),
        "claims": ("claim",),
        "copies": ("make_copies",),
        "exercises": ("check",),
        "headless": ("run_lesson",),
        "scale": ("at_scale", "scale"),
    },
)
