"""The learning-rate range test: which rates can this network be trained with?"""

import copy
import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from tlkit.objectives.objective import Objective
from tlkit.training.run import Run

SMOOTHING = 0.9  # the share of the past in the smoothed loss
EXPLODED = 4  # times the lowest smoothed loss


@dataclass(frozen=True, repr=False)
class RangeTest:
    """What a range test found: `rates`, one a step, the smoothed `losses` at them, and whether the loss `exploded`.

    `tl.plots.range_test(test)` draws it.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    exploded: bool

    @property
    def suggestion(self) -> float:
        """A rate to start with: a tenth of that at which the smoothed loss was lowest."""
        return self.rates[self.losses.index(min(self.losses))] / 10

    def __repr__(self) -> str:
        end = "it explodes at" if self.exploded else "it has not exploded at"
        return (
            f"the loss falls to {min(self.losses):.2f} at the rate {10 * self.suggestion:.2g}, "
            f"{end} {self.rates[-1]:.2g}; a tenth of the lowest point is a rate to start with: {self.suggestion:.2g}"
        )


def range_test(
    network: nn.Module,
    objective: Objective,
    data: Any,
    *,
    lrs: tuple[float, float] = (1e-5, 1.0),
    steps: int = 100,
    **options: Any,
) -> RangeTest:
    """Train a copy of the network at rates that rise exponentially from the first to the second of `lrs`.

    It ends early when the smoothed loss is four times its lowest, or no longer a finite number. `options` are those of
    `tl.Run` but for `lr` and `schedule` (`batch_size`, `optimizer`, `plan`, `seed`, ...). Network, objective and
    torch's generators stay as they are, and a run on the network goes on. L. Smith, Cyclical Learning Rates for
    Training Neural Networks, 2017, section 3.3.

    Raises ValueError if the rates do not rise from above 0, or for arguments with which no Run can work.

    >>> import tlkit as tl
    >>> test = tl.range_test(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), device="cpu")
    >>> test.rates[0], 1e-4 < test.suggestion < 1e-1
    (1e-05, True)
    """
    low, high = lrs
    if not 0 < low < high < math.inf:
        raise ValueError(f"lrs={lrs}, but the rates rise from one above 0 to a larger one, such as (1e-5, 1)")
    if steps < 10:
        raise ValueError(f"steps={steps}, but a range test needs at least 10 to see the loss fall and rise")
    network, objective = copy.deepcopy((network, objective))  # together: they may share parts
    run = Run(network, objective, data, steps=steps, lr=low, schedule=None, **options)
    rates: list[float] = []
    losses: list[float] = []
    mean, exploded = 0.0, False
    while not run.finished and not exploded:
        rates.append(low * (high / low) ** (run.step / (steps - 1)))
        run.set_rate(rates[-1])
        try:
            loss = next(run).loss
        except FloatingPointError:
            if not losses:
                raise
            loss = math.inf
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        losses.append(mean / (1 - SMOOTHING ** len(rates)))
        exploded = not losses[-1] < EXPLODED * min(losses)
    return RangeTest(tuple(rates), tuple(losses), exploded)
