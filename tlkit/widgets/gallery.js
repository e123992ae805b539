// Gallery: images with what a network predicts for each. Without labels or without a network nothing is right or wrong,
// and without beliefs nothing is sure: those parts are absent.

import { floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { classChips, classList, tallied } from "./class_choice.js";
import { button, segments, turnOff } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imageGrid, lastRow, pager, ROWS } from "./image_grid.js";
import { imagePainter, picture } from "./images.js";
import { color } from "./marks.js";
import { clamp, linear } from "./scales.js";
import { article, many, shortPercent, SPACE } from "./words.js";

// ---- What is known, chosen and put into words

// The view, of which labels, predictions and beliefs are there or not, with its images and which of them are wrong.
export function imageSet(view, beliefs = []) {
  const judged = Boolean(view.labels && view.predicted);
  const wrong = (image) => judged && view.labels[image] !== view.predicted[image];
  const all = Array.from({ length: view.count }, (_, image) => image);
  return { ...view, beliefs, judged, wrong, all, errors: all.filter(wrong), long: view.classes.some((name) => name.length > 3) };
}

// The images of the chosen classes (no class: all), and what remains of them, in order.
export function filtered({ labels, predicted, beliefs, all, wrong }, { chosen, kind, order }) {
  const here = all.filter((image) => !chosen.length || chosen.includes((labels ?? predicted)[image]));
  const listed = here.filter((image) => kind === "all" || wrong(image) === (kind === "wrong"));
  const belief = (image) => beliefs[image][predicted[image]] * (order === "surest first" ? -1 : 1);
  if (order !== "data set") listed.sort((one, other) => belief(one) - belief(other));
  return { here, errors: here.filter(wrong), listed };
}

export const toggled = (chosen, number) =>
  chosen.includes(number) ? chosen.filter((one) => one !== number) : [...chosen, number].sort((one, other) => one - other);

export function imageWords({ classes, labels, predicted }, image) {
  const label = labels ? `, label ${classes[labels[image]]}` : "";
  return `image ${image + 1}${label}${predicted ? `, predicted as ${classes[predicted[image]]}` : ""}`;
}

const images = (number) => `${many(number)} ${number === 1 ? "image" : "images"}`;
const are = (number) => (number === 1 ? "is" : "are");

