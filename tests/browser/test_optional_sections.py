"""An optional section is folded, Run all runs it, and a click unfolds what it shows."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks

CELLS = [
    new_markdown_cell("# A lesson"),
    new_markdown_cell("### Optional: what is left", metadata={notebooks.FOLDED: True}),
    new_code_cell("import tlkit as tl\ntl.widgets.Gallery(tl.data.digits().test[:20])"),
    new_markdown_cell("### Your turn"),
    new_code_cell("print('next')"),
]


def test_a_folded_section_is_run_with_all_the_others_and_unfolds_with_its_widget(open_notebook, tmp_path):
    nbformat.write(new_notebook(cells=CELLS), tmp_path / "lesson.ipynb")
    notebook = open_notebook(tmp_path / "lesson.ipynb")
    notebook.run_all()
    notebook.page.get_by_text("next", exact=True).wait_for()
    gallery = notebook.widget("gallery")
    assert not gallery.is_visible()
    notebook.page.get_by_role("button", name="1 cell hidden").click()
    gallery.wait_for()
    assert gallery.bounding_box()["width"] > 300
    assert not notebook.script_errors
