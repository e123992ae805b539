// Views: images, each with random views by several augmentations, one line an image.

import { div, html } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imageGrid, pager, ROWS } from "./image_grid.js";
import { imagePainter, picture } from "./images.js";
import { clamp } from "./scales.js";

const CELL = 44; // px of a view with its frame
const GAP = 12; // before each augmentation
const LARGE = 104; // px of the view that is examined

// How many views of each augmentation there is room for, and which of an image (0) and all its views these are.
export const viewsShown = (width, { augmentations, views }) =>
  clamp(Math.floor(((width - CELL) / augmentations.length - GAP) / CELL), 1, views);
export const shownColumns = (shown, { augmentations, views }) =>
  [0, ...augmentations.flatMap((_, group) => Array.from({ length: shown }, (_, view) => 1 + group * views + view))];

export const imageName = ({ classes, labels }, image) => `image ${image + 1}${labels ? `, label ${classes[labels[image]]}` : ""}`;
export const viewName = ({ augmentations, views }, which) =>
  `${augmentations[Math.floor((which - 1) / views)]}, view ${((which - 1) % views) + 1}`;

export function render({ model, el }) {
  const view = model.get("view");
  const { augmentations, classes, labels, count: total } = view;
  const frame = makeFrame(model, el, "views", draw);
  const paint = imagePainter(frame, model.get("images"));
  const stride = 1 + augmentations.length * view.views; // an image and its views follow one another
  let [image, which] = [0, 1]; // what is selected: an image, and which of its stride
  let columns = [0];

  const select = (...to) => { [image, which] = to; frame.draw.now(); };
  const turn = (by) => select(clamp(image + by * ROWS, 0, total - 1), which);
  const go = (place) => select(Math.floor(place / columns.length), columns[place % columns.length]);
  const titles = div("tl-views");
  const grid = imageGrid(frame, { name: "Images and views", style: "tl-views", go, turn });
  const pages = pager(turn);
  const side = div("tl-side");
  frame.body.classList.add("tl-gallery");
  frame.body.append(div("tl-figure", titles, grid.node), frame.controls, side);
  frame.controls.append(div("tl-row", ...pages.nodes));
  frame.controls.hidden = total <= ROWS;

  function draw() {
    const shown = viewsShown(grid.node.clientWidth, view);
    columns = shownColumns(shown, view);
    const across = columns.length;
    if (!columns.includes(which)) which -= (which - 1) % view.views;
    const first = Math.floor(image / ROWS) * ROWS;
    const lines = Math.min(ROWS, total - first);
    layOut(titles, grid.node, augmentations, shown);
    grid.node.style.minHeight = `${Math.min(ROWS, total) * (CELL + 2) - 2}px`; // the last page leaves its room
    const at = image * across + columns.indexOf(which);
    grid.show({ at, first: first * across, shown: lines * across, all: total * across, columns: across }, drawCell);
    pages.show(first, lines, total);
    side.replaceChildren(...examined());
  }

  function drawCell(cell, place) {
    const [line, column] = [Math.floor(place / columns.length), place % columns.length];
    const group = Math.ceil(columns[column] / view.views); // a gap before each augmentation
    cell.style.gridColumn = 1 + column + group;
    paint(cell.firstChild, CELL - 4, CELL - 4, view)(line * stride + columns[column], 0, 0, CELL - 4);
    return imageName(view, line) + (column ? `, ${viewName(view, columns[column])}` : "");
  }

  // The selected image large, beside it the selected view, and the label of both.
  function examined() {
    const caption = (words) => div("tl-caption", words);
    const large = (one, words) => div(null, picture(paint, view, image * stride + one, LARGE), caption(words));
    const pair = [large(0, `image ${image + 1}`), which ? large(which, viewName(view, which)) : ""];
    const label = labels ? [caption("label"), div("tl-number", classes[labels[image]])] : [];
    return [div("tl-picked", ...pair), ...label];
  }

  frame.head(view.title, view.subtitle);
  frame.show("up to date");
  frame.status("", [["Every view is one random draw. ", "Training draws new ones in every step."]]);
  frame.keys({});
  return frame.close;
}

// Columns of the grid and of the names above it: the image, then a gap and the views of each augmentation.
function layOut(titles, grid, augmentations, shown) {
  const template = [`${CELL}px`, ...augmentations.map(() => `${GAP}px repeat(${shown}, minmax(0, 1fr))`)].join(" ");
  for (const node of [titles, grid]) node.style.gridTemplateColumns = template;
  const style = `grid-column: span ${shown + 1}; padding-left: ${GAP}px`;
  titles.replaceChildren(...["image", ...augmentations].map((name, group) =>
    html("div", { class: "tl-chart-title", style: group ? style : null }, name)));
}
