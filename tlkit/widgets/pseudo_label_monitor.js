// PseudoLabelMonitor: what a threshold lets through. Right is quiet grey, wrong is hatched and crossed.

import { dataView } from "./bytes.js";
import { Chart } from "./chart.js";
import { roving, slider } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter, picture } from "./images.js";
import { color, makeHatch } from "./marks.js";
import { recordedRun } from "./player.js";
import { clamp, linear, roundTicks } from "./scales.js";
import { count, fixed, many, SPACE } from "./words.js";

const ROW = [14, 22]; // px of a class: the least, and the most
const BIN = 0.025; // of the histogram
const BEYOND = 26; // px that a bar too tall for its axis stands above it
const CARD = [86, 140]; // px of a mistake at least, with its gap: with short names, with long ones
const HIDDEN = "True labels are shown to you, never to the network.";

// ---- Counts and words

// The threshold at which guessing is let through, rounded down to a bin: no highest probability is lower. Of one class
// alone everything would be, and no axis be left.
export const lowest = (classes) => Math.floor(1 / Math.max(classes.length, 2) / BIN + 1e-6) * BIN;

// Of each class how many pseudo-labels are right and wrong and how many images there really are; of all images, in bins
// of confidence, how many would be right and wrong; and which of the surest mistakes are let through.
export function tally({ classes, labels, predicted, confidence, threshold, surest }) {
  const [rights, wrongs, really] = [0, 1, 2].map(() => classes.map(() => 0));
  const low = lowest(classes);
  const bins = Array.from({ length: Math.round((1 - low) / BIN) }, () => [0, 0]);
  const wrong = (image) => predicted[image] !== labels[image];
  const used = (image) => confidence[image] >= Math.fround(threshold);
  labels.forEach((label, image) => {
    bins[clamp(Math.floor((confidence[image] - low) / BIN + 1e-6), 0, bins.length - 1)][Number(wrong(image))]++;
    if (used(image)) (wrong(image) ? wrongs : rights)[predicted[image]]++;
    really[label]++;
  });
  const [right, mistaken] = [rights, wrongs].map((counts) => counts.reduce((sum, number) => sum + number, 0));
  return { rights, wrongs, really, bins, right, mistaken, mistakes: surest.filter((image) => wrong(image) && used(image)) };
}

const several = (number, noun) => `${many(number)} ${noun}${number === 1 ? "" : "s"}`;
export const thresholdWords = (value) => value.toFixed(Math.max(2, (String(value).split(".")[1] ?? "").length));

export function titleWords(total, { right, mistaken }) {
  const all = right + mistaken;
  if (!all) return `None of ${many(total)} images is pseudo-labelled`;
  const share = `${fixed((100 * right) / all)}${SPACE}% of them rightly`;
  return `${many(all)} of ${many(total)} images ${all === 1 ? "is" : "are"} pseudo-labelled, ${share}`;
}

// The status line, as pairs of a bold and a plain part: the class with the least pseudo-labels, and with the most errors.
export function classWords(classes, { rights, wrongs, really, right, mistaken }) {
  if (!right && !mistaken) return [["No image is sure enough: ", "lower the threshold."]];
  const all = rights.map((number, place) => number + wrongs[place]);
  const shares = all.map((number, place) => (really[place] ? number / really[place] : Infinity));
  const [least, most] = [shares.indexOf(Math.min(...shares)), wrongs.indexOf(Math.max(...wrongs))];
  const covered = `class ${classes[least]}, with ${several(all[least], "pseudo-label")} for ${several(really[least], "image")}.`;
  const errors = `Most mistaken: class ${classes[most]}, ${many(wrongs[most])} of ${many(all[most])}.`;
  return [["Least covered: ", covered], ["", mistaken ? errors : "None is mistaken."]];
}

// ---- The widget

