// BudgetExplorer: curves above, paired differences below, on one x axis (budgets, or what else was compared), with one
// slider through both.

import { Chart } from "./chart.js";
import { stopSlider } from "./controls.js";
import { div, html, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { color } from "./marks.js";
import { drawCurves, makeKey, makeSelect, open, Pair } from "./pairs.js";
import { budgetScale, decimals, linear, roundTicks, valueTicks } from "./scales.js";
import { known, MINUS, signed } from "./words.js";

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

// ---- The side column

function makeSide(frame, selects) {
  const { key, finding, show } = makeKey();
  const strip = new Chart(frame.root); // the seeds of the chosen difference
  set(strip.node, { role: "img" });
  const node = div("tl-side", div("tl-caption", "Compare"), ...selects.map((one) => div("tl-select", one.node)),
    ...key, strip.node, html("hr"), finding);
  return {
    node,
    show(pair, index) {
      show(pair, index, `With ${pair.where(index)}`);
      drawSeeds(strip, pair, pair.found[index]);
    },
  };
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
