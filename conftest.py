"""How every test runs, and every kernel and command that a test starts; read before anything imports torch.

It stands at the root because the lessons in `notebooks/` are tests too.
"""

from __future__ import annotations

import os

import pytest
from nbval.plugin import IPyNbFile

from notebooks import NOT_COMPARED

# A lesson-size step takes 1.4 ms on one torch thread and up to 34 ms on two when the machine is busy (measured).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TLKIT_SCALE"] = "quick"


def pytest_collectstart(collector: pytest.Collector) -> None:
    """nbval compares the words of a tagged cell; its pictures and widgets have other bytes on other machines."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = (*collector.skip_compare, *NOT_COMPARED)  # type: ignore[assignment]
