"""The package's own lines, shown in a lesson beside the formula: the code on the page is the code that ran."""

import inspect
import textwrap
from html import escape
from typing import Any

from tlkit.lessons.page import on_page

RINGED = "①②③④⑤⑥⑦⑧⑨"


class Source:
    """The source text of `thing`; lines with a ringed number, such as ①, are those that the text beside it means."""

    def __init__(self, thing: Any, first: int = 1):
        if first not in range(1, len(RINGED) + 1):
            raise ValueError(f"first={first}, but equations are numbered from 1 to {len(RINGED)}")
        text = textwrap.dedent(inspect.getsource(thing)).rstrip()
        self.text = text.translate(str.maketrans(RINGED, RINGED[first - 1 :].ljust(len(RINGED), RINGED[-1])))

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        lines = []
        for plain, marked in zip(self.text.split("\n"), _marked(self.text), strict=True):
            kind = " tl-equation" if any(sign in RINGED for sign in plain) else ""
            indent = len(plain) - len(plain.lstrip()) + 4  # letters; of a line that is too long the rest stands there
            lines.append(f"<span class='tl-code-line{kind}' style='--indent:{indent}ch'>{marked}</span>")
        return on_page(f"<pre class='tl-code'>{''.join(lines)}</pre>")


def show_source(thing: Any, first: int = 1) -> Source:
    """Show the lines of a function, method or class: the code on the page is the code that ran.

    Args:
        thing: a part of tlkit, or anything else that is written in Python.
        first: the number, 1 to 9, that the equation of its line ① has in the text beside it; the others follow.

    Returns:
        Its source text, with lines marked that carry a ringed number, such as ①: the text beside it speaks of them.

    Raises:
        TypeError: if it is not written in Python.
        ValueError: if `first` is not 1 to 9.

    >>> print(show_source(show_source).text.splitlines()[0])
    def show_source(thing: Any, first: int = 1) -> Source:
    """
    return Source(thing, first)


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
