// Monitor: a training run while it runs. Loss left, accuracy right, one x axis; the empty part is the time left.

import { floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { fillRow, slider, turnOff } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame, paced } from "./frame.js";
import { color } from "./marks.js";
import { budgetScale, clamp, digitsOf, far, linear, valueTicks } from "./scales.js";
import { fixed, known, many, rateWords, shortPercent, SPACE, twoFigures } from "./words.js";

const FACES = { // action: [icon, words, key, what the state word says until the kernel answers]
  train: ["play", "Train", "space", "starting"], pause: ["pause", "Pause", "space", "pausing"],
  resume: ["play", "Resume", "space", "starting"], step: ["step", "Step", "\u2192"],
  stop: ["stop", "Stop", "S", "stopping"], continue: ["play", "Continue", "space", "starting"],
  afresh: ["again", "Start afresh", "", "starting"], repair: ["again", "", "space", "starting"],
};
const ACTIONS = {
  gone: [], // the first one is the main action, except that nothing needs doing after a finished run
  "not running": ["train", "step"], training: ["pause", "step", "stop"], paused: ["resume", "step", "stop"],
  stopped: ["continue", "afresh"], finished: ["afresh"], error: ["repair"],
};
const IMPOSSIBLE = { run: [], comparison: ["step", "afresh"], loop: ["afresh"] };
const PATIENCE = 10000; // ms after which an unanswered button is free again

// ---- Buttons, words and numbers

// The buttons of a state, as `fillRow` takes them; `repair` is the offer to start afresh after an error.
export function buttonsOf(state, kind, repair) {
  const actions = state === "error" && !repair ? ["afresh"] : ACTIONS[state];
  return actions.filter((action) => !IMPOSSIBLE[kind].includes(action)).map((action, place) => {
    const [face, words, key] = FACES[action];
    return { action, face, words: words || repair, key, main: !place && state !== "finished" };
  });
}

// An exponential moving average that starts at the first value.
export function smooth(points) {
  let mean = points[0]?.[1];
  return points.map(([x, y]) => [x, (mean += 0.25 * (y - mean))]);
}

// Whole parts of a run, as many as fit with 50 px each; the last one names the unit.
export function stepTicks(steps, scale, width) {
  const parts = [4, 3, 2].find((number) => steps % number === 0 && width / number >= 50) ?? 1;
  return Array.from({ length: parts + 1 }, (_, place) => (place * steps) / parts)
    .map((step) => ({ at: scale(step), words: `${step === steps ? "step " : ""}${many(step)}` }));
}

// 1 and 3 of every power of ten: half a decade each.
export function rateTicks(low, high) {
  const [first, last] = [low, high].map((end) => Math.round(Math.log10(end)));
  const powers = Array.from({ length: last - first + 3 }, (_, place) => first - 1 + place);
  return powers.flatMap((power) => [Number(`1e${power}`), Number(`3e${power}`)]).filter((lr) => lr >= low && lr <= high);
}

// The next tick in a direction, after the last one the slider's end; `fine` is a twentieth of a decade.
export function nextRate(ticks, lr, direction, fine) {
  if (fine) return twoFigures(lr * 10 ** (direction * 0.05));
  const ahead = direction > 0 ? ticks : ticks.toReversed();
  return ahead.find((tick) => direction * (tick - lr) > lr * 1e-6) ?? direction * Infinity;
}

// All that may ever stand at the lines' ends, as wide as it will get: the axes of both charts are alike and stay.
export function endWords({ kind, left, right, earlier, name }) {
  return [left, kind !== "comparison" && right].filter(Boolean).flatMap((axis) => {
    const value = fixed((axis.bottom ? -0.88 : 0.88) * far(axis), digitsOf(axis));
    const chance = known(axis.chance) ? [[`chance ${shortPercent(axis.chance)}`]] : [];
    const own = [`${name} ${value}${axis.unit === "%" ? " %" : ""}`, 600];
    return [...earlier.map((run) => [`${run.name} ${value}`]), ...chance, own];
  });
}

