"""Keep the lessons' files small and their stored words true: `python tools/notebooks.py [--check] [--refresh] [paths]`.

Outputs, counts and volatile metadata go, except the outputs of cells tagged `nbval-check-output`, which nbval compares
with what the cell prints. Two traps of nbval 0.11 decide how those are kept: a tagged cell without a stored output
passes whatever it prints, and one with the right output but a null count fails. So such a cell must hold an output,
and its count is always 1.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

LESSONS = Path(__file__).parent.parent / "notebooks"
CHECKED = "nbval-check-output"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDED = "jp-MarkdownHeadingCollapsed"  # on a heading: JupyterLab folds its section
OURS = {"tags", "tlkit", FOLDED}  # what the catalogue, the exercises and JupyterLab read
# Pictures and widgets: the suite's conftest.py tells nbval not to compare them, and they are not stored.
NOT_COMPARED = {
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "application/vnd.jupyter.widget-view+json",
}


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval compares what the cell prints."""
    return CHECKED in cell.metadata.get("tags", [])


def clean(notebook: NotebookNode) -> NotebookNode:
    """The same lesson without what changes from run to run; the argument is changed and returned."""
    notebook.metadata = nbformat.from_dict(
        METADATA | {key: notebook.metadata[key] for key in OURS & {*notebook.metadata}}
    )
    for cell in notebook.cells:
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in OURS & {*cell.metadata}})
        if cell.cell_type != "code":
            continue
        kept = [output for output in cell.outputs if output.output_type != "error"] if is_checked(cell) else []
        for output in kept:
            if "data" in output:
                output.data = NotebookNode(
                    {kind: output.data[kind] for kind in output.data if kind not in NOT_COMPARED}
                )
                output.metadata = NotebookNode()
            if output.output_type == "execute_result":
                output.execution_count = 1
        cell.outputs = kept
        cell.execution_count = 1 if is_checked(cell) else None
    return notebook


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run the lesson as the tests do: at quick scale, on one thread. An exception in a cell is raised here."""
    os.environ["TLKIT_SCALE"] = "quick"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    client = NotebookClient(notebook, timeout=600, coalesce_streams=True, resources={"metadata": {"path": str(folder)}})
    return client.execute()


def main(arguments: Sequence[str] | None = None) -> int:
    """Clean the lessons (or look only, with --check); 1 if a file would change or a tagged cell holds no output."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument("--check", action="store_true", help="change nothing; name the files that would change")
    parser.add_argument("--refresh", action="store_true", help="run the lessons and store what tagged cells print")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all in notebooks/)")
    options = parser.parse_args(arguments)
    failed = False
    for path in options.paths or sorted(LESSONS.glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        try:
            notebook = nbformat.reads(before, as_version=4)
        except ValueError:
            print(f"{path}: not a notebook: its text is not JSON")
            failed = True
            continue
        if notebook.nbformat_minor < 5:  # its cells have no ids
            notebook = nbformat.v4.upgrade(notebook)
        after = nbformat.writes(clean(execute(notebook, path.parent) if options.refresh else notebook)) + "\n"
        if after != before:
            print(f"{path}: {'not clean' if options.check else 'cleaned'}")
            failed |= options.check
            if not options.check:
                path.write_text(after, encoding="utf-8", newline="\n")
        for cell in notebook.cells:
            if is_checked(cell) and not cell.get("outputs"):
                print(f'{path}: cell "{cell.id}" is tagged {CHECKED} but no output is stored; run with --refresh')
                failed = True
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
