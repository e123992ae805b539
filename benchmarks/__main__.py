"""Run every benchmark."""

import sys

from benchmarks import awake, features, lesson, loop, teach

for module in (loop, features, awake, lesson, teach):
    print(f"\n# {module.__name__}\n", flush=True)
    module.main("--quick" in sys.argv)
