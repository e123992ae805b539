"""The package's own lines, shown in a lesson beside the formula: the code on the page is the code that ran."""

import inspect
import textwrap
from html import escape
from typing import Any

from tlkit.lessons.page import on_page


class Source:
    """The source text of `thing`; lines with a ringed number, such as ①, are those that the text beside it means."""

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
    """Show the lines of a function, method or class: the code on the page is the code that ran.

    Args:
        thing: a part of tlkit, or anything else that is written in Python.

    Returns:
        Its source text, with lines marked that carry a ringed number, such as ①: the text beside it speaks of them.

    Raises:
        TypeError: if it is not written in Python.

    >>> print(show_source(show_source).text.splitlines()[0])
    def show_source(thing: Any) -> Source:
    """
    return Source(thing)


def _marked(text: str) -> list[str]:
    """The lines as HTML: keywords and values bold, comments and docstrings quiet."""
    from pygments.lexers.python import PythonLexer
    from pygments.token import Comment, Keyword, Number, String

    tags = {Keyword: "b", Number: "b", Comment: "i", String.Doc: "i"}
    marked = ""
    for kind, piece in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        tag = next((tag for known, tag in tags.items() if kind in known), None)
        lines = [f"<{tag}>{escape(line)}</{tag}>" if tag and line else escape(line) for line in piece.split("\n")]
        marked += "\n".join(lines)
    return marked.split("\n")
