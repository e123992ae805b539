"""What every widget shares: its JavaScript and its look are read here, and its words are its `repr`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget

from tlkit.views import tokens_css

HERE = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """A widget drawn by `name.js` beside its Python file, in the look of `style.css`.

    A subclass says `class Monitor(Widget, script="monitor.js")` and sets its traits; the browser draws them.
    """

    def __init_subclass__(cls, script: str = "", **options: Any):
        if script:  # not for the subclasses that anywidget makes of an instance
            cls._esm = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("base.js", script))
            cls._css = tokens_css() + (HERE / "style.css").read_text(encoding="utf-8")
        super().__init_subclass__(**options)

    def words(self) -> str:
        """The sentence that says what the widget shows: its `repr` and the label of its figure."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.words()


def in_kernel_loop(handler: Callable[..., Any]) -> Callable[..., None]:
    """A handler that runs in the event loop of the kernel, wherever the browser's message is answered.

    JupyterLab may answer a widget's messages on a thread of their own, and an asyncio task or event that is touched
    from there never wakes. Without a loop (a plain script) the handler is called at once.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return handler

    def hand_over(*arguments: Any) -> None:
        loop.call_soon_threadsafe(handler, *arguments)

    return hand_over


_tasks: set[asyncio.Task] = set()


def start(work: Any) -> asyncio.Task:
    """Start an asyncio task and hold it until it ends: the loop itself holds its tasks only weakly."""
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task
