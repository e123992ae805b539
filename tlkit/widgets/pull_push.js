// PullPush: views as points on a circle; dragged, pulled and pushed, with what the loss is made of beside them.

import { Chart } from "./chart.js";
import { alignment, collapsedLoss, cosines, descended, future, loss, moves, other, pulls, RADIAN, shares, uniformity } from "./contrast.js";
import { button, draggable, rovingTarget, segments, slider, turnOff } from "./controls.js";
import { div, html, say, set, svg } from "./dom.js";
import { makeFrame } from "./frame.js";
import { color, GLYPHS } from "./marks.js";
import { player } from "./player.js";
import { clamp, linear, spread } from "./scales.js";
import { undoable } from "./undo.js";
import { fixed } from "./words.js";

const SHAPES = ["circle", "triangle", "square", "diamond"];
const TICKS = [0.05, 0.1, 0.2, 0.5, 1]; // of the temperature
const LONGEST = 34; // px of an arrow
const DARKEST = 38; // % of ink under a number, which keeps 4.5 : 1 in both themes
const SCALE = 1.5; // of the loss's bar, in losses of a collapse
const FAINT = 0.02; // a weaker push is not named
const FOUND = 0.9; // share of the softmax from which a view finds its pair

// ---- Words

export const nameOf = (view) => "abcd"[view >> 1] + (view % 2 ? "\u2032" : "");
const faceOf = (view) => ({ shape: SHAPES[view >> 1], token: `s${(view >> 1) + 1}`, open: view % 2 === 1 });
const way = (pull) => (pull > 0 ? "anticlockwise" : "clockwise");
const turn = (degrees) => ((Math.round(10 * degrees) / 10) % 360 + 360) % 360;

// The same sentence as the widget's `repr`.
export function figureWords({ points, step, temperature, push }) {
  const settings = `temperature ${fixed(temperature, 2)}${push ? "" : ", without the push"}`;
  const numbers = `loss ${fixed(loss(points, { temperature, push }), 2)}; alignment ${fixed(alignment(points))}, uniformity ${fixed(uniformity(points))}`;
  return `step ${step}, ${settings}: ${numbers}; collapsed would be ${fixed(collapsedLoss(points.length, push), 2)}`;
}

// Who draws the chosen view where, as [bold, plain].
export function pullWords({ points, chosen, settings }) {
  const pair = other(chosen);
  const row = pulls(points, settings)[chosen];
  const most = [...row.keys()].filter((to) => to !== pair).toSorted((one, more) => Math.abs(row[more]) - Math.abs(row[one]))[0];
  const pulled = Math.abs(row[pair]) > FAINT && `is pulled ${way(row[pair])} by ${nameOf(pair)}`;
  const pushed = Math.abs(row[most]) > FAINT && `is pushed ${way(row[most])}, most by ${nameOf(most)}`;
  return [nameOf(chosen), ` ${[pulled, pushed].filter(Boolean).join("; ") || "is hardly pulled or pushed"}`];
}

// What stands beside it in the status line; `still` is whether there is no arrow.
export function noteWords({ points, temperature, push }, still) {
  if (!still && push) return "Framed cells are the pairs; hatched ones are left out of the sum.";
  if (!still) return "Free points only pair up; a network, whose weights all images share, collapses.";
  if (points.every((point) => turn(point - points[0]) === 0)) {
    const why = push ? "the push has no direction. Move one aside: its image gets away" : "the loss could not be lower";
    return `Every arrow is zero: all views are one point, and ${why}.`;
  }
  const found = shares(points, temperature).every((row, view) => row[other(view)] > FOUND);
  const why = !push ? "each pair is closed, wherever it is" : found ? "every view finds its pair" : "pull and push cancel at every view";
  return `No arrow is left: ${why}. Drag one away.`;
}

// ---- The circle

