// Gallery: images with what a network predicts for each. Without labels or without a network nothing is right or wrong,
// and without beliefs nothing is sure: those parts are absent.

import { floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { classChips, classList } from "./class_choice.js";
import { button, segments, turnOff } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imageGrid, pager, ROWS } from "./image_grid.js";
import { imagePainter } from "./images.js";
import { color } from "./marks.js";
import { clamp, linear } from "./scales.js";
import { article, many, shortPercent, SPACE } from "./words.js";

// ---- What is known, chosen and said

// A set of images: labels, predictions and beliefs are there or not.
export function imageSet({ classes, labels, predicted, count }, beliefs = []) {
  const judged = Boolean(labels && predicted);
  const wrong = (image) => judged && labels[image] !== predicted[image];
  const all = Array.from({ length: count }, (_, image) => image);
  const classOf = (image) => (labels ?? predicted)[image]; // by which images are filtered
  return { classes, labels, predicted, beliefs, all, judged, wrong, classOf, errors: all.filter(wrong) };
}

// The images of the chosen classes (no class: all), and what remains of them, in order.
export function filtered({ predicted, beliefs, all, wrong, classOf }, { chosen, kind, order }) {
  const here = all.filter((image) => !chosen.length || chosen.includes(classOf(image)));
  const listed = kind === "all" ? here : here.filter((image) => wrong(image) === (kind === "wrong"));
  const belief = (image) => beliefs[image][predicted[image]] * (order === "surest first" ? -1 : 1);
  return { here, listed: order === "data set" ? listed : listed.toSorted((one, other) => belief(one) - belief(other)) };
}

export const toggled = (chosen, number) =>
  chosen.includes(number) ? chosen.filter((one) => one !== number) : [...chosen, number].sort((one, other) => one - other);

export function imageWords({ classes, labels, predicted }, image) {
  const parts = [labels && `label ${classes[labels[image]]}`, predicted && `predicted as ${classes[predicted[image]]}`];
  return [`image ${image + 1}`, ...parts].filter(Boolean).join(", ");
}

const images = (number) => `${many(number)} ${number === 1 ? "image" : "images"}`;
const are = (number) => (number === 1 ? "is" : "are");

