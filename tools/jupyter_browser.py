"""A lesson as a learner sees it: one JupyterLab and one Chromium, driven by Playwright.

The browser tests and `tools/screenshot.py` share this file. A `Lab` holds the server and the browser, a `Notebook`
is one open notebook in it:

    with Lab(folder) as lab, lab.open_notebook(["print('hello')"]) as notebook:
        notebook.run_all()
        assert notebook.output_text(0) == "hello"

Cells are counted from 0, markdown cells included.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import (
    Browser,
    BrowserContext,
    JSHandle,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)
from playwright.sync_api import TimeoutError as PlaywrightTimeout

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WITHOUT_GPU_OR_NETWORK = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SETTINGS = {
    # Nothing pops up, and nothing but cells stands at a notebook's end.
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/notebook-extension:tracker": {"scrollPastEnd": False},
}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
HEIGHT = 1000
PATIENCE = 300  # seconds until something is said to hang; a busy machine may need many of them


def chromium() -> str | None:
    """Where Debian's Chromium is, or None."""
    return shutil.which("chromium")


class Lab:
    """A JupyterLab server with `folder` as its root, and a headless Chromium; both end with the `with` block."""

    def __init__(self, folder: Path):
        self.root = folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config"
        self.log = folder / "jupyterlab.log"
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        # Never through a proxy: the server is on this machine.
        self._http = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> Lab:
        with contextlib.ExitStack() as started:
            started.callback(self._stop_server)
            self._start_server()
            # The browser starts while the server does.
            self.playwright: Playwright = started.enter_context(sync_playwright())
            self.browser: Browser = self.playwright.chromium.launch(
                executable_path=chromium(), args=WITHOUT_GPU_OR_NETWORK
            )
            started.callback(self.browser.close)
            self.context = self.new_context()  # one for all notebooks, so that they share what is cached
            self._wait_for_server()
            self._running = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def new_context(self, **options: Any) -> BrowserContext:
        """Something like a browser of its own, for pages besides the notebooks."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(1000 * PATIENCE)
        return context

    def open_notebook(
        self, cells: Sequence[str] | Path, width: int = 900, theme: str = "light", height: int = HEIGHT
    ) -> Notebook:
        """Open a notebook, given as a file or as its code cells, with its kernel ready and nothing run yet.

        `width` is that of the outputs in CSS pixels; `theme` is "light" or "dark".
        """
        name = secrets.token_hex(4)
        content = nbformat.read(cells, as_version=4) if isinstance(cells, Path) else notebook_of(cells)
        content.metadata.setdefault("kernelspec", KERNEL)  # without one, JupyterLab asks for it in a dialog
        nbformat.write(content, self.root / f"{name}.ipynb")
        page = self.context.new_page()
        page.set_viewport_size({"width": width + 150, "height": height})
        # The kernel starts while the page loads.
        session = self.request(
            "/api/sessions",
            "POST",
            {"path": f"{name}.ipynb", "name": name, "type": "notebook", "kernel": {"name": KERNEL["name"]}},
        )
        # "doc" instead of "lab" is the single-document mode; a workspace of its own has nothing else open.
        page.goto(f"{self.address}/doc/workspaces/{name}/tree/{name}.ipynb?token={self.token}")
        notebook = Notebook(self, page, session["id"])
        notebook.wait_for_kernel()
        notebook.set_theme(theme)
        notebook.set_width(width)
        return notebook

    def request(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """What the server's REST interface answers, as Python values."""
        asked = urllib.request.Request(
            f"{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with self._http.open(asked, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")

    def _start_server(self) -> None:
        labconfig = self.config / "labconfig"
        labconfig.mkdir(parents=True, exist_ok=True)
        (labconfig / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
        (labconfig / "page_config.json").write_text(
            json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
        )
        environment = (
            {"OMP_NUM_THREADS": "1"}
            | os.environ
            | {
                "JUPYTER_CONFIG_DIR": str(self.config),
                "JUPYTER_DATA_DIR": str(self.config / "data"),
                "JUPYTER_RUNTIME_DIR": str(self.config / "runtime"),
                "IPYTHONDIR": str(self.config / "ipython"),
            }
        )
        options = [
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={self.address.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.expose_app_in_browser=True",
        ]
        with self.log.open("w") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return self.request("/api/status")
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start within {PATIENCE} s. Its last words:\n{self._last_words()}")

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def _stop_server(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()


class Notebook:
    """One notebook open in a page of its own; `page` is Playwright's, for real clicks and keys."""

    def __init__(self, lab: Lab, page: Page, session: str):
        self.lab = lab
        self.session = session
        self.page = page
        self.script_errors: list[str] = []  # what JavaScript did not catch
        page.on("pageerror", lambda error: self.script_errors.append(str(error)))

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the page and shut its kernel down."""
        self.page.close()
        with contextlib.suppress(OSError):  # a kernel that died has no session any more
            self.lab.request(f"/api/sessions/{self.session}", "DELETE")

    # --- running: what is waited for may take as long as its kernel lives ---------------------------------------

    def run_all(self, wait: bool = True, seconds: float = PATIENCE) -> None:
        """Run every cell; with `wait=False` come back at once, while they run."""
        self._command("notebook:run-all-cells")
        if wait:
            self.wait_until_idle(seconds)

    def run_cell(self, cell: int, wait: bool = True, seconds: float = PATIENCE) -> None:
        """Run one cell; with `wait=False` come back at once, while it runs."""
        self._app("panel.content.deselectAll(); panel.content.activeCellIndex = argument", cell)
        self._command("notebook:run-cell")
        if wait:
            self.wait_until_idle(seconds)

    def interrupt(self) -> None:
        """Interrupt the kernel, as the square button in the toolbar does."""
        self._command("notebook:interrupt-kernel")

    def restart(self) -> None:
        """Restart the kernel, as the toolbar does once its question is answered."""
        self._app("return panel.context.sessionContext.session.kernel.restart()")

    def save(self) -> None:
        """Save the notebook, as Ctrl-S does."""
        self._app("return panel.context.save()")

    def wait_until_idle(self, seconds: float = PATIENCE) -> None:
        """Wait until no cell is running or queued: no prompt shows [*]."""
        self._wait(
            "return !window.running && !cells.some(cell => prompt(cell) === '[*]:')",
            None,
            seconds,
            lambda: "The cells did not end",
        )

    def wait_for_kernel(self) -> None:
        """Wait until the notebook is on the screen and its kernel has answered."""
        ready = """
            const context = window.jupyterapp?.shell.currentWidget?.context;
            const session = context?.isReady && context.sessionContext?.isReady && context.sessionContext.session;
            return Boolean(session?.kernel);
        """
        self._wait(ready, None, PATIENCE, lambda: "The notebook did not open")
        self._app("return panel.context.sessionContext.session.kernel.info.then(() => null)")

    # --- reading ----------------------------------------------------------------------------------------------

    def cell(self, cell: int) -> Locator:
        """The cell on the screen."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell)

    def output(self, cell: int) -> Locator:
        """What the cell shows under its source, to look for buttons and figures in."""
        return self.cell(cell).locator(".jp-Cell-outputArea")

    def widget(self, name: str) -> Locator:
        """tlkit's widgets of that name, wherever they are: `notebook.widget("monitor")`."""
        return self.page.locator(f'.jp-OutputArea .tl[data-widget="{name}"]')

    def execution_count(self, cell: int) -> int | None:
        """The number in the cell's prompt; None while it is [*] or empty."""
        return self._read(COUNT, cell)

    def output_text(self, cell: int) -> str:
        """The words that the cell shows under its source."""
        return self._read("return output(cells[argument])", cell)

    def wait_output(self, cell: int, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the cell's output contains `text`."""
        self._wait(
            "return output(cells[argument[0]]).includes(argument[1])",
            [cell, text],
            seconds,
            lambda: f"Cell {cell} does not show {text!r}. It shows: {self.output_text(cell)!r}",
        )

    def wait_execution_count(self, cell: int, seconds: float = PATIENCE) -> int:
        """Wait until the cell has ended and its prompt shows a number again; return that number."""
        return self._wait(COUNT, cell, seconds, lambda: f"Cell {cell} did not end").json_value()

    def errors(self) -> list[str]:
        """The exceptions that cells show, as "ZeroDivisionError: division by zero"."""
        return self._app(
            """return panel.content.model.toJSON().cells.flatMap(cell => cell.outputs ?? [])
                .filter(output => output.output_type === 'error')
                .map(output => `${output.ename}: ${output.evalue}`)"""
        )

    # --- looks ------------------------------------------------------------------------------------------------

    def size(self) -> ViewportSize:
        """The window's width and height in CSS pixels."""
        assert self.page.viewport_size
        return self.page.viewport_size

    def set_theme(self, theme: str) -> None:
        """Change JupyterLab's theme to "light" or "dark", as its Settings menu does."""
        self._command("apputils:change-theme", {"theme": THEMES[theme]})
        is_light = str(theme == "light").lower()
        self.page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")

    def set_width(self, width: int) -> None:
        """Make the outputs `width` CSS pixels wide by resizing the window."""
        height = self.size()["height"]
        for _ in range(3):  # a narrow window has other margins and another scrollbar, so once may not be enough
            self._wait("return outputWidth() > 0", None, PATIENCE, lambda: "No cell is drawn")
            around = self._read("return innerWidth - outputWidth()")
            self.page.set_viewport_size({"width": width + around, "height": height})
            for _ in range(10):
                if self._read("return outputWidth()") == width:
                    return
                rest(self.page, 100)
        raise AssertionError(f"The outputs are {self._read('return outputWidth()')} px wide instead of {width}.")

    def fit_height(self) -> None:
        """Make the window so tall that the whole notebook is in view, and drawn."""
        for _ in range(5):  # a cell that was never in view has only a guessed height
            hidden = self._read("return hiddenHeight()")
            if hidden <= 0:
                return
            self.page.set_viewport_size({"width": self.size()["width"], "height": self.size()["height"] + hidden})
            rest(self.page, 300)

    # --- JavaScript -------------------------------------------------------------------------------------------

    def _command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Start one of JupyterLab's commands without waiting for its end."""
        self._app(
            "window.running = (window.running ?? 0) + 1;"
            "app.commands.execute(argument[0], argument[1]).finally(() => window.running--)",
            [name, arguments or {}],
        )

    def _app(self, body: str, argument: Any = None) -> Any:
        return self.page.evaluate(
            f"argument => {{ const app = window.jupyterapp, panel = app.shell.currentWidget; {body} }}", argument
        )

    def _read(self, body: str, argument: Any = None) -> Any:
        return self.page.evaluate(f"argument => {{ {READING} {body} }}", argument)

    def _wait(self, body: str, argument: Any, seconds: float, complaint: Callable[[], str]) -> JSHandle:
        """Wait until it is true. Raises AssertionError after `seconds`, and soon after the kernel has ended."""
        true, deadline = f"argument => {{ {READING} {body} }}", time.monotonic() + seconds
        while True:
            left = max(0.001, min(2, deadline - time.monotonic()))
            with contextlib.suppress(PlaywrightTimeout):
                return self.page.wait_for_function(true, arg=argument, timeout=1000 * left, polling=20)
            if not self.has_kernel():
                raise AssertionError(f"{complaint()}, and its kernel has ended.")
            if time.monotonic() >= deadline:
                raise AssertionError(f"{complaint()} (waited {seconds:g} s).")

    def has_kernel(self) -> bool:
        """Whether its kernel is alive."""
        try:
            return self.lab.request(f"/api/sessions/{self.session}")["kernel"]["execution_state"] != "dead"
        except OSError:  # the server knows it no longer
            return False


# What _read and _wait can use; `argument` is theirs.
READING = """
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
    const prompt = cell => cell.querySelector('.jp-InputPrompt')?.textContent.trim() ?? '';
    const outputs = cell => [...cell.querySelectorAll('.jp-Cell-outputArea .jp-OutputArea-output')];
    const output = cell => outputs(cell).map(part => part.innerText.trim()).join('\\n');
    const outputWidth = () => {
        const drawn = area => [...area.children].some(part => part.offsetWidth);  // not while the notebook is laid out
        const area = [...document.querySelectorAll('.jp-Cell-inputArea')].find(drawn);
        if (!area) return 0;
        const left = part => part.getBoundingClientRect().left;
        const [beside] = [...area.children].filter(part => part.offsetWidth).slice(-1);
        const prompt = area.querySelector('.jp-InputPrompt');
        const isBeside = left(beside) >= left(prompt) + prompt.offsetWidth;  // a narrow window has it above
        return area.offsetWidth - (isBeside ? prompt.offsetWidth : 0);
    };
    const hiddenHeight = () => {
        const scrolled = document.querySelector('.jp-WindowedPanel-outer');
        return scrolled.scrollHeight - scrolled.clientHeight;
    };
"""
COUNT = "return Number(prompt(cells[argument]).match(/\\d+/)?.[0]) || null"


def rest(page: Page, milliseconds: int) -> None:
    """Wait by the page's own clock: what the page was to do earlier, it has then done, however busy the machine is."""
    page.evaluate("time => new Promise((done) => setTimeout(() => requestAnimationFrame(done), time))", milliseconds)


def notebook_of(cells: Sequence[str]) -> NotebookNode:
    """A notebook of these code cells."""
    return new_notebook(cells=[new_code_cell(source) for source in cells])