// move(view, degrees, key) and choose(view) follow the learner.
function makeCircle(frame, now, { choose, move, rest, undo }) {
  const chart = new Chart(frame.root);
  const range = { role: "slider", "aria-valuemin": 0, "aria-valuemax": 360 };
  const handles = now().points.map((_, view) => svg("circle", { class: "tl-view", r: 16, "aria-label": nameOf(view), ...range }));
  chart.node.append(svg("g", {}, ...handles));
  let [middle, radius, offset] = [0, 0, 0];
  const at = (degrees, away) => [middle + away * Math.cos(degrees * RADIAN), middle - away * Math.sin(degrees * RADIAN)];
  const angle = ({ clientX, clientY }) => {
    const { left, top } = chart.node.getBoundingClientRect();
    return Math.atan2(top + middle - clientY, clientX - left - middle) / RADIAN;
  };
  handles.forEach((handle, view) => {
    frame.listen(handle, "focus", () => choose(view));
    frame.listen(handle, "blur", rest);
    frame.listen(handle, "pointerenter", () => frame.cancel || choose(view));
    frame.onKey(handle, ({ key, shiftKey, ctrlKey, metaKey, altKey }) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
      const to = rovingTarget(key, view, handles.length);
      if (ctrlKey || metaKey || altKey || to === undefined) return false;
      if (by) move(view, now().points[view] + by * (shiftKey ? 0.5 : 5), "key");
      else handles[to].focus();
    });
    draggable(frame, handle, {
      start(event) {
        offset = now().points[view] - angle(event);
        rest();
        handle.focus({ preventScroll: true });
      },
      move: (event) => move(view, Math.round(2 * (angle(event) + offset)) / 2, "drag"), end: rest, cancel: undo,
    });
  });

  function draw({ points, settings, chosen }, words) {
    const width = clamp(chart.node.parentNode.clientWidth, 200, 310);
    [middle, radius] = [width / 2, width / 2 - 44];
    chart.size(width, width);
    chart.put("grid", "circle", "circle", { cx: middle, cy: middle, r: radius, fill: "none", stroke: color("edge") });
    const drawn = moves(points, settings);
    const longest = Math.max(...drawn.map(Math.abs));
    const names = apartAround(points, 15 / (radius - 20) / RADIAN);
    points.forEach((degrees, view) => {
      const { shape, token, open } = faceOf(view);
      const place = at(degrees, radius);
      if (!open) chart.line(`pair ${view}`, [place, at(points[view + 1], radius)], { token, width: 1.5, dash: "4 4" });
      chart.mark(`view ${view}`, shape, ...place, token, { open, size: 6.5, layer: view === chosen ? "front" : "mark" });
      if (view === chosen) chart.put("front", "chosen", "circle", { cx: place[0], cy: place[1], r: 11, fill: "none", stroke: color("ink"), "stroke-width": 1.5 });
      if (drawn[view]) drawArrow(chart, at, { view, degrees, away: radius + (open ? 26 : 17), long: (LONGEST * drawn[view]) / longest });
      const [left, top] = at(names[view], radius - 20);
      chart.words(`name ${view}`, left, top + 4, nameOf(view), { kind: "chosen", token, anchor: "middle" });
      const apart = Math.abs(turn(degrees - points[other(view)] + 180) - 180);
      const value = { "aria-valuenow": turn(degrees), "aria-valuetext": `${fixed(turn(degrees))}\u00b0, ${fixed(apart)}\u00b0 from ${nameOf(other(view))}` };
      set(handles[view], { cx: place[0], cy: place[1], tabindex: view === chosen ? 0 : -1, ...value });
    });
    chart.sweep();
    set(chart.node, { role: "group", "aria-label": words });
  }
  return { node: chart.node, draw };
}

