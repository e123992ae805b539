"""Browser tests: real JupyterLab, real Chromium, real clicks (the helpers are in `tools/jupyter_browser.py`).

Without Chromium they are skipped, unless TLKIT_BROWSER=required: then every skipped browser test is a failure.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from accessibility import findings
from jupyter_browser import Lab, Notebook, chromium
from tlkit.widgets.base import Widget

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab and one Chromium for all browser tests."""
    if chromium() is None:
        pytest.skip("There is no Chromium on this machine; on Debian: apt-get install chromium")
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def open_notebook(lab: Lab) -> Iterator[Callable[..., Notebook]]:
    """`lab.open_notebook`; what a test opens is closed after it, and its kernel shut down."""
    with contextlib.ExitStack() as opened:
        yield lambda *args, **options: opened.enter_context(lab.open_notebook(*args, **options))


@pytest.fixture(scope="module")
def notebook(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """One notebook of the module's CELLS, the first of them run: its tests share a kernel that has imported torch."""
    with lab.open_notebook(list(request.module.CELLS.values())) as opened:
        opened.run_cell(0)
        yield opened
        assert not opened.script_errors
        for theme in ("light", "dark"):  # the widgets as the tests left them, in their many states
            opened.set_theme(theme)
            assert findings(opened.page, ".tl[data-widget]") == []


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    """A page of which nothing is asked from a network, that complains of nothing, and whose clock stands still."""
    context = lab.new_context(offline=True, viewport={"width": 960, "height": 900})
    page = context.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def show(page: Page, tmp_path: Path) -> Callable[[Widget], Locator]:
    """Opens a widget that was saved as a page."""

    def show(widget: Widget) -> Locator:
        page.goto(widget.save_page(tmp_path / "widget.html").as_uri())
        page.locator(".tl-status").get_by_text(re.compile(".")).first.wait_for()
        return page.locator(".tl")

    return show


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running in this thread until the session ends."""
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


def refuse_skipped(report: Any) -> Any:
    """Turn a skip into a failure where browser tests are required, so that a green run has run them all."""
    if report.skipped and os.environ.get("TLKIT_BROWSER") == "required":
        report.outcome = "failed"
        report.longrepr = f"A browser test was skipped although TLKIT_BROWSER=required: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    return refuse_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    return refuse_skipped((yield))
