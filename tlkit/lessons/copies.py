"""Copies of the lessons to work in: without solutions for students, and never over somebody's work."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tlkit.files import write_whole
from tlkit.lessons.course import catalogue

NAMES = 3  # counts how often names that lessons call have changed; a copy is stamped with it
SOLUTION = re.compile(r"^( *)# solution\n.*?^ *# end of solution$", re.DOTALL | re.MULTILINE)


def usual_folder(teacher: bool = False) -> Path:
    """Where copies go if nobody says where: beside what is here, and among the copies where somebody stands there."""
    names = {False: "tlkit-lessons", True: "tlkit-lessons-teacher"}
    here = Path.cwd()
    if here.name in names.values():
        return here.with_name(names[teacher])
    if any("copied" in _stamp(_read(path)) for path in here.glob("*.ipynb")):
        return here
    return here / names[teacher]


def make_copies(folder: Path | str = "tlkit-lessons", teacher: bool = False) -> list[Path]:
    """Put a copy of every lesson into a folder, and never over somebody's work.

    Args:
        folder: where the copies go; it is made if it does not exist.
        teacher: whether the solutions of the exercises stay in; by default `answer = ...` takes their place.

    Returns:
        The paths to open, in the order of the course.

    Raises:
        OSError: if the folder cannot be written. A full disk leaves no file half written.

    A copy holds a hash of its cells as they were written. One that was edited stays as it is, and a fresh one is put
    beside it; one that was only run or read follows the lesson when that changes.
    """
    folder = Path(folder)
    opened = []
    for lesson in catalogue():
        notebook = without_outputs(json.loads(lesson.path.read_text(encoding="utf-8")), teacher)
        notebook["metadata"].setdefault("tlkit", {}).update(copied=_cells_hash(notebook), names=NAMES)
        notebook["metadata"] |= _kernel()
        opened.append(folder / lesson.path.name)
        target, number = opened[-1], 1
        while (there := _read(target)) is not None and not _is_as_written(there):
            target = folder / f"{lesson.name}-fresh{'' if number == 1 else f'-{number}'}.ipynb"
            number += 1
        if there is None or _cells_hash(there) != _cells_hash(notebook):
            write_whole(target, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    return opened


def older_copies(folder: Path) -> list[str]:
    """The edited lessons in a folder that were copied when things still had other names: they may not run any more."""
    there = {path.name: _read(path) or {} for path in folder.glob("*.ipynb")}
    edited = {name: _stamp(notebook) for name, notebook in there.items() if not _is_as_written(notebook)}
    return sorted(name for name, stamp in edited.items() if "copied" in stamp and stamp.get("names", 1) < NAMES)


def without_outputs(notebook: dict[str, Any], teacher: bool) -> dict[str, Any]:
    """The notebook without outputs and, unless for a teacher, with `...` in the place of each solution.

    A solution stands in a cell tagged `solution`, between the comments `# solution` and `# end of solution`.
    """
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        cell["outputs"], cell["execution_count"] = [], None
        if "solution" in cell["metadata"].get("tags", []) and not teacher:
            cell["source"] = SOLUTION.sub(r"\1answer = ...  # your turn", "".join(cell["source"]))
    return notebook


def _kernel() -> dict[str, Any]:
    """What JupyterLab writes into a notebook's metadata when its kernel answers: a copy that has it opens as saved."""
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelspec import get_kernel_dict

    spec = get_kernel_dict()
    return {
        "kernelspec": {"display_name": spec["display_name"], "language": spec["language"], "name": "python3"},
        "language_info": {**IPythonKernel.language_info},
    }


def _read(path: Path) -> dict[str, Any] | None:
    """The notebook; {} for a file that is not one (it is somebody's work too); None if there is no file."""
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _stamp(notebook: Any) -> dict[str, Any]:
    """What a copy was stamped with; nothing if it is not a copy."""
    try:
        return dict(notebook["metadata"]["tlkit"])
    except (KeyError, TypeError, ValueError):
        return {}


def _is_as_written(notebook: Any) -> bool:
    return "copied" in (stamp := _stamp(notebook)) and stamp["copied"] == _cells_hash(notebook)


def _cells_hash(notebook: dict[str, Any]) -> str:
    sources = ["".join(cell["source"]) for cell in notebook.get("cells", ())]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()
