"""How the package is built, as facts: which way imports go, what loads when, what it depends on, what is documented."""

from __future__ import annotations

import ast
import importlib
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tlkit"
FILES = sorted(PACKAGE.rglob("*.py"))

# The table of docs/architecture.md, from the top: a file imports from its own line and from those below it.
HOUSE = (
    "__main__",
    "cli",
    "lessons",
    "widgets",
    "plots",
    "views",
    "experiments",
    "recipes",
    "trial_file",
    "self_training label_free",
    "evaluation features intervals",
    "training",
    "objectives",
    "representations",
    "freezing",
    "groups",
    "models",
    "data",
    "files lazy words",
)
RANK = {name: rank for rank, line in enumerate(HOUSE) for name in line.split()}
FACADES = [
    path for path in FILES if path.name == "__init__.py"
]  # they name what they hold, and load it when it is used
PACKAGES = {
    "".join(f".{part}" for part in path.parent.relative_to(PACKAGE).parts): path
    for path in FACADES
    if "attributes(__name__)" in path.read_text()
}

# What is imported under another name than it is installed under.
INSTALLED_AS = {"sklearn": "scikit-learn", "IPython": "ipython", "PIL": "pillow"}


def imports(path: Path) -> list[str]:
    """Every module that a file imports, wherever in it; a name imported from tlkit itself counts as a module."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively; write the whole name"
            whole = node.module == "tlkit"
            found += [f"tlkit.{alias.name}" for alias in node.names] if whole else [str(node.module)]
    return found


def room(path: Path) -> str:
    """The line of the table that a file belongs to: its folder, or itself."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_file_has_its_place_in_the_table():
    assert {room(path) for path in FILES} - set(RANK) == {"__init__"}


