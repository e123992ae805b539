// ShiftExplorer: rows of images at one place of a comparison's axis; below them the curves with the slider on the same
// axis, beside these the difference of the chosen pair and a table of all recipes there.

import { Chart } from "./chart.js";
import { segments, stopSlider } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { makeRows } from "./image_rows.js";
import { color } from "./marks.js";
import { drawCurves, makeKey, makeSelect, marked, Pair } from "./pairs.js";
import { apart, clamp, linear, valueScale, valueTicks } from "./scales.js";
import { fixed, known, shortPercent } from "./words.js";

export function render({ model, el }) {
  const frame = makeFrame(model, el, "shift-explorer", draw);
  const view = model.get("view");
  const { values, choice, y: axis } = view;
  const choices = new Map(view.choices);
  const now = () => ({ ...view, ...choices.get(model.get("shown")) });
  const pair = () => new Pair(now(), model.get("first"), model.get("second"));
  const rows = makeRows(frame, model);
  const chart = new Chart(frame.root);
  let area = { left: 42, right: 300 };
  const x = () => valueScale(values, area);
  const knob = stopSlider(frame, {
    name: capital(view.axis), ticks: [...values.keys()], words: (index) => placeWords(pair(), index),
    places: () => values.map((value) => linear(area.left, area.right, 0, 1)(x()(value))),
    seek: (place) => place !== model.get("place") && frame.write({ place }),
  });
  const value = html("b", { class: "tl-value" });
  knob.node.append(value);
  const key = makeKey();
  const table = makeTable(axis);
  const selects = ["first", "second"].map((trait) => makeSelect(frame, model, trait, view.choices[0][1].recipes));
  const kind = segments(frame, { name: capital(choice), options: [...choices.keys()], choose: (shown) => frame.write({ shown }) });
  if (view.rows.length) frame.body.append(rows.node);
  frame.body.append(div("tl-figure tl-same-axis", div("tl-chart-title", axis.title), chart.node, knob.node),
    div("tl-side", ...key.key, table.node, key.finding));
  if (choice) frame.controls.append(labelled(capital(choice), kind.node));
  const compare = labelled("Compare", ...selects.map((one) => div("tl-select", one.node)));
  compare.classList.add("tl-compare");
  frame.controls.append(compare);
  set(chart.node, { role: "img" });

  function draw() {
    const [look, compared, index] = [now(), pair(), clamp(model.get("place"), 0, values.length - 1)];
    rows.show(look.rows, index);
    const names = [...look.recipes.map(({ name }) => [name, 600]), [view.axis_words]];
    area = chart.layout(frame.narrow ? 224 : 292, names, 26);
    drawPlace(chart, look, index, { area, x: x() });
    drawCurves(chart, look, compared.recipes, { area, x: x(), index });
    chart.sweep();
    set(chart.node, { "aria-label": `${axis.title}. ${says(compared, index, model.get("shown"))}` });
    knob.under(area);
    knob.show(index);
    say(value, String(values[index]));
    kind.show(model.get("shown"));
    selects.forEach((one, which) => one.show(compared.recipes[which]));
    key.show(compared, index, `At ${compared.where(index)}, ${compared.recipes.map(({ name }) => name).join(" over ")}`);
    table.show(look, compared, index);
    frame.status("", facts(compared));
  }

  frame.head(view.title, view.subtitle);
  frame.show(view.recorded ? "recorded run" : "measured");
  return frame.start("place shown first second");
}

const labelled = (words, ...nodes) => div("tl-labelled", html("span", { class: "tl-caption" }, words), ...nodes);

// ---- Words

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

// A value of the metric: a share is in per cent, another metric has its own unit.
const digits = ({ unit }) => (unit === "%" ? 1 : 3);

function placeWords(pair, index) {
  const { y: axis } = pair.view;
  const value = (mean) => (known(mean) ? `${fixed(mean, digits(axis))} ${axis.unit}`.trim() : "not measured");
  const found = pair.found[index];
  const difference = found ? [pair.points(found.mean), pair.certainty(found)] : [];
  return `${pair.where(index)}: ${[...pair.recipes.map(({ name, mean }) => `${name} ${value(mean[index])}`), ...difference].join(", ")}`;
}

// The sentence that Python's `words` says.
export const says = (pair, index, shown) => (shown ? `${shown}, ` : "") + placeWords(pair, index);

