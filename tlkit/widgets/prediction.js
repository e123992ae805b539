// Prediction: the learner places a point at every budget before the result is shown; afterwards both stay in sight.

import { Chart } from "./chart.js";
import { draggable, fillRow, turnOff } from "./controls.js";
import { div, html, say, set, svg } from "./dom.js";
import { makeFrame } from "./frame.js";
import { icon } from "./marks.js";
import { budgetScale, clamp, curvePoints, linear, nearest, percentTicks } from "./scales.js";
import { undoable } from "./undo.js";
import { amount, count, fixed, known, shortPercent, signed } from "./words.js";

const CLOSE = 4; // points; a gap beyond it is written at the chart and bold in the table
const OWN = "your prediction";
export const STATE_OF = { ask: "waiting for you", locked: "locked", result: "measured" };

// ---- The answer: values and words

// Measured minus predicted, where there are both; `values` are of the same budgets as `placed`.
export function gapsOf(placed, values = []) {
  const all = placed.map((you, index) => ({ index, you, measured: values[index], gap: values[index] - you }));
  return all.filter(({ you, measured }) => known(you) && known(measured));
}

// What the model holds, get(name), with null for a point not placed: it rests on the known curve, so that its place
// suggests nothing else. `at` is where each point lies or rests, `mode` is ask, locked or result.
export function answerOf(get) {
  const [view, result] = [get("view"), get("result")];
  const placed = view.budgets.map((_, index) => get("placed")[index] ?? null);
  const at = placed.map((value, index) => value ?? view.baseline.values[index] ?? view.chance ?? 50);
  const gaps = get("locked") ? gapsOf(placed, result.values) : [];
  const mode = !get("locked") ? "ask" : gaps.length ? "result" : "locked";
  const missing = placed.filter((value) => value === null).length;
  return { view, result, placed, at, gaps, mode, missing, choice: get("choice"), ready: get("ready") };
}

export function hintWords({ view, mode, missing, ready, choice, result }, narrow) {
  const keys = narrow ? "" : " A click leaves a point where it is. Arrow keys move it by 1; with shift, by 0.1.";
  const place = `Place ${missing} more ${missing === 1 ? "point" : "points"} first.${keys}`;
  if (mode === "ask") return missing ? place : "All points are placed; you can still move them.";
  if (mode === "locked") return ready ? "Locked." : "Locked. The measurement comes later in this lesson; run on.";
  if (!result.statement) return "Your prediction was locked before the result was shown.";
  return `You chose: ${view.statements[choice] ?? "none of the statements"}\nMeasured: ${result.statement}`;
}

// As `frame.status` takes it.
export function statusParts({ view, placed, mode, missing, choice, gaps, result }, hint) {
  if (mode === "result") {
    const mean = gaps.reduce((sum, { gap }) => sum + Math.abs(gap), 0) / gaps.length;
    const drawn = result.drawn ? [["", ` \u00b7 ${result.drawn}`]] : [];
    return ["measured. ", [["", `Mean absolute gap over ${count(gaps.length)} budgets: `], [`${fixed(mean)} points`, ""], ...drawn], ""];
  }
  const chosen = view.statements.length ? [["", choice >= 0 ? "1 statement chosen" : "no statement chosen"]] : [];
  return [mode === "locked" ? hint : "", [[`${placed.length - missing} of ${placed.length}`, " points placed"], ...chosen]];
}

// ---- The chart

// Axes and the known curves: at the reveal the comparison's own, with what was known before as a thin line. Returns where budgets and values lie, and the names at the lines' ends.
function drawCurves(chart, narrow, { view, mode, result }) {
  const { budgets, baseline, target, chance } = view;
  const unit = narrow ? "labels" : "labels per class";
  const { baseline: again, first_look: first } = mode === "result" ? result : {};
  const names = [[baseline.name, 600], [target.name, 600], [OWN, 600], [unit], [first ?? ""]];
  const area = chart.layout(narrow ? 234 : 310, names, 6);
  const xs = budgets.map(budgetScale(budgets, area));
  const y = linear(0, 100, area.bottom, area.top);
  const ticks = budgets.map((budget, index) => ({ at: xs[index], words: String(budget) }));
  chart.axes("axes", area, { x: ticks, y: percentTicks(area, y), unit });
  if (known(chance)) chart.chance(area, y(chance), chance, true);
  const curve = (name, recipe, { values, low, high }) => {
    const points = curvePoints(xs, y, values, low, high);
    chart.series(name, recipe, points);
    return points.length ? [{ name, y: points.at(-1).y, words: recipe.name, token: recipe.token, kind: "chosen" }] : [];
  };
  const ends = [...curve("baseline", baseline, again ?? baseline), ...(mode === "result" ? curve("target", target, result) : [])];
  const thin = first ? curvePoints(xs, y, baseline.values) : [];
  if (thin.length) {
    chart.line("first look", thin.map((point) => [point.x, point.y]), { token: "ghost", width: 1.25 });
    ends.push({ name: "first look", y: thin.at(-1).y, words: first, token: "ink2" });
  }
  return { chart, area, xs, y, ends };
}

