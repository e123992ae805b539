"""Recorded results: what takes longer than a lesson is measured once, kept beside it, and shown as if it were live."""

import ast
import hashlib
import json
import math
import os
import symtable
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from inspect import getmodule
from pathlib import Path
from typing import Any

from tlkit.evaluation import METRICS, Metric
from tlkit.experiments import Comparison, Setup
from tlkit.files import destination, write_whole
from tlkit.lessons.course import find, lessons_folder
from tlkit.lessons.headless import RECORD, circumstances
from tlkit.lessons.scales import scale
from tlkit.recipes import Recipe
from tlkit.trial_file import Trial


class RecordedComparison(Comparison):
    """A comparison as it was measured before; its recipes have no code, so nothing is measured anew.

    Args:
        record: what `as_record` made of the comparison, and where and when it was measured.
    """

    file = None
    _file = None

    def __init__(self, record: dict[str, Any]):
        self.recipes = {name: Recipe(_not_at_hand, family) for name, family in record["recipes"].items()}
        self.seeds, self.tested_on, self.classes = tuple(record["seeds"]), record["tested_on"], record["classes"]
        self.axes, self.skip = ({axis: tuple(of) for axis, of in record[key].items()} for key in ("axes", "skip"))
        self.measured = {axis: tuple(v for v in of if v not in self.skip[axis]) for axis, of in self.axes.items()}
        own = record.get("own_metric", False)
        self.metric = Metric(record["metric"], None, share=False) if own else METRICS[record["metric"]]
        self._unwritten = []
        self.trials = [Trial(report=None, **trial) for trial in record["trials"]]
        self.setups = [Setup(dict(trial.settings), trial.seed) for trial in self.trials]
        self.recorded = f"Recorded on {record['date']}, {record['machine']}, on {record['device']}"
        planned = len(self.recipes) * len(self.seeds) * math.prod(map(len, self.measured.values()))
        if len(self.trials) != planned:
            raise ValueError(f"it holds {len(self.trials)} of {planned} trials")

    def anew(self, *_: Any) -> Comparison:
        """Refused, whatever is asked for: there is no code to run."""
        return _not_at_hand()


def _not_at_hand(*_: Any, **__: Any) -> Any:
    raise ValueError("this is a recorded result: its recipes are not at hand; `tlkit run LESSON --record` runs them")


