"""Which lessons there are: the notebooks themselves say their question, minutes and kind of transfer."""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

ABOUT = {"title": str, "question": str, "minutes": int, "transfer": str}  # a lesson's metadata, under "tlkit"


@dataclass(frozen=True)
class Lesson:
    """What a lesson's notebook says of itself, and where it is.

    Args:
        name: the file's name without its ending, such as "01_why_transfer".
        title: a few words.
        question: the one question that the lesson answers.
        minutes: what a learner needs for it.
        transfer: the kind, such as "supervised".
        path: the notebook.
    """

    name: str
    title: str
    question: str
    minutes: int
    transfer: str
    path: Path


def lessons_folder() -> Path:
    """Where the lessons are: the repository's `notebooks/` in an editable install, else inside the package."""
    package = Path(__file__).resolve().parent
    repository = package.parents[1]
    if (repository / "pyproject.toml").exists() and (repository / "notebooks").is_dir():
        return repository / "notebooks"
    return package / "notebooks"


def catalogue() -> list[Lesson]:
    """All lessons, in the order of the course; a numbered notebook that is not a lesson is left out."""
    return [*survey()[0].values()]


def survey() -> tuple[dict[str, Lesson], dict[str, str]]:
    """By name: the lessons in the order of the course, and why each other numbered notebook is left out."""
    lessons, left_out, numbers = {}, {}, {}
    for path in sorted(lessons_folder().glob("[0-9]*.ipynb"), key=lambda path: path.stem):
        number = int(re.split(r"\D", path.stem)[0])
        try:
            if number in numbers:
                raise ValueError(f"its number is that of {numbers[number]}; give one of them another")
            lessons[path.stem] = Lesson(path.stem, **_about(path), path=path)
            numbers[number] = path.name
        except (OSError, ValueError) as error:
            left_out[path.stem] = f"{path.name} is left out: {error}"
    return lessons, left_out


def find(name: str) -> Lesson:
    """The lesson of that name or number, or the one in that file.

    Args:
        name: such as "01_why_transfer" or "01", of the course; or a file, such as "mine/01_why_transfer.ipynb".

    Returns:
        The lesson.

    Raises:
        ValueError: if there is none; with the nearest match, or why a notebook of that name is not a lesson.
    """
    file = Path(name).expanduser()
    if file.suffix == ".ipynb" and file.is_file():
        try:
            return Lesson(file.stem, **_about(file), path=file.absolute())
        except ValueError as error:
            raise ValueError(f"{name} is not a lesson: {error}") from error
    if file.name != name:
        raise ValueError(f'there is no notebook "{name}"; for a lesson of the course give its name without a folder')
    lessons, left_out = survey()
    wanted = name.removesuffix(".ipynb")
    begins = [known for known in (*lessons, *left_out) if wanted and known.startswith(wanted)]
    if begins and wanted not in begins and len(lessons.keys() & begins) < 2:
        wanted = begins[0]
    if wanted in lessons:
        return lessons[wanted]
    if wanted in left_out:
        raise ValueError(left_out[wanted])
    near = get_close_matches(wanted, lessons, 1, cutoff=0.3)
    hint = f'did you mean "{near[0]}"?' if near else "`tlkit lessons` lists them all"
    raise ValueError(f'there is no lesson "{name}"; {hint}')


def _about(path: Path) -> dict[str, Any]:
    """What the notebook's metadata says of the lesson; ValueError if it is not a notebook or does not say all of it."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        about = {**notebook["metadata"].get("tlkit", {})}
        if not all(cell.keys() >= {"cell_type", "source", "metadata"} for cell in notebook["cells"]):
            raise ValueError("a cell lacks its type, source or metadata")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not a notebook ({type(error).__name__}: {error})") from error
    if missing := [name for name, kind in ABOUT.items() if not isinstance(about.get(name), kind)]:
        raise ValueError(f'its metadata does not say, under "tlkit", its {", ".join(missing)}; see docs/lessons.md')
    return {name: about[name] for name in ABOUT}
