"""What takes its steps one by one when asked, and how a notebook asks while the kernel stays awake."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Self

END = object()  # what a source gives that has no more items: an item may be None
SLICE = 0.03  # seconds of training between two looks at what the browser has sent


class Stepwise(Iterator[Any]):
    """An iterator that can be stopped between two items; iterating it again goes on. `__next__` looks at `_stopped`."""

    _stopped = False

    def __iter__(self) -> Self:
        self._stopped = False
        return self

    def finish(self) -> Self:
        """Take every step that is left."""
        for _ in self:
            pass
        return self

    def stop(self) -> None:
        """End whatever loop is iterating this, between two steps; what is done stays."""
        self._stopped = True


class Watched:
    """A training loop of whatever framework, its numbers under the names that a Run has for them.

    A loop is an iterator, one step an item, with `stop()`, `finished` and `history`: a record for each step, with its
    "step", its "loss" and other named numbers. `steps` and `seconds`, if it has them, say how many steps there will be
    and how long those so far took. Raises TypeError for what is no loop.
    """

    def __init__(self, loop: Any):
        missing = [name for name in ("__iter__", "__next__", "stop", "finished", "history") if not hasattr(loop, name)]
        if missing:
            raise TypeError(
                "a Monitor watches a Run, an observed run, a Comparison, or an iterator with stop(), finished and "
                f"history; a {type(loop).__name__} has no {missing[0].strip('_')}"
            )
        self.loop, self.knows_its_end = loop, hasattr(loop, "steps")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The loop's own records."""
        return self.loop.history

    @property
    def step(self) -> int:
        """The last step that there is a record of."""
        return self.history[-1]["step"] if self.history else 0

    @property
    def steps(self) -> int:
        """How many steps there will be; where the loop does not know, as many as it has taken."""
        return self.loop.steps if self.knows_its_end else max(self.step, 1)

    @property
    def seconds(self) -> float:
        """How long the steps took; 0 where the loop does not say."""
        return getattr(self.loop, "seconds", 0.0)


async def in_slices(source: Any, wait: Callable[[], Awaitable[int | None]] | None = None) -> AsyncIterator[int]:
    """Iterate `source` to its end, a few tens of milliseconds at a time; yields the number of items after each slice.

    Between two slices the kernel answers. `wait`, if given, is awaited before each slice, as long as it likes (a
    pause), and says how many items the slice may have at most; None for as many as it has time for.
    """
    while True:
        most = await wait() if wait else None
        end, taken = time.perf_counter() + SLICE, 0
        while next(source, END) is not END:
            taken += 1
            if taken == most or time.perf_counter() > end:
                break
        else:
            return
        yield taken
        await asyncio.sleep(0)
