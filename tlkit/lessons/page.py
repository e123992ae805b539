"""What the lessons write on the page besides widgets: HTML in the colours of the host, light or dark."""

from html import escape
from pathlib import Path

from tlkit.views import PICTURE_CSS, tokens_css


def on_page(body: str) -> str:
    """A piece of HTML with the look of the course around it."""
    css = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return f"<style>{tokens_css()}{PICTURE_CSS}{css}</style><div class='tl tl-page'>{body}</div>"


class OnPage:
    """What is shown once: as HTML on a page, and as words where there is none.

    Args:
        words: its `repr`, which nbval compares.
        html: what a page shows.
    """

    def __init__(self, words: str, html: str):
        self.words, self.html = words, html

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        return self.html


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; names in it are text, never markup."""
    return f"<p class='{kind}'>{escape(text)}</p>"