// How close all begin, and what each of the pair loses on the way: [bold, plain] pairs.
export function facts(pair) {
  const { recipes, values, y: axis } = pair.view;
  const [what, last] = [axis.title.split(" on ")[0].toLowerCase(), values.length - 1];
  const begins = recipes.flatMap(({ guide, mean }) => (guide || !known(mean[0]) ? [] : [mean[0]]));
  if (axis.unit !== "%" || !last || begins.length < 2) return [["", placeWords(pair, 0)]];
  const loss = ({ name, mean }) => {
    const half = mean.findIndex((value) => known(value) && value < mean[0] / 2);
    if (half > 0) return [["", `${name} has lost more than half of its ${what} at ${pair.where(half)}`]];
    return known(mean[last]) && mean[last] < mean[0] ? [["", `${name} keeps ${Math.round(100 * mean[last] / mean[0])} % of its ${what} to the end`]] : [];
  };
  const spread = fixed(Math.max(...begins) - Math.min(...begins));
  return [["", `At ${pair.where(0)} all methods lie within ${spread} points`], ...pair.recipes.flatMap(loss)];
}

// ---- The table

// All recipes at the present place, the best first; the chosen pair is bold.
function makeTable({ unit }) {
  const head = ["method", unit, ""].map((words, column) => html(column < 2 ? "th" : "td", column < 2 ? { scope: "col" } : {}, words));
  const body = html("tbody");
  const node = html("table", { class: "tl-methods" }, html("thead", {}, html("tr", {}, ...head)), body);
  const show = ({ recipes, lower, y: axis }, pair, index) => {
    body.replaceChildren(...ordered(recipes, index, lower).map((one) => {
      const [mean, low, high] = [one.mean, one.low, one.high].map((values) => values[index]);
      const [value, half] = [mean, (high - low) / 2].map((number) => fixed(number ?? 0, digits(axis)));
      const name = html("th", { scope: "row" }, one.guide ? one.name : marked(one));
      name.style.color = color(one.token === "ghost" ? "ink2" : one.token);
      return html("tr", { class: pair.recipes.includes(one) ? "tl-chosen" : "" }, name,
        html("td", {}, known(mean) ? value : "not measured"), html("td", {}, high > low ? `\u00b1 ${half}` : ""));
    }));
    set(node, { "aria-label": `All methods at ${pair.where(index)}` });
  };
  return { node, show };
}

// Recipes from the best value at a place to the worst, and those without one.
export function ordered(recipes, index, lower) {
  const better = (one) => (known(one.mean[index]) ? (lower ? -1 : 1) * one.mean[index] : -Infinity);
  return recipes.toSorted((one, other) => better(other) - better(one) || 0);
}

// ---- The chart

// Every k-th value is a tick, so that they are apart; the present one is bold, and those beside it make room.
export function placeTicks(values, x, index, widthOf) {
  const each = values.map((value) => ({ at: x(value), words: String(value) }));
  const [steps, width] = [values.length - 1, each.at(-1).at - each[0].at];
  const every = each.findIndex((_, k) => k && steps % k === 0 && k * width >= steps * (width < 400 ? 30 : 60));
  return apart([{ ...each[index], bold: true }, ...each.filter((_, place) => place % Math.max(every, 1) === 0)], 8, widthOf);
}

function drawPlace(chart, { values, axis_words: unit, y: axis }, index, { area, x }) {
  const y = linear(axis.bottom, axis.top, area.bottom, area.top);
  const middle = x(values[index]);
  chart.put("ground", "place", "rect", { x: middle - 13, y: area.top - 4, width: 26, height: area.bottom - area.top + 4, fill: color("panel") });
  const ends = [[area.top - 4, area.bottom], [area.bottom + 22, area.bottom + 36]]; // around the tick, down to the slider
  ends.forEach(([from, to], part) => chart.line(`place ${part}`, [[middle, from], [middle, to]], { width: 1.25, layer: "grid" }));
  const ticks = placeTicks(values, x, index, (words) => chart.width(words, 11, 600));
  chart.axes("curves", area, { x: ticks, y: valueTicks(area, y, axis), unit });
  if (axis.bottom > 0) chart.broken(area);
  if (!known(axis.chance)) return;
  chart.chance(area, y(axis.chance), axis.chance);
  chart.words("chance", area.left + 8, y(axis.chance) - 5, `chance ${shortPercent(axis.chance)}`);
}