// Angles moved apart to `gap`, where they are nearer, around the middle of those that touch; their order stays.
export function apartAround(points, gap) {
  const order = points.map((point, view) => ({ at: turn(point), view })).toSorted((one, more) => one.at - more.at || one.view - more.view);
  for (let round = 0; round < 40; round++) {
    order.forEach((one, place) => {
      const next = order[(place + 1) % order.length];
      const lack = gap - (next.at - one.at + (place + 1 === order.length ? 360 : 0));
      if (lack > 0) [one.at, next.at] = [one.at - lack / 2, next.at + lack / 2];
    });
  }
  return order.toSorted((one, more) => one.view - more.view).map(({ at }) => at);
}

// Along the circle, `long` px anticlockwise, or clockwise below 0.
function drawArrow(chart, at, { view, degrees, away, long }) {
  const end = degrees + long / away / RADIAN;
  const head = clamp(Math.abs(long) / 2, 2.5, 5);
  const [x, y] = at(end, away);
  const turned = `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${(-90 * Math.sign(long) - end).toFixed(1)})`;
  chart.line(`arrow ${view}`, [0, 0.25, 0.5, 0.75, 1].map((share) => at(degrees + share * (end - degrees), away)));
  chart.put("mark", `head ${view}`, "path", { d: `M${head + 2},0L${-head},${head}V${-head}z`, fill: color("ink"), transform: turned });
}

// ---- Every two views

function makeCells(count) {
  const views = Array.from({ length: count }, (_, view) => view);
  const head = (view, scope) => {
    const { shape, token, open } = faceOf(view);
    return html("th", { scope, style: `color: ${color(token)}` }, `${GLYPHS[shape][Number(open)]}\u00a0${nameOf(view)}`);
  };
  const rows = views.map((view) => html("tr", {}, head(view, "row"), ...views.map((to) => html("td", {
    class: to === view ? "tl-left-out" : to === other(view) ? "tl-pair-cell" : null,
  }, ...(to === view ? [html("span", { class: "tl-hidden" }, "left out")] : [])))));
  const top = html("thead", {}, html("tr", {}, html("td"), ...views.map((view) => head(view, "col"))));
  const node = html("table", { class: "tl-cells" }, top, html("tbody", {}, ...rows));
  const draw = ({ points, temperature, chosen, cells }) => {
    const [values, low, words] = cells === "cosine" ? [cosines(points), -1, "Cosine of every two views"] : [shares(points, temperature), 0, "Share of the softmax, row by row"];
    set(node, { "aria-label": words });
    rows.forEach((row, view) => {
      row.classList.toggle("tl-chosen", view === chosen);
      values[view].forEach((value, to) => {
        if (to === view) return;
        say(row.cells[to + 1], fixed(value, 2));
        row.cells[to + 1].style.setProperty("--tl-shade", `${((DARKEST * (value - low)) / (1 - low)).toFixed(1)}%`);
      });
    });
  };
  return { node, draw };
}

// ---- The loss, and where the points are between collapse and spread

function makeSide(frame) {
  const [caption, number, fill, tick, worst] = [div("tl-caption"), div("tl-number"), html("b"), html("i"), div("tl-caption")];
  const plane = new Chart(frame.root);
  const node = div("tl-side", caption, number, div("tl-loss", fill, tick), worst, div("tl-chart-title", "Close in pairs, spread over all"), plane.node);
  const draw = (now) => {
    const { points, temperature, push } = now;
    const [value, bad, end] = [loss(points, now), collapsedLoss(points.length, push), SCALE * collapsedLoss(points.length, true)];
    say(caption, `${push ? "Loss" : "Pull alone"} at temperature ${fixed(temperature, 2)}`);
    say(number, fixed(value, 2));
    set(fill, { style: `width: ${100 * Math.min(value / end, 1)}%`, class: value > end ? "tl-cut" : null });
    set(tick, { style: `left: ${(100 * bad) / end}%` });
    say(worst, push ? `collapsed: log ${points.length - 1} = ${fixed(bad, 2)}` : "collapsed: 0, the lowest there is");
    drawPlane(plane, now);
  };
  return { node, draw };
}

