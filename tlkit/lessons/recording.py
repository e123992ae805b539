"""Recorded results: what takes longer than a lesson is measured once, kept beside it, and shown as if it were live."""

import ast
import hashlib
import json
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
from tlkit.files import write_whole
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

    def __init__(self, record: dict[str, Any]):
        self.recipes = {name: Recipe(_not_at_hand, family) for name, family in record["recipes"].items()}
        self.seeds, self.tested_on, self.classes = tuple(record["seeds"]), record["tested_on"], record["classes"]
        self.axes, self.skip = ({axis: tuple(of) for axis, of in record[key].items()} for key in ("axes", "skip"))
        self.measured = {axis: tuple(v for v in of if v not in self.skip[axis]) for axis, of in self.axes.items()}
        self.metric = METRICS.get(record["metric"], Metric(record["metric"], None, share=False))
        self.trials = [Trial(report=None, **trial) for trial in record["trials"]]
        self.setups = [Setup(dict(trial.settings), trial.seed) for trial in self.trials]
        self.recorded = f"recorded on {record['date']}, {record['machine']}, on {record['device']}"


def _not_at_hand(task: Any, seed: int) -> Any:
    raise ValueError("this is a recorded result: its recipes are not at hand; `tlkit run LESSON --record` runs them")


async def recorded(name: str, make: Callable[[], Comparison]) -> Comparison:
    """A result that was recorded beside the lesson; at scale "full" it is measured anew, while you watch.

    Args:
        name: the lesson's number and a word, such as "30_photographs": the file in `notebooks/recorded/`.
        make: returns the comparison, not yet run. It is called only when it is measured.

    Returns:
        The comparison; `recorded` says on which day and machine it was measured, and is empty if that was just now.

    Raises:
        ValueError: if there is no such record, with the command that makes it; or if it is to be made and was stopped.

    `tlkit run LESSON --record` measures it at any scale and writes the file. Nobody edits it.
    """
    path = lessons_folder() / "recorded" / f"{name}.json"
    if os.environ.get(RECORD) or scale() == "full":
        from tlkit.widgets import Monitor

        comparison = await Monitor(make(), title=f"Measured anew: {name}").train()
        if os.environ.get(RECORD):
            if not comparison.finished:
                raise ValueError(f"{comparison}: it was stopped, so it is not recorded")
            number, module = name.partition("_")[0], getmodule(make)
            origin = "" if module is None or module.__name__ == "__main__" else module.__name__
            record = as_record(comparison) | {"module": origin, "code": code_behind(find(number).path, name, origin)}
            write_whole(path, _lines(record))
        return comparison
    if not path.exists():
        number = name.partition("_")[0]
        raise ValueError(f'no result is recorded under "{name}"; `tlkit run {number} --record` measures and writes it')
    comparison = RecordedComparison(json.loads(path.read_text(encoding="utf-8")))
    print(f"{comparison.recorded[:1].upper()}{comparison.recorded[1:]}.")
    return comparison


def as_record(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values: all that its pictures and its claims need, and where and when it was measured."""
    from tlkit.training.machine import hardware

    return circumstances() | {
        "device": hardware().device.type,
        "seconds": round(comparison.seconds, 1),
        "metric": comparison.metric.name,
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
    found = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".recorded")]
    return {ast.literal_eval(call.args[0]): call for call in found}


def code_behind(lesson: Path, name: str, module: str = "") -> str:
    """A hash of the code that a record comes from.

    Args:
        lesson: the notebook that calls `recorded(name, make)`.
        name: the record's.
        module: the package's module that `make` is defined in, which counts as a whole; "" if the lesson defines it.

    Returns:
        The hash of that module, and of the lesson's statements that `make` needs. Comments and layout do not count.
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
