"""The course: its catalogue, its scales, student copies, headless runs, claims shown and exercises checked."""

from typing import TYPE_CHECKING

from tlkit.lazy import attributes

if TYPE_CHECKING:
    from tlkit.lessons.breaking import break_claim
    from tlkit.lessons.claims import claim
    from tlkit.lessons.copies import make_copies
    from tlkit.lessons.course import Lesson, catalogue, find, lessons_folder
    from tlkit.lessons.course_picture import uses_of_data
    from tlkit.lessons.exercises import check
    from tlkit.lessons.headless import run_lesson
    from tlkit.lessons.judging import judge
    from tlkit.lessons.readiness import doctor
    from tlkit.lessons.recording import recorded
    from tlkit.lessons.scales import at_scale, scale

__getattr__, __dir__ = attributes(__name__)
