// Teach: draw a symbol, see what two networks believe about it, add it to a class; all of it computed in this page.

import { button, draggable, fillRow, turnOff } from "./controls.js";
import { div, html, say, set, svg } from "./dom.js";
import { onPad, picture, readClasses, sketch, wobble } from "./drawings.js";
import { Figure } from "./figure.js";
import { makeFrame } from "./frame.js";
import { color, GLYPHS } from "./marks.js";
import { believe, decode, features, fromScratch, randomLayers, seeded, softmax, STEPS, untrained } from "./reader.js";
import { linear } from "./scales.js";
import { undoable } from "./undo.js";
import { amount, fixed, SPACE } from "./words.js";

const NETWORKS = { // the first is always shown, one of the others beside it; only from scratch is trained
  "pre-trained": { title: `${GLYPHS.square[0]} Has read print`, token: "s3" },
  "random weights": { title: `${GLYPHS.circle[1]} Random weights`, token: "ink2" },
  pixels: { title: `${GLYPHS.circle[0]} Pixels`, token: "ink2" },
  "from scratch": { title: `${GLYPHS.triangle[0]} From scratch`, token: "s2" },
};
const NEAR = 8; // thousandths of the pad: a point nearer to the last one is skipped
const CLOSE_CALL = 0.1; // two shares nearer than this are undecided
const THUMBS = 5;

const percent = (share) => `${Math.round(100 * share)}${SPACE}%`;
const taught = (classes) => classes.filter(({ drawings }) => drawings.length);

// ---- What the learner does to the classes: [words, changed traits]; without traits it is refused

const revised = (classes, index, changes) => ({ classes: classes.with(index, { ...classes[index], ...changes }) });

export function added(classes, index, drawing, score) {
  if (!drawing.length) return ["the pad is empty: draw something first"];
  const { name, drawings } = classes[index];
  return [`added to ${name}`, { ...revised(classes, index, { drawings: [...drawings, drawing] }), drawing: [], score }];
}

export function withoutLast(classes, index) {
  const { name, drawings } = classes[index];
  return [`the last drawing of ${name} is removed; Undo brings it back`, revised(classes, index, { drawings: drawings.slice(0, -1) })];
}

export function renamed(classes, index, typed) {
  const [before, name] = [classes[index].name, typed.trim()];
  if (!name) return [`a class needs a name; this one stays ${before}`];
  if (name === before) return [""];
  if (classes.some((one) => one.name === name)) return [`there is a class ${name} already; names must differ`];
  return [`${before} is now ${name}`, revised(classes, index, { name })];
}

// ---- What each network believes

// What a network says in words; pale bars are not to be relied on. `training` is how far from scratch has come.
export function verdict(kind, belief, { classes, threshold, training }) {
  const count = taught(classes).length;
  if (!count) return { words: "no class has a drawing yet: draw something and add it" };
  if (count === 1) return { words: "one class only: every answer is that class; add a drawing to another class" };
  if (kind === "from scratch" && training === "not running") return { words: "not trained yet" };
  if (kind === "from scratch" && training === "training") return { words: training };
  if (!belief) return { words: "draw something" };
  if (kind === "from scratch" && training === "out of date") return { words: training, pale: true };
  if (kind === "pre-trained" && belief.nearest < threshold) return { words: "I was never taught this", pale: true };
  const [first, second] = belief.shares.toSorted((one, other) => other - one);
  const top = belief.shares.indexOf(first);
  const words = first - second < CLOSE_CALL ? "undecided between two" : `says ${classes[top].name}`;
  return { top, words, sure: percent(first) };
}

