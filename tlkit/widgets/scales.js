// From values to places on a chart, and the ticks between.

import { fixed, known, many, MINUS, SPACE } from "./words.js";

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function linear(from, to, low, high) {
  const scale = (value) => (from === to ? (low + high) / 2 : low + ((value - from) / (to - from)) * (high - low));
  scale.invert = (place) => from + ((place - low) / (high - low)) * (to - from);
  return scale;
}

// Which of some places is the nearest.
export const nearest = (places, to) =>
  places.reduce((best, place, index) => (Math.abs(place - to) < Math.abs(places[best] - to) ? index : best), 0);

// Budgets stand on a logarithmic axis, what is no positive number (0, "all", layers) at equal distances; a little
// inside its ends, so that no mark touches the frame.
export function budgetScale(budgets, area) {
  const logarithmic = budgets.every((budget) => budget > 0);
  const place = (budget) => (logarithmic ? Math.log(budget) : budgets.indexOf(budget));
  const inner = linear(place(budgets[0]), place(budgets.at(-1)), area.left + 12, area.right - 5);
  return (budget) => inner(place(budget));
}

// Numbers stand at their distance, unless two crowd (closer than a quarter of the mean); then, and what is no number, as
// budgets do.
export function valueScale(values, area) {
  const gaps = values.slice(1).map((value, place) => (known(value) ? value - values[place] : NaN));
  const even = (values.at(-1) - values[0]) / gaps.length;
  if (!gaps.every((gap) => gap > even / 4)) return budgetScale(values, area);
  return linear(values[0], values.at(-1), area.left + 12, area.right - 5);
}

// Round numbers from low to high, with at most `most` steps between them.
export function roundTicks(low, high, most) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => (high - low) / size <= most + 1e-9);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, place) => (first + place) * step);
}

// Those of ticks {at, words} that have room beside those before them.
export function apart(ticks, gap, widthOf) {
  const kept = [];
  for (const tick of ticks) {
    const room = ({ words }) => (widthOf(words) + widthOf(tick.words)) / 2 + gap;
    if (kept.every((other) => Math.abs(other.at - tick.at) >= room(other))) kept.push(tick);
  }
  return kept;
}

// How many decimals all of some round values need.
export const decimals = (values) => Math.max(...values.map((value) => (String(Number(value.toPrecision(6))).split(".")[1] ?? "").length));

// Accuracy runs from 0 to 100 %, unless its axis is broken; the unit stands once, at the last tick.
export function percentTicks(area, scale, { bottom = 0, top = 100 } = {}) {
  const values = roundTicks(bottom, top, area.bottom - area.top < 140 ? 2 : bottom ? 5 : 4);
  return values.map((value) => ({ at: scale(value), words: value === values.at(-1) ? `${value}${SPACE}%` : String(value) }));
}

// Accuracies have one decimal; other values three figures at the far end of their axis.
export const far = ({ bottom = 0, top }) => Math.max(top, -bottom);

export function digitsOf(axis) {
  return axis.unit === "%" ? 1 : clamp(2 - Math.floor(Math.log10(far(axis))), 0, 5);
}

export function valueTicks(area, scale, axis) {
  if (axis.unit === "%") return percentTicks(area, scale, axis);
  const values = roundTicks(axis.bottom ?? 0, axis.top, (area.bottom - area.top) / 34);
  const digits = Math.max(far(axis) < 10 ? 1 : 0, decimals(values));
  const words = (value) => (digits ? fixed(value, digits) : many(value).replace("-", MINUS));
  return values.map((value) => ({ at: scale(value), words: words(value) }));
}

// Moves sorted places apart to `gap`: places that would overlap become one group around their mean.
export function spread(places, gap, top, bottom) {
  const groups = [];
  const middle = (group) => {
    const half = ((group.count - 1) * gap) / 2;
    return clamp(group.sum / group.count, top + half, Math.max(bottom - half, top + half));
  };
  for (const place of places) {
    groups.push({ sum: place, count: 1 });
    while (groups.length > 1) {
      const [above, below] = groups.slice(-2);
      if (middle(below) - middle(above) >= (gap * (above.count + below.count)) / 2) break;
      groups.splice(-2, 2, { sum: above.sum + below.sum, count: above.count + below.count });
    }
  }
  return groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, place) => middle(group) + (place - (group.count - 1) / 2) * gap));
}

// A curve over budgets as points on the chart; what was not measured is left out.
export function curvePoints(xs, y, means, lows, highs) {
  const edge = (values, index) => (known(values?.[index]) ? y(values[index]) : null);
  const all = xs.map((x, index) => ({ x, y: edge(means, index), low: edge(lows, index), high: edge(highs, index) }));
  return all.filter((point) => point.y !== null);
}
