// Teach: draw a symbol, see what two networks believe about it, add it to a class; all of it computed in this page.

import { Chart } from "./chart.js";
import { button, draggable, fillRow, turnOff } from "./controls.js";
import { html, say, set, svg } from "./dom.js";
import { makeFrame } from "./frame.js";
import { color, GLYPHS } from "./marks.js";
import { believe, decode, features, fromScratch, picture, randomLayers, seeded, softmax, STEPS, untrained, wobble } from "./reader.js";
import { clamp, linear } from "./scales.js";
import { amount, fixed, known, SPACE } from "./words.js";

const NETWORKS = { // the first is always shown, one of the others beside it; only from scratch is trained
  "pre-trained": { title: `${GLYPHS.square[0]} Has read print`, token: "s3" },
  "random weights": { title: `${GLYPHS.circle[1]} Random weights`, token: "ink2" },
  pixels: { title: `${GLYPHS.circle[0]} Pixels`, token: "ink2" },
  "from scratch": { title: `${GLYPHS.triangle[0]} From scratch`, token: "s2" },
};
const NEAR = 8; // thousandths of the pad: a point nearer to the last one is skipped
const CLOSE_CALL = 0.1; // two shares nearer than this are undecided
const THUMBS = 5;

const whole = (share) => `${Math.round(100 * share)}${SPACE}%`;
const onPad = (drawing) => drawing.map((stroke) => stroke.map((at) => at.map((value) => clamp(Math.round(value), 0, 1000))));
const sketches = new WeakMap(); // each drawing as a path is written once
function sketch(drawing) {
  const path = sketches.get(drawing) ?? drawing.map((stroke) => `M${stroke.join("L")}l0,0`).join(""); // l0,0 shows a dot
  sketches.set(drawing, path);
  return path;
}

// The classes in a saved file; an Error says what is wrong with it.
function readClasses(text, most) {
  const check = (right, reason) => { if (!right) throw new Error(reason); };
  const filled = (value, isOne) => Array.isArray(value) && value.length > 0 && value.every(isOne);
  const isDrawing = (value) => filled(value, (stroke) => filled(stroke, (at) => filled(at, Number.isFinite) && at.length === 2));
  let file = null;
  try {
    file = JSON.parse(text);
  } catch {
    check(false, "it is not JSON, or its end is missing");
  }
  check(file?.tlkit === "drawings" && file.version === 1, "it holds no drawings saved by this widget");
  const isNamed = (one) => typeof one?.name === "string" && one.name.trim();
  check(filled(file.classes, isNamed), "it has no class, or one without a name");
  const names = file.classes.map(({ name }) => name.trim());
  check(names.length <= most, `it has ${names.length} classes, at most ${most} are possible`);
  check(new Set(names).size === names.length, "two of its classes have one name");
  return file.classes.map(({ drawings }, index) => {
    const right = Array.isArray(drawings) && drawings.every(isDrawing);
    check(right, `a drawing of ${names[index]} is not a list of strokes of points [x, y] with finite numbers`);
    return { name: names[index], drawings: drawings.map(onPad) };
  });
}

