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
        ValueError: for a use that the picture has no place for.

    What is measured stays in the file `measured-so-far.json` beside the learner's copy of the lesson, for the lessons
    that follow. At another scale the picture begins anew. A file that cannot be read or written is passed over.
    """
    if unknown := [name for name in measured if name not in PLACES]:
        known = f"there are {', '.join(map(repr, PLACES))}{meant(unknown[0], PLACES)}"
        raise ValueError(f'the picture of the course has no place "{unknown[0]}"; {known}')
    known = _read() | dict(measured)
    _write(known)
    return picture_of(
        {
            f"{name} ({'here' if name in measured else lesson})": (known[name], family) if name in known else None
            for name, (lesson, family) in PLACES.items()
        },
        title="Ten labels, and what else one may use: accuracy on test images",
    )


def _read() -> dict[str, float]:
    """What was measured before at this scale; nothing where the file does not say."""
    try:
        before = json.loads(Path(FILE).read_text(encoding="utf-8"))[scale()]
        return {name: float(before[name]) for name in PLACES if name in before}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(known: Mapping[str, float]) -> None:
    if Path.cwd() == lessons_folder():  # the lessons themselves, as the tests run them
        return
    with suppress(OSError):  # the picture is drawn all the same
        write_whole(FILE, json.dumps({scale(): known}, indent=1) + "\n")
