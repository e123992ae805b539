"""The picture that the course fills: ten labels, and what else one may use. Each lesson adds what it measured."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tlkit.files import write_whole
from tlkit.lessons.course import lessons_folder
from tlkit.lessons.scales import scale
from tlkit.plots import Picture
from tlkit.plots import uses_of_data as picture_of
from tlkit.words import meant

PLACES = {  # a use of data: the lesson that measures it, and its family
    "nothing else": ("01", "from scratch"),
    "labelled source": ("01", "pre-trained"),
    "own images, redrawn": ("10", "frozen features"),
    "unlabelled source, two views": ("11", "frozen features"),
    "own images, two views": ("11", "frozen features"),
    "own images, pseudo-labels": ("20", "unlabelled target"),
    "own images, SoftMatch": ("21", "unlabelled target"),
    "labelled source, then SoftMatch": ("21", "unlabelled target"),
}
FILE = "measured-so-far.json"


def uses_of_data(measured: Mapping[str, float]) -> Picture:
    """Ten labels, and what else one may use: this lesson's bars beside those of the lessons before it.

    Args:
        measured: the accuracy, in 0..1, of each use of data that the lesson measured with one label per class, by a
            name of `PLACES`.

    Returns:
        The picture: a bar for each use that is measured, an empty place for each that is not yet.

    Raises:
        ValueError: for a use that the picture has no place for, or an accuracy that is not in 0..1.

    What is measured stays in the file `measured-so-far.json` beside the learner's copy of the lesson, for the lessons
    that follow. Each scale has a picture of its own. A file that cannot be read or written is passed over.
    """
    if unknown := [name for name in measured if name not in PLACES]:
        places = f"there are {', '.join(map(repr, PLACES))}{meant(unknown[0], PLACES)}"
        raise ValueError(f'the picture of the course has no place "{unknown[0]}"; {places}')
    measured = {name: float(accuracy) for name, accuracy in measured.items()}
    if wrong := [f"{name}: {accuracy}" for name, accuracy in measured.items() if not 0 <= accuracy <= 1]:
        raise ValueError(f"{wrong[0]} is not an accuracy in 0..1; divide per cent by 100")
    before = _read()
    known = before.get(scale(), {}) | measured
    _write(before | {scale(): known})
    return picture_of(
        {
            f"{name} ({'here' if name in measured else lesson})": (known[name], family) if name in known else None
            for name, (lesson, family) in PLACES.items()
        },
        title="Ten labels, and what else one may use: accuracy on test images",
    )


def _read() -> dict[str, dict[str, float]]:
    """What was measured before, by scale; nothing where the file does not say."""
    try:
        found = json.loads(Path(FILE).read_text(encoding="utf-8")).items()
        return {at: {name: float(of[name]) for name in PLACES if 0 <= float(of.get(name, -1)) <= 1} for at, of in found}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return {}


def _write(known: Mapping[str, Mapping[str, float]]) -> None:
    if Path.cwd() == lessons_folder():  # the lessons themselves, as the tests run them
        return
    with suppress(OSError):  # the picture is drawn all the same
        write_whole(FILE, json.dumps(known, indent=1) + "\n")
