"""How the learning rate goes over a run: functions of the step alone, so that a run can be continued anywhere."""

import math


def one_cycle(step: int, steps: int, warm_up: float = 0.1) -> float:
    """The share of the base rate at `step` (from 0): a cosine up over the first tenth, a cosine down to zero after.

    Smith and Topin, Super-Convergence, 2018; the shape of torch's OneCycleLR with a start at 1/25.
    """
    peak = max(warm_up * steps - 1, 0)
    if step < peak:
        return 1 - (1 - 1 / 25) * (1 + math.cos(math.pi * step / peak)) / 2
    return (1 + math.cos(math.pi * (step - peak) / max(steps - 1 - peak, 1))) / 2


SCHEDULES = {None: lambda step, steps: 1.0, "one-cycle": one_cycle}
