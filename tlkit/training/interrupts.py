"""Interrupts that wait until the step or the file under way is complete."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold an interrupt (SIGINT) back until the block has ended, then raise it again for the handler that was there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held_back: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: held_back.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held_back:
            signal.raise_signal(signal.SIGINT)
