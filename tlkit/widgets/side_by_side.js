// SideBySide: two sets of images, one line a class.

import { button, segments } from "./controls.js";
import { html, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { pager } from "./image_grid.js";
import { imagePainter } from "./images.js";

const LINES = 10; // of classes on a page
const PITCH = 40; // px of a line
const ROLES = ["source", "target"];
const BOTH = "side by side";

// The images on one line of `columns`, in the given draw: labelled ones first, and if the set has unlabelled ones
// (`mixed`), at most in half of the line.
export function lineImages([from, labelled, unlabelled], { mixed, columns, draw }) {
  const framed = Math.min(labelled, mixed ? Math.ceil(columns / 2) : columns);
  const pale = Math.min(unlabelled, columns - framed);
  const drawn = (count, of, first) => Array.from({ length: count }, (_, place) => first + ((draw * count + place) % of));
  return { framed: drawn(framed, labelled, from), pale: drawn(pale, unlabelled, from + labelled) };
}

export function render({ model, el }) {
  const { title, subtitle, classes, sides, note } = model.get("view");
  const frame = makeFrame(model, el, "side-by-side", draw);
  const paint = imagePainter(frame, model.get("images"));
  const state = { show: BOTH, draw: 0, first: 0 }; // `draw`: how often others were asked for; `first`: the uppermost line
  const change = (more) => {
    Object.assign(state, more);
    frame.draw.now();
  };

  const heads = sides.map((side) =>
    html("div", {}, html("div", { class: "tl-chart-title" }, side.title), html("div", { class: "tl-caption" }, side.caption)));
  const canvases = sides.map((side) => html("canvas", { role: "img", "aria-label": `${side.title}: ${side.caption}` }));
  const names = html("div", { class: "tl-names" });
  const figure = html("div", { class: "tl-sides" }, ...heads, canvases[0], names, canvases[1]);
  const choice = segments(frame, { name: "Show", options: [...ROLES, BOTH], choose: (show) => change({ show }) });
  const pages = pager((by) => change({ first: state.first + by * LINES }));
  const others = button({ action: "others", face: "again", words: "Draw others", main: true }, () => change({ draw: state.draw + 1 }));
  frame.body.classList.add("tl-stacked");
  frame.body.append(figure);
  frame.controls.append(html("div", { class: "tl-row" }, others, ...(classes.length > LINES ? pages.nodes : [])),
    html("div", { class: "tl-row tl-last" }, html("span", { class: "tl-caption" }, "Show"), choice.node));

  function draw() {
    const { show, first } = state;
    const lines = classes.slice(first, first + LINES);
    names.replaceChildren(...lines.map((name) => html("div", {}, name)));
    set(figure, { "data-show": show });
    const room = figure.clientWidth - names.offsetWidth - 24; // two gaps
    const width = Math.max(PITCH, show === BOTH ? Math.floor(room / 2) : room);
    sides.forEach((side, place) => {
      heads[place].hidden = canvases[place].hidden = ![BOTH, ROLES[place]].includes(show);
      if (!canvases[place].hidden) drawSide(paint(canvases[place], width, PITCH * lines.length, side), side, width, state);
    });
    choice.show(show);
    pages.show(first, lines.length, classes.length);
  }

  frame.head(title, subtitle);
  frame.show("up to date", "up to date");
  frame.status("", [["", note], ["What differs: ", "look along a line."]], " ");
  frame.keys({});
  return frame.close;
}

function drawSide(put, { lines, pale: mixed }, width, { first, draw }) {
  const columns = Math.floor(width / PITCH);
  lines.slice(first, first + LINES).forEach((line, row) => {
    const { framed, pale } = lineImages(line, { mixed, columns, draw });
    [...framed, ...pale].forEach((image, column) => {
      const [x, y] = [(column * (width - PITCH)) / Math.max(columns - 1, 1), row * PITCH];
      const labelled = column < framed.length;
      put(image, x + 4, y + 4, PITCH - 8, labelled ? "ink" : "ghost");
      if (labelled && mixed) put.frame(x + 2, y + 2, PITCH - 4);
    });
  });
}
