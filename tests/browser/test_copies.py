"""A learner's copy of a lesson, opened in JupyterLab."""

from __future__ import annotations

import tlkit as tl

DIRTY = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"


def test_a_copy_is_not_marked_as_unsaved_when_it_is_opened(open_notebook, tmp_path):
    copy = open_notebook(tl.lessons.make_copies(tmp_path)[0])
    other = open_notebook(["1"])  # JupyterLab writes what kernel it has: then it has done so for the copy too
    other.page.wait_for_function(DIRTY)
    assert not copy.page.evaluate(DIRTY)
