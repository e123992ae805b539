"""The package's own lines, shown in a lesson beside the formula: the code on the page is the code that ran."""

from __future__ import annotations

import inspect
import io
import keyword
import textwrap
import token
import tokenize
from html import escape
from typing import Any

from tlkit.lessons.page import on_page


class Source:
    """The source text of `thing`; lines with a ringed number, such as ①, are the ones the text speaks of."""

    def __init__(self, thing: Any):
        self.text = textwrap.dedent(inspect.getsource(thing)).rstrip()

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        lines = []
        for plain, marked in zip(self.text.split("\n"), _marked(self.text), strict=True):
            kind = " tl-equation" if any("①" <= sign <= "⑳" for sign in plain) else ""
            lines.append(f"<span class='tl-code-line{kind}'>{marked}</span>")
        return on_page(f"<pre class='tl-code' tabindex='0'>{''.join(lines)}</pre>")


def show_source(thing: Any) -> Source:
    """Show the lines of a function, method or class of tlkit (or of anything written in Python).

    >>> print(show_source(show_source).text.splitlines()[0])
    def show_source(thing: Any) -> Source:

    Raises TypeError if it was not written in Python.
    """
    return Source(thing)


def _marked(text: str) -> list[str]:
    """The lines as HTML: keywords and values bold, comments and docstrings quiet."""
    lines = text.split("\n")
    tags: dict[tuple[int, int], str] = {}
    for found in tokenize.generate_tokens(io.StringIO(text + "\n").readline):
        tag = ""
        if (found.type == token.NAME and keyword.iskeyword(found.string)) or found.type == token.NUMBER:
            tag = "b"
        elif found.type == token.COMMENT or (found.type == token.STRING and found.string.startswith(('"""', "'''"))):
            tag = "i"
        for row in range(found.start[0], found.end[0] + 1) if tag else ():
            begin = found.start[1] if row == found.start[0] else 0
            end = found.end[1] if row == found.end[0] else len(lines[row - 1])
            tags |= dict.fromkeys(((row - 1, column) for column in range(begin, end)), tag)
    marked = []
    for row, line in enumerate(lines):
        pieces, before = [], ""
        for column, sign in enumerate([*line, ""]):
            tag = tags.get((row, column), "")
            if tag != before or not sign:
                pieces.append((f"</{before}>" if before else "") + (f"<{tag}>" if tag and sign else ""))
                before = tag
            pieces.append(escape(sign))
        marked.append("".join(pieces))
    return marked