// From scratch: trained in the page.
function makeScratch(frame) {
  let mine = null; // {layers, numbers of its classes, drawings of all, step}
  const train = async (classes) => {
    const drawings = classes.map((one) => one.drawings);
    const numbers = [...drawings.keys()].filter((index) => drawings[index].length);
    const random = seeded(1);
    const run = mine = { layers: untrained(numbers.length, random), numbers, drawings, step: 0 };
    for (const step of fromScratch(run.layers, numbers.map((index) => drawings[index]), random)) {
      if (mine !== run || frame.signal.aborted) return;
      run.step = step;
      frame.draw.later();
      await new Promise((resolve) => setTimeout(resolve)); // so that the page answers in between
    }
  };
  // With another number of classes it begins anew, and so it does if they change while it is trained.
  const state = (classes) => {
    const stale = mine && classes.some(({ drawings }, index) => drawings !== mine.drawings[index]);
    if (mine?.drawings.length !== classes.length || (stale && mine.step < STEPS)) mine = null;
    return !mine ? "not running" : mine.step < STEPS ? "training" : stale ? "out of date" : "up to date";
  };
  const believes = (image) => {
    const shares = mine?.step && softmax(features(mine.layers, image));
    return shares && { shares: mine.drawings.map((_, index) => shares[mine.numbers.indexOf(index)] ?? 0) };
  };
  return { train, state, believes, step: () => mine.step };
}

// What networks believe about a drawing, {shares, nearest} each, and how many milliseconds they took for it.
function makeExperts(weights, heats, scratch) {
  const layers = { "pre-trained": decode(weights), "random weights": randomLayers(seeded(1)) };
  const seen = new WeakMap(); // drawing: what each network makes of it
  let timed = {};
  const look = (drawing, kind) => {
    if (!seen.has(drawing)) seen.set(drawing, { pixels: picture(drawing) });
    const found = seen.get(drawing);
    return (found[kind] ??= features(layers[kind], found.pixels));
  };
  return (kinds, drawing, classes) => {
    const examples = kinds.map((kind) => heats[kind] && classes.map(({ drawings }) => drawings.map((one) => look(one, kind))));
    const began = performance.now();
    const beliefs = kinds.map((kind, side) => (kind === "from scratch" ? scratch.believes(look(drawing, "pixels"))
      : believe(look(drawing, kind), examples[side], heats[kind])));
    if (drawing !== timed.drawing) timed = { drawing, took: performance.now() - began };
    return { beliefs, took: timed.took };
  };
}

// ---- Who is right how often

// The score, {network: [right, asked]}, after one more answer of each: [network, whether it is right].
export const scored = (score, answers) => Object.fromEntries([...Object.entries(score), ...answers.map(([kind, right]) => {
  const [before, count] = score[kind] ?? [0, 0];
  return [kind, [before + right, count + 1]];
})]);

// The score once every network that is ready is asked about a drawing of a class that was taught before, each drawing only once.
function makeScore(model, ask, scratch) {
  let last = ""; // the drawing asked about, and the score since then
  return (drawing, index) => {
    const [classes, score, { threshold }] = ["classes", "score", "view"].map((name) => model.get(name));
    const known = last === JSON.stringify([drawing, score]);
    if (known || !drawing.length || !classes[index]?.drawings.length || taught(classes).length < 2) return score;
    const training = scratch.state(classes);
    const kinds = Object.keys(NETWORKS).filter((kind) => kind !== "from scratch" || training === "up to date");
    const { beliefs } = ask(kinds, drawing, classes);
    const isRight = (kind, place) => verdict(kind, beliefs[place], { classes, threshold, training }).top === index;
    const now = scored(score, kinds.map((kind, place) => [kind, isRight(kind, place)]));
    last = JSON.stringify([drawing, now]);
    return now;
  };
}

// ---- Bars

// In a narrow figure the names stand above their bars.
export function barLayout(width, count) {
  const stacked = width < 480;
  const [pitch, height] = stacked ? [46, 16] : count > 5 ? [30, 18] : [44, 24];
  const [names, gap] = stacked ? [0, 20] : [118, 24];
  return { stacked, pitch, height, names, gap, room: (width - names - gap) / 2, bottom: pitch * count };
}

