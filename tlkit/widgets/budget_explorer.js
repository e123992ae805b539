// BudgetExplorer: curves above, paired differences below, on one x axis (budgets, or what else was compared), with one
// slider through both.

import { Chart } from "./chart.js";
import { stopSlider } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { color, GLYPHS } from "./marks.js";
import { budgetScale, curvePoints, decimals, linear, roundTicks, valueTicks } from "./scales.js";
import { amount, known, MINUS, signed, SPACE } from "./words.js";

const LOWER = 94; // px that the differences are high

export function render({ model, el }) {
  const frame = makeFrame(model, el, "budget-explorer", draw);
  const view = model.get("view");
  const { values, recipes, y: axis } = view;
  const chart = new Chart(frame.root);
  const pair = () => new Pair(view, model.get("first"), model.get("second"));
  let area = { left: 42, right: 300 };
  const x = () => budgetScale(values, area);
  const knob = stopSlider(frame, {
    name: view.axis === "budget" ? "Budget" : view.axis, ticks: [...values.keys()], words: (index) => pair().words(index),
    places: () => values.map((value) => linear(area.left, area.right, 0, 1)(x()(value))),
    seek: (budget) => budget !== model.get("budget") && frame.write({ budget }),
  });
  const figure = div("tl-figure tl-explorer", div("tl-chart-title", axis.title), chart.node, knob.node);
  const selects = ["first", "second"].map((trait) => makeSelect(frame, model, trait, recipes));
  const side = makeSide(frame, selects);
  frame.body.append(figure, side.node);
  frame.controls.remove(); // the slider and the selects stand at what they change
  set(chart.node, { role: "img" });

  function draw() {
    const [compared, budget] = [pair(), model.get("budget")];
    set(chart.node, { "aria-label": `${axis.title}. ${compared.names.join(" minus ")}, ${compared.words(budget)}` });
    const top = frame.narrow ? 244 : 306; // of the lower chart
    const names = [...recipes.map(({ name }) => [name, 600]), ["no difference"]];
    area = { ...chart.layout(top + LOWER + 40, names, 26), bottom: top - 54 };
    drawBudgets(chart, view, budget, { area, x: x(), top, narrow: frame.narrow });
    drawCurves(chart, view, compared.recipes, { area, x: x() });
    drawDifferences(chart, compared, budget, { area: { ...area, top, bottom: top + LOWER }, x: x() });
    chart.sweep();
    knob.under(area);
    knob.show(budget);
    selects.forEach((one, which) => one.show(compared.recipes[which]));
    side.show(compared, budget);
    const open = compared.openWords();
    frame.status("", [["", "\u25cf filled: interval excludes zero"], ["", `\u25cb open: it does not${open}`]], "      ");
  }

  frame.head(view.title, view.subtitle);
  frame.show(model.get("view").recorded ? "recorded run" : "measured");
  return frame.start("budget first second");
}

// ---- Words

const alone = ({ values }) => values.length < 2; // one seed: its value is no interval
const open = (found) => alone(found) || (found.low <= 0 && found.high >= 0);

// The differences of two recipes, one for each value of the axis; null where one of them is not measured.
export class Pair {
  constructor(view, first, second) {
    const [one, other] = [view.recipes[first], view.recipes[second]];
    const names = view.lower ? [other.name, one.name] : [one.name, other.name]; // so that better is more
    const found = view.pairs[`${first}-${second}`] ?? view.values.map(() => null);
    Object.assign(this, { view, recipes: [one, other], names, found });
  }

  difference = (value) => signed(value, this.view.unit ? 1 : 3); // points, or the metric's own unit
  points = (value) => `${this.difference(value)} ${this.view.unit}`.trim();
  range = ({ low, high }) => `${this.difference(low)} to ${this.difference(high)}`;
  certainty = (found) => (alone(found) ? "one seed gives no interval" : `95 % interval ${this.range(found)}`);

  where(index, unit = this.view.axis_words) {
    const value = this.view.values[index];
    return this.view.axis === "budget" ? amount(value, unit) : `${this.view.axis} ${value}`;
  }

  words(index) {
    const found = this.found[index];
    const what = found ? `${this.points(found.mean)}, ${this.certainty(found)}` : "not measured yet";
    return `${this.where(index)}: ${what}`;
  }

