"""How large a lesson runs: quick for tests, standard for reading and teaching, full for a GPU and real data."""

import os
from typing import TypeVar

SCALES = ("quick", "standard", "full")
Value = TypeVar("Value")
_same = object()


def scale() -> str:
    """The scale set by TLKIT_SCALE, else "standard". Raises ValueError for a scale that does not exist."""
    chosen = os.environ.get("TLKIT_SCALE") or "standard"
    if chosen not in SCALES:
        raise ValueError(f"TLKIT_SCALE={chosen!r}; use one of {', '.join(SCALES)}")
    return chosen


def at_scale(*, quick: Value, standard: Value, full: Value = _same) -> Value:  # type: ignore[assignment]
    """The value for the present scale; `full` is as `standard` unless given.

    >>> at_scale(quick=5, standard=8) in (5, 8)
    True
    """
    return {"quick": quick, "standard": standard, "full": standard if full is _same else full}[scale()]
