"""Names that load their module when they are first used (PEP 562)."""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def attributes(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the public names of a package load when they are used, and set its `__all__`.

    Args:
        package: its `__name__`. Its public names are those that it imports for type checkers, under
            `if TYPE_CHECKING:`; they stand nowhere else.

    Returns:
        `__getattr__` and `__dir__` for the package.
    """
    module = sys.modules[package]
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If)).body
    home = {alias.name: node.module for node in block if isinstance(node, ast.ImportFrom) for alias in node.names}
    module.__dict__["__all__"] = sorted(home)

    def __getattr__(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"{package} has no name {name!r}; it has {', '.join(sorted(home))}")
        if home[name] == package:  # one of its modules
            return import_module(f"{package}.{name}")
        value = getattr(import_module(str(home[name])), name)
        setattr(module, name, value)
        return value

    return __getattr__, lambda: sorted(home)