// "30 of 300 images are a 4; 5 of them are misclassified"
export function countWords({ classes, labels, all, judged }, chosen, [here, , errors]) {
  const names = chosen.map((number) => article(classes[number]));
  const either = [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");
  const found = `${many(here)} of ${images(all.length)} ${are(here)} ${labels ? "" : "predicted as "}${either}`;
  const wrong = judged ? `; ${many(errors)} of them ${are(errors)} misclassified` : "";
  return (chosen.length ? found : images(all.length)) + wrong;
}

// The status line, as a bold and a plain part: which errors are the most frequent.
export function errorWords({ classes, labels, predicted, judged }, errors, most) {
  if (!labels) return ["", "Without labels nobody can say which are misclassified."];
  if (!errors.length) return ["", judged ? "No error here." : "Labels only: no network was asked."];
  const pairs = errors.map((image) => `${article(classes[labels[image]])} predicted as ${classes[predicted[image]]}`);
  const frequent = tallied(pairs).slice(0, most).map(([pair, times]) => `${pair}, ${times === 1 ? "once" : `${times} times`}`);
  return ["Most frequent here: ", `${frequent.join("; ")}.`];
}

// All classes up to ten; of more the five largest beliefs, and the label.
export function believedClasses(beliefs, label) {
  const sorted = [...beliefs.keys()].sort((one, other) => beliefs[other] - beliefs[one]);
  return beliefs.length <= 10 ? [...beliefs.keys()] : [...new Set([...sorted.slice(0, 5), label ?? sorted[0]])];
}

export function rankWords({ labels, beliefs, all, errors, wrong }, image) {
  const marks = errors.length ? `Thin marks are the ${wrong(image) ? "other " : ""}errors. ` : " ";
  if (!labels || !beliefs.length) return marks;
  const less = all.filter((one) => beliefs[one][labels[one]] < beliefs[image][labels[image]]).length;
  return `${marks}For ${many(less)} of ${images(all.length)} the network believes the true label even less.`;
}

// ---- The widget

export function render({ model, el }) {
  const data = imageSet(model.get("view"), floats(model, "beliefs", model.get("view").classes.length));
  const { classes, judged, wrong } = data;
  const frame = makeFrame(model, el, "gallery", draw);
  const paint = imagePainter(frame, model.get("images"));
  const state = { chosen: [], kind: "all", order: "data set", selected: data.errors[0] ?? 0 };
  let listed = []; // what the filters leave, in order
  let page = {}; // {size, first, shown}: the part of it that is shown

  const change = (more) => { Object.assign(state, more); frame.draw.now(); };
  const go = (place) => { if (place in listed) change({ selected: listed[place] }); };
  const turn = (by) => go(clamp(listed.indexOf(state.selected) + by * page.size, 0, listed.length - 1));
  const nextError = () => {
    const at = listed.indexOf(state.selected) + 1;
    change({ selected: [...listed.slice(at), ...listed.slice(0, at)].find(wrong) ?? state.selected });
    if (frame.focused() !== grid.node) say(live, imageWords(data, state.selected)); // in the grid the image itself is read out
  };

  const choice = (trait, name, options) => segments(frame, { name, options, choose: (option) => change({ [trait]: option }) });
  const kinds = judged && choice("kind", "Show", ["all", "right", "wrong"]);
  const orders = data.beliefs.length > 0 && choice("order", "Order", ["data set", "surest first", "least sure"]);
  const toggle = (number) => change({ chosen: toggled(state.chosen, number) });
  const filter = classes.length > 10 ? classList(frame, classes, (number) => change({ chosen: number < 0 ? [] : [number] }))
    : classChips(frame, classes, { numbers: [...classes.keys()], style: "tl-chips", name: "Classes", toggle });
  const sentence = div("tl-chart-title");
  const nothing = div("tl-caption", "No image is left here. Choose other classes, or all.");
  const look = { name: "Images", style: data.long ? "tl-images tl-named" : "tl-images", parts: ["canvas", "span", "b"] };
  const grid = imageGrid(frame, { ...look, go, turn });
  const next = button({ action: "error", face: "cross", words: "Next error", key: "E", main: true }, nextError);
  const pages = pager(turn);
  const strip = new Chart(frame.root);
  const side = div("tl-side");
  const live = html("div", { class: "tl-hidden", "aria-live": "polite" });
  frame.controls.append(div("tl-row", judged ? next : "", ...pages.nodes), orders ? lastRow("Order", orders.node) : "");
  frame.body.classList.add("tl-gallery");
  frame.body.append(div("tl-figure", div("tl-row tl-filters", filter.node, kinds ? kinds.node : ""), sentence, nothing, grid.node),
    frame.controls, side, live);

  function draw() {
    const found = filtered(data, state);
    listed = found.listed;
    if (listed.length && !listed.includes(state.selected)) state.selected = listed[0];
    page = drawPage(grid, listed, state.selected, data, paint);
    const counts = [found.here.length, found.here.length - found.errors.length, found.errors.length];
    say(sentence, countWords(data, state.chosen, counts));
    nothing.hidden = page.shown > 0;
    filter.show((number) => ({ "aria-pressed": state.chosen.includes(number) }));
    if (kinds) kinds.show(state.kind, counts.map(many));
    if (orders) orders.show(state.order);
    turnOff(next, !listed.some(wrong));
    pages.show(page.first, page.shown, listed.length);
    side.replaceChildren(...examined(data, state.selected, paint), div("tl-chart-title", "Its place in the data set"), strip.node,
      div("tl-caption", rankWords(data, state.selected)));
    drawPlace(strip, Math.max(side.clientWidth, 200), data, state.selected);
    frame.status("", [errorWords(data, found.errors, frame.narrow ? 2 : 3)]);
  }

  frame.head(data.title, data.subtitle);
  frame.show(data.predicted ? "measured" : "up to date");
  frame.keys(judged ? { e: nextError } : {});
  return frame.close;
}

// The page of images that holds the selected one; returns how many there are room for, the first and how many there are.
function drawPage(grid, listed, selected, data, paint) {
  const { classes, labels, predicted, wrong } = data;
  const [pitch, height] = data.long ? [84, 78] : [50, 64]; // px of a cell
  const columns = Math.max(1, Math.floor(grid.node.clientWidth / pitch));
  const [size, at] = [ROWS * columns, listed.indexOf(selected)];
  const first = Math.max(0, at - (at % size));
  const shown = Math.min(listed.length - first, size);
  const rows = Math.min(ROWS, Math.ceil(data.count / columns)); // the room stays when the filters leave little
  grid.node.style.cssText = `grid-template-columns: repeat(${columns}, minmax(0, 1fr)); min-height: ${rows * height - 2}px`;
  grid.show({ at, first, shown, columns, all: listed.length }, ({ children: [canvas, label, error] }, place) => {
    const image = listed[place];
    say(label, classes[(labels ?? predicted)[image]]);
    say(error, wrong(image) ? `\u2715 ${classes[predicted[image]]}` : "");
    paint(canvas, 46, 46, data)(image, 1, 1, 44);
    return imageWords(data, image);
  });
  return { size, first, shown };
}

// ---- The selected image

// Large, with its label, prediction and file, and with what the network believes.
function examined(data, image, paint) {
  const { classes, labels, predicted, beliefs, wrong, files } = data;
  const caption = (words) => div("tl-caption", words);
  const fact = (words, list, mark = "") => list ? [caption(words),
    div(`${data.long ? "tl-question" : "tl-number"} ${mark && "tl-wrong"}`, mark + classes[list[image]])] : [];
  const facts = [...fact("label", labels), ...fact("prediction", predicted, wrong(image) ? "\u2715 " : "")];
  const bars = beliefs.length ? [div("tl-chart-title", "What the network believes"),
    ...believedClasses(beliefs[image], labels?.[image]).map((number) =>
      beliefBar(classes[number], beliefs[image][number], labels?.[image] === number, predicted[image] === number, wrong(image))),
    div("tl-guessing", `guessing ${shortPercent(100 / classes.length)}`)] : [];
  return [div("tl-picked", picture(paint, data, image, 124), div(null, ...facts, files ? caption(files[image]) : "")),
    html("div", { class: "tl-beliefs", style: `--tl-guess: ${100 / classes.length}%; --tl-bar: ${color(data.token)}` }, ...bars)];
}

function beliefBar(name, belief, isLabel, isPredicted, wrong) {
  const inside = belief > 0.7; // no room behind the bar
  const end = inside ? `right: ${100 - 100 * belief}%; color: ${color("ground")}`
    : `left: calc(${100 * belief}% + 4px); background: ${color("ground")}`;
  const share = belief < 0.01 ? "<1" : belief > 0.99 ? ">99" : Math.round(100 * belief);
  const bar = html("i", { class: isPredicted && wrong ? "tl-hatched" : "", style: `width: ${100 * belief}%` });
  return div(isLabel || isPredicted ? "tl-belief tl-marked" : "tl-belief", html("span", {}, name),
    div(null, bar, isLabel ? html("b", { style: end }, "label") : ""), html("span", {}, `${share}${SPACE}%`));
}

// The errors of the whole data set as thin marks, and where the image stands among them.
function drawPlace(strip, width, { all, errors }, image) {
  const x = linear(0, Math.max(all.length - 1, 1), 6, width - 6);
  strip.size(width, 30);
  const label = `image ${many(image + 1)}`;
  const half = strip.width(label, 11, 600) / 2;
  const middle = clamp(x(image), half, width - half);
  set(strip.node, { role: "img", "aria-label": `${label} of ${many(all.length)}` });
  strip.put("line", "errors", "path", { d: errors.map((error) => `M${x(error).toFixed(1)},2v8`).join(""), stroke: color("ghost") });
  strip.line("axis", [[6, 10.5], [width - 6, 10.5]], { token: "edge", width: 1 });
  strip.put("front", "selected", "path", { d: "M-6,-1h12l-6,11z", transform: `translate(${x(image)} 1)`, fill: color("ink") });
  strip.words("selected", middle, 26, label, { kind: "bold", token: "ink", anchor: "middle" });
  if (middle - half > 20) strip.words("first", 3, 26, "1");
  if (middle + half < width - 40) strip.words("last", width - 1, 26, many(all.length), { anchor: "end" });
  strip.sweep();
}
