"""Trials on disk: one JSON line each, written as they finish, so that a comparison can go on in another process."""

import base64
import errno
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlkit.evaluation import Report
from tlkit.files import destination

FORMAT = 1


@dataclass(frozen=True)
class Trial:
    """One training and its test.

    Args:
        settings: its recipe, its budget (labels per class, or "all") and its value on each further axis, by name.
        seed: the random seed of all that was random in it.
        report: the test, example by example; None where the metric is a function of the user's own.
        value: the comparison's metric; a share is in 0..1.
        seconds: how long training and test took.
    """

    settings: Mapping[str, Any]
    seed: int
    report: Report | None
    value: float
    seconds: float


class TrialFile:
    """A file of trials: the first line says which comparison they are of, each further line is a trial.

    Args:
        path: the file; it is made with the first trial.
        about: the comparison, in plain values. A file with other values is of another comparison; only of "places" one
            may have some that the other has not.

    Reading and appending raise ValueError if the file is of another comparison or of another format, and OSError if it
    cannot be read or written.
    """

    def __init__(self, path: str | PathLike[str], about: Mapping[str, Any]):
        self.path, self.about = destination(path), {"trials": FORMAT, **about}

    def read(self) -> list[Trial]:
        """The trials in the file; a last line that was cut short, by a full disk or a killed process, is dropped."""
        if not self.path.exists():
            return []
        whole, newline, rest = self.path.read_bytes().rpartition(b"\n")
        first, *lines = whole.split(b"\n")
        if newline or not _line(self.about).startswith(rest):
            self._require_same(first)
        try:
            trials = [_trial(**json.loads(line)) for line in lines]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"a line of {self.path} is not a trial ({error}); name another with file=") from error
        if rest:
            os.truncate(self.path, len(whole + newline))
        return trials

    def _require_same(self, line: bytes) -> None:
        """Refuse a first line that is not about this comparison."""
        try:
            first = json.loads(line)
            known = first["trials"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path} is not a file of trials; name another with file=") from error
        if known != FORMAT:
            raise ValueError(f"{self.path} has trials of format {known}, this tlkit reads {FORMAT}; name another file")
        there, here = ({**about, **about.get("places", {})} for about in (first, self.about))
        here = {key: it for key, it in here.items() if key != "places" and (key in self.about or key in there)}
        other = [f"{key}: {there.get(key)} there, {it} here" for key, it in here.items() if there.get(key) != it]
        if other:
            raise ValueError(f"{self.path} is of another comparison ({'; '.join(other)}); name another with file=")

    def append(self, trial: Trial) -> None:
        """Write a trial at the end of the file, whole or not at all.

        Args:
            trial: one that has finished. The first is written below the line about the comparison.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b", buffering=0) as file:
            if size := file.tell():  # another comparison may have begun the file since this one was made
                file.seek(0)
                self._require_same(file.readline())
            text = _line(asdict(trial)) if size else _line(self.about) + _line(asdict(trial))
            try:
                if file.write(text) < len(text):
                    raise OSError(errno.ENOSPC, "only a part of the trial could be written", str(self.path))
            except OSError:
                file.truncate(size)
                raise


def _trial(report: dict[str, Any] | None, **line: Any) -> Trial:
    """A trial from the values of its line."""
    if report is None:
        return Trial(report=None, **line)
    tensors = {name: _as_tensor(report.pop(name)) for name in ("labels", "predictions", "probabilities")}
    return Trial(report=Report(classes=tuple(report.pop("classes")), **tensors, **report), **line)


def _line(values: Mapping[str, Any]) -> bytes:
    """Values as a line of JSON in UTF-8."""
    return json.dumps(values, ensure_ascii=False, default=_as_text).encode() + b"\n"


def _as_text(tensor: Tensor) -> str:
    """A tensor as base64 of numpy's own format: a fifth of what its digits would take."""
    np.save(file := io.BytesIO(), tensor.numpy())
    return base64.b64encode(file.getvalue()).decode()


def _as_tensor(text: str | None) -> Any:
    """The tensor that `_as_text` wrote; None for None."""
    return text and torch.from_numpy(np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False))
