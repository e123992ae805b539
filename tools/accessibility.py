"""What axe-core finds wrong on a page: WCAG 2.2 AA and best practice, in sentences.

findings(page)                          # the whole page, such as a saved widget
findings(page, ".tl[data-widget]")      # our widgets in somebody else's page, such as JupyterLab
"""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
SERIOUS = ("serious", "critical")


def findings(page: Page, within: str | None = None) -> list[str]:
    """Every serious or critical finding as "rule: what is wrong, at the selector of the element"."""
    found = Axe().run(page, context=within, options={"runOnly": RULES, "resultTypes": ["violations"]})
    return [
        f"{rule['id']}: {rule['help']}, at {' '.join(map(str, node['target']))}"
        for rule in found.response["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
