"""What a run has measured: single steps, and the records of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One optimisation step: its `number` from 1, the learning rate `lr`, and the objective's named `values`.

    The values are detached tensors on the device; reading one as a float is what waits for the device.
    """

    number: int
    lr: float
    values: dict[str, Tensor]

    @property
    def loss(self) -> float:
        """The loss of this step's batch, before its update."""
        return float(self.values["loss"])


class History(list[dict[str, Any]]):
    """Plain records such as `{"step": 3, "loss": 1.7}`, in order."""

    def series(self, name: str) -> tuple[list[int], list[float]]:
        """The steps at which `name` was measured, and its values."""
        return series(self, name)


def series(history: Iterable[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """The steps at which the records have `name`, and its values; what was read from the device stays read."""
    steps, values = [], []
    for record in history:
        if name in record:
            if isinstance(record[name], Tensor):
                record[name] = float(record[name])
            steps.append(record["step"])
            values.append(record[name])
    return steps, values