// The learner's own curve is dashed; its name stands at its end among the others, or while it is asked for above it.
function drawOwn({ chart, xs, y, ends, area }, { placed, at, mode, gaps }, active) {
  const own = placed.flatMap((value, index) => (value === null ? [] : [[xs[index], y(value)]]));
  if (!own.length) return;
  chart.line("prediction", own, { width: 2, dash: "6 5", layer: "front" });
  if (mode === "result") {
    gaps.forEach((gap) => drawGap(chart, gap, xs[gap.index], y, gap.index === xs.length - 1));
    const look = { open: true, size: 4.75, layer: "front" };
    own.forEach((point, index) => chart.mark(`own ${index}`, "circle", ...point, "ink", look));
    ends.push({ name: "own", y: own.at(-1)[1], words: OWN, token: "ink", kind: "chosen" });
    return;
  }
  const from = own[0][0] - 8;
  const place = nameHeight(xs, at.map(y), from, from + chart.width(OWN, 12, 600), xs[active], area.top);
  chart.words("own", from, place, OWN, { kind: "chosen", token: "ink" });
}

function drawGap(chart, { index, you, measured, gap }, x, y, last) {
  const look = { kind: "chosen", token: "ink", anchor: last ? "end" : "start" };
  const [from, to] = [y(you), y(measured)];
  if (Math.abs(from - to) > 6) chart.line(`gap ${index}`, [[x, from], [x, to]], { width: 3 });
  if (Math.abs(gap) > CLOSE) chart.words(`gap ${index}`, x + (last ? -8 : 8), (from + to) / 2 + 4, signed(gap), look);
}

// Words from one x to another stand above every handle they span, or under them all where the top or a bubble is near.
export function nameHeight(xs, ys, from, to, bubble, top) {
  const spanned = ys.filter((_, index) => xs[index] > from - 14 && xs[index] < to + 14);
  const above = Math.min(...spanned) - 18;
  return above < top || (bubble + 38 > from && bubble - 38 < to) ? Math.max(...spanned) + 27 : above;
}

// ---- Handles: one focusable point a budget, dragged or moved by keys

const KEYS = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };

