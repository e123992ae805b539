// Pages of images: a pager, and a grid in which one image is selected by pointer or by keyboard.

import { button, turnOff } from "./controls.js";
import { html, say, set } from "./dom.js";
import { many } from "./words.js";

export const ROWS = 7; // of images on a page

// Previous, Next, and where one is: "1 to 84 of 133".
export function pager(turn) {
  const [back, on] = ["Previous", "Next"].map((words, place) => button({ action: words.toLowerCase(), words }, () => turn(2 * place - 1)));
  const range = html("span", { class: "tl-caption tl-range" });
  const show = (first, shown, all) => {
    say(range, shown ? `${first + 1} to ${first + shown} of ${many(all)}` : "");
    turnOff(back, first === 0);
    turnOff(on, first + shown >= all);
  };
  return { nodes: [back, on, range], show };
}

// Where a key leads from the place `at` in rows of `columns`: beyond the `all` places too, undefined for other keys.
export const keyPlace = (key, { at, columns, all }) => ({
  ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: all - 1,
})[key];

// A grid is one tab stop: arrows, Home and End move within it, Page keys turn it. Cells hold a canvas and `parts`;
// go(place) and turn(by) follow pointer and keys.
export function imageGrid(frame, { name, style, parts = [], go, turn }) {
  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const node = html("div", { class: style, role: "listbox", tabindex: 0, "aria-label": name });
  const cells = [];
  let page = {}; // {at, first, shown, columns, all}, as it was shown last

  function newCell(place) {
    const cell = html("div", { class: "tl-image", role: "option", id: `${id}-${place}` }, ...["canvas", ...parts].map((tag) => html(tag)));
    frame.listen(cell, "click", () => {
      node.focus({ preventScroll: true });
      go(page.first + place);
    });
    node.append(cell);
    return cell;
  }

  frame.listen(node, "keydown", (event) => {
    const to = keyPlace(event.key, page);
    if (event.key.startsWith("Page")) turn(event.key === "PageUp" ? -1 : 1);
    else if (to === undefined) return;
    else if (to >= 0 && to < page.all) go(to);
    event.preventDefault();
    event.stopPropagation();
  });

  // The places from `first` on, of which `at` is selected; fill(cell, place) draws one and returns its name.
  function show(next, fill) {
    page = next;
    while (cells.length < page.shown) cells.push(newCell(cells.length));
    cells.forEach((cell, place) => {
      cell.hidden = place >= page.shown;
      const at = page.first + place;
      if (!cell.hidden) set(cell, { "aria-selected": at === page.at, "aria-label": fill(cell, at) });
    });
    set(node, { "aria-activedescendant": page.shown ? `${id}-${page.at - page.first}` : null });
  }

  return { node, show };
}
