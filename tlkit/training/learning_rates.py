"""The learning-rate range test: which learning rates can a network be trained with?"""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from tlkit.models.copying import copied
from tlkit.objectives.objective import Objective
from tlkit.objectives.supervised import as_objective
from tlkit.training.run import Run

SMOOTHING = 0.9  # the share of the past in the smoothed loss
FALL = 3 / 4  # how much of its fall the loss has made at the suggestion
EXPLODED = 4  # times the lowest smoothed loss


@dataclass(frozen=True, repr=False)
class RangeTest:
    """What a range test found; `tl.plots.range_test(test)` draws it.

    Args:
        lrs: the learning rates, one a step, rising.
        losses: the smoothed loss at each of them.
        exploded: whether the test ended early because the loss grew too large or was no longer finite.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    exploded: bool

    @property
    def suggestion(self) -> float:
        """A learning rate to start with: the one at which the smoothed loss has made three quarters of its fall.

        Half of it, about where it falls most steeply, was too careful where it was measured (it cost three points with
        50 labels per class), and the steepest step itself wanders with the noise. Where the loss is lowest says little:
        a few examples are learnt by heart by then, and stay so at rates far too high.
        """
        mark = self.losses[0] - FALL * (self.losses[0] - min(self.losses))
        return next(lr for lr, loss in zip(self.lrs, self.losses, strict=True) if loss <= mark)

    def __repr__(self) -> str:
        end = "it explodes at" if self.exploded else "it has not exploded at"
        lowest = self.lrs[self.losses.index(min(self.losses))]
        return (
            f"three quarters of the fall are made at the learning rate {self.suggestion:.2g}, where to start; "
            f"the loss is lowest at {lowest:.2g}, {end} {self.lrs[-1]:.2g}"
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
    """Train a copy of the network at rising learning rates, and see at which the loss falls and at which it explodes.

    Args:
        network: the network that is to be trained later; it stays as it is, and a run on it goes on.
        objective: what is minimised; it stays as it is.
        data: what the network learns from, as for `tl.Run`.
        lrs: the first and the last learning rate; in between they rise exponentially.
        steps: how many learning rates are tried, one a step, at least 10.
        options: those of `tl.Run` but for `lr` and `schedule`: `batch_size`, `optimizer`, `plan`, `seed`, ...

    Returns:
        The learning rates that were tried, with the smoothed loss at each and a suggestion.

    Raises:
        ValueError: if `lrs` do not rise from above 0, if `steps` is below 10, or for options that no Run can work with.
        FloatingPointError: if the very first loss is not a finite number.

    Source: L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.

    The suggestion is careful, and a hint of the size only. It goes with the number of steps, because what has been
    learnt by then does: twice as many suggested a quarter of the rate (measured: 100 and 200, 1 to 50 labels).

    It ends early when the smoothed loss is four times its lowest (of a loss that may be negative, when it has risen
    three times as far as it had fallen), or no longer finite. torch's generators stay as they
    are.

    >>> import tlkit as tl
    >>> test = tl.range_test(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), device="cpu")
    >>> test.lrs[0], 1e-4 < test.suggestion < 1e-1
    (1e-05, True)
    """
    low, high = lrs
    if not 0 < low < high < math.inf:
        raise ValueError(f"lrs={lrs}, but the learning rates rise from one above 0 to a larger one, such as (1e-5, 1)")
    if steps < 10:
        raise ValueError(f"steps={steps}, but a range test needs at least 10 to see the loss fall and rise")
    network, objective = copied((network, as_objective(objective)))  # together: they may share parts
    run = Run(network, objective, data, steps=steps, lr=low, schedule=None, **options)
    tried, losses = [], []
    mean, exploded = 0.0, False
    while not run.finished and not exploded:
        tried.append(low * (high / low) ** (run.step / (steps - 1)))
        run.set_lr(tried[-1])
        try:
            loss = next(run).loss
        except FloatingPointError:
            if not losses:
                raise
            loss = math.inf
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        losses.append(mean / (1 - SMOOTHING ** len(tried)))
        lowest = min(losses)
        size = lowest if lowest > 0 else max(-lowest, losses[0] - lowest)  # 0 is not the floor of every loss
        exploded = not losses[-1] <= lowest + (EXPLODED - 1) * size
    return RangeTest(tuple(tried), tuple(losses), exploded)
