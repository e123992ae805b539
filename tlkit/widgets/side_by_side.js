// SideBySide: two sets of images, one line a class.

import { button, segments } from "./controls.js";
import { div, html, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { lastRow, pager } from "./image_grid.js";
import { imagePainter } from "./images.js";

const LINES = 10; // of classes on a page
const PITCH = 40; // px of a line
const SIDES = ["source", "target", "side by side"]; // what is shown

// The images on one line of `columns`: labelled ones first, at most in half of the line if the set is `mixed`, then
// unlabelled ones; with each `draw` other ones.
export function lineImages([from, labelled, unlabelled], { mixed, columns, draw }) {
  const first = Math.min(labelled, mixed ? Math.ceil(columns / 2) : columns);
  const drawn = (count, of, start) => Array.from({ length: count }, (_, place) => start + ((draw * count + place) % of));
  return [drawn(first, labelled, from), drawn(Math.min(unlabelled, columns - first), unlabelled, from + labelled)];
}

export function render({ model, el }) {
  const { title, subtitle, classes, sides, note } = model.get("view");
  const frame = makeFrame(model, el, "side-by-side", draw);
  const paint = imagePainter(frame, model.get("images"));
  const state = { show: SIDES[2], first: 0, draw: 0 }; // which line is the uppermost, and how often others were asked for
  const change = (more) => { Object.assign(state, more); frame.draw.now(); };

  const heads = sides.map((side) => div(null, div("tl-chart-title", side.title), div("tl-caption", side.caption)));
  const canvases = sides.map((side) => html("canvas", { role: "img", "aria-label": `${side.title}: ${side.caption}` }));
  const names = div("tl-names");
  const figure = div("tl-sides", ...heads, canvases[0], names, canvases[1]);
  const choice = segments(frame, { name: "Show", options: SIDES, choose: (show) => change({ show }) });
  const pages = pager((by) => change({ first: state.first + by * LINES }));
  const drawOthers = () => change({ draw: state.draw + 1 });
  const others = button({ action: "others", face: "again", words: "Draw others", main: true }, drawOthers);
  frame.body.classList.add("tl-stacked");
  frame.body.append(figure);
  frame.controls.append(div("tl-row", others, ...(classes.length > LINES ? pages.nodes : [])), lastRow("Show", choice.node));

  function draw() {
    const lines = classes.slice(state.first, state.first + LINES);
    names.replaceChildren(...lines.map((name) => div(null, name)));
    set(figure, { "data-show": state.show });
    const room = figure.clientWidth - names.offsetWidth - 24; // two gaps
    const width = Math.max(PITCH, state.show === SIDES[2] ? Math.floor(room / 2) : room);
    sides.forEach((side, place) => {
      heads[place].hidden = canvases[place].hidden = ![SIDES[2], SIDES[place]].includes(state.show);
      if (!canvases[place].hidden) drawSide(paint(canvases[place], width, PITCH * lines.length, side), side, width, state);
    });
    choice.show(state.show);
    pages.show(state.first, lines.length, classes.length);
  }

  frame.head(title, subtitle);
  frame.show("up to date");
  frame.status("", [["", note], ["What differs: ", "look along a line."]], " ");
  frame.keys({});
  return frame.close;
}

// Labelled images are framed if there are others.
function drawSide(put, { lines, pale: mixed }, width, { first, draw }) {
  const columns = Math.floor(width / PITCH);
  lines.slice(first, first + LINES).forEach((line, row) => {
    const [labelled, unlabelled] = lineImages(line, { mixed, columns, draw });
    [...labelled, ...unlabelled].forEach((image, column) => {
      const [x, y] = [(column * (width - PITCH)) / Math.max(columns - 1, 1), row * PITCH];
      put(image, x + 4, y + 4, PITCH - 8, column < labelled.length ? "ink" : "ghost");
      if (mixed && column < labelled.length) put.frame(x + 2, y + 2, PITCH - 4);
    });
  });
}
