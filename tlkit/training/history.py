"""What a run has measured: single steps, and the records of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tlkit.words import meant


@dataclass(frozen=True)
class Step:
    """One optimisation step.

    Args:
        number: which step it was, from 1.
        lr: the learning rate that it was taken with, before the rates of a plan and of the optimizer's own groups.
        values: what the objective returned, by name: "loss" and others, each a detached tensor `[]` on the device. To
            read one as a float is to wait for the device.
    """

    number: int
    lr: float
    values: dict[str, Tensor]

    @property
    def loss(self) -> float:
        """The loss of the step's batch, before the update."""
        return float(self.values["loss"])


class History(list[dict[str, Any]]):
    """What a run has measured: plain records such as `{"step": 3, "loss": 1.7}`, in order.

    A record `{"step": 3, "lr": 0.01}` notes that the learning rate was changed after step 3. On a GPU the last records
    of a run that goes on hold tensors, since reading one waits for it; 50 steps later, and at the end, all are numbers.
    """

    def series(self, name: str) -> tuple[list[int], list[float]]:
        """The curve of one measured value.

        Args:
            name: its name in the records, such as "loss".

        Returns:
            The steps at which it was measured, and its value at each.

        Raises:
            ValueError: if no record of a history that has some has this name.
        """
        known = dict.fromkeys(key for record in self for key in record if key != "step")
        if self and name not in known:
            raise ValueError(f"nothing called {name!r} was measured, but {', '.join(known)}{meant(name, known)}")
        return series(self, name)


def series(history: Iterable[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """The curve of one value in a list of records; a tensor is read from its device once and stays a float.

    Args:
        history: records such as `{"step": 3, "loss": 1.7}`.
        name: the name of the value.

    Returns:
        The steps of the records that have it, and its value at each.
    """
    steps, values = [], []
    for record in history:
        if name in record:
            if isinstance(record[name], Tensor):
                record[name] = float(record[name])
            steps.append(record["step"])
            values.append(record[name])
    return steps, values
