// PseudoLabelMonitor: what a threshold lets through. Right is quiet grey, wrong is hatched and crossed.

import { dataView } from "./bytes.js";
import { Chart } from "./chart.js";
import { roving, slider } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { color, makeHatch } from "./marks.js";
import { recordedRun } from "./recorded_run.js";
import { clamp, linear, roundTicks } from "./scales.js";
import { count, fixed, many, SPACE } from "./words.js";

const ROW = [14, 22]; // px of a class: the least, and the most
const BIN = 0.025; // of the histogram
const BEYOND = 26; // px that a bar too tall for its axis stands above it
const CARD = [86, 140]; // px of a mistake at least, with its gap: with short names, with long ones

// ---- Counts and words

const sum = (counts) => counts.reduce((total, number) => total + number, 0);

// The threshold at which guessing is let through, rounded down to a bin: no highest probability is lower.
export const lowest = (classes) => Math.floor(1 / classes.length / BIN + 1e-6) * BIN;

// Of each class how many pseudo-labels are right and wrong and how many images there really are, and in bins of
// confidence how many of all images would be right and wrong.
export function tally({ classes, labels, predicted, confidence, threshold }) {
  const [rights, wrongs, really] = [0, 1, 2].map(() => classes.map(() => 0));
  const low = lowest(classes);
  const bins = Array.from({ length: Math.round((1 - low) / BIN) }, () => [0, 0]);
  labels.forEach((label, image) => {
    const wrong = predicted[image] !== label;
    bins[clamp(Math.floor((confidence[image] - low) / BIN + 1e-6), 0, bins.length - 1)][Number(wrong)]++;
    if (confidence[image] >= Math.fround(threshold)) (wrong ? wrongs : rights)[predicted[image]]++;
    really[label]++;
  });
  return { rights, wrongs, really, bins, right: sum(rights), wrong: sum(wrongs) };
}

const several = (number, noun) => `${many(number)} ${noun}${number === 1 ? "" : "s"}`;
export const thresholdWords = (value) => value.toFixed(Math.max(2, (String(value).split(".")[1] ?? "").length));

export function titleWords(total, { right, wrong }) {
  const taken = right + wrong;
  if (!taken) return `None of ${many(total)} images is pseudo-labelled`;
  const share = `${fixed((100 * right) / taken)}${SPACE}% of them rightly`;
  return `${many(taken)} of ${many(total)} images ${taken === 1 ? "is" : "are"} pseudo-labelled, ${share}`;
}

// The status line, as pairs of a bold and a plain part: the class with the least pseudo-labels, and with the most errors.
export function classWords(classes, { rights, wrongs, really, right, wrong }) {
  if (!right && !wrong) return [["No image is sure enough: ", "lower the threshold."]];
  const taken = rights.map((number, place) => number + wrongs[place]);
  const share = (number) => taken[number] / really[number];
  const least = [...classes.keys()].filter((number) => really[number]).reduce((best, number) => (share(number) < share(best) ? number : best));
  const covered = `class ${classes[least]}, with ${several(taken[least], "pseudo-label")} for ${several(really[least], "image")}.`;
  const most = wrongs.indexOf(Math.max(...wrongs));
  const mistaken = `Most mistaken: class ${classes[most]}, ${many(wrongs[most])} of ${many(taken[most])}.`;
  return [["Least covered: ", covered], ["", wrong ? mistaken : "None is mistaken."]];
}

// ---- The widget

export function render({ model, el }) {
  const view = model.get("view");
  const { name, steps, labels } = view;
  const frame = makeFrame(model, el, "pseudo-label-monitor", draw);
  const [predicted, confidence] = ["predicted", "confidence"].map((trait) => dataView(model.get(trait)));
  let selected = -1; // a mistake

  // What is shown: the view, with all that belongs to the present step and threshold.
  const moment = () => {
    const [index, threshold] = [model.get("frame"), model.get("threshold")];
    const ofStep = (read) => labels.map((_, image) => read(index * labels.length + image));
    const now = { ...view, index, threshold, selected, predicted: ofStep((at) => predicted.getInt16(2 * at, true)),
      confidence: ofStep((at) => confidence.getFloat32(4 * at, true)) };
    const mistakes = view.mistakes[index].filter((image) =>
      now.predicted[image] !== labels[image] && now.confidence[image] >= Math.fround(threshold));
    return { ...now, ...tally(now), mistakes };
  };

  const charts = [new Chart(frame.root), new Chart(frame.root)];
  const cells = ["Pseudo-labels per class", "How sure the network is"].map((words, place) =>
    html("div", { class: place ? "tl-cell tl-sure" : "tl-cell" }, html("div", { class: "tl-chart-title" }, words), charts[place].node));
  for (const { node } of charts) set(node, { role: "img" });
  const hatch = makeHatch(frame, "wrong");
  const knob = thresholdSlider(frame, model, lowest(view.classes));
  cells[1].append(knob.node);
  const cards = mistakeCards(frame, view, imagePainter(frame, model.get("images")), (image) => {
    selected = image;
    frame.draw.now();
  });
  frame.body.classList.add("tl-stacked");
  frame.body.append(html("div", { class: "tl-pair" }, ...cells), ...cards.nodes);
  const run = recordedRun(frame, model, steps);

  function draw() {
    const now = moment();
    const step = steps.length ? `after step ${many(steps[now.index])}` : "";
    const what = [name, step].filter(Boolean).join(", ");
    const hidden = "True labels are shown to you, never to the network.";
    frame.head(titleWords(labels.length, now), what ? `${what[0].toUpperCase()}${what.slice(1)}. ${hidden}` : hidden);
    drawClasses(charts[0], Math.max(cells[0].clientWidth, 200), now, hatch);
    const area = drawHistogram(charts[1], Math.max(cells[1].clientWidth, 200), now, hatch);
    Object.assign(knob.node.querySelector(".tl-line").style, { marginLeft: `${area.left}px`, flex: `0 0 ${area.right - area.left}px` });
    knob.show(now.threshold);
    cards.show(now);
    frame.status("", classWords(view.classes, now), " ");
    if (run) run.show();
  }

  frame.watch("threshold frame", frame.draw.later);
  draw();
  return frame.close;
}