async def recorded(name: str, make: Callable[[], Comparison]) -> Comparison:
    """A result that was recorded beside the lesson; at scale "full" it is measured anew, while you watch.

    Args:
        name: the lesson's number and a word, such as "30_photographs": the file in `notebooks/recorded/`.
        make: returns the comparison, not yet run. It is called only when it is measured.

    Returns:
        The comparison; `recorded` says on which day and machine it was measured, and is empty if that was just now.

    Raises:
        ValueError: if there is no such record, or one that cannot be read, with the command that makes it; if it is to
            be made and the lesson does not call it so, an axis has other values than words and numbers, or it was
            stopped.
        OSError: if it is to be made and cannot be written, before anything is measured.

    `tlkit run LESSON --record` measures it at any scale and writes the file. Nobody edits it.
    """
    path = lessons_folder() / "recorded" / f"{name}.json"
    command = f"`tlkit run {name.partition('_')[0]} --record`"
    if os.environ.get(RECORD):
        origin = _origin(name, make)
        comparison = make()
        _require_plain(comparison)
        destination(path)
        comparison = await _measured(name, comparison)
        if not comparison.finished:
            raise ValueError(f"{comparison}: it was stopped, so it is not recorded")
        write_whole(path, _lines(as_record(comparison) | origin))
        return comparison
    if scale() == "full":
        return await _measured(name, make())
    if not path.exists():
        raise ValueError(f'no result is recorded under "{name}"; {command} measures and writes it')
    try:
        comparison = RecordedComparison(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is no whole record ({error}); {command} measures and writes it anew") from error
    print(f"{comparison.recorded}.")
    return comparison


async def _measured(name: str, comparison: Comparison) -> Comparison:
    from tlkit.widgets import Monitor

    return await Monitor(comparison, title=f"Measured anew: {name}").train()


def _origin(name: str, make: Callable[[], Comparison]) -> dict[str, str]:
    """The module that `make` is defined in, "" for the lesson, and the hash of the code."""
    defined = getmodule(make)
    module = "" if defined is None or defined.__name__ == "__main__" else defined.__name__
    lesson = find(name.partition("_")[0]).path
    if name not in calls(lesson):
        raise ValueError(f'{lesson.name} has no call tl.lessons.recorded("{name}", make), so its code is not known')
    return {"module": module, "code": code_behind(lesson, name, module)}


def _require_plain(comparison: Comparison) -> None:
    """Refuse values on an axis that would not come back from a file as they are."""
    for axis, values in comparison.axes.items():
        if json.loads(json.dumps(values, default=repr)) != list(values):
            raise ValueError(f"the axis {axis} has the values {values}; a record keeps words and numbers")


def as_record(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values: all that its pictures and its claims need, and where and when it was measured."""
    return circumstances() | {
        "seconds": round(comparison.seconds, 1),
        "metric": comparison.metric.name,
        "own_metric": comparison.metric.of is None,
        "tested_on": comparison.tested_on,
        "classes": comparison.classes,
        "recipes": {name: recipe.family for name, recipe in comparison.recipes.items()},
        "axes": comparison.axes,
        "skip": comparison.skip,
        "seeds": comparison.seeds,
        "trials": [
            {"settings": trial.settings, "seed": trial.seed, "value": trial.value, "seconds": round(trial.seconds, 3)}
            for trial in comparison.trials
        ],
    }


def _lines(record: dict[str, Any]) -> str:
    """A record as JSON with a line for each of its values and for each trial: small differences stay small."""
    trials = ",\n".join(f"  {json.dumps(trial)}" for trial in record["trials"])
    rest = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items() if key != "trials"]
    return "{\n" + ",\n".join(rest) + f',\n "trials": [\n{trials}\n ]\n}}\n'


# ---- is a record older than its code? ----


def calls(lesson: Path) -> dict[str, ast.Call]:
    """The calls of `recorded` in a lesson, by the name of the record."""
    nodes = [node for statement in _statements(lesson) for node in ast.walk(statement)]
    found = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("recorded")]
    return {
        str(ast.literal_eval(call.args[0])): call
        for call in found
        if len(call.args) == 2 and isinstance(call.args[0], ast.Constant)
    }


def code_behind(lesson: Path, name: str, module: str = "") -> str:
    """A hash of the code that a record comes from.

    Args:
        lesson: the notebook that calls `recorded(name, make)`.
        name: the record's.
        module: the package's module that `make` is defined in, which counts as a whole; "" if the lesson defines it.

    Returns:
        The hash of that module, and of the lesson's statements that `make` needs. Comments and layout do not count, nor
        what that module imports; docstrings do.
    """
    wanted = _names(ast.Expr(calls(lesson)[name].args[1]))[1]
    needed = []
    for statement in reversed(_statements(lesson)):
        bound, used = _names(statement)
        if wanted & bound:
            needed.append(ast.unparse(statement))
            wanted |= used
    if module:
        file = Path(str(import_module(module).__file__))
        needed.append(ast.unparse(ast.parse(file.read_text(encoding="utf-8"))))
    return hashlib.sha256("\n".join(needed).encode()).hexdigest()[:16]


def _statements(lesson: Path) -> list[ast.stmt]:
    """The top-level statements of a lesson's code, in order."""
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [statement for text in sources for statement in compile(text, str(lesson), "exec", flags).body]  # type: ignore


def _names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The lesson's names that a statement gives a value, and those that it uses, also inside its functions."""

    class Plain(ast.NodeTransformer):  # symtable knows no await outside functions
        def visit_Await(self, node: ast.Await) -> ast.AST:
            return self.generic_visit(node.value)

    table = symtable.symtable(ast.unparse(Plain().visit(deepcopy(statement))), "lesson", "exec")
    bound = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
    used = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
    inner = table.get_children()
    while inner:
        part = inner.pop()
        inner += part.get_children()
        used |= {one.get_name() for one in part.get_symbols() if one.is_global()}
    return bound, used