function drawNames(chart, { pitch, names }, classes, top) {
  classes.forEach(({ name, drawings }, index) => {
    const middle = pitch * (index + 0.5);
    const place = { class: "tl-ink", transform: `translate(0 ${middle - 14}) scale(0.028)` };
    chart.put("mark", `thumb ${index}`, "path", { d: sketch(drawings[0] ?? []), ...place });
    const look = { kind: index === top ? "chosen" : "name", token: "ink", room: names - 36 };
    chart.words(`name ${index}`, 34, middle + 4, name, look);
  });
}

function drawBars(chart, { stacked, pitch, height, names, gap, room, bottom }, classes, { belief, top, token, pale }, side) {
  const left = names + side * (room + gap);
  const x = linear(0, 1, left, left + room - 44);
  const guess = 1 / taught(classes).length;
  const upright = (at) => [[at, 0], [at, bottom]];
  chart.line(`axis ${side}`, upright(left), { token: "edge", width: 1 });
  if (guess < 1) {
    chart.line(`guess ${side}`, upright(x(guess)), { token: "edge", width: 1, dash: "2 3", layer: "grid" });
    chart.words(`guess ${side}`, left + 5, bottom + 16, `guessing ${percent(guess)}`);
  }
  classes.forEach((one, index) => {
    const middle = pitch * (index + 0.5) + (stacked ? 11 : 0);
    const [place, wide] = [{ x: left, y: middle - height / 2, height }, x(belief?.shares[index] ?? 0) - left];
    const paint = { class: "tl-share", style: `width: ${wide}px`, fill: color(pale ? "ghost" : token) };
    chart.put("line", `bar ${side} ${index}`, "rect", { ...place, ...paint });
    const look = index === top ? { kind: "chosen", token: "ink" } : { kind: "name" };
    if (stacked) chart.words(`name ${side} ${index}`, left + 5, middle - 14, one.name, { ...look, room: room - 8 });
    chart.words(`value ${side} ${index}`, left + room, middle + 4, valueWords(belief, one, index), { ...look, anchor: "end" });
  });
}

const valueWords = (belief, { drawings }, index) => (!drawings.length ? "no drawing yet" : belief ? percent(belief.shares[index]) : "");

function sideWords(classes, { title, belief, words }) {
  const values = classes.map((one, index) => `${one.name} ${valueWords(belief, one, index)}`);
  return `${title.slice(2)}: ${belief ? values.join(", ") : words}`;
}

function makeBars(frame, choose, train) {
  const chart = new Figure(frame.root);
  const [[, { title, token }], ...others] = Object.entries(NETWORKS);
  const options = others.map(([value, network]) => html("option", { value }, network.title));
  const opponent = html("select", { "aria-label": "Compare with" }, ...options);
  const captions = [0, 1].map(() => div("tl-caption"));
  const own = html("div", { style: `color: ${color(token)}` }, title);
  const heads = div("tl-networks", own, div("tl-select", opponent), ...captions);
  const row = div("tl-row tl-train");
  const about = div("tl-chart-title", "What each network believes about this drawing");
  const node = div("tl-figure", about, heads, chart.node, row);
  frame.listen(opponent, "change", () => choose(opponent.value));
  const show = (kind, classes, sides, training) => {
    const few = taught(classes).length < 2;
    const width = Math.max(node.clientWidth, 240);
    const layout = barLayout(width, classes.length);
    opponent.value = kind;
    opponent.style.color = color(NETWORKS[kind].token);
    captions.forEach((caption, side) => say(caption, [sides[side].words, sides[side].score].filter(Boolean).join(" \u00b7 ")));
    captions[0].classList.toggle("tl-across", few);
    chart.size(width, layout.bottom + 36);
    set(heads, { style: `padding-left: ${layout.names}px; column-gap: ${layout.gap}px` });
    row.style.width = `${layout.room}px`;
    if (!layout.stacked) drawNames(chart, layout, classes, sides[0].top);
    sides.forEach((one, side) => drawBars(chart, layout, classes, one, side));
    chart.sweep();
    set(chart.node, { role: "img", "aria-label": sides.map((one) => sideWords(classes, one)).join("; ") });
    const offers = { "not running": ["play", "Train it (about 2 s)"], "out of date": ["again", "Train again"] };
    const offer = kind === "from scratch" && offers[training];
    fillRow(frame, row, offer ? [{ action: "train", face: offer[0], words: offer[1], main: true, off: few }] : [], train);
  };
  return { node, show };
}

