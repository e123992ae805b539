"""The widgets' ES modules in a page as they stand in the package: `import("/reader.js")` reads the file itself."""

from __future__ import annotations

from playwright.sync_api import Page, Route

from tlkit.widgets.base import HERE

ORIGIN = "http://widgets.test/"  # answered here, never by a network


def serve_widgets(page: Page) -> None:
    """Go to an empty page that can import every module of the front end."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ORIGIN)
        if name:
            route.fulfill(path=HERE / name, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>widgets</title>", content_type="text/html")

    page.route(f"{ORIGIN}**", answer)
    page.goto(ORIGIN)