// Whether words from one x to another in the middle of a line of text lie clear of the boxes of other words.
const clear = (boxes, from, to, y) => !boxes.some((box) => from < box.to + 4 && to > box.from - 4 && Math.abs(y - box.y) < 15);

// Where the name of the running end stands, [from, y]: right of it if there is room, above or below, clear of the boxes
// of other words.
export function besideEnd(area, [x, y], width, boxes, below) {
  const right = x + 10 + width <= area.right || x - 9 - width < area.left;
  const from = right ? x + 9 : x - 9 - width;
  const free = (at) => at > area.top - 2 && at < area.bottom - 8 && clear(boxes, from, from + width, at);
  const [up, down] = [-1, 1].map((side) => [14, 30, 46, 62].map((away) => y + side * away));
  return [from, (below ? [y + 13, ...up, ...down] : [up[0], ...down, ...up]).find(free) ?? y - 14];
}

// The middle of words about a step: as near to the axis as they touch neither other words nor a line, whose points they
// span; undefined where there is no such place.
export function aboveAxis(area, from, to, boxes, points) {
  const near = points.filter(([x], place) => (points[place + 1]?.[0] ?? x) > from - 4 && (points[place - 1]?.[0] ?? x) < to + 4);
  const [high, low] = [Math.min(...near.map(([, y]) => y)) - 9, Math.max(...near.map(([, y]) => y)) + 9];
  const rows = Array.from({ length: Math.ceil((area.bottom - area.top) / 8) }, (_, row) => area.bottom - 17 - 8 * row);
  return rows.find((y) => y > area.top && (y < high || y > low) && clear(boxes, from, to, y));
}

// The mean of a recipe's trials at the last place that it has come to; dots: [recipe, place, value].
export function lastMean(dots, recipe) {
  const own = dots.filter(([of]) => of === recipe);
  const last = own.filter(([, at]) => at === Math.max(...own.map((dot) => dot[1])));
  return last.length ? last.reduce((sum, dot) => sum + dot[2], 0) / last.length : null;
}

// ---- A curve: its axes, the runs before it, what the learner did, the run itself

// Returns where the line ends.
function drawCurve(chart, height, side, shown) {
  const { view, state, progress } = shown;
  const axis = { bottom: 0, marks: side === "right", ...view[side] };
  const { bottom, top, chance } = axis;
  const area = chart.layout(height, endWords(view));
  const x = linear(0, view.steps, area.left, area.right);
  const y = linear(bottom, top, area.bottom, area.top);
  const at = ([step, value]) => [x(step), y(clamp(value, bottom, top + 0.02 * (top - bottom)))];
  const plot = { chart, side, axis, area, x, at, number: (value) => fixed(value, digitsOf(axis)) };
  chart.axes("axes", area, { x: stepTicks(view.steps, x, area.right - area.left), y: valueTicks(area, y, axis) });
  const labels = drawEarlier(plot, view);
  if (known(chance)) {
    chart.chance(area, y(chance), chance, false);
    labels.unshift({ name: "chance", y: y(chance), words: `chance ${shortPercent(chance)}`, token: "ink2" });
  }
  const boxes = drawEvents(plot, shown.events, [shown[side], smooth(shown[side]), ...view.earlier.map(({ [side]: of }) => pairs(of ?? undefined))]);
  if (["training", "paused", "stopped"].includes(state)) {
    const now = x(progress.x);
    chart.line("now", [[now, area.top - 4], [now, area.bottom]], { width: 1, dash: "2 3", layer: "grid" });
  }
  const end = drawLine(plot, view, shown[side]);
  if (end) labels.push(...drawEnd(plot, shown, end, labels, boxes));
  chart.ends(area, labels, area.room);
  chart.sweep();
  return x(end?.[0] ?? 0);
}

