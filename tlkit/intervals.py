"""What a few seeds show: a mean with its interval, and a sentence about it that can turn out false."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tlkit.words import counted

ENOUGH_SEEDS = 5  # with fewer, no claim is decided
ROUNDING = 1e-5  # of a point, or of a limit in another unit: no more than what rounding to 32 bits can take from a mean


@dataclass(frozen=True)
class Interval:
    """The mean of one value per seed, with its 95 % t-interval.

    Args:
        values: one value per seed, such as paired differences in points.

    With fewer than two values there is no interval: `half_width`, `low` and `high` are None.

    >>> interval = Interval((10.0, 14.0, 12.0))
    >>> round(interval.mean, 2), round(interval.low, 2), round(interval.high, 2)
    (12.0, 7.03, 16.97)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return sum(self.values) / len(self.values)

    @property
    def half_width(self) -> float | None:
        """Half the length of the 95 % interval: t(0.975, n - 1) s / sqrt(n), s the standard deviation."""
        n = len(self.values)
        if n < 2:
            return None
        from scipy.special import stdtrit

        variance = sum((v - self.mean) ** 2 for v in self.values) / (n - 1)
        return float(stdtrit(n - 1, 0.975)) * math.sqrt(variance / n)

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def wins(self) -> int:
        """How many values are above zero."""
        return sum(v > 0 for v in self.values)

    @property
    def separated(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def lies_between(self, low: float, high: float) -> bool | None:
        """Whether the mean lies between two limits, as far as these values can tell.

        Args:
            low: the lower limit, in the unit of the values.
            high: the upper limit.

        Returns:
            True if the whole interval lies between them, False if none of it does, None if they cannot tell.

        >>> interval = Interval((10.0, 14.0, 12.0))
        >>> [interval.lies_between(*limits) for limits in ((0, 20), (-2, 2), (0, 10))]
        [True, False, None]
        """
        if self.low is None or self.high is None:
            return None
        if low <= self.low and self.high <= high:
            return True
        return False if self.high < low or high < self.low else None


@dataclass(frozen=True, repr=False)
class Claim:
    """A sentence that compares two recipes, and whether the measurements support it; `Comparison.claim` makes one.

    Args:
        text: the sentence.
        holds: True, False, or None where it is undecided.
        reason: why it does not hold or is undecided; empty where it holds.
        first: the recipe that the sentence is about.
        second: the recipe that it is compared with.
        at: where on the axes of the comparison, by the names of the axes.
        test: "better than", "level with" or "no better than".
        threshold: how large the difference must be, or may be, in `unit`.
        difference: the paired difference with its interval, in `unit`; None if nothing is measured.
        seeds: how many seeds were measured.
        unit: the unit of `threshold` and `difference`: "points" for a share, or "" for a metric in its own unit.
    """

    text: str
    holds: bool | None
    reason: str
    first: str
    second: str
    at: Mapping[str, Any]
    test: str
    threshold: float
    difference: Interval | None
    seeds: int
    unit: str = "points"

    @property
    def wrong_winner(self) -> float | None:
        """The share of seeds that alone would have named the wrong winner, in 0..1; None if nothing is measured."""
        if self.difference is None:
            return None
        values = self.difference.values
        return sum((v < 0) if self.difference.mean > 0 else (v > 0) for v in values) / len(values)

    def __repr__(self) -> str:
        return f"{ {True: 'Holds', False: 'Does not hold', None: 'Undecided'}[self.holds] }: {self.text}"


def decide(test: str, threshold: float, difference: Interval | None, unit: str) -> tuple[bool | None, str]:
    """Whether a difference passes a test with its threshold (None with too few seeds), and the reason why not."""
    seeds = len(difference.values) if difference else 0
    if seeds < ENOUGH_SEEDS or difference is None or difference.low is None or difference.high is None:
        return None, f"{counted(seeds, 'seed')} measured: {ENOUGH_SEEDS} are needed"
    limit = f"{threshold:g} {unit}".rstrip()
    slack = ROUNDING * (1 if unit else abs(threshold))
    if test == "better than":
        if difference.low <= 0:
            return False, "zero is inside" if difference.high >= 0 else "the other way round"
        if difference.low >= threshold - slack:
            return True, ""
        return False, f"smaller than {limit}" if difference.mean < threshold else f"the interval reaches below {limit}"
    if test == "level with":
        holds = difference.lies_between(-threshold - slack, threshold + slack) is True
        return holds, "" if holds else f"the interval reaches beyond {limit}"
    holds = difference.high < threshold
    return holds, "" if holds else f"the interval reaches {limit}"
