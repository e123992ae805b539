"""What every widget shares: its JavaScript and its look are read here, and its words are its `repr`."""

from __future__ import annotations

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
