"""What a few seeds say: a mean with its interval, and a sentence about it that can fall."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tlkit.words import counted

ENOUGH_SEEDS = 5  # with fewer, no claim is decided


@dataclass(frozen=True)
class Interval:
    """One value a seed, with the mean and its 95 % t-interval (None with fewer than 2): paired differences in points.

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
        """Half the length of the 95 % interval: t(0.975, n - 1) s / sqrt(n)."""
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


@dataclass(frozen=True, repr=False)
class Claim:
    """A sentence, and whether the measurements bear it: `holds` is True, False, or None when it is undecided.

    `at` is where on the axes of the comparison, `unit` that of `threshold` and `difference`: "points", or nothing.
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
        """The share of seeds that alone would have named the other recipe the winner; None if nothing is measured."""
        if self.difference is None:
            return None
        values = self.difference.values
        return sum((v < 0) if self.difference.mean > 0 else (v > 0) for v in values) / len(values)

    def __repr__(self) -> str:
        return f"{ {True: 'Holds', False: 'Does not hold', None: 'Undecided'}[self.holds] }: {self.text}"


def judged(test: str, threshold: float, found: Interval | None, unit: str = "points") -> tuple[bool | None, str]:
    """Whether a difference bears a test with its threshold, and why not; None with too few seeds."""
    seeds = len(found.values) if found else 0
    if seeds < ENOUGH_SEEDS or found is None or found.low is None or found.high is None:
        return None, f"{counted(seeds, 'seed')} measured: {ENOUGH_SEEDS} are needed"
    limit = f"{threshold:g} {unit}".rstrip()
    if test == "better than":
        if found.low <= 0:
            return False, "zero is inside" if found.high >= 0 else "the other way round"
        holds = found.mean >= threshold
        return holds, "" if holds else f"smaller than {limit}"
    if test == "level with":
        holds = -threshold <= found.low and found.high <= threshold
        return holds, "" if holds else f"the interval reaches beyond {limit}"
    holds = found.high < threshold
    return holds, "" if holds else f"the interval reaches {limit}"