export function render({ model, el }) {
  const frame = makeFrame(model, el, "teach", draw);
  const chart = new Chart(frame.root);
  const inkPath = () => svg("path", { class: "tl-ink" });
  const [dry, wet] = [inkPath(), inkPath()];
  const lines = svg("path", { d: [250, 500, 750].map((at) => `M${at},0V1000M0,${at}H1000`).join("") });
  const pad = svg("svg", { viewBox: "0 0 1000 1000", role: "img" }, lines, dry, wet);
  const hint = html("span", { class: "tl-caption", "aria-hidden": "true" }, "draw here");
  const padRow = html("div", { class: "tl-row" });
  const sample = html("select", { "aria-label": "Sample drawing" });
  const [[, own], ...others] = Object.entries(NETWORKS);
  const opponent = html("select", { "aria-label": "Compare with" },
    ...others.map(([value, { title }]) => html("option", { value }, title)));
  const words = [0, 1].map(() => html("div", { class: "tl-caption" }));
  const heads = html("div", { class: "tl-networks" }, html("div", { style: `color: ${color(own.token)}` }, own.title),
    html("div", { class: "tl-select" }, opponent), ...words);
  const trainRow = html("div", { class: "tl-row tl-train" });
  const figure = html("div", { class: "tl-figure" },
    html("div", { class: "tl-chart-title" }, "What each network believes about this drawing"), heads, chart.node, trainRow);
  const cards = html("div", { class: "tl-cards" });
  const fileRow = html("div", { class: "tl-row tl-quiet" });
  const file = html("input", { type: "file", accept: ".json", hidden: "" });
  frame.body.classList.add("tl-teach");
  frame.body.append(html("div", { class: "tl-draw" }, html("div", { class: "tl-pad" }, pad, hint), padRow,
    html("div", { class: "tl-select" }, sample)), figure, cards);
  frame.controls.append(fileRow, file);

  let pen = null; // the stroke under the pointer
  const past = []; // what each change replaced, for Undo
  let shelf = null; // the classes before and after "Start with empty classes"
  let sampled = null; // the drawing that came from the select
  let message = ""; // what the last action did, or why it did not
  let timed = {}; // {drawing, took}
  let trained = null; // from scratch: {layers, taught, drawings, step}
  let reader = null; // the pre-trained layers
  let seen = new WeakMap(); // drawing: what each network makes of it
  let made = []; // the parts of each card
  const untaught = randomLayers(seeded(1));

  const view = () => model.get("view");
  const classes = () => model.get("classes");
  const drawing = () => (pen ? [...model.get("drawing"), pen] : model.get("drawing"));
  const filled = () => classes().filter(({ drawings }) => drawings.length).length;
  const busy = () => trained?.step < STEPS;
  const stale = () => classes().some(({ drawings }, index) => drawings !== trained.drawings[index]);

  // ---- What the learner does

  function tell(words) {
    message = words;
    frame.draw.now();
  }

  function write(traits, words = "") {
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
    tell(words);
  }

  function change(traits, words) {
    past.push(Object.fromEntries(Object.keys(traits).map((name) => [name, model.get(name)])));
    write(traits, words);
  }

  const revised = (index, traits) => ({ classes: classes().with(index, { ...classes()[index], ...traits }) });
  const undo = () => write(past.pop() ?? { drawing: model.get("drawing").slice(0, -1) });

  function add(index) {
    if (!classes()[index]) return;
    const { name, drawings } = classes()[index];
    if (!drawing().length) tell("the pad is empty: draw something first");
    else change({ ...revised(index, { drawings: [...drawings, drawing()] }), drawing: [] }, `added to ${name}`);
  }

  function removeLast(index) {
    const { name, drawings } = classes()[index];
    change(revised(index, { drawings: drawings.slice(0, -1) }), `the last drawing of ${name} is removed; Undo brings it back`);
  }

  function rename(index, input) {
    const [before, name] = [classes()[index].name, input.value.trim()];
    const taken = classes().some((one, other) => other !== index && one.name === name);
    if (name && !taken && name !== before) return change(revised(index, { name }), `${before} is now ${name}`);
    input.value = before;
    if (taken) tell(`there is a class ${name} already; names must differ`);
    else if (!name) tell(`a class needs a name; this one stays ${before}`);
  }

  function empty() {
    shelf = { before: classes(), after: classes().map(({ name }) => ({ name, drawings: [] })) };
    change({ classes: shelf.after }, "all classes are empty");
  }

  function save() {
    const text = JSON.stringify({ tlkit: "drawings", version: 1, classes: classes() });
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    html("a", { href, download: "drawings.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }

  async function open() {
    const [chosen] = file.files;
    file.value = ""; // so that it can be chosen again
    let opened = null;
    try {
      if (chosen.size > 5e6) throw new Error("it is larger than 5 MB");
      opened = readClasses(await chosen.text(), view().most);
    } catch ({ message: reason }) {
      return tell(`${chosen.name} is not opened: ${reason}. The drawings are as they were.`);
    }
    if (!frame.signal.aborted) change({ classes: opened }, `${chosen.name} is opened`);
  }

  function train() {
    const drawings = classes().map((one) => one.drawings);
    const taught = [...drawings.keys()].filter((index) => drawings[index].length);
    const random = seeded(1);
    const mine = { layers: untrained(taught.length, random), taught, drawings, step: 0 };
    const run = fromScratch(mine.layers, taught.map((index) => drawings[index]), random);
    const next = () => { // one step at a time, so that the page answers in between
      if (trained !== mine || frame.signal.aborted) return;
      mine.step = run.next().value;
      if (busy()) setTimeout(next);
      frame.draw[busy() ? "later" : "now"]();
    };
    trained = mine;
    setTimeout(next);
    tell("");
  }

  function follow(event) {
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of moves.length ? moves : [event]) {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(pad.getScreenCTM().inverse());
      const [[point]] = onPad([[[x, y]]]);
      const last = pen.at(-1);
      if (!last || Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR) pen.push(point);
    }
    set(wet, { d: sketch([pen]) });
    frame.draw.later();
  }

  function lift(after) {
    pen = null;
    set(wet, { d: null });
    after();
  }

  draggable(frame, pad, {
    start: (event) => {
      if (pen) return false; // a second finger
      frame.root.focus({ preventScroll: true }); // so that keys follow
      pen = [];
      follow(event);
    },
    move: follow,
    end: () => {
      const drawn = drawing();
      lift(() => change({ drawing: drawn }));
    },
    cancel: () => lift(frame.draw.now),
  });
  frame.listen(sample, "pointerdown", () => (sample.value = "")); // so that the same name can be chosen again
  frame.listen(sample, "change", () => {
    sampled = onPad(wobble(view().samples[sample.value], Math.random));
    change({ drawing: sampled });
  });
  frame.listen(opponent, "change", () => write({ opponent: opponent.value }));
  frame.listen(file, "change", open);
  fillRow(frame, padRow, [{ action: "undo", face: "undo", words: "Undo" }, { action: "clear", face: "clear", words: "Clear" }],
    (action) => (action === "undo" ? undo() : change({ drawing: [] })));

  // ---- What each network believes

  function look(one, kind) {
    if (!seen.has(one)) seen.set(one, { pixels: picture(one) });
    const found = seen.get(one);
    return (found[kind] ??= features(kind === "pre-trained" ? reader : untaught, found.pixels));
  }

  // A function of a drawing: {shares, nearest}, or null from an untrained network.
  function expert(kind) {
    if (kind === "from scratch") {
      return (one) => {
        const shares = trained?.step && softmax(features(trained.layers, look(one, "pixels")));
        return shares ? { shares: classes().map((_, index) => shares[trained.taught.indexOf(index)] ?? 0) } : null;
      };
    }
    const examples = classes().map(({ drawings }) => drawings.map((one) => look(one, kind)));
    return (one) => believe(look(one, kind), examples, view().heats[kind]);
  }

  // What a network says in words; pale bars are not to be relied on.
  function verdict(kind, found) {
    const [scratch, taught] = [kind === "from scratch", filled()];
    if (!taught) return { words: "no class has a drawing yet: draw something and add it" };
    if (taught === 1) return { words: "one class only: every answer is that class; add a drawing to another class" };
    if (scratch && !trained) return { words: "not trained yet" };
    if (scratch && busy()) return { words: "training" };
    if (!found) return { words: "draw something" };
    if (scratch && stale()) return { words: "out of date", pale: true };
    if (kind === "pre-trained" && found.nearest < view().threshold) return { words: "I was never taught this", pale: true };
    const [first, second] = found.shares.toSorted((one, other) => other - one);
    const top = found.shares.indexOf(first);
    const said = first - second < CLOSE_CALL ? "undecided between two" : `says ${classes()[top].name}`;
    return { top, words: said, sure: whole(first) };
  }

  // ---- Drawing

  function draw() {
    if (!classes()?.length) return;
    if (trained && (trained.drawings.length !== classes().length || (busy() && stale()))) trained = null;
    reader ??= decode(model.get("weights"));
    const kinds = ["pre-trained", model.get("opponent")];
    const [one, asked] = [drawing(), drawing().length > 0 && filled() > 1];
    const experts = kinds.map(expert);
    const began = performance.now();
    const found = experts.map((ask) => (asked ? ask(one) : null));
    if (asked && one !== timed.drawing) timed = { drawing: one, took: performance.now() - began };
    const verdicts = kinds.map((kind, side) => verdict(kind, found[side]));
    frame.head(view().title, view().subtitle);
    frame.body.classList.toggle("tl-strip", frame.root.clientWidth >= 1060);
    opponent.value = kinds[1];
    opponent.style.color = color(NETWORKS[kinds[1]].token);
    words.forEach((node, side) => say(node, verdicts[side].words));
    words[0].classList.toggle("tl-across", filled() < 2);
    bars(kinds, found, verdicts);
    drawCards();
    hint.hidden = one.length > 0;
    if (pen) return; // what follows waits for the end of the stroke
    set(dry, { d: sketch(one) });
    if (sample.length < 2) {
      const names = Object.keys(view().samples).map((value) => html("option", { value }, value));
      sample.append(html("option", { value: "", hidden: "" }, "Sample drawing"), ...names);
    }
    if (one !== sampled) sample.value = "";
    const { words: said, sure } = verdicts[0];
    const belief = sure ? `has read print ${said}, ${sure}` : said;
    const label = one.length ? `${amount(one.length, "strokes")}; ${belief}` : "the pad is empty";
    set(pad, { "aria-label": label });
    tellState(label, asked ? "up to date" : "waiting for you");
  }

  function tellState(label, ready) {
    const scratch = model.get("opponent") === "from scratch";
    const state = !scratch ? ready : !trained ? "not running" : busy() ? "training" : stale() ? "out of date" : ready;
    const [face, ask] = trained ? ["again", "Train again"] : ["play", "Train it (about 2 s)"];
    const offered = scratch && ["not running", "out of date"].includes(state);
    fillRow(frame, trainRow, offered ? [{ action: "train", face, words: ask, main: true, off: filled() < 2 }] : [], train);
    const [undoing, clearing] = padRow.children;
    turnOff(undoing, !past.length && !drawing().length);
    turnOff(clearing, !drawing().length);
    const start = { action: "empty", face: "clear", words: "Start with empty classes", off: !filled() };
    fillRow(frame, fileRow, [shelf?.after === classes() ? { action: "back", face: "undo", words: "Bring them back" } : start,
      { action: "save", face: "save", words: "Save to a file" }, { action: "open", face: "open", words: "Open a file" },
    ], (action) => ({ empty, save, open: () => file.click(), back: () => change({ classes: shelf.before }) })[action]());

    const counts = classes().map(({ drawings }) => drawings.length);
    const [least, total] = [Math.min(...counts), counts.reduce((sum, number) => sum + number)];
    const said = state === "training" ? `step ${trained.step} of ${STEPS}` : message;
    const sum = `${amount(total, "drawings")} in ${amount(counts.length, "classes")}`;
    const took = timed.drawing === drawing() && `last answer took ${fixed(Math.max(timed.took, 0.1))} ms`;
    const { name } = classes()[counts.indexOf(least)];
    const few = least < Math.max(...counts) && (least ? `${name} has only ${least} so far` : `${name} has no drawing yet`);
    frame.show(state, state);
    frame.status(`${state}. ${label}`, (said ? [said, sum] : [sum, took, few]).filter(Boolean).map((part) => ["", part]));
  }

  function bars(kinds, found, verdicts) {
    const width = Math.max(figure.clientWidth, 240);
    const stacked = width < 480; // names above their bars
    const [pitch, high] = stacked ? [46, 16] : classes().length > 5 ? [30, 18] : [44, 24];
    const [names, gap] = stacked ? [0, 20] : [118, 24];
    const wide = (width - names - gap) / 2;
    const bottom = pitch * classes().length;
    chart.size(width, bottom + 36);
    set(heads, { style: `padding-left: ${names}px; column-gap: ${gap}px` });
    trainRow.style.width = `${wide}px`;
    const sides = kinds.map((kind, side) => {
      const left = names + side * (wide + gap);
      const x = linear(0, 1, left, left + wide - 44);
      chart.line(`axis ${side}`, [[left, 0], [left, bottom]], { token: "edge", width: 1 });
      if (filled() > 1) {
        const guess = 1 / filled();
        chart.line(`guess ${side}`, [[x(guess), 0], [x(guess), bottom]], { token: "edge", width: 1, dash: "2 3", layer: "grid" });
        chart.words(`guess ${side}`, left + 5, bottom + 16, `guessing ${whole(guess)}`);
      }
      return { left, x, token: verdicts[side].pale ? "ghost" : NETWORKS[kind].token };
    });
    classes().forEach(({ name, drawings }, index) => {
      const middle = pitch * (index + 0.5) + (stacked ? 11 : 0);
      const look = (side) => (index === verdicts[side].top ? { kind: "chosen", token: "ink" } : { kind: "name" });
      if (!stacked) {
        const place = { d: sketch(drawings[0] ?? []), transform: `translate(0 ${middle - 14}) scale(0.028)`, class: "tl-ink" };
        chart.put("mark", `thumb ${index}`, "path", place);
        chart.words(`name ${index}`, 34, middle + 4, name, { ...look(0), token: "ink", room: names - 36 });
      }
      sides.forEach(({ left, x, token }, side) => {
        const share = drawings.length ? found[side]?.shares[index] : null;
        const place = { class: "tl-share", x: left, y: middle - high / 2, height: high, style: `width: ${x(share ?? 0) - left}px` };
        chart.put("line", `bar ${side} ${index}`, "rect", { ...place, fill: color(token) });
        if (stacked) chart.words(`name ${side} ${index}`, left + 5, middle - 14, name, { ...look(side), room: wide - 8 });
        const said = share === null ? "no drawing yet" : known(share) ? whole(share) : "";
        chart.words(`value ${side} ${index}`, left + wide, middle + 4, said, { ...look(side), anchor: "end" });
      });
    });
    chart.sweep();
    const share = (side) => ({ name, drawings }, index) =>
      `${name} ${drawings.length ? whole(found[side].shares[index]) : "no drawing yet"}`;
    const list = (side) => (found[side] ? classes().map(share(side)).join(", ") : verdicts[side].words);
    const label = kinds.map((kind, side) => `${NETWORKS[kind].title.slice(2)}: ${list(side)}`).join("; ");
    set(chart.node, { role: "img", "aria-label": label });
  }

  function makeCard(_, index) {
    const input = html("input", { type: "text", maxlength: 40, spellcheck: "false", "aria-label": `Name of class ${index + 1}` });
    const [number, label, inks] = [html("span", { class: "tl-soft" }), html("span"), Array.from({ length: THUMBS }, inkPath)];
    const plus = button({ action: "add", face: "plus", words: label, key: index + 1 }, () => add(index));
    const minus = button({ action: "remove", face: "minus", words: "Remove last" }, () => removeLast(index));
    frame.listen(input, "change", () => rename(index, input));
    frame.listen(input, "keydown", (event) => { // Esc leaves the name as it was; other keys are no shortcuts here
      if (event.key === "Escape") input.value = classes()[index].name;
      else event.stopPropagation();
    });
    const thumbs = inks.map((ink) => svg("svg", { viewBox: "0 0 1000 1000", "aria-hidden": "true" }, ink));
    cards.append(html("div", { class: "tl-card" }, html("div", {}, input, number), html("div", {}, ...thumbs), plus,
      html("div", { class: "tl-quiet" }, minus)));
    return { input, number, inks, plus, label, minus };
  }

  function drawCards() {
    if (made.length !== classes().length) {
      cards.replaceChildren();
      made = classes().map(makeCard);
    }
    made.forEach(({ input, number, inks, plus, label, minus }, index) => {
      const { name, drawings } = classes()[index];
      const last = drawings.slice(-THUMBS);
      if (frame.focused() !== input) input.value = name;
      say(number, `${drawings.length} drawn`);
      inks.forEach((ink, place) => set(ink, { d: last[place] ? sketch(last[place]) : null }));
      say(label, cards.clientWidth < 760 ? "Add here" : `Add to ${name}`);
      set(plus, { "aria-label": `Add to ${name}` });
      set(minus, { "aria-label": `Remove last of ${name}` });
      turnOff(minus, !drawings.length);
    });
  }

  frame.keys({ undo, ...Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index + 1, () => add(index)])) });
  frame.watch("weights", () => [reader, seen] = [null, new WeakMap()]);
  frame.watch("view classes drawing opponent weights", frame.draw.later);
  draw();
  return frame.close;
}
