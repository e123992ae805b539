"""How the learning rate changes over a run: functions of the step alone, so that a run can go on anywhere."""

import math


def one_cycle(step: int, steps: int, warm_up: float = 0.1) -> float:
    """What multiplies the learning rate at a step: it rises along a cosine, then falls along another one to zero.

    Args:
        step: the step, from 0.
        steps: how many steps the run has.
        warm_up: the share of the run in which it rises, a tenth by default.

    Returns:
        The share of the run's learning rate, in 0..1.

    Source: Smith and Topin, Super-Convergence, 2018; the shape of torch's OneCycleLR with a start at 1/25.
    """
    peak = max(warm_up * steps - 1, 0)
    if step < peak:
        return 1 - (1 - 1 / 25) * (1 + math.cos(math.pi * step / peak)) / 2
    return (1 + math.cos(math.pi * (step - peak) / max(steps - 1 - peak, 1))) / 2


SCHEDULES = {None: lambda step, steps: 1.0, "one-cycle": one_cycle}
