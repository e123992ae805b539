"""The widget that docs/widgets.md makes: in JupyterLab and as a saved page, with nothing else touched."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from accessibility import findings

ROOT = Path(__file__).parents[2]
CELL = """
import sys
sys.path.insert(0, {folder!r})
import torch, tlkit as tl
assert tl.__file__.startswith({folder!r})
labels = torch.arange(3).repeat(4)
widget = tl.widgets.Agreement(labels, labels.clamp(max=1), labels, ("<b>a</b>", "b", "c"))
widget.save_page({page!r})
widget
"""


def made_by_the_page(folder: Path) -> Path:
    """A copy of the package with the files of the page, and with its one line."""
    package = shutil.copytree(ROOT / "tlkit", folder / "tlkit", ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "docs" / "widgets.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"^`tlkit/(widgets/agreement\.\w+)`:\n\n```\w+\n(.+?)^```", page, re.M | re.S):
        (package / name).write_text(code, encoding="utf-8")
    line = re.search(r"^    from tlkit\.widgets\.agreement import Agreement\n", page, re.M)
    assert line
    public = package / "widgets" / "__init__.py"
    public.write_text(
        public.read_text(encoding="utf-8").replace("if TYPE_CHECKING:\n", f"if TYPE_CHECKING:\n{line[0]}")
    )
    return package.parent


def shows_and_answers(widget) -> None:
    widget.get_by_text("100 %").wait_for()
    widget.get_by_role("radio", name="c", exact=True).click()
    widget.get_by_text("0 %", exact=True).wait_for()
    assert widget.get_by_role("radio", name="<b>a</b>").count() == 1


def test_it_appears_in_jupyterlab_and_in_a_saved_page(open_notebook, lab, tmp_path):
    folder, saved = made_by_the_page(tmp_path), tmp_path / "agreement.html"
    notebook = open_notebook([CELL.format(folder=str(folder), page=str(saved))])
    notebook.run_cell(0)
    widget = notebook.output(0).locator('[data-widget="agreement"]')
    shows_and_answers(widget)
    assert findings(notebook.page, ".tl[data-widget]") == []

    context = lab.new_context(offline=True)
    page = context.new_page()
    page.goto(saved.as_uri())
    shows_and_answers(page.locator(".tl"))
    assert findings(page) == []
    context.close()