  // What an open dot is, by the example of the last one.
  openWords() {
    const at = this.found.findLastIndex((one) => one && !alone(one) && open(one));
    return at < 0 ? "" : ` (at ${this.where(at, "labels")}: ${this.points(this.found[at].mean)}, ${this.range(this.found[at])})`;
  }

  // [bold, plain]
  verdict(index) {
    const found = this.found[index];
    if (!found) return ["Not measured yet.", "One of the two has no result here."];
    if (alone(found)) return ["Undecided.", "One seed cannot say how far the next would differ."];
    const won = `${this.recipes[0].name} won ${found.wins === 1 ? "once" : `${found.wins} times`} out of ${found.values.length}`;
    const [bold, contains] = open(found) ? ["Not separated", "contains"] : ["Separated", "does not contain"];
    return [`${bold} from zero.`, `On the same seeds and the same labels, ${won}; the interval ${contains} zero.`];
  }
}

// ---- The side column

// A recipe is never compared with itself: choosing the other one swaps the two.
function makeSelect(frame, model, trait, recipes) {
  const options = recipes.map(({ mark, open, name }, index) =>
    html("option", { value: index }, `${GLYPHS[mark][open ? 1 : 0]}${SPACE}${SPACE}${name}`));
  const node = html("select", { "aria-label": `Compare, ${trait} recipe` }, ...options);
  frame.listen(node, "change", () => {
    const [other, index] = [trait === "first" ? "second" : "first", Number(node.value)];
    frame.write({ ...(model.get(other) === index && { [other]: model.get(trait) }), [trait]: index });
  });
  const show = ({ token }) => {
    node.value = model.get(trait);
    node.style.color = color(token === "ghost" ? "ink2" : token);
  };
  return { node, show };
}

function makeSide(frame, selects) {
  const [caption, number, interval] = ["tl-caption tl-key", "tl-number", "tl-caption tl-interval"].map((style) => div(style));
  const [bold, plain] = [html("b"), html("span")];
  const strip = new Chart(frame.root); // the seeds of the chosen difference
  set(strip.node, { role: "img" });
  const node = div("tl-side", div("tl-caption", "Compare"), ...selects.map((one) => div("tl-select", one.node)),
    caption, number, interval, strip.node, html("hr"), div("tl-finding", bold, plain));
  const show = (pair, index) => {
    const found = pair.found[index];
    const seeds = found && !alone(found) ? `, ${found.values.length} seeds` : "";
    say(caption, `With ${pair.where(index)}`);
    say(number, found ? pair.points(found.mean) : "not measured");
    say(interval, found ? pair.certainty(found) + seeds : SPACE);
    drawSeeds(strip, pair, found);
    const words = pair.verdict(index);
    say(bold, `${words[0]} `);
    say(plain, words[1]);
  };
  return { node, show };
}

// ---- Charts

// The ground of the chosen budget through both charts, and the axis below the upper one.
function drawBudgets(chart, { values, axis_words: unit, y: axis }, budget, { area, x, top, narrow }) {
  const middle = x(values[budget]);
  for (const [name, from, to, end] of [["upper", area.top, area.bottom, area.bottom], ["lower", top, top + LOWER, top + LOWER + 24]]) {
    chart.put("ground", name, "rect", { x: middle - 13, y: from - 4, width: 26, height: to - from + 4, fill: color("panel") });
    chart.line(name, [[middle, from - 4], [middle, end]], { width: 1.25, layer: "grid" });
  }
  const ticks = values.map((value, index) => ({ at: x(value), words: String(value), bold: index === budget }));
  const y = linear(axis.bottom, axis.top, area.bottom, area.top);
  chart.axes("curves", area, { x: ticks, y: valueTicks(area, y, axis), unit: narrow ? unit.split(" ")[0] : unit });
  if (known(axis.chance)) chart.chance(area, y(axis.chance), axis.chance, true);
  if (axis.bottom > 0) chart.broken(area);
}