export function render({ model, el }) {
  const view = model.get("view");
  const { name, steps, labels, classes } = view;
  const frame = makeFrame(model, el, "pseudo-label-monitor", draw);
  const [predicted, confidence] = ["predicted", "confidence"].map((trait) => dataView(model.get(trait)));
  let selected = -1; // a mistake

  // What is shown: the view, with all that belongs to the present step and threshold.
  const moment = () => {
    const [index, threshold] = [model.get("frame"), model.get("threshold")];
    const ofStep = (read) => labels.map((_, image) => read(index * labels.length + image));
    const now = { ...view, index, threshold, selected, surest: view.mistakes[index] };
    now.predicted = ofStep((at) => predicted.getInt16(2 * at, true));
    now.confidence = ofStep((at) => confidence.getFloat32(4 * at, true));
    return Object.assign(now, tally(now));
  };

  const charts = [new Chart(frame.root), new Chart(frame.root)];
  const [left, right] = ["Pseudo-labels per class", "How sure the network is"].map((words, place) =>
    div(place ? "tl-cell tl-sure" : "tl-cell", div("tl-chart-title", words), charts[place].node));
  const hatch = makeHatch(frame, "wrong");
  const knob = thresholdSlider(frame, model, lowest(classes));
  const select = (image) => { selected = image; frame.draw.now(); };
  const cards = mistakeCards(frame, view, imagePainter(frame, model.get("images")), select);
  right.append(knob.node);
  frame.body.classList.add("tl-stacked");
  frame.body.append(div("tl-pair", left, right), ...cards.nodes);
  const run = recordedRun(frame, model, steps);

  function draw() {
    const now = moment();
    const what = [name, steps.length && `after step ${many(steps[now.index])}`].filter(Boolean).join(", ");
    frame.head(titleWords(labels.length, now), what ? `${what[0].toUpperCase()}${what.slice(1)}. ${HIDDEN}` : HIDDEN);
    drawClasses(charts[0], Math.max(left.clientWidth, 200), now, hatch);
    knob.under(drawHistogram(charts[1], Math.max(right.clientWidth, 200), now, hatch));
    knob.show(now.threshold);
    cards.show(now);
    frame.status("", classWords(classes, now), " ");
    run.show();
  }

  return frame.start("threshold frame", run.keys);
}

const thresholdSlider = (frame, model, low) => slider(frame, {
  name: "Threshold", low, high: 1, words: thresholdWords,
  place: (value) => clamp((value - low) / (1 - low), 0, 1),
  value: (place) => Number((low + place * (1 - low)).toFixed(2)),
  next: (value, direction, fine) => Number((value + direction * (fine ? 0.001 : 0.01)).toFixed(3)),
  input: (value) => { model.set("threshold", value); frame.draw.now(); },
  change: () => model.save_changes(),
});

// ---- The surest mistakes

function mistakeCards(frame, { classes, labels, pictured, shape, mistakes }, paint, select) {
  const heading = div("tl-chart-title");
  const cards = mistakes[0].map(() => html("button", { type: "button", class: "tl-mistake" }));
  const row = html("div", { class: "tl-mistakes", role: "group", "aria-label": "The surest mistakes" }, ...cards);
  const stops = []; // the cards that show a mistake
  let shown = [];
  const stopAt = roving(frame, row, stops, (place) => select(shown[place]));
  cards.forEach((card, place) => frame.listen(card, "click", () => select(shown[place])));
  const show = (now) => {
    const columns = Math.max(1, Math.floor(row.clientWidth / CARD[Number(classes.some((name) => name.length > 4))]));
    shown = now.mistakes.slice(0, columns * (frame.narrow ? 2 : 1));
    const more = now.mistaken > shown.length && shown.length ? `, the ${count(shown.length)} surest shown` : "";
    say(heading, `Confidently wrong: ${now.mistaken ? `${several(now.mistaken, "image")} to be learnt from${more}` : "no image"}`);
    row.style.gridTemplateColumns = `repeat(${Math.min(cards.length, columns)}, minmax(0, 1fr))`;
    stops.splice(0, stops.length, ...cards.slice(0, shown.length));
    for (const card of cards) card.hidden = !stops.includes(card);
    shown.forEach((image, place) => {
      set(cards[place], { "aria-pressed": image === now.selected });
      cards[place].replaceChildren(picture(paint, { shape }, pictured.indexOf(image), 44),
        div(null, "says", html("b", { class: "tl-wrongly" }, classes[now.predicted[image]]),
          `\u00b7 ${Math.floor(100 * now.confidence[image])}${SPACE}%`),
        div(null, "is", html("b", {}, classes[labels[image]])));
    });
    stopAt(Math.max(0, stops.indexOf(frame.focused()), shown.indexOf(now.selected)));
  };
  return { nodes: [heading, row], show };
}