const pairs = ([steps, values] = [[], []]) => steps.map((step, index) => [step, values[index]]).filter(([, value]) => known(value));

function drawEarlier({ chart, side, at, number }, { earlier, steps: last }) {
  return earlier.flatMap(({ name, [side]: curve }, place) => {
    const points = pairs(curve ?? undefined).filter(([step]) => step <= last);
    if (!points.length) return [];
    chart.line(`earlier ${place}`, points.map(at), { token: "ghost", width: 1.25, layer: "band" });
    const [, value] = points.at(-1);
    return { name: `earlier ${place}`, y: at(points.at(-1))[1], words: name, tail: ` ${number(value)}`, token: "ink2" };
  });
}

// What the learner did: a triangle on the axis, on the left with its words, clear of the lines; where words have no
// room, the latest stay. Returns the boxes of the words.
function drawEvents({ chart, side, area, x, at }, events, lines) {
  const boxes = [];
  for (const { step, words } of events.toReversed()) {
    const triangle = { d: "M-4.5,-8.5h9L0,-0.5z", transform: `translate(${x(step)} ${area.bottom})`, fill: color("ink") };
    chart.put("front", `event ${step} ${words}`, "path", triangle);
    const width = chart.width(words);
    const from = clamp(x(step) - width / 2, area.left + 2, area.right - width);
    const y = side === "left" ? aboveAxis(area, from, from + width, boxes, lines.flatMap((points) => points.map(at))) : undefined;
    if (!known(y)) continue;
    chart.words(`event ${step}`, from, y + 4, words);
    boxes.push({ from, to: from + width, y });
  }
  return boxes;
}

// The run's line, smoothed where its values are many, or with a mark at each. Returns its last point.
function drawLine({ chart, axis, x, at }, { token, mark, open }, points) {
  const raw = !axis.marks && points.length > 40;
  const line = raw ? smooth(points) : points;
  if (raw) chart.line("raw", points.map(at), { token, width: 1, opacity: 0.38 });
  chart.line("live", line.map(at), { token, width: open ? 1.25 : 2.25, style: "tl-live" });
  const marked = axis.marks && line.length > 1 && x(line[1][0]) - x(line[0][0]) >= 9 ? line.slice(0, -1) : [];
  marked.forEach((point, place) => chart.mark(`point ${place}`, mark, ...at(point), token, { open, size: 3, ring: 0 }));
  return line.at(-1);
}

// The mark at the running end tells the state. Its name stands beside it, or returned among those at the chart's edge.
function drawEnd({ chart, side, axis, area, at, number }, { view, state }, end, labels, boxes) {
  const [x, y] = at(end);
  const shape = { stopped: "square", finished: view.mark }[state] ?? "circle";
  const look = state === "paused" ? { open: true, size: 4.5 } : {};
  chart.mark(`end ${shape}`, shape, x, y, view.token, { ...look, layer: "front" });
  const tail = ` ${number(end[1])}${axis.unit === "%" ? `${SPACE}%` : ""}`;
  const label = { name: "live", y, words: view.name, tail, token: view.token, kind: "chosen" };
  if (x > area.right - 4) return [label];
  const margin = labels.map((other) => ({ from: area.right + 7, to: area.right + area.room, y: other.y }));
  const width = Math.min(chart.width(view.name + tail, 12, 600), Math.max(area.right - x - 10, x - 9 - area.left));
  const [from, middle] = besideEnd(area, [x, y], width, [...boxes, ...margin], side === "left");
  chart.words("live", from, middle + 4, view.name, { ...label, room: width });
  return [];
}

// ---- A comparison: every finished trial one mark, its place on the x axis against its value