function drawCurves(chart, { values, recipes, y: axis }, pair, { area, x }) {
  const y = linear(axis.bottom, axis.top, area.bottom, area.top);
  const ends = recipes.flatMap((one, index) => {
    const chosen = pair.includes(one);
    const points = curvePoints(values.map(x), y, one.mean, one.low, one.high);
    if (!points.length) return [];
    const token = one.crowd && !chosen ? "ghost" : one.token;
    chart.series(`${index}`, { ...one, token }, points, { chosen });
    const look = { words: one.name, token: token === "ghost" ? "ink2" : token, kind: chosen ? "chosen" : "name" };
    return [{ ...look, name: `${index}`, y: points.at(-1).y, mark: one.mark, open: one.open }];
  });
  chart.ends(area, ends, area.room);
}

// Zero is always in sight; the scale belongs to the pair, so it stays while the budget moves.
export function differenceAxis(values, unit, from, to, most) {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const edge = 0.08 * Math.max(high - low, unit ? 1 : 1e-3);
  const scale = linear(low - edge, high + edge, from, to);
  const ticks = roundTicks(low - edge, high + edge, most);
  return { scale, ticks: ticks.map((value) => ({ at: scale(value), words: signed(value, decimals(ticks)) })) };
}

function drawDifferences(chart, { view, names, found }, budget, { area, x }) {
  const title = `Paired difference, ${names.join(` ${MINUS} `)}`;
  chart.words("lower title", 0, area.top - 14, title, { kind: "chosen", token: "ink", room: area.right + area.room });
  const all = found.filter(Boolean).flatMap(({ low, high }) => [low, high]);
  const { scale: y, ticks } = differenceAxis(all, view.unit, area.bottom, area.top, 5);
  chart.axes("lower", { ...area, bottom: -9 }, { y: ticks });
  chart.line("zero", [[area.left, y(0)], [area.right, y(0)]], { width: 1.25, layer: "band" });
  chart.words("zero", area.right + 12, y(0) + 4, "no difference", {});
  const unitTick = [ticks.at(-1), ticks[0]].find((tick) => Math.abs(tick.at - y(0)) > 15);
  if (unitTick && view.unit) chart.words("points", area.right + 12, unitTick.at + 4, view.unit);
  found.forEach((one, index) => {
    const at = x(view.values[index]);
    const chosen = index === budget;
    if (one) chart.interval(`budget ${index}`, [at, y(one.low)], [at, y(one.high)], [at, y(one.mean)], { filled: !open(one), chosen });
    else if (!chosen) chart.words(`missing ${index}`, at, y(0) - 6, "\u2013", { anchor: "middle" });
  });
}

function drawSeeds(strip, pair, found) {
  const width = Math.max(strip.node.parentNode.clientWidth, 160);
  strip.size(width, 104);
  const area = { left: 44, right: width - 14, top: 10, bottom: 80 };
  const all = pair.found.filter(Boolean).flatMap(({ low, high, values }) => [low, high, ...values]);
  const most = Math.floor((area.right - area.left) / 36);
  const { scale: x, ticks } = differenceAxis(all, pair.view.unit, area.left, area.right, most);
  strip.axes("strip", area, { x: ticks });
  strip.line("zero", [[x(0), area.top - 6], [x(0), area.bottom]], { width: 1.25, layer: "grid" });
  strip.words("seeds", 0, 27, "seeds");
  strip.words("mean", 0, 66, "mean");
  set(strip.node, { "aria-label": found ? `Seeds: ${found.values.map(pair.difference).join(", ")}` : "not measured yet" });
  if (found) {
    const rows = stacked(found.values.toSorted((one, other) => one - other).map(x));
    rows.forEach(([at, row], index) => strip.mark(`seed ${index}`, "circle", at, 14 + 10 * row, "ink2", { open: true, size: 3.75 }));
    strip.interval("mean", [x(found.low), 62], [x(found.high), 62], [x(found.mean), 62], { filled: !open(found), chosen: true });
  }
  strip.sweep();
}

// [place, row] of rings: each goes to the first of three rows where it touches no other.
export function stacked(places) {
  const ends = [-99, -99, -99];
  return places.map((place, index) => {
    const free = ends.findIndex((end) => place - end > 9);
    const row = free < 0 ? index % 3 : free;
    ends[row] = place;
    return [place, row];
  });
}
