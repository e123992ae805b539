"""What a run was made with, in plain values: its file keeps them, and a run can go on only with the same."""

from typing import Any

import torch

from tlkit.data.batches import JointBatches
from tlkit.data.loaders import LoadedBatches
from tlkit.data.tasks import Split, as_split
from tlkit.training.machine import seeded_step

SETTINGS = ("steps", "schedule", "average", "seed", "precision", "fast")  # arguments that a run keeps under their names


def made_with(run: Any) -> dict[str, Any]:
    """What must be the same for a run to go on exactly.

    Args:
        run: the run.

    Returns:
        Its "settings", its "plan" as text, and under "made with" its data, its objective's settings, its optimizer and
        what you froze yourself before it was made.
    """
    optimizer = {"optimizer": type(run.optimizer).__name__, "frozen by you": run.frozen_at_first}
    made = run.objective_settings | _data_in_words(run.batches) | optimizer
    return {
        "settings": {name: getattr(run, name) for name in SETTINGS},
        "plan": None if run.plan is None else run.plan.to_json(),
        "made with": made,
    }


def _data_in_words(batches: Any) -> dict[str, Any]:
    """What batches are made of, as far as they show it: each split with its fingerprint, and how they are drawn."""
    sides = {"data": "split", "labelled": "labelled", "unlabelled": "unlabelled"}
    splits = {name: getattr(batches, side, None) for name, side in sides.items()}
    found: dict[str, Any] = {
        name: f"{one} ({one.fingerprint()})" for name, one in splits.items() if isinstance(one, Split)
    }
    drawn = {"batch size": "batch_size", "unlabelled for each labelled one": "ratio", "seed of the batches": "seed"}
    if isinstance(batches, JointBatches):
        found["batch sizes"] = f"{batches.sizes}"
    if isinstance(batches, LoadedBatches):
        found["data"] = f"{batches} ({_sampled(batches.loader.dataset)})"
    return found | {name: getattr(batches, attribute, None) for name, attribute in drawn.items()}


def _sampled(dataset: Any) -> str:
    """The fingerprint of some 32 examples of a torch data set, drawn as they always are; words if it has none."""
    try:
        numbers = range(0, len(dataset), max(len(dataset) // 32, 1))
        with seeded_step(torch.device("cpu"), 0, 0, elsewhere=True):
            return as_split([dataset[number][:2] for number in numbers]).fingerprint()
    except Exception:  # whatever a data set of one's own raises
        return "not compared"