// ---- Pseudo-labels per class

function drawClasses(chart, width, { classes, rights, wrongs, really }, hatch) {
  const pitch = clamp(220 / classes.length, ...ROW);
  const bottom = pitch * classes.length;
  chart.size(width, bottom + 46);
  const left = Math.min(0.3 * width, Math.max(14, ...classes.map((name) => chart.width(name, 12, 600)))) + 12;
  const end = width - 92;
  const x = linear(0, 1.1 * Math.max(...really), left, end);
  chart.words("right", width - 42, -5, "right", { anchor: "end" });
  chart.words("wrong", width, -5, "wrong", { anchor: "end" });
  classes.forEach((name, number) => {
    const [middle, right, wrong] = [pitch * (number + 0.5), rights[number], wrongs[number]];
    chart.words(`name ${number}`, left - 8, middle + 4, name, { kind: "chosen", token: "ink", anchor: "end", room: left - 12 });
    drawBar(chart, number, { left, end, middle, tall: pitch - 8, x, right, wrong, hatch });
    chart.line(`really ${number}`, [[x(really[number]), middle - 9], [x(really[number]), middle + 9]], { layer: "front" });
    chart.words(`rights ${number}`, width - 42, middle + 4, many(right), { anchor: "end", token: "ink" });
    const look = wrong ? { kind: "bold", token: "wrong" } : {};
    chart.words(`wrongs ${number}`, width, middle + 4, `${wrong ? "\u2715 " : ""}${many(wrong)}`, { anchor: "end", ...look });
  });
  drawKey(chart, left, bottom + 30, hatch);
  chart.sweep();
  const rows = classes.map((name, number) => `${name}: ${rights[number]} right, ${wrongs[number]} wrong, really ${really[number]}`);
  set(chart.node, { role: "img", "aria-label": `Pseudo-labels per class. ${rows.join("; ")}` });
}

// What is right, then what is wrong; a bar too long for its axis is cut.
function drawBar(chart, number, { left, end, middle, tall, x, right, wrong, hatch }) {
  const [to, all] = [right, right + wrong].map((value) => Math.min(x(value), end + 12));
  const from = Math.min(to + 1.5, all - 2);
  const box = { y: middle - tall / 2, height: tall, rx: 1 };
  if (to > left) chart.put("mark", `right ${number}`, "rect", { ...box, x: left, width: to - left, fill: color("ink2") });
  if (all > to) chart.put("mark", `wrong ${number}`, "rect", { ...box, x: from, width: all - from, fill: hatch, stroke: color("wrong") });
  if (all === end + 12) cut(chart, `cut ${number}`, [end, middle - tall / 2], [0, tall]);
}

function drawKey(chart, left, y, hatch) {
  const words = "how many there really are";
  const after = left + 24 + chart.width(words);
  chart.line("key", [[left + 1, y - 7], [left + 1, y + 7]]);
  chart.words("key", left + 10, y + 4, words);
  chart.put("mark", "key", "rect", { x: after, y: y - 5, width: 17, height: 10, fill: hatch, stroke: color("wrong") });
  chart.words("wrong key", after + 23, y + 4, "wrong");
}