// ---- The pad, and the sample drawings

const inkPath = () => svg("path", { class: "tl-ink" });

// present() is the drawing with the stroke under the pointer; a finished stroke is handed to drawn(drawing).
function makePad(frame, model, drawn) {
  const [dry, wet] = [inkPath(), inkPath()];
  const lines = svg("path", { d: [250, 500, 750].map((at) => `M${at},0V1000M0,${at}H1000`).join("") });
  const pad = svg("svg", { viewBox: "0 0 1000 1000", role: "img" }, lines, dry, wet);
  const hint = html("span", { class: "tl-caption", "aria-hidden": "true" }, "draw here");
  let pen = null; // the stroke under the pointer
  const present = () => (pen ? [...model.get("drawing"), pen] : model.get("drawing"));
  const move = (event) => {
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of moves.length ? moves : [event]) {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(pad.getScreenCTM().inverse());
      const [[at]] = onPad([[[x, y]]]);
      const last = pen.at(-1);
      if (!last || Math.hypot(at[0] - last[0], at[1] - last[1]) >= NEAR) pen.push(at);
    }
    set(wet, { d: sketch([pen]) });
    frame.draw.later();
  };
  const start = (event) => {
    if (pen) return false; // a second finger
    frame.root.focus({ preventScroll: true }); // so that keys follow
    pen = [];
    move(event);
  };
  const lift = (then) => () => {
    const drawing = present();
    pen = null;
    set(wet, { d: null });
    then(drawing);
  };
  draggable(frame, pad, { start, move, end: lift(drawn), cancel: lift(frame.draw.now) });
  const show = (label) => {
    set(dry, { d: sketch(model.get("drawing")) || null });
    set(pad, { "aria-label": label });
  };
  return { node: div("tl-pad", pad, hint), present, show };
}

// Each choice is another variant of a sample.
function makeSamples(frame, samples, drawn) {
  const none = html("option", { value: "", hidden: "" }, "Sample drawing");
  const select = html("select", { "aria-label": "Sample drawing" }, none, ...Object.keys(samples).map((name) => html("option", {}, name)));
  let chosen = null;
  frame.listen(select, "pointerdown", () => (select.value = "")); // so that the same name can be chosen again
  frame.listen(select, "change", () => drawn(chosen = onPad(wobble(samples[select.value], Math.random)), select.value));
  return { node: div("tl-select", select), show: (drawing) => drawing === chosen || (select.value = "") };
}

// ---- Cards: one a class

function makeCard(frame, index, { add, remove, rename }) {
  const input = html("input", { type: "text", maxlength: 40, spellcheck: "false", "aria-label": `Name of class ${index + 1}` });
  const [number, label, inks] = [html("span", { class: "tl-soft" }), html("span"), Array.from({ length: THUMBS }, inkPath)];
  const plus = button({ action: "add", face: "plus", words: label, key: index + 1 }, () => add(index));
  const minus = button({ action: "remove", face: "minus", words: "Remove last" }, () => remove(index));
  const thumbs = inks.map((ink) => svg("svg", { viewBox: "0 0 1000 1000", "aria-hidden": "true" }, ink));
  const node = div("tl-card", div(null, input, number), div(null, ...thumbs), plus, div("tl-quiet", minus));
  let name = "";
  frame.listen(input, "change", () => {
    rename(index, input.value);
    input.value = name;
  });
  frame.listen(input, "keydown", (event) => { // Esc leaves the name as it was; other keys are no shortcuts here
    if (event.key === "Escape") input.value = name;
    else event.stopPropagation();
  });
  const show = ({ name: present, drawings }, narrow) => {
    name = present;
    const last = drawings.slice(-THUMBS);
    if (frame.focused() !== input) input.value = name;
    say(number, `${drawings.length} drawn`);
    inks.forEach((ink, place) => set(ink, { d: last[place] ? sketch(last[place]) : null }));
    say(label, narrow ? "Add here" : `Add to ${name}`);
    set(plus, { "aria-label": narrow ? `Add here, to ${name}` : null });
    set(minus, { "aria-label": `Remove last of ${name}` });
    turnOff(minus, !drawings.length);
  };
  return { node, show };
}

