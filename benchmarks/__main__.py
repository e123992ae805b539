"""Run every benchmark."""

import sys

from benchmarks import awake, lesson, loop

for module in (loop, awake, lesson):
    print(f"\n# {module.__name__}\n", flush=True)
    module.main("--quick" in sys.argv)
