"""README's first picture: `python tools/teach_picture.py` draws twenty symbols for Teach and writes docs/teach.png.

Four symbols are drawn by a wobbling hand, five times each, and put into their classes; the picture says who was right
how often. Then they are drawn on, up to the first that the pre-trained network recognises and the other one does not.
"""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

from playwright.sync_api import sync_playwright

from hand_drawn import by_hand, draw
from jupyter_browser import chromium
from tlkit.widgets.teach import Teach

OUT = Path(__file__).parent.parent / "docs" / "teach.png"
ASKED = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 916, "height": 900}, color_scheme="light", reduced_motion="reduce")
        teach = Teach()
        page.goto(teach.save_page(Path(folder) / "teach.html").as_uri())
        names = [one["name"] for one in teach.classes]
        for number in count():
            draw(page, by_hand(names[number % len(names)], seed=number // len(names)))
            if number < ASKED:
                page.keyboard.press(str(number % len(names) + 1))
                continue
            page.wait_for_timeout(300)
            says = [words.split(" \u00b7 ")[0] for words in page.locator(".tl-networks .tl-caption").all_inner_texts()]
            name = names[number % len(names)]
            if says[0] == f"says {name}" and says[1].startswith("says ") and says[1] != says[0]:
                break
            page.locator('[data-do="clear"]').click()
        page.mouse.move(0, 0)
        page.locator(".tl").screenshot(path=OUT, animations="disabled")
        print(number, page.locator(".tl-networks").inner_text())
        browser.close()


if __name__ == "__main__":
    main()
