// Views: images, each with random views by several augmentations, one line an image.

import { html } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imageGrid, pager, ROWS } from "./image_grid.js";
import { imagePainter } from "./images.js";
import { clamp } from "./scales.js";

const CELL = 44; // px of a view with its frame
const GAP = 12; // before each augmentation
const LARGE = 104; // px of the view that is examined

// How many views of each augmentation there is room for.
export function viewsShown(width, { augmentations, views }) {
  return clamp(Math.floor(((width - CELL) / augmentations.length - GAP) / CELL), 1, views);
}

// Which of an image and all its views are shown: 0 is the image itself.
export function shownColumns(shown, { augmentations, views }) {
  return [0, ...augmentations.flatMap((_, group) => Array.from({ length: shown }, (_, view) => 1 + group * views + view))];
}

export function imageName({ classes, labels }, image) {
  return `image ${image + 1}${labels ? `, label ${classes[labels[image]]}` : ""}`;
}

export function viewName({ augmentations, views }, which) {
  return `${augmentations[Math.floor((which - 1) / views)]}, view ${((which - 1) % views) + 1}`;
}

export function render({ model, el }) {
  const view = model.get("view");
  const { title, subtitle, count: total } = view;
  const frame = makeFrame(model, el, "views", draw);
  const paint = imagePainter(frame, model.get("images"));
  const stride = 1 + view.augmentations.length * view.views; // an image and its views follow one another
  const put = (canvas, size, image, which) => paint(canvas, size, size, view)(image * stride + which, 0, 0, size);
  let selected = [0, 1]; // an image, and which of the stride
  let columns = [0];

  const select = (image, which) => {
    selected = [image, which];
    frame.draw.now();
  };
  const turn = (by) => select(clamp(selected[0] + by * ROWS, 0, total - 1), selected[1]);
  const go = (place) => select(Math.floor(place / columns.length), columns[place % columns.length]);
  const titles = html("div", { class: "tl-views" });
  const grid = imageGrid(frame, { name: "Images and views", style: "tl-views", go, turn });
  const pages = pager(turn);
  const side = html("div", { class: "tl-side" });
  frame.body.classList.add("tl-gallery");
  frame.body.append(html("div", { class: "tl-figure" }, titles, grid.node), frame.controls, side);
  frame.controls.append(html("div", { class: "tl-row" }, ...pages.nodes));
  frame.controls.hidden = total <= ROWS;

  function draw() {
    const shown = viewsShown(grid.node.clientWidth, view);
    columns = shownColumns(shown, view);
    if (!columns.includes(selected[1])) selected[1] -= (selected[1] - 1) % view.views;
    const first = Math.floor(selected[0] / ROWS) * ROWS;
    const lines = Math.min(ROWS, total - first);
    layOut(titles, grid.node, view.augmentations, shown);
    grid.node.style.minHeight = `${Math.min(ROWS, total) * (CELL + 2) - 2}px`; // the last page leaves its room
    const at = selected[0] * columns.length + columns.indexOf(selected[1]);
    const places = { at, first: first * columns.length, shown: lines * columns.length, all: total * columns.length };
    grid.show({ ...places, columns: columns.length }, (cell, place) => {
      const [image, column] = [Math.floor(place / columns.length), place % columns.length];
      const which = columns[column];
      cell.style.gridColumn = 2 + column + Math.floor((column - 1) / shown); // a gap before each augmentation
      put(cell.firstChild, CELL - 4, image, which);
      return which ? `${imageName(view, image)}, ${viewName(view, which)}` : imageName(view, image);
    });
    pages.show(first, lines, total);
    side.replaceChildren(...examined(view, put, ...selected));
  }

  frame.head(title, subtitle);
  frame.show("up to date", "up to date");
  frame.status("", [["Every view is one random draw. ", "Training draws new ones in every step."]]);
  frame.keys({});
  return frame.close;
}

// Columns of the grid and of the names above it: the image, then a gap and the views of each augmentation.
function layOut(titles, grid, augmentations, shown) {
  const template = [`${CELL}px`, ...augmentations.map(() => `${GAP}px repeat(${shown}, minmax(0, 1fr))`)].join(" ");
  for (const node of [titles, grid]) node.style.gridTemplateColumns = template;
  titles.replaceChildren(...["image", ...augmentations].map((name, group) => {
    const style = `grid-column: ${group ? `${3 + (group - 1) * (shown + 1)} / span ${shown}` : 1}`;
    return html("div", { class: "tl-chart-title", style }, name);
  }));
}

// The selected image large, beside it the selected view, and the label of both.
function examined(view, put, image, selected) {
  const large = [[0, `image ${image + 1}`], [selected, selected && viewName(view, selected)]].map(([which, words]) => {
    const canvas = html("canvas", { "aria-hidden": "true" });
    put(canvas, LARGE, image, which);
    return html("div", {}, canvas, html("div", { class: "tl-caption" }, words));
  });
  const picked = html("div", { class: "tl-picked" }, ...(selected ? large : large.slice(0, 1)));
  if (!view.labels) return [picked];
  return [picked, html("div", { class: "tl-caption" }, "label"), html("div", { class: "tl-number" }, view.classes[view.labels[image]])];
}
