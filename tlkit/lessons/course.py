"""Which lessons there are: the notebooks themselves say their question, minutes and kind of transfer."""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True)
class Lesson:
    """A lesson: its file name without ending, title, question, minutes for a learner, kind of transfer, and path."""

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
    """All lessons, in the order of the course."""
    lessons = []
    for path in sorted(lessons_folder().glob("[0-9]*.ipynb")):
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["tlkit"]
        lessons.append(Lesson(path.stem, about["title"], about["question"], about["minutes"], about["transfer"], path))
    return lessons


def find(name: str) -> Lesson:
    """The lesson of that name, of that number ("01"), or in that file. Raises ValueError with the nearest match."""
    lessons = {lesson.name: lesson for lesson in catalogue()}
    asked = Path(name).name.removesuffix(".ipynb")
    begins = [lesson for known, lesson in lessons.items() if asked and known.startswith(asked)]
    if asked in lessons or len(begins) == 1:
        return lessons.get(asked) or begins[0]
    near = get_close_matches(asked, lessons, 1, cutoff=0.3)
    hint = f'did you mean "{near[0]}"?' if near else "`tlkit lessons` lists them all"
    raise ValueError(f'there is no lesson "{name}"; {hint}')
