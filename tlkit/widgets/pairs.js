// Recipes of a comparison, two of which are compared: their difference in words, what chooses them, their curves.

import { div, html, say } from "./dom.js";
import { color, GLYPHS } from "./marks.js";
import { curvePoints, linear } from "./scales.js";
import { amount, known, signed, SPACE } from "./words.js";

export const alone = ({ values }) => values.length < 2; // one seed: its value is no interval
export const open = (found) => alone(found) || (found.low <= 0 && found.high >= 0);

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

// A recipe's name after its mark, as a list or a table writes it.
export const marked = ({ mark, open, name }) => `${GLYPHS[mark][open ? 1 : 0]}${SPACE}${SPACE}${name}`;

// A recipe is never compared with itself: choosing the other one swaps the two.
export function makeSelect(frame, model, trait, recipes) {
  const options = recipes.flatMap((one, index) => (one.guide ? [] : [html("option", { value: index }, marked(one))]));
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

// The difference of the chosen pair as the key number, and what it says: `key` and `finding` are their nodes.
export function makeKey() {
  const key = ["tl-caption tl-key", "tl-number", "tl-caption tl-interval"].map((style) => div(style));
  const [bold, plain] = [html("b"), html("span")];
  const show = (pair, index, caption) => {
    const found = pair.found[index];
    const seeds = found && !alone(found) ? `, ${found.values.length} seeds` : "";
    const words = pair.verdict(index);
    const shown = [caption, found ? pair.points(found.mean) : "not measured", found ? pair.certainty(found) + seeds : SPACE];
    [...key, bold, plain].forEach((node, place) => say(node, [...shown, `${words[0]} `, words[1]][place]));
  };
  return { key, finding: div("tl-finding", bold, plain), show };
}

// A guide is dotted, the marks at the present place, if `index` says one, are larger.
export function drawCurves(chart, { values, recipes, y: axis }, pair, { area, x, index: present }) {
  const y = linear(axis.bottom, axis.top, area.bottom, area.top);
  const ends = recipes.flatMap((one, index) => {
    const chosen = pair.includes(one);
    const points = curvePoints(values.map(x), y, one.mean, one.low, one.high);
    if (!points.length) return [];
    const token = one.crowd && !chosen ? "ghost" : one.token;
    if (one.guide) chart.line(`${index} guide`, points.map(({ x, y }) => [x, y]), { token, width: 1.5, dash: "2 3" });
    else chart.series(`${index}`, { ...one, token }, points, { chosen });
    const here = present === undefined || one.guide ? null : one.mean[present];
    if (known(here)) chart.mark(`${index} now`, one.mark, x(values[present]), y(here), token, { open: one.open, size: 6, layer: "front" });
    const look = { words: one.name, token: token === "ghost" ? "ink2" : token, kind: chosen ? "chosen" : "name" };
    return [{ ...look, name: `${index}`, y: points.at(-1).y, mark: one.guide ? null : one.mark, open: one.open }];
  });
  chart.ends(area, ends, area.room);
}
