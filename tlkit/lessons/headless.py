"""A lesson without a browser: run every cell in a fresh kernel, collect its claims, report what failed."""

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tlkit.files import path_named, write_whole
from tlkit.lessons.course import Lesson, catalogue

LIBRARIES = ("tlkit", "torch", "torchvision", "numpy", "scikit-learn")
RECORD = "TLKIT_RECORD"  # in the environment of a kernel whose lesson measures its recorded results anew
PATHS = ("TLKIT_DATA", "TLKIT_CACHE", "TLKIT_CLAIMS")  # the variables that name one


def kernel_environment(scale: str) -> dict[str, str]:
    """What kernels at this scale are started with: one torch thread, unless OMP_NUM_THREADS is set.

    A step of a lesson's network takes 1.4 ms on one thread, and up to 34 ms on two of a busy machine.
    """
    for variable in PATHS:  # a kernel starts in another folder
        path_named(variable)
    environment = {**os.environ, "TLKIT_SCALE": scale}
    if scale != "full":
        environment.setdefault("OMP_NUM_THREADS", "1")
    return environment


def lab_environment(scale: str) -> dict[str, str]:
    """What JupyterLab is started with: as its kernels, and with settings of the course where the user has none."""
    environment = kernel_environment(scale)
    configured = filter(None, [environment.get("JUPYTER_CONFIG_PATH")])
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(Path(__file__).parent / "jupyter"), *configured])
    return environment


@contextmanager
def kernel_of(client: Any, **options: Any) -> Iterator[None]:
    """The kernel of an nbclient, started. Raises ChildProcessError with its last words if that fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors, ExitStack() as running:
        try:
            running.enter_context(client.setup_kernel(stderr=errors, **options))
        except Exception as error:  # of many kinds: no such kernel, no such file, no answer in time
            errors.seek(0)
            last_line = errors.read().strip().rpartition("\n")[2]
            name = client.kernel_name or "python3"
            raise ChildProcessError(f'the kernel "{name}" does not start: {error}. {last_line}'.strip()) from error
        yield


def page_of(notebook: Any) -> str:
    """An executed notebook as one HTML page, whose widgets need neither a kernel nor a network."""
    from nbconvert import HTMLExporter

    from tlkit.widgets.base import text_of

    template = (Path(__file__).parent / "page.html.j2").read_text(encoding="utf-8")
    exporter = HTMLExporter(raw_template=template)
    return exporter.from_notebook_node(notebook, {"host": text_of("host.js")})[0]


def circumstances() -> dict[str, Any]:
    """Where and when something is measured: date, machine, device and the versions of what computes."""
    from tlkit.training.machine import hardware

    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "device": hardware().device.type,
        "versions": {name: version(name) for name in LIBRARIES},
    }


def run_lesson(
    lesson: Lesson, scale: str = "standard", html: Path | None = None, record: bool = False
) -> dict[str, Any]:
    """Run a lesson without a browser, in a kernel of its own.

    A lesson of the course runs in an empty folder, which goes with it; any other file runs in its own folder, as in
    JupyterLab, with the modules and data beside it.

    Args:
        lesson: from `catalogue()` or `find(name)`.
        scale: "quick", "standard" or "full".
        html: a folder for the executed page; by default none is written.
        record: whether its recorded results are measured anew and written, whatever the scale.

    Returns:
        The entry for `tlkit run --json`: lesson, scale, device, seconds, date, machine, versions, claims, and `error`
        if a cell failed or the page could not be written. A claim that does not hold is among the claims, and the
        lesson goes on.

    Raises:
        ChildProcessError: if its kernel does not start; `tlkit doctor` says more.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = nbformat.read(lesson.path, as_version=4)
    error = ""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        claims = Path(folder) / "claims.jsonl"
        environment = kernel_environment(scale) | {"TLKIT_CLAIMS": str(claims)} | ({RECORD: "1"} if record else {})
        there = {"metadata": {"path": folder if lesson in catalogue() else str(lesson.path.parent)}}
        client = NotebookClient(notebook, timeout=None, extra_arguments=["--log-level=ERROR"], resources=there)
        with kernel_of(client, env=environment):
            for number, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, number)
                except CellExecutionError as failure:
                    if failure.ename != "ClaimDoesNotHold":
                        error = f"cell {cell.get('id', number)!r}: {failure.ename}: {failure.evalue}"
                        break
                except DeadKernelError:
                    error = f"cell {cell.get('id', number)!r}: the kernel died, most often because the memory was full"
                    break
            client.set_widgets_metadata()
        lines = claims.read_text(encoding="utf-8").splitlines() if claims.exists() else []
    seconds = time.perf_counter() - started
    if html:
        try:
            write_whole(html / f"{lesson.name}.html", page_of(notebook))
        except OSError as failure:  # the claims are measured all the same
            error = error or f"the page is not written: {failure}"
    here = circumstances()
    return {
        "lesson": lesson.name,
        "scale": scale,
        "device": here["device"],
        "seconds": round(seconds, 1),
        **here,
        "claims": [json.loads(line) for line in lines],
    } | ({"error": error} if error else {})