// hand: {node, points, plot: what `drawCurves` returned, active: the point under the hand, stop: the one tab stop}
function makePoint(frame, answer, hand, index) {
  const range = { "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 100 };
  const rings = [["hit", 16], ["ring", 13], ["disc", 9]].map(([part, r]) => svg("circle", { class: `tl-${part}`, r }));
  const arrows = svg("path", { d: "M-3,-2L0,-5L3,-2M-3,2L0,5L3,2" });
  const point = svg("g", { class: "tl-point", role: "slider", ...range }, ...rings, arrows);
  frame.listen(point, "keydown", (event) => {
    const { mode, at } = answer.now();
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const moved = Number((at[index] + KEYS[event.key] * (event.shiftKey ? 0.1 : 1)).toFixed(1));
    const to = { Home: 0, End: 100, " ": at[index] }[event.key] ?? moved;
    if (event.ctrlKey || event.metaKey || event.altKey || !(aside || known(to))) return;
    event.preventDefault();
    event.stopPropagation();
    if (aside) hand.points[clamp(index + aside, 0, hand.points.length - 1)].focus();
    else if (mode === "ask") answer.place(index, to, "key");
  });
  frame.listen(point, "focus", () => { hand.active = hand.stop = index; frame.draw.now(); });
  frame.listen(point, "blur", () => { hand.active = -1; answer.rest(); frame.draw.later(); });
  return point;
}

function dragPoints(frame, answer, hand) {
  let [index, offset] = [0, 0]; // the dragged point, and how far from its middle the pointer took it
  const move = ({ clientY }) => {
    const height = clientY - hand.node.getBoundingClientRect().top - offset;
    answer.place(index, Math.round(2 * hand.plot.y.invert(height)) / 2, "drag");
  };
  const start = (event) => {
    const [{ mode, at }, { xs, y }, box] = [answer.now(), hand.plot, hand.node.getBoundingClientRect()];
    if (mode !== "ask") return false;
    const [x, away] = [event.clientX - box.left, (place) => event.clientY - box.top - y(at[place])];
    index = nearest(xs, x);
    const hit = Math.abs(away(index)) <= 16 && Math.abs(x - xs[index]) <= 16;
    offset = hit ? away(index) : 0;
    answer.rest();
    hand.points[index].classList.add("tl-dragged");
    hand.points[index].focus({ preventScroll: true });
    if (hit) answer.place(index, at[index], "drag"); // a click accepts where it rests
    else move(event);
  };
  const end = () => hand.points[index].classList.remove("tl-dragged");
  draggable(frame, hand.node, { start, move, end, cancel: () => { end(); answer.undo(); } });
}

function makeHandles(frame, answer) {
  const plane = svg("rect", { class: "tl-plane" });
  const value = svg("text", { y: -30 }); // of the point under the hand
  const bubble = svg("g", { class: "tl-bubble" }, svg("rect", { width: 76, height: 24, x: -38, y: -46, rx: 4 }), value);
  const node = svg("svg", { class: "tl-handles", role: "group", "aria-label": OWN }, plane);
  const hand = { node, points: [], plot: null, active: -1, stop: 0 };
  dragPoints(frame, answer, hand);
  // Returns the point whose value it shows, or -1.
  const show = (plot, { view, mode, placed, at }) => {
    const { area: { left, right, top, bottom, room }, xs, y } = hand.plot = plot;
    if (hand.points.length !== xs.length) {
      hand.points = xs.map((_, index) => makePoint(frame, answer, hand, index));
      node.replaceChildren(plane, ...hand.points, bubble);
    }
    set(node, { width: right + room, height: bottom + 24, style: mode === "result" ? "display: none" : null });
    set(plane, { x: left, y: top - 8, width: right - left + 10, height: bottom - top + 8 });
    hand.points.forEach((point, index) => {
      const [budget, free] = [amount(view.budgets[index]), placed[index] === null];
      const words = `${budget}: ${free ? "not placed, rests at " : ""}${shortPercent(at[index])}`;
      set(point, {
        transform: `translate(${xs[index]} ${y(at[index])})`, tabindex: index === hand.stop ? 0 : -1, "aria-label": budget,
        "aria-disabled": mode === "ask" ? null : "true", "aria-valuenow": at[index].toFixed(1), "aria-valuetext": words,
      });
      point.classList.toggle("tl-placed", !free);
    });
    const shown = known(placed[hand.active]) && mode !== "result" ? hand.active : -1;
    set(bubble, { display: shown < 0 ? "none" : null });
    if (shown >= 0) {
      const below = at[shown] > 92 ? 68 : 0; // no room above
      set(bubble, { transform: `translate(${xs[shown]} ${y(at[shown]) + below})` });
      say(value, shortPercent(at[shown]));
    }
    return shown;
  };
  return { node, show };
}

// ---- The side column: the question with its choices, or the gaps

function questionParts(frame, view, choose) {
  const group = `tl-${Math.random().toString(36).slice(2)}`; // radio buttons of one group need a name of their own
  const choices = view.statements.map((words, index) => {
    const input = html("input", { type: "radio", name: group });
    frame.listen(input, "change", () => choose(index));
    return html("label", { class: "tl-choice" }, input, html("span", {}, words));
  });
  return [view.question && div("tl-question", view.question), view.text && html("p", {}, view.text),
    choices.length ? html("fieldset", {}, html("legend", {}, view.statements_question), ...choices) : div("tl-rows")];
}

function resultParts({ view, placed, gaps, result }) {
  const cells = (tag, ...words) => words.map((word) => html(tag, {}, word));
  const lines = view.budgets.map((budget, index) => {
    const found = gaps.find((one) => one.index === index);
    const own = cells("td", budget, known(placed[index]) ? fixed(placed[index]) : "");
    if (!found) return [...own, html("td", { colspan: 2, class: "tl-soft" }, "not measured")];
    const far = Math.abs(found.gap) > CLOSE ? "tl-far" : null;
    return [...own, html("td", {}, fixed(found.measured)), html("td", { class: far }, signed(found.gap))];
  });
  const head = html("thead", {}, html("tr", {}, ...cells("th", "labels", "you", "measured", "gap")));
  const body = html("tbody", {}, ...lines.map((line) => html("tr", {}, ...line)));
  const largest = gaps.toSorted((one, other) => Math.abs(other.gap) - Math.abs(one.gap))[0];
  return [div("tl-caption", `Largest surprise, with ${amount(view.budgets[largest.index])}`),
    div("tl-number", `${signed(largest.gap)} points`),
    result.sentence && html("p", {}, result.sentence), html("table", { class: "tl-table" }, head, body)];
}

function makeSide(frame, choose) {
  const node = div("tl-side");
  let asking = false;
  const show = (answer) => {
    const { view, mode, placed, choice } = answer;
    if (mode === "result") node.replaceChildren(...resultParts(answer).filter(Boolean));
    else if (!asking) node.replaceChildren(...questionParts(frame, view, choose).filter(Boolean));
    asking = mode !== "result";
    node.querySelector(".tl-rows")?.replaceChildren(...placed.map((value, index) => {
      const [look, face, words] = value === null ? [null, "circle", "not placed"] : ["tl-done", "check", shortPercent(value)];
      const budget = html("span", {}, amount(view.budgets[index], "labels"));
      return div(look, icon(face), budget, html("span", {}, words));
    }));
    node.querySelectorAll("input").forEach((input, index) => {
      input.checked = index === choice;
      input.disabled = mode !== "ask";
    });
  };
  return { node, show };
}

// ---- The widget

// The learner's answer in the model; until it is locked every change can be undone.
function makeAnswer(frame, model) {
  const steps = undoable(frame, model);
  const now = () => answerOf((name) => model.get(name));
  const place = (index, value, key) => steps.change({ placed: now().placed.with(index, clamp(value, 0, 100)) }, `${key} ${index}`);
  const undo = () => now().mode === "ask" && steps.undo();
  const choose = (choice) => steps.change({ choice });
  const again = () => {
    steps.forget();
    frame.write({ locked: false, choice: -1, placed: now().placed.map(() => null) });
  };
  return { ...steps, now, place, undo, choose, again };
}

export function render({ model, el }) {
  const frame = makeFrame(model, el, "prediction", draw);
  const answer = makeAnswer(frame, model);
  const [chart, handles, side] = [new Chart(frame.root), makeHandles(frame, answer), makeSide(frame, answer.choose)];
  const title = div("tl-chart-title");
  const row = div("tl-row");
  const hint = html("span", { class: "tl-caption tl-hint" });
  frame.body.append(div("tl-figure", title, chart.node, handles.node), side.node);
  frame.controls.append(row, hint);

  function lock() {
    const { mode, missing } = answer.now();
    if (mode !== "ask" || missing) return;
    const inChart = handles.node.contains(frame.focused());
    frame.write({ locked: true });
    if (inChart) frame.root.focus({ preventScroll: true });
  }

  function drawButtons({ mode, ready, missing }) {
    const words = ready ? "Lock and show result" : "Lock my prediction";
    const asking = [{ action: "lock", face: "check", words, main: true }, { action: "undo", face: "undo", words: "Undo" }];
    const locked = [{ action: "again", face: "again", words: "Ask me again" }];
    fillRow(frame, row, mode === "ask" ? asking : locked, (action) => ({ ...answer, lock })[action]());
    if (mode === "ask") [missing > 0, !answer.canUndo()].forEach((off, place) => turnOff(row.children[place], off));
  }

  function draw() {
    const now = answer.now();
    const { view, mode, gaps } = now;
    const close = count(gaps.filter(({ gap }) => Math.abs(gap) <= CLOSE).length);
    const found = `Within ${CLOSE} points at ${close} of ${count(gaps.length)} budgets.`;
    frame.show(STATE_OF[mode]);
    frame.root.classList.toggle("tl-locked", mode !== "ask");
    frame.head(...(mode === "result" ? ["Your prediction against the measurement", found] : [view.title, view.subtitle]));
    say(title, view.chart_title);
    set(chart.node, { role: "img", "aria-label": model.get("label") });
    const plot = drawCurves(chart, frame.narrow, now);
    drawOwn(plot, now, handles.show(plot, now));
    chart.ends(plot.area, plot.ends, plot.area.room, 14); // clear of a handle at the line's end
    chart.sweep();
    side.show(now);
    drawButtons(now);
    say(hint, hintWords(now, frame.narrow));
    frame.status(...statusParts(now, hint.textContent));
  }

  return frame.start("view placed choice locked ready result label", { Enter: lock, undo: answer.undo });
}
