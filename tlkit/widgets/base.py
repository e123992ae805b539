"""What every widget shares: its JavaScript and its look are read here, and its words are its `repr`."""

import asyncio
import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any, ClassVar

import anywidget
import traitlets as t

from tlkit.files import write_whole
from tlkit.views import tokens_css

HERE = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """A widget drawn by `name.js` and `name.css` beside its Python file, in the look that all share, `style.css`.

    A subclass says `class Monitor(Widget, script="monitor.js")` and sets its traits; the browser draws them. What a
    saved page keeps over a reload is named in `_remembered`.
    """

    needs_python: ClassVar[bool] = False
    _look: ClassVar[str]
    _remembered = t.List().tag(sync=True)

    def __init_subclass__(cls, script: str = "", **options: Any):
        if script:  # not for the subclasses that anywidget makes of an instance
            cls._look = script.split()[-1].replace(".js", ".css")
            cls._esm = "\n".join(map(_read, ("base.js", *script.split())))
            # All sheets, the shared one first: a page of several widgets reads them again and again, in any order.
            others = sorted(path.name for path in HERE.glob("*.css") if path.name != "style.css")
            cls._css = tokens_css() + "\n".join(map(_read, ("style.css", *others)))
        super().__init_subclass__(**options)

    def words(self) -> str:
        """The sentence that says what the widget shows: its `repr` and the label of its figure."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.words()

    def save_page(self, path: str | Path) -> Path:
        """Write the widget as one HTML file that needs no kernel and no network, and return its path.

        Raises ValueError for a widget that needs Python to do anything.
        """
        if self.needs_python:
            raise ValueError(f"{type(self).__name__} needs Python for what it does; save a widget that answers alone")
        from ipywidgets.embed import dependency_state, escape_script

        model = self.model_id
        state = {"state": {model: dependency_state([self], drop_defaults=False)[model]}}
        one = state["state"][model]["state"]
        one["_esm"] = _without_indents(one["_esm"])
        one["_css"] = _without_indents(tokens_css() + _read("style.css") + _read(self._look))
        page = Template(_read("page.html")).substitute(
            title=escape(self.words()),
            state=escape_script(json.dumps(state, ensure_ascii=False, separators=(",", ":"))),
            view=json.dumps({"model_id": model}),
            host=_without_indents(_read("host.js")),
        )
        write_whole(Path(path), page)
        return Path(path)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _without_indents(code: str) -> str:
    """Shorter by a tenth: without indents and lines that are comments."""
    lines = (line.strip() for line in code.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def required_number(what: str, number: int, count: int) -> int:
    """The number itself. Raises ValueError if it is none of `count` things, counted from 0, each called a `what`."""
    if not 0 <= number < count:
        raise ValueError(f"there is no {what} {number}; they are counted from 0 to {count - 1}")
    return number


def training_steps(frames: Mapping[int, Any]) -> list[int]:
    """The steps of `{step: what there was}`. Raises ValueError if there are none, or no whole numbers that rise."""
    steps = list(frames)
    if not steps or not all(isinstance(step, int) for step in steps) or steps != sorted(steps):
        raise ValueError(f"frames are of the steps {steps}; give at least one, as whole numbers in training's order")
    return steps


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
