"""Trials on disk: one JSON line each, written as they finish, so that a comparison can go on in another process."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlkit.evaluation import Report

FORMAT = 1


@dataclass(frozen=True)
class Trial:
    """One training and its test.

    - `settings`: its recipe, its budget (labels per class, or "all"), and its place on further axes, by name.
    - `seed`: what was drawn by it.
    - `report`: the test, example by example; None where the metric is a function of the recipe's own.
    - `value`: the comparison's metric; a share is in 0..1.
    - `seconds`: how long training and test took.
    """

    settings: Mapping[str, Any]
    seed: int
    report: Report | None
    value: float
    seconds: float


class TrialFile:
    """A file of trials: its first line says of what comparison (`about`, plain values), each further one is a trial.

    Raises ValueError if the file there is of another comparison or of another format, OSError if it cannot be read.
    """

    def __init__(self, path: str | PathLike[str], about: Mapping[str, Any]):
        self.path, self.about = Path(path).expanduser(), {"trials": FORMAT, **about}

    def read(self) -> list[Trial]:
        """The trials that are there; a last line that was cut short, by a full disk or a killed process, is dropped."""
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self.path.write_text(whole, encoding="utf-8")
        try:
            first, *lines = [json.loads(line) for line in whole.splitlines()] or [self.about]
            known = first["trials"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path} is no file of trials; name another with file=") from error
        if known != FORMAT:
            raise ValueError(
                f"{self.path} has trials of format {known}, and this tlkit reads {FORMAT}; name another file"
            )
        other = [
            f"{key}: {first.get(key)} there, {value} here"
            for key, value in self.about.items()
            if first.get(key) != value
        ]
        if other:
            raise ValueError(f"{self.path} is of another comparison ({'; '.join(other)}); name another with file=")
        return [_trial(line) for line in lines]

    def append(self, trial: Trial) -> None:
        """Write a trial at the end, below the line about the comparison."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write(json.dumps(self.about, ensure_ascii=False) + "\n")
            file.write(json.dumps(_line(trial), ensure_ascii=False) + "\n")


def _line(trial: Trial) -> dict[str, Any]:
    report = trial.report
    return {
        **{name: getattr(trial, name) for name in ("seed", "value", "seconds")},
        "settings": dict(trial.settings),
        "report": None
        if report is None
        else {
            "labels": report.labels.tolist(),
            "predictions": report.predictions.tolist(),
            "classes": report.classes,
            "probabilities": _as_text(report.probabilities),
            "noun": report.noun,
        },
    }


def _trial(line: dict[str, Any]) -> Trial:
    report = line.pop("report")
    if report is not None:
        labels, predictions = (torch.tensor(report[name], dtype=torch.int64) for name in ("labels", "predictions"))
        probabilities = _as_tensor(report["probabilities"], len(labels))
        report = Report(labels, predictions, tuple(report["classes"]), probabilities, report["noun"])
    return Trial(report=report, **line)


def _as_text(values: Tensor | None) -> str | None:
    """float32 values, as base64 of their bytes: a fifth of what their digits would take."""
    return None if values is None else base64.b64encode(values.float().numpy().astype("<f4").tobytes()).decode()


def _as_tensor(text: str | None, rows: int) -> Tensor | None:
    if text is None:
        return None
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32).reshape(rows, -1).copy())
