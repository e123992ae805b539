"""Teach it your own symbols: draw, believe, add; a network that has only read print recognises new drawings."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
import traitlets as t

from tlkit.data.drawings import SAMPLES, Drawing, pictures
from tlkit.data.tasks import Split, Task
from tlkit.files import write_whole
from tlkit.models.teach import HEATS, THRESHOLD, WEIGHTS, beliefs, class_means, cosines, drawing_features, restored
from tlkit.widgets.base import Widget
from tlkit.words import counted

MOST_CLASSES = 9  # each has a key


class Teach(Widget, script="teach.js"):
    """Draw symbols, one example of each will do, and see what a pre-trained network believes about the next drawing.

    Args:
        classes: the names to begin with, each with its sample drawing where there is one, or {name: [drawing, ...]}. A
            drawing is a list of strokes, a stroke a list of [x, y] points in thousandths of the pad, y downwards.
        title: the title line.
        subtitle: what to do, under the title.

    Raises:
        ValueError: if there are no classes, more than nine, two of one name, or a drawing that is not one.

    All is computed in the browser, without a kernel; what is drawn comes back as `teach.task`. Each drawing that is put
    into a class, or shown as a sample of one, is first a question to every network that is ready, once two classes,
    that one among them, were taught: `teach.score` is {network: [right, asked]} and goes with the classes.
    """

    view = t.Dict().tag(sync=True)
    classes = t.List().tag(sync=True)
    drawing = t.List().tag(sync=True)
    opponent = t.Unicode("random weights").tag(sync=True)
    score = t.Dict().tag(sync=True)
    weights = t.Bytes().tag(sync=True)
    _remembered = t.List(["classes", "opponent", "score"]).tag(sync=True)

    def __init__(
        self,
        classes: Sequence[str] | dict[str, Sequence[Drawing]] = ("heart", "star", "house", "smiley"),
        *,
        title: str = "Teach it your own symbols",
        subtitle: str = "Draw, then put the drawing into a class. Both networks see the same drawings.",
    ):
        if isinstance(classes, str):
            raise ValueError(f"classes={classes!r} is one name; give a list of names, such as [{classes!r}, 'star']")
        if not isinstance(classes, dict):
            classes = {name: [SAMPLES[name]] if name in SAMPLES else [] for name in classes}
        fixed = {"samples": SAMPLES, "heats": HEATS, "threshold": THRESHOLD, "most": MOST_CLASSES}
        super().__init__(
            classes=_checked([{"name": name, "drawings": list(drawn)} for name, drawn in classes.items()]),
            weights=WEIGHTS.read_bytes(),
            view={"title": title, "subtitle": subtitle, **fixed},
        )

    @property
    def task(self) -> Task:
        """The drawings as a Task: its training images [n, 1, 16, 16] are all that were drawn; it has no others."""
        drawn = [drawing for one in self.classes for drawing in one["drawings"]]
        labels = [number for number, one in enumerate(self.classes) for _ in one["drawings"]]
        names = tuple(one["name"] for one in self.classes)
        train = Split(pictures(drawn), torch.tensor(labels, dtype=torch.int64), names)
        return Task("your drawings", train, train[:0], train[:0])

    def to_file(self, path: str | Path) -> None:
        """Write the drawings as the browser's "Save to a file" does.

        Args:
            path: the file, written whole or not at all.
        """
        write_whole(path, json.dumps({"tlkit": "drawings", "version": 1, "classes": self.classes}))

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Self:
        """Make a widget with the drawings of a file.

        Args:
            path: a file that the browser or `to_file` wrote.
            options: `title` and `subtitle`, as of Teach.

        Returns:
            The widget.

        Raises:
            ValueError: if the file is truncated or was not written by Teach.
        """
        try:
            content = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            classes: dict[str, Sequence[Drawing]] = {one["name"]: list(one["drawings"]) for one in content["classes"]}
            if (content["tlkit"], content["version"], len(classes)) != ("drawings", 1, len(content["classes"])):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} holds no drawings of Teach, or only a part of them; save them again") from None
        return cls(classes, **options)

    def beliefs(self) -> dict[str, float]:
        """What the pre-trained network believes about the drawing on the pad.

        Returns:
            {name of a class with drawings: share in 0..1}; empty without a drawing or without classes.
        """
        return self._read()[0]

    def _read(self) -> tuple[dict[str, float], float]:
        """The beliefs about the drawing on the pad, and the cosine to the class mean nearest to it."""
        train = self.task.train
        if not self.drawing or not len(train):
            return {}, 0.0
        network, labels = restored(self.weights), train.required_labels("so nothing is taught")
        means = class_means(drawing_features(network, train.images), labels, len(train.classes))
        taught = labels.unique()
        found, means = drawing_features(network, pictures([self.drawing])), means[taught]
        shares = beliefs(found, means, HEATS["pre-trained"])[0].tolist()
        names = [train.classes[label] for label in taught.tolist()]
        return dict(zip(names, shares, strict=True)), float(cosines(found, means).max())

    def answer(self) -> str | None:
        """The class that the pre-trained network names.

        Returns:
            Its name; None for a drawing that it was never taught, or with one class only.
        """
        return _named(*self._read())

    def words(self) -> str:
        """How much was drawn, who was right how often, and what the pre-trained network says of what is on the pad."""
        count = sum(len(one["drawings"]) for one in self.classes)
        drawn = f"Teach: {counted(count, 'drawing')} in {counted(len(self.classes), 'class')}"
        pair = [(name, self.score[name]) for name in ("pre-trained", self.opponent) if name in self.score]
        if pair:
            drawn += f"; right were {', '.join(f'{name} {right} of {asked}' for name, (right, asked) in pair)}"
        shares, nearest = self._read()
        name = _named(shares, nearest)
        if len(shares) < 2:
            return drawn
        if name is None:
            return f"{drawn}; the drawing on the pad was never taught"
        return f"{drawn}; the drawing on the pad is predicted as {name}, {100 * shares[name]:.0f} %"


def _named(shares: dict[str, float], nearest: float) -> str | None:
    return max(shares, key=lambda name: shares[name]) if len(shares) > 1 and nearest >= THRESHOLD else None


def _checked(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The classes with their points as whole numbers on the pad. Raises ValueError as `Teach` says."""
    names = [one["name"] for one in classes]
    if not 1 <= len(classes) <= MOST_CLASSES:
        raise ValueError(f"{counted(len(classes), 'class')}; give 1 to {MOST_CLASSES}, each has a key")
    if len({str(name).strip() for name in names}) < len(names):
        raise ValueError(f"classes must differ in name; there are {', '.join(map(repr, names))}")
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError(f"a class needs a name; there are {', '.join(map(repr, names))}")
    on_pad = [[_on_pad(drawing, one["name"]) for drawing in one["drawings"]] for one in classes]
    return [{"name": name.strip(), "drawings": drawings} for name, drawings in zip(names, on_pad, strict=True)]


def _on_pad(drawing: Any, name: str) -> list[list[list[int]]]:
    try:
        points = [[[float(x), float(y)] for x, y in stroke] for stroke in drawing if len(stroke)]
        if not points or not all(math.isfinite(value) for stroke in points for point in stroke for value in point):
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(
            f"a drawing of {name!r} is not one: a drawing is a list of strokes, a stroke a list of [x, y] in 0 to 1000"
        ) from None
    return [[[min(max(round(value), 0), 1000) for value in point] for point in stroke] for stroke in points]
