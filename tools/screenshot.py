"""Pictures of a lesson in real JupyterLab: `python tools/screenshot.py NOTEBOOK [--out DIR]`.

The lesson is run once; then its whole page is taken with outputs 900 and 420 px wide, light and dark, as
`<lesson>-<width>-<theme>.png`, and each of its widgets as `<lesson>-<width>-<theme>-<widget>.png`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from pathlib import Path

from jupyter_browser import HEIGHT, Lab, Notebook, chromium, rest

WIDTHS = (900, 420)
THEMES = ("light", "dark")
AFTER_A_CHANGE = 1500  # milliseconds in which widgets redraw at a new width or in a new theme


def take(notebook: Notebook, stem: Path) -> list[str]:
    """Take the page as it is now, and each widget in it; return what is wrong with it, in words."""
    page = notebook.page
    page.set_viewport_size({"width": notebook.size()["width"], "height": HEIGHT})
    notebook.fit_height()
    rest(page, AFTER_A_CHANGE)
    notebook.fit_height()
    page.locator(".jp-Notebook").screenshot(path=f"{stem}.png", animations="disabled")
    seen: Counter[str] = Counter()
    wrong = []
    for widget in page.locator(".jp-OutputArea .tl[data-widget]").all():
        name = widget.get_attribute("data-widget") or "widget"
        seen[name] += 1
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        if widget.is_visible():
            widget.screenshot(path=f"{stem}-{name}{number}.png", animations="disabled")
        else:
            wrong.append(f"{stem.name}: {name}{number} is not visible")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for the pictures")
    parser.add_argument("--scale", default="standard", choices=("quick", "standard", "full"))
    options = parser.parse_args()
    if chromium() is None:
        parser.error("there is no Chromium on this machine; on Debian: apt-get install chromium")
    os.environ["TLKIT_SCALE"] = options.scale
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Lab(Path(folder)) as lab,
        lab.open_notebook(options.notebook) as notebook,
    ):
        notebook.run_all(seconds=1800)
        wrong = notebook.errors()
        for width in WIDTHS:
            for theme in THEMES:
                notebook.set_theme(theme)
                notebook.set_width(width)
                wrong += take(notebook, options.out / f"{options.notebook.stem}-{width}-{theme}")
        wrong += notebook.script_errors
    print(*sorted(options.out.glob(f"{options.notebook.stem}-*.png")), *wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
