"""How large a lesson runs: quick for tests, standard for reading and teaching, full for a GPU and real data."""

import os
from typing import TypeVar

SCALES = ("quick", "standard", "full")
Value = TypeVar("Value")
_same = object()


def scale() -> str:
    """The scale that the environment's TLKIT_SCALE names, else "standard".

    Raises:
        ValueError: if TLKIT_SCALE names another one than "quick", "standard" or "full".
    """
    chosen = os.environ.get("TLKIT_SCALE") or "standard"
    if chosen not in SCALES:
        raise ValueError(f"TLKIT_SCALE={chosen!r}; use one of {', '.join(SCALES)}")
    return chosen


def at_scale(*, quick: Value, standard: Value, full: Value = _same) -> Value:  # type: ignore[assignment]
    """The value for the scale at which the lesson runs.

    Args:
        quick: for tests: as little as shows that the lesson works.
        standard: for reading and teaching on a laptop.
        full: for a GPU and real data. By default the value for `standard`.

    Returns:
        One of the three.

    Raises:
        ValueError: if TLKIT_SCALE names a scale that does not exist.

    >>> at_scale(quick=5, standard=8) in (5, 8)
    True
    """
    return {"quick": quick, "standard": standard, "full": standard if full is _same else full}[scale()]
