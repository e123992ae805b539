"""How long does each lesson take without a browser, and what did its claims say? `python -m benchmarks.lesson`"""

from __future__ import annotations

import sys

from tlkit.lessons import catalogue, run_lesson


def main(quick: bool = False) -> None:
    """Print one line a lesson and scale."""
    for lesson in catalogue():
        for scale in ("quick",) if quick else ("quick", "standard"):
            entry = run_lesson(lesson, scale)
            held = sum(claim["holds"] is True for claim in entry["claims"])
            print(
                f"{lesson.name} at {scale}: {entry['seconds']:.1f} s, {held} of {len(entry['claims'])} claims hold",
                flush=True,
            )


if __name__ == "__main__":
    main("--quick" in sys.argv)