@pytest.mark.parametrize("path", [p for p in FILES if p not in FACADES], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = [name.split(".")[1] for name in imports(path) if name.startswith("tlkit.")]
    upwards = [name for name in own if name in RANK and RANK[name] < RANK[room(path)]]
    assert upwards == []
    assert set(own) - set(RANK) <= {"__version__"}


@pytest.mark.parametrize("path", FACADES, ids=lambda p: str(p.parent.relative_to(ROOT)))
def test_a_package_loads_nothing_of_its_own_when_it_is_imported(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    now = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert set(now) <= {"__future__", "typing", "tlkit.lazy"}


def fresh(code: str, *arguments: str) -> str:
    """What a new Python process prints."""
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_importing_tlkit_loads_nothing_heavy():
    heavy = {"torch", "torchvision", "matplotlib", "sklearn", "numpy", "scipy", "IPython", "ipywidgets", "anywidget"}
    assert fresh(f"import sys, tlkit, tlkit.data, tlkit.lessons; print({heavy} & set(sys.modules))") == "set()"


def public_names() -> list[str]:
    """`package:name` for every name in every `__all__`, the way a user reaches it."""
    return [
        f"tlkit{package}:{name}" for package in PACKAGES for name in importlib.import_module(f"tlkit{package}").__all__
    ]


def is_a_module(name: str) -> bool:
    return name.removeprefix("tlkit:") in {
        "data",
        "freezing",
        "label_free",
        "lessons",
        "models",
        "objectives",
        "plots",
        "representations",
        "views",
        "widgets",
    }


RESOLVE = """
import importlib, inspect, sys
for whole in sys.argv[1:]:
    package, name, kind = whole.split(":")
    found = getattr(importlib.import_module(package), name)
    assert kind == ("module" if inspect.ismodule(found) else "thing"), f"{package}.{name} is not a {kind}, but {found}"
"""


@pytest.mark.parametrize("order", [1, 2])
def test_every_public_name_is_what_it_is_in_whatever_order_names_are_used(order):
    names = [f"{whole}:{'module' if is_a_module(whole) else 'thing'}" for whole in public_names()] * 2
    random.Random(order).shuffle(names)
    fresh(RESOLVE, *names)


@pytest.mark.parametrize("whole", [whole for whole in public_names() if not is_a_module(whole)])
def test_no_public_name_is_that_of_a_module_beside_it(whole):
    """Else the name would be the module as soon as anything else has loaded it."""
    package, name = whole.split(":")
    beside = {path.stem for path in PACKAGE.joinpath(*package.split(".")[1:]).iterdir()}
    assert name not in beside


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: f"tlkit{package}")
def test_the_names_for_type_checkers_are_the_public_ones(package):
    """What `if TYPE_CHECKING:` imports is loaded when it is used, and is all that is public."""
    tree = ast.parse(PACKAGES[package].read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    named = [alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    module = importlib.import_module(f"tlkit{package}")
    assert sorted(named) == sorted(module.__all__) == sorted(dir(module))
    assert module.__all__ == sorted(module.__all__)


def test_a_name_that_does_not_exist_is_an_error_that_lists_those_that_do():
    with pytest.raises(AttributeError, match=r"tlkit\.data has no name 'digit'; it has .*digits, each, glyphs"):
        importlib.import_module("tlkit.data").digit  # noqa: B018


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def project() -> dict:
    return pyproject()["project"]


def bare(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


STARTED_NOT_IMPORTED = {"jupyterlab", "ipykernel"}
OPTIONAL = {"timm"}  # imported where it is used, and missed with a sentence


def test_what_is_imported_is_what_the_project_depends_on():
    roots = {name.split(".")[0] for path in FILES for name in imports(path)} - {"tlkit", *sys.stdlib_module_names}
    imported = {INSTALLED_AS.get(name, name) for name in roots}
    assert imported - OPTIONAL | STARTED_NOT_IMPORTED == set(map(bare, project()["dependencies"]))
    assert imported & set(map(bare, project()["optional-dependencies"]["photographs"])) >= OPTIONAL


def test_the_newest_majors_of_what_breaks_most_are_shut_out():
    bounded = {bare(line) for line in project()["dependencies"] if "<" in line}
    assert {"torch", "jupyterlab", "ipywidgets", "anywidget"} <= bounded


ON_CONDA = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base", "playwright": "playwright-python"}
ONLY_ON_CONDA = {"pip": "", "nodejs": ""}  # pip installs tlkit itself; pyright's extra brings nodejs elsewhere


def test_conda_is_asked_for_the_same_packages_in_the_same_ranges():
    listed = (ROOT / "environment.yml").read_text(encoding="utf-8").partition("\ndependencies:\n")[2]
    listed_there = re.findall(r"^  - ([\w-]+) ?([\d<>=.,]*)$", listed, re.M)
    wanted = {"python": project()["requires-python"], **ONLY_ON_CONDA}
    for line in [*project()["dependencies"], *pyproject()["dependency-groups"]["dev"]]:
        name, _, bounds = re.split(r"(\[\w+\])?(?=[><=])", line, maxsplit=1)
        wanted[ON_CONDA.get(name, name)] = bounds
    assert sorted(listed_there) == sorted(wanted.items())


def test_every_widget_has_its_module_and_nothing_of_the_front_end_is_left_over():
    from tlkit.widgets.base import files_of

    front = PACKAGE / "widgets"
    files = [path for path in front.glob("*.py") if path.stem not in ("__init__", "base", "images", "pairs")]
    used = [re.findall(r'^class .*script="(.+)"', path.read_text(encoding="utf-8"), re.M) for path in files]
    assert all(path.with_suffix(".js").name in scripts for path, scripts in zip(files, used, strict=True))
    needed = {name for scripts in used for script in scripts for name in files_of(script)}
    assert {path.name for path in front.iterdir() if path.suffix in (".js", ".css")} == needed | {
        "host.js",
        "loader.js",
    }


def test_every_import_of_a_module_is_one_line_of_the_form_that_is_followed():
    form = re.compile(r'import \{ [\w, ]+ \} from "\./\w+\.js";')
    modules = [path.read_text(encoding="utf-8") for path in (PACKAGE / "widgets").glob("*.js")]
    imports = [line for text in modules for line in re.findall(r"^(?:import\b|export .* from ['\"]).*$", text, re.M)]
    assert [line for line in imports if not form.fullmatch(line)] == []


def test_the_package_sets_nothing_for_the_whole_process():
    """No seed, no number of threads, no warning filter, no default device or type."""
    forbidden = (
        r"torch\.manual_seed|set_num_threads|np\.random\.seed|warnings\.(filter|simple)|set_default_(device|dtype)"
    )
    found = [path.name for path in FILES if re.search(rf"^[^#]*({forbidden})", path.read_text(encoding="utf-8"), re.M)]
    assert found == []


def test_the_page_and_the_widgets_style_no_class_of_one_name():
    sheets = [PACKAGE / "lessons" / "page.css", *(PACKAGE / "widgets").glob("*.css")]
    page, *widgets = (set(re.findall(r"\.(tl-[\w-]+)", sheet.read_text(encoding="utf-8"))) for sheet in sheets)
    assert not page & set().union(*widgets)  # both stand in one document


@pytest.mark.parametrize(("extras", "end"), [("required", pytest.fail), ("", pytest.skip)])
def test_what_needs_an_extra_is_skipped_without_it_and_fails_where_extras_are_required(
    extras, end, monkeypatch, request
):
    conftest = request.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))
    monkeypatch.setenv("TLKIT_EXTRAS", extras)
    monkeypatch.setattr(conftest, "EXTRA", ("json", "no_such_package"))
    with pytest.raises(end.Exception, match=r"^no_such_package not installed: python3 -m uv sync --all-extras"):
        conftest.pytest_runtest_setup(SimpleNamespace(get_closest_marker={"extra": True}.get))
    conftest.pytest_runtest_setup(SimpleNamespace(get_closest_marker={}.get))


def test_what_needs_an_extra_says_so_by_its_marker():
    """So that the gate, which runs with every extra what has the marker, runs it all."""
    unmarked = []
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            code, marks = ast.unparse(function), map(ast.unparse, function.decorator_list)
            if re.search(r"^ +(import|from) timm", code, re.M) and "pytest.mark.extra" not in marks:
                unmarked.append(f"{path.name}: {function.name}")
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        unmarked += [f"{path.name}: importorskip" for one in calls if getattr(one, "attr", "") == "importorskip"]
    assert unmarked == []
