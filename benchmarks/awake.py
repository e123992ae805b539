"""How long is the kernel deaf while a monitor trains? A task that wants to run each millisecond says how long it waits.

Whatever the browser asks (Pause, Stop) is answered when that task runs. `python -m benchmarks.awake [--quick]`
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import tlkit as tl


async def longest_wait(monitor: Any) -> tuple[float, float]:
    """Train with a monitor; the seconds it took, and the longest that another task had to wait."""
    waits: list[float] = []

    async def tick() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - before)
            before = time.perf_counter()

    ticking = asyncio.create_task(tick())
    started = time.perf_counter()
    await monitor.train()
    ticking.cancel()
    return time.perf_counter() - started, max(waits)


def main(quick: bool = False) -> None:
    """Print the longest wait for a run and for a comparison."""
    task, source = tl.data.digits(), tl.data.glyphs(count=4_000)

    def run(data: Any, seed: int = 0) -> tl.Run:
        objective = tl.objectives.CrossEntropy(augment=tl.data.weak)
        return tl.Run(tl.models.SmallCNN(seed=seed), objective, data, steps=150, schedule="one-cycle", seed=seed)

    comparison = tl.compare({"from scratch": run}, task, seeds=range(2 if quick else 5), budgets=(1, 10))
    run(source).finish()  # imports
    for name, watched in {"a run": tl.validated(run(source), task.validation), "a comparison": comparison}.items():
        seconds, wait = asyncio.run(longest_wait(tl.widgets.Monitor(watched)))
        print(f"{name}: {seconds:.1f} s of training, the kernel was deaf for {1000 * wait:.0f} ms at most", flush=True)


if __name__ == "__main__":
    main("--quick" in sys.argv)
