"""Iterators that take one step at a time, and how a notebook drives them while the kernel stays awake."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Self

END = object()  # stands for the end of a source: None may be one of its items
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
    """A training loop of any framework, with its numbers under the names that a Run has for them.

    Args:
        loop: an iterator, one step an item, with `stop()`, `finished` and `history`: a record for each step, with its
            "step", its "loss" and other named numbers. `steps` and `seconds`, if it has them, are how many steps there
            will be and how long those so far took.

    Raises:
        TypeError: if `loop` lacks one of these.
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
        """The last step that has a record; 0 before the first."""
        return self.history[-1]["step"] if self.history else 0

    @property
    def steps(self) -> int:
        """How many steps there will be; if the loop does not know, how many it has taken, at least 1."""
        return self.loop.steps if self.knows_its_end else max(self.step, 1)

    @property
    def seconds(self) -> float:
        """How long the steps so far took, in seconds; 0 if the loop does not say."""
        return getattr(self.loop, "seconds", 0.0)


async def in_slices(source: Any, wait: Callable[[], Awaitable[int | None]] | None = None) -> AsyncIterator[int]:
    """Iterate a source to its end, a few tens of milliseconds at a time: between two slices the kernel answers.

    Args:
        source: an iterator.
        wait: awaited before each slice, for as long as it takes (a pause). It returns how many items the slice may have
            at most; None for as many as there is time for.

    Returns:
        An asynchronous iterator over the number of items in each slice.
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
