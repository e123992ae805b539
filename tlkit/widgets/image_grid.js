// Pages of images: a pager, and a grid in which one image is selected by pointer or by keyboard.

import { button, turnOff } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { many } from "./words.js";

export const ROWS = 7; // of images on a page

// Previous, Next, and where one is: "1 to 84 of 133".
export function pager(turn) {
  const turning = (words, by) => button({ action: words.toLowerCase(), words }, () => turn(by));
  const [back, on] = [turning("Previous", -1), turning("Next", 1)];
  const range = html("span", { class: "tl-caption tl-range" });
  const show = (first, shown, all) => {
    say(range, shown ? `${first + 1} to ${first + shown} of ${many(all)}` : "");
    turnOff(back, first === 0);
    turnOff(on, first + shown >= all);
  };
  return { nodes: [back, on, range], show };
}

// A named control at the right end of the controls.
export const lastRow = (name, node) => div("tl-row tl-last", html("span", { class: "tl-caption" }, name), node);

// Where a key leads from the place `at` in rows of `columns`: beyond the `all` places too, undefined for other keys.
export const keyPlace = (key, { at, columns, all }) =>
  ({ ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: all - 1 })[key];

// A grid is one tab stop: arrows, Home and End move within it, Page keys turn it. Cells hold elements, `parts`;
// go(place) and turn(by) follow pointer and keys.
export function imageGrid(frame, { name, style, parts = ["canvas"], go, turn }) {
  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const node = html("div", { class: style, role: "listbox", tabindex: 0, "aria-label": name });
  const cells = [];
  let page = {}; // {at, first, shown, columns, all}, as it was shown last

  frame.listen(node, "click", ({ target }) => {
    const place = cells.indexOf(target.closest("[role=option]"));
    node.focus({ preventScroll: true });
    if (place >= 0) go(page.first + place);
  });
  frame.onKey(node, ({ key }) => {
    if (key.startsWith("Page")) return turn(key === "PageUp" ? -1 : 1);
    const to = keyPlace(key, page);
    return to >= 0 && to < page.all ? go(to) : to !== undefined;
  });

  // The places from `first` on, of which `at` is selected; fill(cell, place) draws one and returns its name.
  function show(next, fill) {
    page = next;
    for (let place = 0; place < Math.max(cells.length, page.shown); place++) {
      cells[place] ??= html("div", { class: "tl-image", role: "option", id: `${id}-${place}` }, ...parts.map((tag) => html(tag)));
      const at = page.first + place;
      cells[place].hidden = place >= page.shown;
      if (place < page.shown) set(cells[place], { "aria-selected": at === page.at, "aria-label": fill(cells[place], at) });
    }
    node.append(...cells.slice(node.childElementCount));
    set(node, { "aria-activedescendant": page.shown ? `${id}-${page.at - page.first}` : null });
  }

  return { node, show };
}