// "30 of 300 images are a 4; 5 of them are misclassified"
export function countWords({ classes, labels, all, judged }, chosen, here, errors) {
  const names = chosen.map((number) => article(classes[number]));
  const either = [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");
  const found = `${many(here)} of ${images(all.length)} ${are(here)} ${labels ? "" : "predicted as "}${either}`;
  const wrong = judged ? `; ${many(errors)} of them ${are(errors)} misclassified` : "";
  return (chosen.length ? found : images(all.length)) + wrong;
}

// The status line, as a bold and a plain part: which errors are the most frequent.
export function errorWords({ classes, labels, predicted, judged }, errors, most) {
  if (!judged) return ["", labels ? "Labels only: no network was asked." : "Without labels nobody can say which are misclassified."];
  if (!errors.length) return ["", "No error here."];
  const pairs = new Map();
  for (const image of errors) {
    const pair = `${article(classes[labels[image]])} predicted as ${classes[predicted[image]]}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const frequent = [...pairs].toSorted(([, one], [, other]) => other - one).slice(0, most);
  return ["Most frequent here: ", `${frequent.map(([pair, times]) => `${pair}, ${times === 1 ? "once" : `${times} times`}`).join("; ")}.`];
}

// All classes up to ten; of more the five largest beliefs, and the label.
export function believedClasses(beliefs, label) {
  const sorted = [...beliefs.keys()].sort((one, other) => beliefs[other] - beliefs[one]);
  return beliefs.length <= 10 ? [...beliefs.keys()] : [...new Set([...sorted.slice(0, 5), label ?? sorted[0]])];
}

export function rankWords({ labels, beliefs, all, errors, wrong }, image) {
  const marks = errors.length ? `Thin marks are the ${wrong(image) ? "other " : ""}errors.` : "";
  if (!labels || !beliefs.length) return `${marks} `;
  const own = (one) => beliefs[one][labels[one]];
  const less = all.filter((one) => own(one) < own(image)).length;
  return `${marks} For ${many(less)} of ${images(all.length)} the network believes the true label even less.`;
}

// ---- The widget

export function render({ model, el }) {
  const view = model.get("view");
  const { classes, count: total } = view;
  const data = imageSet(view, floats(model, "beliefs", classes.length));
  const { judged, predicted, wrong, classOf } = data;
  const frame = makeFrame(model, el, "gallery", draw);
  const paint = imagePainter(frame, model.get("images"));
  const long = classes.some((name) => name.length > 3);
  const state = { chosen: [], kind: "all", order: "data set", selected: data.errors[0] ?? 0 };
  let columns = 1;
  let listed = []; // what the filters leave, in order

  const change = (more) => {
    Object.assign(state, more);
    frame.draw.now();
  };
  const go = (place) => place in listed && change({ selected: listed[place] });
  const turn = (by) => go(clamp(listed.indexOf(state.selected) + by * ROWS * columns, 0, listed.length - 1));
  const nextError = () => {
    const at = listed.indexOf(state.selected) + 1;
    change({ selected: [...listed.slice(at), ...listed.slice(0, at)].find(wrong) ?? state.selected });
    if (frame.focused() !== grid.node) say(live, imageWords(data, state.selected)); // in the grid the image itself is read out
  };

  const choice = (trait, name, options) => segments(frame, { name, options, choose: (option) => change({ [trait]: option }) });
  const kinds = judged && choice("kind", "Show", ["all", "right", "wrong"]);
  const orders = data.beliefs.length > 0 && choice("order", "Order", ["data set", "surest first", "least sure"]);
  const chips = classes.length > 10 ? classList(frame, classes, (number) => change({ chosen: number < 0 ? [] : [number] }))
    : classChips(frame, classes, { numbers: [...classes.keys()], style: "tl-chips", name: "Classes",
      toggle: (number) => change({ chosen: toggled(state.chosen, number) }) });
  const sentence = html("div", { class: "tl-chart-title" });
  const nothing = html("div", { class: "tl-caption" }, "No image is left here. Choose other classes, or all.");
  const grid = imageGrid(frame, { name: "Images", style: long ? "tl-images tl-named" : "tl-images", parts: ["span", "b"], go, turn });
  const next = button({ action: "error", face: "cross", words: "Next error", key: "E", main: true }, nextError);
  const pages = pager(turn);
  const strip = new Chart(frame.root);
  const side = html("div", { class: "tl-side" });
  const live = html("div", { class: "tl-hidden", "aria-live": "polite" });
  const filters = html("div", { class: "tl-row tl-filters" }, chips.node, kinds ? kinds.node : "");
  frame.controls.append(html("div", { class: "tl-row" }, judged ? next : "", ...pages.nodes),
    orders ? html("div", { class: "tl-row tl-last" }, html("span", { class: "tl-caption" }, "Order"), orders.node) : "");
  frame.body.classList.add("tl-gallery");
  frame.body.append(html("div", { class: "tl-figure" }, filters, sentence, nothing, grid.node), frame.controls, side, live);

  function draw() {
    const found = filtered(data, state);
    const errors = found.here.filter(wrong);
    listed = found.listed;
    if (listed.length && !listed.includes(state.selected)) state.selected = listed[0];
    say(sentence, countWords(data, state.chosen, found.here.length, errors.length));
    chips.show((number) => ({ "aria-pressed": state.chosen.includes(number) }));
    if (kinds) kinds.show(state.kind, [found.here.length, found.here.length - errors.length, errors.length].map(many));
    if (orders) orders.show(state.order);
    turnOff(next, !listed.some(wrong));
    drawThumbnails();
    side.replaceChildren(...examined(view, data, state.selected, paint, long ? "tl-question" : "tl-number"),
      html("div", { class: "tl-chart-title" }, "Its place in the data set"), strip.node,
      html("div", { class: "tl-caption" }, rankWords(data, state.selected)));
    drawPlace(strip, Math.max(side.clientWidth, 200), data, state.selected);
    frame.status("", [errorWords(data, errors, frame.narrow ? 2 : 3)]);
  }

  function drawThumbnails() {
    columns = Math.max(1, Math.floor(grid.node.clientWidth / (long ? 84 : 50)));
    const at = listed.indexOf(state.selected);
    const first = Math.max(0, at - (at % (ROWS * columns)));
    const shown = Math.min(listed.length - first, ROWS * columns);
    const rows = Math.min(ROWS, Math.ceil(total / columns)); // the room stays when the filters leave little
    grid.node.style.cssText = `grid-template-columns: repeat(${columns}, minmax(0, 1fr)); min-height: ${rows * (long ? 78 : 64) - 2}px`;
    grid.show({ at, first, shown, columns, all: listed.length }, ({ children: [canvas, label, error] }, place) => {
      const image = listed[place];
      say(label, classes[classOf(image)]);
      say(error, wrong(image) ? `\u2715 ${classes[predicted[image]]}` : "");
      paint(canvas, 46, 46, view)(image, 1, 1, 44);
      return imageWords(data, image);
    });
    nothing.hidden = shown > 0;
    pages.show(first, shown, listed.length);
  }

  frame.head(view.title, view.subtitle);
  const word = predicted ? "measured" : "up to date";
  frame.show(word, word);
  frame.keys(judged ? { e: nextError } : {});
  return frame.close;
}

// ---- The selected image

// Large, with its label, prediction and file, and with what the network believes.
function examined({ classes, files, shape, token }, data, image, paint, style) {
  const large = html("canvas", { "aria-hidden": "true" });
  paint(large, 124, 124, { shape })(image, 0, 0, 124);
  const caption = (words) => html("div", { class: "tl-caption" }, words);
  const fact = (words, list, mark = "") => list ? [caption(words),
    html("div", { class: `${style} ${mark && "tl-wrong"}` }, mark + classes[list[image]])] : [];
  const facts = [...fact("label", data.labels), ...fact("prediction", data.predicted, data.wrong(image) ? "\u2715 " : ""),
    ...(files ? [caption(files[image])] : [])];
  const look = { class: "tl-beliefs", style: `--tl-guess: ${100 / classes.length}%; --tl-bar: ${color(token)}` };
  const bars = data.beliefs.length ? [html("div", { class: "tl-chart-title" }, "What the network believes"),
    ...believedClasses(data.beliefs[image], data.labels?.[image]).map((number) => beliefBar(data, image, number)),
    html("div", { class: "tl-guessing" }, `guessing ${shortPercent(100 / classes.length)}`)] : [];
  return [html("div", { class: "tl-picked" }, large, html("div", {}, ...facts)), html("div", look, ...bars)];
}

function beliefBar({ classes, labels, predicted, beliefs, wrong }, image, number) {
  const belief = beliefs[image][number];
  const [isLabel, isPredicted] = [labels?.[image] === number, predicted[image] === number];
  const ground = color("ground");
  const inside = belief > 0.7; // no room behind the bar
  const end = inside ? `right: ${100 - 100 * belief}%; color: ${ground}` : `left: calc(${100 * belief}% + 4px); background: ${ground}`;
  const share = belief < 0.01 ? "<1" : belief > 0.99 ? ">99" : Math.round(100 * belief);
  const bar = html("i", { class: isPredicted && wrong(image) ? "tl-hatched" : "", style: `width: ${100 * belief}%` });
  return html("div", { class: isLabel || isPredicted ? "tl-belief tl-marked" : "tl-belief" }, html("span", {}, classes[number]),
    html("div", {}, bar, isLabel ? html("b", { style: end }, "label") : ""), html("span", {}, `${share}${SPACE}%`));
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