// The zigzag that says that a bar goes on, over its width or its height, of which the other is 0.
function cut(chart, name, [x, y], [wide, tall]) {
  const points = [-3, 3, -3, 3, -3].map((aside, place) =>
    wide ? [x + (wide * place) / 4, y + aside] : [x + aside, y + (tall * place) / 4]);
  chart.line(name, points, { token: "ground", width: 2.5, layer: "front" });
}

// ---- How sure the network is

// Returns the area, under which the threshold's slider lies.
function drawHistogram(chart, width, now, hatch) {
  const area = { left: 34, right: width - 10, top: 80, bottom: 230 };
  const low = lowest(now.classes);
  const x = linear(low, 1, area.left, area.right);
  const y = linear(0, now.top, area.bottom, area.top); // taller bars are cut
  const [total, at] = [many(now.labels.length), x(clamp(now.threshold, low, 1))];
  const threshold = `threshold ${thresholdWords(now.threshold)}`;
  chart.size(width, 268);
  chart.axes("sure", area, {
    x: roundTicks(low, 1, 5).map((value) => ({ at: x(value), words: value.toFixed(1) })),
    y: roundTicks(0, now.top, 5).filter(Number.isInteger).map((value) => ({ at: y(value), words: many(value) })),
  });
  chart.words("sure", area.left, area.bottom + 34, `highest class probability of ${total} unlabelled images`, { room: width - area.left });
  drawBins(chart, now, { area, edge: (bin) => x(low + bin * BIN), y, at, hatch });
  const side = at - area.left > 150 ? { x: at - 20, anchor: "end" } : { x: at + 20, anchor: "start" };
  chart.line("threshold", [[at, 16], [at, area.bottom + 2]], { layer: "front" });
  chart.words("threshold", side.x, 13, threshold, { kind: "chosen", token: "ink", anchor: side.anchor });
  chart.words("sides", side.x, 29, "\u2190 not used \u00b7 used \u2192", { anchor: side.anchor });
  const place = `translate(${x(now.confidence[now.selected])} ${area.bottom})`;
  if (now.mistakes.includes(now.selected)) {
    chart.put("front", "selected", "path", { d: "M-5,9h10L0,1z", transform: place, fill: color("ink") });
  }
  chart.sweep();
  set(chart.node, { role: "img", "aria-label": `Highest class probability of ${total} images, ${threshold}` });
  return area;
}

// Each bar is hollow as far as the threshold, which stands at `at`.
function drawBins(chart, { bins, top }, { area, edge, y, at, hatch }) {
  const height = (value, most) => Math.min(area.bottom - y(value), area.bottom - area.top + most);
  let crowded = 0; // numbers above neighbouring bars that are cut stand at two heights
  bins.forEach(([right, wrong], bin) => {
    const all = right + wrong;
    const [from, to] = [edge(bin) + 0.5, edge(bin + 1) - 0.5];
    for (const [part, x, end, fill] of [["not used", from, Math.min(to, at), "ground"], ["used", Math.max(from, at), to, "ink2"]]) {
      if (end <= x || !all) continue;
      const box = (tall) => ({ x, y: area.bottom - tall, width: end - x, height: tall });
      chart.put("band", `${part} ${bin}`, "rect", { ...box(height(all, BEYOND)), fill: color(fill), stroke: color("ink2") });
      const tall = height(wrong, right ? 8 : BEYOND); // beyond the cut as much as is right
      if (wrong) chart.put("line", `wrong ${part} ${bin}`, "rect", { ...box(tall), fill: hatch, stroke: color("wrong") });
    }
    crowded = all > top ? crowded + 1 : 0;
    if (!crowded) return;
    cut(chart, `cut ${bin}`, [from - 1, area.top - 8], [to - from + 2, 0]);
    const [across, up] = [Math.min((from + to) / 2, area.right - 2), area.top - BEYOND - (crowded % 2 ? 5 : 17)];
    chart.words(`all ${bin}`, across, up, many(all), { kind: "bold", token: "ink", anchor: "middle" });
  });
}