function drawTrials(chart, height, { view, dots }, narrow) {
  const { recipes, values, right } = view;
  const area = chart.layout(height, recipes.map(({ name }) => [name, 600]), 26);
  const x = budgetScale(values, { ...area, left: area.left + 8, right: area.right - 10 });
  const y = linear(right.bottom, right.top, area.bottom, area.top);
  const ticks = values.map((value) => ({ at: x(value), words: String(value) }));
  const unit = narrow ? view.axis_words.split(" ")[0] : view.axis_words;
  chart.axes("axes", area, { x: ticks, y: valueTicks(area, y, right), unit });
  if (known(right.chance)) chart.chance(area, y(right.chance), right.chance, true);
  const apart = Math.min(9, 36 / recipes.length);
  dots.forEach(([index, at, value], place) => {
    const { mark, token, open } = recipes[index];
    const aside = (index - (recipes.length - 1) / 2) * apart;
    chart.mark(`trial ${place}`, mark, x(values[at]) + aside, y(value), token, { open, size: 3.5 });
  });
  const ends = recipes.map(({ name: words, token, mark, open }, index) => {
    const mean = lastMean(dots, index);
    return known(mean) && { name: `${index}`, y: y(mean), words, token: token === "ghost" ? "ink2" : token, mark, open };
  });
  chart.ends(area, ends.filter(Boolean), area.room);
  chart.sweep();
}

// ---- The parts of the widget: each has nodes, and shows what the model holds

function makeFigure(frame) {
  const note = div("tl-note", html("b"), html("span"));
  const cells = ["left", "right"].map((side) => {
    const [title, chart] = [div("tl-chart-title"), new Chart(frame.root)];
    return { side, title, chart, node: div("tl-cell", title, chart.node) };
  });
  const figure = html("div", { class: "tl-pair", role: "img" }, ...cells.map(({ node }) => node));
  const show = (shown) => {
    const { view, error } = shown;
    const [height, trials] = [frame.narrow ? 160 : 206, view.kind === "comparison"];
    set(figure, { "aria-label": shown.label });
    figure.classList.toggle("tl-one", !view.left || !view.right);
    cells[view.left ? 0 : 1].node.append(note);
    figure.classList.toggle("tl-trials", trials);
    const [end = 0] = cells.map(({ side, title, chart, node }) => {
      node.hidden = !view[side];
      say(title, view[side]?.title ?? "");
      if (side === "right" && trials) return drawTrials(chart, height, shown, frame.narrow);
      return view[side] ? drawCurve(chart, height, side, shown) : undefined;
    });
    say(note.firstChild, error.title ?? "");
    const empty = view.left ? !shown.left.length && "No steps yet." : !shown.dots.length && "No trials yet.";
    say(note.lastChild, error.words ?? ((shown.state === "not running" && empty) || ""));
    note.hidden = !note.textContent;
    // The words of an error stand right of the last good curve if there is room, else over its beginning.
    note.style.left = `${note.parentNode.clientWidth - end - 12 > 170 ? Math.max(end + 12, 52) : 52}px`;
  };
  return { nodes: [figure], show };
}

function makeProgress() {
  const done = html("span", {}, html("b"), html("span", { class: "tl-soft" }));
  const rest = html("span", { class: "tl-soft" });
  const bar = html("div", { class: "tl-bar", role: "progressbar", "aria-valuemin": 0, "aria-label": "progress" }, html("div"));
  const show = ({ step, of, words, more, left }) => {
    say(done.firstChild, words);
    say(done.lastChild, more && ` \u00b7 ${more}`);
    say(rest, left);
    bar.firstChild.style.width = `${100 * clamp(step / of, 0, 1)}%`;
    set(bar, { "aria-valuemax": of, "aria-valuenow": step });
  };
  return { nodes: [div("tl-progress", done, rest), bar], show };
}

