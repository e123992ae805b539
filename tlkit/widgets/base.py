"""What every widget shares: its files are sent to the page from here, and its words are its `repr`."""

import asyncio
import json
import math
import re
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets as t
from ipywidgets.embed import dependency_state, escape_script

from tlkit.files import write_whole
from tlkit.views import tokens_css

HERE = Path(__file__).parent


class File(ipywidgets.Widget):
    """A file of the front end in the page: sent once, however many widgets are made of it."""

    name = t.Unicode().tag(sync=True)
    text = t.Unicode().tag(sync=True)


class Widget(anywidget.AnyWidget):
    """A widget drawn by an ES module beside its Python file, in the look that all share, `style.css`.

    A subclass says `class Monitor(Widget, script="monitor.js")` and sets its traits; the module's `render({model, el})`
    draws them. What a module imports comes with it, and the style sheet beside each, such as `monitor.css`. What a
    saved page keeps over a reload is named in `_remembered`.
    """

    needs_python: ClassVar[bool] = False
    _script: ClassVar[str]
    _files = t.List(t.Instance(File)).tag(sync=True, **ipywidgets.widget_serialization)
    _remembered = t.List().tag(sync=True)

    def __init_subclass__(cls, script: str = "", **options: Any):
        if script:  # not for the subclasses that anywidget makes of an instance
            cls._script, cls._esm = script, text_of("loader.js")
        super().__init_subclass__(**options)

    @t.default("_files")
    def _all_files(self) -> list[File]:
        return [_sent(name) for name in files_of(self._script)]

    def get_state(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The state as ipywidgets gives it, in what JSON in UTF-8 can say: `None` for a number that is not finite."""
        return _sayable(super().get_state(*arguments, **options))

    def words(self) -> str:
        """The sentence that says what the widget shows: its `repr` and the label of its figure."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.words()

    def save_page(self, path: str | Path) -> Path:
        """Write the widget as one HTML file that needs no kernel and no network.

        Args:
            path: where; what stood there is replaced, whole or not at all.

        Returns:
            The path.

        Raises:
            ValueError: for a widget that needs Python to do anything, such as a Monitor.
            OSError: if the file cannot be written.
        """
        if self.needs_python:
            raise ValueError(f"{type(self).__name__} needs Python for what it does; save a widget that answers alone")
        own = {self.model_id: _drawn(dependency_state([self], drop_defaults=False)[self.model_id])}
        own[self.model_id]["state"]["_files"] = [f"IPY_MODEL_{file.name}" for file in self._files]
        files = {file.name: {"state": {"name": file.name, "text": file.text}} for file in self._files}
        page = Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
            title=escape(_sayable(self.words())),
            state=escape_script(json.dumps({"state": own | files}, ensure_ascii=False, separators=(",", ":"))),
            view=json.dumps({"model_id": self.model_id}),
            host=text_of("host.js"),
        )
        write_whole(path := Path(path).expanduser(), page)
        return path


def _drawn(saved: dict[str, Any]) -> dict[str, Any]:
    """What a page without a kernel needs of a saved widget: what JupyterLab finds its class by is not needed there."""
    unused = r"_(model|view|dom)_\w+|layout|tabbable|tooltip"
    state = {name: value for name, value in saved["state"].items() if not re.fullmatch(unused, name)}
    buffers = [{"path": one["path"], "data": one["data"]} for one in saved.get("buffers", [])]
    return {"state": state, "buffers": buffers}


@cache
def files_of(script: str) -> tuple[str, ...]:
    """The names of a module's files: the shared sheet, other sheets, modules; what is imported before its importer."""

    def modules(name: str) -> list[str]:
        imported = re.findall(r'^import .* from "\./(.+)";$', text_of(name), re.M)
        return [one for other in imported for one in modules(other)] + [name]

    found = list(dict.fromkeys(modules(script)))
    sheets = [sheet for name in found if (HERE / (sheet := name.replace(".js", ".css"))).exists()]
    return ("style.css", *sheets, *found)


@cache
def text_of(name: str) -> str:
    """A file as it is sent: without indents and comments, a module's lines where they stand in the package."""
    lines = (HERE / name).read_text(encoding="utf-8").split("\n")
    text = "\n".join(re.sub(r"(^|\s+)(// .*|/\* .* \*/)$", "", line).strip() for line in lines).rstrip()
    if name.endswith(".css"):
        text = re.sub(r"[ \n]*([{};,>])[ \n]*|(?<=:) ", r"\1", text).replace(";}", "}")
    return tokens_css() + text if name == "style.css" else text


def _sayable(value: Any) -> Any:
    """The value with None, drawn as a gap, for numbers that are not finite, and with \ufffd for halves of characters.

    JSON has no NaN, and browsers refuse a state that has; a file name that is no UTF-8 cannot be written into a page.
    """
    if isinstance(value, dict):
        return {_sayable(key): _sayable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(one) for one in value]
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


_in_page: dict[str, File] = {}


def _sent(name: str) -> File:
    """The file in the page; sent again if somebody closed all widgets."""
    if name not in _in_page or _in_page[name].comm is None:
        _in_page[name] = File(name=name, text=text_of(name))
    return _in_page[name]


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


def loosely(value: Any) -> Callable[[], Any]:
    """Returns the value for as long as somebody else holds it, then None.

    ipywidgets keeps every widget until its kernel ends, so a widget lets go of networks and data that it has no more
    need of.
    """
    try:
        return weakref.ref(value)
    except TypeError:  # Python can hold it only tightly
        return lambda: value


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