function thresholdSlider(frame, model, low) {
  return slider(frame, {
    name: "Threshold", low, high: 1, ticks: [], words: thresholdWords,
    place: (value) => clamp((value - low) / (1 - low), 0, 1),
    value: (place) => Number((low + place * (1 - low)).toFixed(2)),
    next: (value, direction, fine) => Number((value + direction * (fine ? 0.001 : 0.01)).toFixed(3)),
    input: (value) => {
      model.set("threshold", value);
      frame.draw.now();
    },
    change: () => model.save_changes(),
  });
}

// ---- The surest mistakes

function mistakeCards(frame, { classes, mistakes: all, pictured, shape }, paint, select) {
  const heading = html("div", { class: "tl-chart-title" });
  const cards = all[0].map(() => html("button", { type: "button", class: "tl-mistake" }, html("canvas"), html("div"), html("div")));
  const row = html("div", { class: "tl-mistakes", role: "group", "aria-label": "The surest mistakes" }, ...cards);
  const stops = []; // the cards that show a mistake
  let shown = [];
  const hold = roving(frame, row, stops, (place) => select(shown[place]));
  cards.forEach((card, place) => frame.listen(card, "click", () => select(shown[place])));
  const fill = (card, image, { predicted, confidence, labels, selected }) => {
    const [canvas, says, is] = card.children;
    paint(canvas, 44, 44, { shape })(pictured.indexOf(image), 0, 0, 44);
    const percent = `\u00b7 ${Math.floor(100 * confidence[image])}${SPACE}%`;
    says.replaceChildren("says", html("b", { class: "tl-wrongly" }, classes[predicted[image]]), percent);
    is.replaceChildren("is", html("b", {}, classes[labels[image]]));
    set(card, { "aria-pressed": image === selected });
  };
  const show = (now) => {
    const columns = Math.max(1, Math.floor(row.clientWidth / CARD[Number(classes.some((name) => name.length > 4))]));
    shown = now.mistakes.slice(0, columns * (frame.narrow ? 2 : 1));
    const more = now.wrong > shown.length && shown.length ? `, the ${count(shown.length)} surest shown` : "";
    say(heading, `Confidently wrong: ${now.wrong ? `${several(now.wrong, "image")} to be learnt from${more}` : "no image"}`);
    row.style.gridTemplateColumns = `repeat(${Math.min(cards.length, columns)}, minmax(0, 1fr))`;
    cards.forEach((card, place) => {
      card.hidden = place >= shown.length;
      if (!card.hidden) fill(card, shown[place], now);
    });
    stops.splice(0, stops.length, ...cards.slice(0, shown.length));
    hold(Math.max(0, stops.indexOf(frame.focused()), shown.indexOf(now.selected)));
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
    const middle = pitch * (number + 0.5);
    const [right, wrong] = [rights[number], wrongs[number]];
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
  set(chart.node, { "aria-label": `Pseudo-labels per class. ${rows.join("; ")}` });
}

// What is right, then what is wrong; a bar too long for its axis is cut.
function drawBar(chart, number, { left, end, middle, tall, x, right, wrong, hatch }) {
  const most = end + 12;
  const [to, all] = [right, right + wrong].map((value) => Math.min(x(value), most));
  const box = { y: middle - tall / 2, height: tall, rx: 1 };
  const from = Math.min(to + 1.5, all - 2);
  if (to > left) chart.put("mark", `right ${number}`, "rect", { ...box, x: left, width: to - left, fill: color("ink2") });
  if (all > to) chart.put("mark", `wrong ${number}`, "rect", { ...box, x: from, width: all - from, fill: hatch, stroke: color("wrong") });
  if (all === most) cut(chart, `cut ${number}`, end, middle - tall / 2, 0, tall);
}

function drawKey(chart, left, y, hatch) {
  const words = "how many there really are";
  const after = left + 24 + chart.width(words);
  chart.line("key", [[left + 1, y - 7], [left + 1, y + 7]]);
  chart.words("key", left + 10, y + 4, words);
  chart.put("mark", "key", "rect", { x: after, y: y - 5, width: 17, height: 10, fill: hatch, stroke: color("wrong") });
  chart.words("wrong key", after + 23, y + 4, "wrong");
}

// The zigzag that says that a bar goes on: across [x, y] to [x + wide, y + tall], of which one is 0.
function cut(chart, at, x, y, wide, tall) {
  const points = Array.from({ length: 5 }, (_, place) => {
    const aside = place % 2 ? 3 : -3;
    return wide ? [x + (wide * place) / 4, y + aside] : [x + aside, y + (tall * place) / 4];
  });
  chart.line(at, points, { token: "ground", width: 2.5, layer: "front" });
}

// ---- How sure the network is

function drawHistogram(chart, width, now, hatch) {
  const area = { left: 34, right: width - 10, top: 80, bottom: 230 };
  const low = lowest(now.classes);
  const x = linear(low, 1, area.left, area.right);
  const y = linear(0, now.top, area.bottom, area.top); // taller bars are cut
  const total = many(now.labels.length);
  chart.size(width, 268);
  chart.axes("sure", area, {
    x: roundTicks(low, 1, 5).map((value) => ({ at: x(value), words: value.toFixed(1) })),
    y: roundTicks(0, now.top, 5).filter(Number.isInteger).map((value) => ({ at: y(value), words: many(value) })),
  });
  const axis = `highest class probability of ${total} unlabelled images`;
  chart.words("sure", area.left, area.bottom + 34, axis, { room: width - area.left });
  const at = x(clamp(now.threshold, low, 1));
  drawBins(chart, now, { area, x: (bin) => x(low + bin * BIN), y, at, hatch, width });
  drawThreshold(chart, area, at, `threshold ${thresholdWords(now.threshold)}`);
  if (now.mistakes.includes(now.selected)) {
    const place = { d: "M-5,9h10L0,1z", transform: `translate(${x(now.confidence[now.selected])} ${area.bottom})`, fill: color("ink") };
    chart.put("front", "selected", "path", place);
  }
  chart.sweep();
  set(chart.node, { "aria-label": `Highest class probability of ${total} images, threshold ${thresholdWords(now.threshold)}` });
  return area;
}

// Each bar is hollow as far as the threshold, which stands at `at`.
function drawBins(chart, { bins, top }, { area, x, y, at, hatch, width }) {
  const height = (value, most) => Math.min(area.bottom - y(value), area.bottom - area.top + most);
  let crowded = 0; // numbers above neighbouring bars that are cut stand at two heights
  bins.forEach(([right, wrong], bin) => {
    const all = right + wrong;
    const [from, to] = [x(bin) + 0.5, x(bin + 1) - 0.5];
    for (const [part, start, end, fill] of [["not used", from, Math.min(to, at), "ground"], ["used", Math.max(from, at), to, "ink2"]]) {
      if (end <= start || !all) continue;
      const box = (tall) => ({ x: start, y: area.bottom - tall, width: end - start, height: tall });
      chart.put("band", `${part} ${bin}`, "rect", { ...box(height(all, BEYOND)), fill: color(fill), stroke: color("ink2") });
      const tall = height(wrong, right ? 8 : BEYOND); // beyond the cut as much as is right
      if (wrong) chart.put("line", `wrong ${part} ${bin}`, "rect", { ...box(tall), fill: hatch, stroke: color("wrong") });
    }
    crowded = all > top ? crowded + 1 : 0;
    if (!crowded) return;
    cut(chart, `cut ${bin}`, from - 1, area.top - 8, to - from + 2, 0);
    const [across, up] = [Math.min((from + to) / 2, width - 12), area.top - BEYOND - (crowded % 2 ? 5 : 17)];
    chart.words(`all ${bin}`, across, up, many(all), { kind: "bold", token: "ink", anchor: "middle" });
  });
}

function drawThreshold(chart, area, at, words) {
  const side = at - area.left > 150 ? { x: at - 20, anchor: "end" } : { x: at + 20, anchor: "start" };
  chart.line("threshold", [[at, 16], [at, area.bottom + 2]], { layer: "front" });
  chart.words("threshold", side.x, 13, words, { kind: "chosen", token: "ink", anchor: side.anchor });
  chart.words("sides", side.x, 29, "\u2190 not used \u00b7 used \u2192", { anchor: side.anchor });
}