// Alignment across, uniformity up: where the points were, are, and will be.
function drawPlane(chart, { points, step, path, settings }) {
  const area = { ...chart.layout(190, []), left: 30, right: Math.min(chart.node.parentNode.clientWidth, 420) - 16, top: 24 };
  const even = points.length > 4 ? 6 : 8; // two images can be farther from each other than three or four
  const [x, y] = [linear(0, 4, area.left, area.right), linear(-even, 0, area.bottom, area.top)];
  const spot = (at) => [x(alignment(at)), y(uniformity(at))];
  const ticks = (scale, values) => values.map((value) => ({ at: scale(value), words: fixed(value, 0) }));
  chart.axes("plane", area, { x: ticks(x, [0, 2, 4]), y: ticks(y, [0, -even / 2, -even]) });
  chart.words("x", x(3), area.bottom + 17, "alignment", { anchor: "middle" });
  chart.words("y", 0, 10, "uniformity");
  const [trail, ahead] = [path.map(spot), future(points, settings).map(spot)];
  const [here, last, collapsed] = [ahead[0], ahead.at(-1), [x(0), y(0)]];
  chart.line("ahead", ahead, { token: "edge", width: 1.5, dash: "1.5 3" });
  chart.line("trail", trail);
  trail.forEach((at, place) => chart.mark(`trail ${place}`, "circle", ...at, "ink", { size: 2, ring: 0 }));
  chart.mark("collapsed", "circle", ...collapsed, "wrong", { open: true, size: 5 });
  chart.mark("last", "circle", ...last, "ink", { open: true, size: 5 });
  chart.mark("here", "circle", ...here, "ink", { size: 5.5, layer: "front" });
  const far = (spots) => Math.hypot(spots[0] - here[0], spots[1] - here[1]) > 12;
  const names = [{ at: here, words: `step ${step}`, kind: "bold", token: "ink" }, { at: collapsed, words: "\u2715 collapsed", kind: "bold", token: "wrong" },
    ...(far(last) ? [{ at: last, words: "where it ends" }] : []), ...(far(trail[0]) ? [{ at: trail[0], words: "start" }] : [])];
  const sorted = names.toSorted((one, more) => one.at[1] - more.at[1]);
  spread(sorted.map(({ at }) => at[1]), 15, area.top, area.bottom - 6).forEach((top, place) => {
    const { at: [left], words, ...look } = sorted[place];
    const [away, anchor] = left + 9 + chart.width(words, 11, 600) > area.right + 16 ? [-9, "end"] : [9, "start"];
    chart.words(words, left + away, top + 4, words, { ...look, anchor });
  });
  chart.sweep();
  set(chart.node, { role: "img", "aria-label": `alignment ${fixed(alignment(points))}, uniformity ${fixed(uniformity(points))}; collapsed is 0.0 and 0.0` });
}

// ---- The controls

function makeControls(frame, model, { change, go, now, still }) {
  const { starts } = model.get("view");
  const play = player(frame, { last: Infinity, present: () => now().step, go, more: () => !still(), next: "Step" });
  const on = button({ action: "next", face: "step", words: "Step", key: "\u2192" }, play.step);
  const from = html("select", { "aria-label": "Start from" }, html("option", { value: "", hidden: "" }, "where you put them"),
    ...Object.keys(starts).map((name) => html("option", {}, name)));
  const along = linear(Math.log(TICKS[0]), 0, 0, 1);
  const knob = slider(frame, {
    name: "Temperature", low: TICKS[0], high: 1, ticks: TICKS, words: (value) => fixed(value, 2), input: (temperature) => frame.write({ temperature }),
    place: (value) => along(Math.log(value)), value: (place) => Number(Math.exp(along.invert(place)).toFixed(2)), next: nextTemperature,
  });
  const value = html("b", { class: "tl-value" });
  knob.node.append(value);
  frame.controls.append(div("tl-row", play.node, on), labelled("Start from", div("tl-select", from)), knob.node);
  const playing = () => Boolean(play.node.querySelector('[data-do="pause"]'));
  const pause = () => playing() && play.press();
  const press = () => {
    if (still() && !now().step) return; // there is nowhere to go
    play.press();
    frame.draw.now();
  };
  frame.listen(play.node, "click", frame.draw.later); // the state follows Pause
  frame.listen(from, "change", () => {
    pause();
    change({ path: [starts[from.value]] });
  });
  const draw = ({ path, step, temperature }) => {
    const rested = still();
    from.value = Object.keys(starts).find((name) => starts[name].every((at, view) => at === path[0][view])) ?? "";
    knob.show(temperature);
    say(value, fixed(temperature, 2));
    turnOff(on, rested);
    turnOff(play.node.firstChild, rested && !step);
    frame.show(playing() && !rested ? "training" : step ? (rested ? "finished" : "paused") : "waiting for you");
  };
  return { draw, pause, keys: { " ": press, ArrowRight: () => still() || play.step() } };
}