function makeCards(frame, edits) {
  const node = div("tl-cards");
  let cards = [];
  const show = (classes) => {
    if (cards.length !== classes.length) cards = classes.map((_, index) => makeCard(frame, index, edits));
    if (node.children.length !== cards.length) node.replaceChildren(...cards.map((card) => card.node));
    cards.forEach((card, index) => card.show(classes[index], node.clientWidth < 760));
  };
  return { node, show };
}

// ---- Emptying the classes, and files

function makeFiles(frame, model, change) {
  const row = div("tl-row tl-quiet");
  const file = html("input", { type: "file", accept: ".json", hidden: "" });
  let shelf = null; // the classes before and after "Start with empty classes"
  const empty = () => {
    const [classes, score] = [model.get("classes"), model.get("score")];
    shelf = { before: { classes, score }, after: classes.map(({ name }) => ({ name, drawings: [] })) };
    change("all classes are empty", { classes: shelf.after, score: {} });
  };
  const save = () => {
    const text = JSON.stringify({ tlkit: "drawings", version: 1, classes: model.get("classes") });
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    html("a", { href, download: "drawings.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  };
  frame.listen(file, "change", async () => {
    const [chosen] = file.files;
    file.value = ""; // so that it can be chosen again
    try {
      if (chosen.size > 5e6) throw new Error("it is larger than 5 MB");
      const classes = readClasses(await chosen.text(), model.get("view").most);
      if (!frame.signal.aborted) change(`${chosen.name} is opened`, { classes, score: {} });
    } catch ({ message }) {
      change(`${chosen.name} is not opened: ${message}. The drawings are as they were.`);
    }
  });
  const actions = { empty, save, open: () => file.click(), back: () => change("", shelf.before) };
  const show = (classes) => {
    const start = { action: "empty", face: "clear", words: "Start with empty classes", off: !taught(classes).length };
    const back = { action: "back", face: "undo", words: "Bring them back" };
    fillRow(frame, row, [shelf?.after === classes ? back : start, { action: "save", face: "save", words: "Save to a file" },
      { action: "open", face: "open", words: "Open a file" }], (action) => actions[action]());
  };
  return { nodes: [row, file], show };
}

// ---- The widget

// The status line: what was done, or how many drawings there are, how long the answer took, and which class has few.
export function statusWords(classes, done, took) {
  const counts = classes.map(({ drawings }) => drawings.length);
  const sum = `${amount(counts.reduce((one, other) => one + other), "drawings")} in ${amount(counts.length, "classes")}`;
  if (done) return [done, sum];
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const { name } = classes[counts.indexOf(least)];
  const few = least < most && (least ? `${name} has only ${least} so far` : `${name} has no drawing yet`);
  return [sum, took && `last answer took ${fixed(Math.max(took, 0.1))} ms`, few].filter(Boolean);
}

// What the learner does; words() says what the last change did, or why it was refused.
function makeChanges(frame, model) {
  const steps = undoable(frame, model);
  let done = "";
  const change = (words, traits) => {
    done = words;
    if (traits) steps.change(traits);
    else frame.draw.now();
  };
  const undo = () => {
    done = "";
    if (!steps.undo()) frame.write({ drawing: model.get("drawing").slice(0, -1) });
  };
  const edit = (made) => (index, value) => change(...made(model.get("classes"), index, value));
  return { change, undo, edit, canUndo: steps.canUndo, words: () => done };
}

// In words what is on the pad, and what the pre-trained network, the first of the sides, says of it.
export function padWords(drawing, [{ words, sure }]) {
  if (!drawing.length) return "the pad is empty";
  return `${amount(drawing.length, "strokes")}; ${sure ? `has read print ${words}, ${sure}` : words}`;
}

export function render({ model, el }) {
  const frame = makeFrame(model, el, "teach", draw);
  const { change, undo, edit, canUndo, words } = makeChanges(frame, model);
  const { heats, samples: all, threshold } = model.get("view");
  const scratch = makeScratch(frame);
  const ask = makeExperts(model.get("weights"), heats, scratch);
  const drawn = (drawing) => change("", { drawing });
  const asked = makeScore(model, ask, scratch);
  const sampled = (drawing, name) => {
    const index = model.get("classes").findIndex((one) => one.name === name);
    change("", { drawing, score: asked(drawing, index) });
  };
  const add = (index) => {
    const [classes, drawing] = [model.get("classes"), pad.present()];
    if (classes[index]) change(...added(classes, index, drawing, asked(drawing, index)));
  };
  const choose = (opponent) => {
    change("");
    frame.write({ opponent });
  };
  const train = () => {
    change("");
    scratch.train(model.get("classes"));
  };
  const [pad, samples] = [makePad(frame, model, drawn), makeSamples(frame, all, sampled)];
  const bars = makeBars(frame, choose, train);
  const cards = makeCards(frame, { add, remove: edit(withoutLast), rename: edit(renamed) });
  const files = makeFiles(frame, model, change);
  const buttons = [button({ action: "undo", face: "undo", words: "Undo" }, undo),
    button({ action: "clear", face: "clear", words: "Clear" }, () => drawn([]))];
  frame.body.classList.add("tl-teach");
  frame.body.append(div("tl-draw", pad.node, div("tl-row", ...buttons), samples.node), bars.node, cards.node);
  frame.controls.append(...files.nodes);

  function draw() {
    const [view, classes, opponent, score] = ["view", "classes", "opponent", "score"].map((name) => model.get(name));
    const drawing = pad.present();
    const answerable = drawing.length > 0 && taught(classes).length > 1;
    const training = scratch.state(classes);
    const kinds = ["pre-trained", opponent];
    const { beliefs, took } = answerable ? ask(kinds, drawing, classes) : { beliefs: [] };
    const sides = kinds.map((kind, side) => ({
      ...NETWORKS[kind], belief: beliefs[side], ...verdict(kind, beliefs[side], { classes, threshold, training }),
      score: score[kind] && `${score[kind].join(" of ")} right`,
    }));
    frame.head(view.title, view.subtitle);
    frame.body.classList.toggle("tl-strip", frame.root.clientWidth >= 1060);
    bars.show(opponent, classes, sides, training);
    cards.show(classes);
    if (drawing !== model.get("drawing")) return; // what follows waits for the end of the stroke
    const label = padWords(drawing, sides);
    const ready = answerable ? "up to date" : "waiting for you";
    const state = opponent === "from scratch" && training !== "up to date" ? training : ready;
    pad.show(label);
    samples.show(drawing);
    files.show(classes);
    [!canUndo() && !drawing.length, !drawing.length].forEach((off, place) => turnOff(buttons[place], off));
    frame.show(state);
    const done = state === "training" ? `step ${scratch.step()} of ${STEPS}` : words();
    frame.status(`${state}. ${label}`, statusWords(classes, done, took).map((part) => ["", part]));
  }

  const digits = Array.from({ length: 9 }, (_, index) => [index + 1, () => add(index)]);
  return frame.start("view classes drawing opponent score", { undo, ...Object.fromEntries(digits) });
}
