"""What Shift-Tab shows of every public name: a sentence, then its arguments one by one, what it returns and raises.

One sentence.

Args:
    inputs: what it is, its shape and unit, and why the default is what it is.

Returns:
    What comes back, with its shape and unit.

Raises:
    ValueError: when.

Source: the paper and its section. What teaches, and examples, come after.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

import tlkit

SECTIONS = ("Args", "Returns", "Raises", "Source")
ENTRY = re.compile(r"^    \*{0,2}(\w+): \S", re.M)
GIVEN_BY_PYTORCH = {"forward"}  # what an nn.Module is called with; its class says it


def public() -> Iterator[tuple[str, Any]]:
    """`(dotted name, thing)` for every public class and function, and for what is public in a class."""
    seen: set[int] = set()
    for module in [tlkit, *(found for name in dir(tlkit) if inspect.ismodule(found := getattr(tlkit, name)))]:
        names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
        for name in names:
            thing = getattr(module, name)
            own = hasattr(module, "__all__") or getattr(thing, "__module__", "") in (module.__name__, "tlkit.groups")
            if not (inspect.isclass(thing) or inspect.isfunction(thing)) or not own or id(thing) in seen:
                continue
            seen.add(id(thing))
            yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing):
                for member, value in vars(thing).items():
                    value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
                    code = value.fget if isinstance(value, property) else value
                    ours = getattr(code, "__module__", "").startswith("tlkit")  # not what others add to a class
                    if not member.startswith("_") and inspect.isfunction(code) and ours:
                        yield f"{module.__name__}.{name}.{member}", value


PUBLIC = dict(public())


def section(text: str, name: str) -> str:
    """What stands indented under `name:`, or nothing."""
    found = re.search(rf"^{name}:\n((?:    .*\n|\n)+)", text + "\n", re.M)
    return found[1] if found else ""


def parameters(thing: Any) -> list[str]:
    """The names of its arguments: of a class, those that make one."""
    names = inspect.signature(thing).parameters
    return [name for name in names if name not in ("self", "cls")] if not isinstance(thing, property) else []


def raised(thing: Any) -> set[str]:
    """The exceptions that its own lines raise by name."""
    source = ast.parse(textwrap.dedent(inspect.getsource(thing.fget if isinstance(thing, property) else thing)))
    inside: list[ast.AST] = [source]
    if inspect.isclass(thing):  # making one
        makers = ("__init__", "__post_init__")
        inside = [node for node in source.body[0].body if getattr(node, "name", "") in makers]  # type: ignore
    nodes = [node for part in inside for node in ast.walk(part) if isinstance(node, ast.Raise)]
    names = {ast.unparse(node.exc.func) for node in nodes if isinstance(node.exc, ast.Call)}
    return {name for name in names if name.endswith(("Error", "Exception")) and "." not in name}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented_in_the_form_that_shift_tab_shows_well(name):
    thing = PUBLIC[name]
    text = inspect.getdoc(thing) or ""
    assert text.strip(), f"{name} has no docstring; begin with one sentence that says what it is for"
    sentence = text.partition("\n\n")[0]
    assert sentence.endswith((".", ":")) and sentence.count("\n") < 2, f"{name}: one sentence first: {sentence}"
    assert not re.search(r"[.!?]\s+[A-Z]", sentence), f"{name}: one sentence first, not two: {sentence}"
    order = [part for part in re.findall(r"^(\w+):", text, re.M) if part in SECTIONS]
    assert order == sorted(order, key=SECTIONS.index), f"{name}: the order is {', '.join(SECTIONS)}"
    if name.rpartition(".")[2] in GIVEN_BY_PYTORCH or isinstance(thing, property):
        return
    wanted = parameters(thing)
    assert ENTRY.findall(section(text, "Args")) == wanted, f"{name}: Args are {', '.join(wanted) or 'none'}"
    if inspect.isfunction(thing) and wanted and inspect.signature(thing).return_annotation not in (None, "None"):
        assert section(text, "Returns"), f"{name}: say under Returns what comes back, with its shape and unit"
    missing = {error for error in raised(thing) if f"    {error}: " not in section(text, "Raises")}
    assert not missing, f"{name}: say under Raises when it raises {', '.join(missing)}"