// The next tick; with shift, a hundredth.
export function nextTemperature(present, direction, fine) {
  if (fine) return Number((present + 0.01 * direction).toFixed(2));
  return (direction > 0 ? TICKS.find((tick) => tick > present) : TICKS.findLast((tick) => tick < present)) ?? present;
}

const labelled = (words, node) => div("tl-labelled", html("span", { class: "tl-caption" }, words), node);

// ---- The widget

export function render({ model, el }) {
  const frame = makeFrame(model, el, "pull-push", draw);
  const steps = undoable(frame, model);
  const { title, subtitle } = model.get("view");
  const state = { chosen: 0, cells: "cosine" };
  const show = (more) => { Object.assign(state, more); frame.draw.now(); };
  const now = () => {
    const [path, temperature, push] = ["path", "temperature", "push"].map((name) => model.get(name));
    const settings = { temperature, push };
    return { ...state, ...settings, settings, path, points: path.at(-1), step: path.length - 1 };
  };
  const still = () => !moves(now().points, now()).some(Boolean);
  const go = (index) => {
    const { path, points, settings, step } = now();
    frame.write({ path: index > step ? [...path, descended(points, settings)] : path.slice(0, index + 1) });
  };
  const controls = makeControls(frame, model, { change: steps.change, go, now, still });
  const move = (view, degrees, key) => {
    controls.pause(); // who moves a point has it paused
    steps.change({ path: [now().points.with(view, degrees)] }, `${key} ${view}`);
  };
  const circle = makeCircle(frame, now, { ...steps, move, choose: (chosen) => chosen === state.chosen || show({ chosen }) });
  const [cells, side, heading] = [makeCells(now().points.length), makeSide(frame), div("tl-chart-title")];
  const push = segments(frame, { name: "Push", options: ["on", "off"], choose: (words) => frame.write({ push: words === "on" }) });
  const shown = segments(frame, { name: "Shown", options: ["cosine", "share"], choose: (words) => show({ cells: words }) });
  frame.body.classList.add("tl-points");
  frame.body.append(div("tl-cell", div("tl-over", heading, labelled("Push", push.node)), circle.node), side.node,
    div("tl-cell", div("tl-over", div("tl-chart-title", "Every two views"), shown.node), cells.node));

  function draw() {
    const all = now();
    const words = figureWords(all);
    frame.body.classList.toggle("tl-two", frame.root.clientWidth < 800);
    say(heading, all.step ? `Features after step ${all.step}` : "Features");
    circle.draw(all, words);
    cells.draw(all);
    side.draw(all);
    controls.draw(all);
    push.show(all.push ? "on" : "off");
    shown.show(all.cells);
    frame.status(`${words}. `, [pullWords(all), ["", noteWords(all, still())]]);
  }

  frame.head(title, subtitle);
  return frame.start("path temperature push", { ...controls.keys, undo: steps.undo });
}
