"""Run every benchmark."""

import sys

from benchmarks import lesson, loop

for module in (loop, lesson):
    print(f"\n# {module.__name__}\n", flush=True)
    module.main("--quick" in sys.argv)