// A pressed button is off, and the state word says what it leads to, until the kernel answers or its patience ends.
function makeButtons(frame, model) {
  const row = div("tl-row");
  let pending = 0;
  const press = (action) => {
    model.send({ do: action });
    const answer = FACES[action][3];
    if (!answer) return; // a step leaves the state as it is
    clearTimeout(pending);
    pending = setTimeout(show, PATIENCE);
    turnOff(row.querySelector(`[data-do="${action}"]`), true);
    frame.show(model.get("state"), answer);
  };
  const show = () => {
    clearTimeout(pending);
    row.made = ""; // drawn anew, even if they are the same
    frame.show(model.get("state"), model.get("word"));
    fillRow(frame, row, buttonsOf(model.get("state"), model.get("view").kind, model.get("error").repair), press);
  };
  frame.signal.addEventListener("abort", () => clearTimeout(pending));
  const click = (selector) => () => row.querySelector(selector)?.click();
  const keys = { " ": click(".tl-main"), ArrowRight: click('[data-do="step"]'), s: click('[data-do="stop"]') };
  return { nodes: [row], show, keys };
}

// The slider of the learning rate, from a hundredth to ten times the run's own; made anew for a run with another one.
function makeRate(frame, change) {
  const value = html("output", { class: "tl-value" });
  const node = div("tl-rate");
  let [knob, made] = [null, null];
  const makeKnob = (base) => {
    const [low, high] = [twoFigures(base / 100), twoFigures(base * 10)];
    const along = linear(Math.log(base / 100), Math.log(base * 10), 0, 1);
    const ticks = rateTicks(low, high);
    [knob, made] = [slider(frame, {
      name: "Learning rate", low, high, ticks, words: rateWords, change,
      place: (lr) => along(Math.log(lr)), value: (place) => twoFigures(Math.exp(along.invert(place))),
      next: (...step) => nextRate(ticks, ...step), input: (lr) => say(value, rateWords(lr)),
    }), base];
    node.replaceChildren(knob.node, value);
  };
  const show = (lr, base) => {
    node.hidden = !known(lr);
    if (node.hidden) return;
    if (made !== base) makeKnob(base);
    knob.show(lr);
    if (!frame.controls.contains(frame.focused())) say(value, rateWords(lr));
  };
  return { nodes: [node], show };
}

const TRAITS = ["state", "view", "label", "progress", "events", "lr", "error"];

export function render({ model, el, whenPythonEnds }) {
  const frame = makeFrame(model, el, "monitor", draw);
  const [figure, progress, buttons] = [makeFigure(frame), makeProgress(), makeButtons(frame, model)];
  const rate = makeRate(frame, (value) => model.send({ do: "lr", value }));
  frame.body.classList.add("tl-stacked");
  frame.body.append(...figure.nodes, ...progress.nodes);
  frame.controls.append(...buttons.nodes, ...rate.nodes);

  function draw() {
    const shown = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
    const [left, right, dots] = [floats(model, "left", 2), floats(model, "right", 2), floats(model, "dots", 3)];
    frame.head(shown.view.title, shown.view.subtitle);
    figure.show({ ...shown, left, right, dots });
    progress.show(shown.progress);
    rate.show(shown.lr, shown.view.lr);
    frame.controls.hidden = !frame.controls.querySelector("button, .tl-rate:not([hidden])");
  }

  // The status line is a live region: while training it speaks every 5 s at most, a new state at once.
  const announce = paced(() => {
    const { words, more } = model.get("progress");
    const { title, words: reason } = model.get("error");
    frame.status(`${[model.get("word"), title, reason, words, more].filter(Boolean).join(", ")}. `, model.get("status"));
  }, 5000, frame.signal);

  function showState() {
    buttons.show();
    frame.draw.later();
    announce.now();
  }

  // Python set the state, so the page sets it once Python has ended: else it would train for ever.
  whenPythonEnds?.(() => {
    if (!["training", "paused"].includes(model.get("state"))) return;
    model.set("word", "Python has ended");
    model.set("progress", { ...model.get("progress"), left: "the kernel was stopped or restarted: run the cells again" });
    model.set("state", "gone");
  }, frame.signal);
  frame.watch("state word", showState);
  frame.watch("status progress", () => (model.get("state") === "training" ? announce.later() : announce.now()));
  showState();
  return frame.start("view left right dots progress events lr label", buttons.keys);
}
