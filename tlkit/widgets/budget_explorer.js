// BudgetExplorer: curves above, paired differences below, on one x axis (budgets, or what else was compared), with one
// slider through both.

import { Chart } from "./chart.js";
import { slider } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { color, GLYPHS } from "./marks.js";
import { budgetScale, curvePoints, linear, roundTicks, valueTicks } from "./scales.js";
import { amount, known, MINUS, signed, SPACE } from "./words.js";

export function render({ model, el }) {
  const frame = makeFrame(model, el, "budget-explorer", draw);
  const chart = new Chart(frame.root);
  const strip = new Chart(frame.root); // the seeds of the chosen difference
  const title = html("div", { class: "tl-chart-title" });
  const figure = html("div", { class: "tl-figure tl-explorer" }, title, chart.node);
  const selects = ["first", "second"].map((trait) => {
    const node = html("select", { "aria-label": `Compare, ${trait} recipe` });
    frame.listen(node, "change", () => choose(trait, Number(node.value)));
    return node;
  });
  const caption = html("div", { class: "tl-caption tl-key" });
  const number = html("div", { class: "tl-number" });
  const interval = html("div", { class: "tl-caption tl-interval" });
  const finding = html("div", { class: "tl-finding" }, html("b"), html("span"));
  frame.body.append(figure, html("div", { class: "tl-side" }, html("div", { class: "tl-caption" }, "Compare"),
    ...selects.map((node) => html("div", { class: "tl-select" }, node)), caption, number, interval, strip.node, html("hr"), finding));
  frame.controls.remove(); // the slider and the selects stand at what they change
  for (const one of [chart, strip]) set(one.node, { role: "img" });

  let knob = null;
  let built = ""; // the recipes and budgets that slider and selects were made for
  let area = { left: 42, right: 300 };

  const view = () => model.get("view");
  const recipe = (trait) => view().recipes[model.get(trait)];
  const pairNames = () => { // where lower is better, second minus first says how much better the first is
    const names = [recipe("first").name, recipe("second").name];
    return view().lower ? names.reverse() : names;
  };
  const glyph = ({ mark, open }) => GLYPHS[mark][open ? 1 : 0];
  const pair = () => view().pairs[`${model.get("first")}-${model.get("second")}`] ?? view().values.map(() => null);
  const alone = ({ values }) => values.length < 2; // one seed: its value is no interval
  const zero = (one) => alone(one) || (one.low <= 0 && one.high >= 0);
  const isBudget = () => view().axis === "budget";
  const inWords = (value, unit = view().axis_words) => (isBudget() ? amount(value, unit) : `${view().axis} ${value}`);
  const range = ({ low, high }) => `${difference(low)} to ${difference(high)}`;
  const difference = (value) => signed(value, view().unit ? 1 : 3); // points, or the metric's own unit
  const points = (value) => `${difference(value)} ${view().unit}`.trim();

  function move(budget) {
    if (budget === model.get("budget")) return;
    model.set("budget", budget);
    model.save_changes();
    frame.draw.now();
  }

  // A recipe is never compared with itself: choosing the other one swaps the two.
  function choose(trait, index) {
    const other = trait === "first" ? "second" : "first";
    if (model.get(other) === index) model.set(other, model.get(trait));
    model.set(trait, index);
    model.save_changes();
    frame.draw.now();
  }

  const certainty = (found) => (alone(found) ? "one seed gives no interval" : `95 % interval ${range(found)}`);

  function valueWords(budget) {
    const found = pair()[budget];
    const what = found ? `${points(found.mean)}, ${certainty(found)}` : "not measured at this scale";
    return `${inWords(view().values[budget])}: ${what}`;
  }

  function build() {
    const { values: budgets, recipes } = view();
    const key = JSON.stringify([budgets, recipes.map(({ name, mark, open }) => [name, mark, open])]);
    if (key === built) return;
    built = key;
    knob?.node.remove();
    const place = (index) => (budgetScale(budgets, area)(budgets[Math.round(index)]) - area.left) / (area.right - area.left);
    const places = () => budgets.map((_, index) => index);
    knob = slider(frame, {
      name: isBudget() ? "Budget" : view().axis, low: 0, high: budgets.length - 1, ticks: places(), words: valueWords, place,
      value: (at) => places().sort((one, other) => Math.abs(place(one) - at) - Math.abs(place(other) - at))[0],
      next: (value, direction) => value + direction,
      input: move, change: () => {},
    });
    figure.append(knob.node);
    for (const node of selects) {
      node.replaceChildren(...recipes.map((one, index) => html("option", { value: index }, `${glyph(one)}${SPACE}${SPACE}${one.name}`)));
    }
  }

  function draw() {
    if (!view().values?.length) return;
    build();
    frame.head(view().title, view().subtitle);
    frame.show("measured", "measured");
    say(title, view().y.title);
    const compared = pairNames().join(" minus "); // said anew here: no kernel is needed
    set(chart.node, { "aria-label": `${view().y.title}. ${compared}, ${valueWords(model.get("budget"))}` });
    curves();
    ["first", "second"].forEach((trait, place) => {
      selects[place].value = model.get(trait);
      const { token } = recipe(trait);
      selects[place].style.color = color(token === "ghost" ? "ink2" : token);
    });
    compare();
  }

  function curves() {
    const { values: budgets, recipes, y: axis } = view();
    const chosen = [model.get("first"), model.get("second")];
    const width = Math.max(figure.clientWidth, 200);
    const tall = frame.narrow ? 180 : 242;
    const differences = tall + 64; // the top of the lower chart
    const height = differences + 94 + 40;
    chart.size(width, height);
    const names = recipes.map(({ name }) => [name, 600]);
    const room = chart.margin([...names, ["no difference"]], width, 26);
    area = { left: 42, right: width - room, top: 10, bottom: 10 + tall };
    const x = budgetScale(budgets, area);
    const y = linear(axis.bottom, axis.top, area.bottom, area.top);
    const budget = model.get("budget");
    const middle = x(budgets[budget]);

    const strips = [["upper", area.top, area.bottom, area.bottom], ["lower", differences, differences + 94, height - 16]];
    for (const [name, top, bottom, end] of strips) {
      chart.put("ground", name, "rect", { x: middle - 13, y: top - 4, width: 26, height: bottom - top + 4, fill: color("panel") });
      chart.line(name, [[middle, top - 4], [middle, end]], { width: 1.25, layer: "grid" });
    }
    const ticks = budgets.map((one, index) => ({ at: x(one), words: String(one), bold: index === budget }));
    chart.axes("curves", area, { x: ticks, y: valueTicks(area, y, axis), unit: frame.narrow ? view().axis_words.split(" ")[0] : view().axis_words });
    if (known(axis.chance)) chart.chance(area, y(axis.chance), axis.chance, true);

    const crowded = (token) => recipes.filter((one) => one.token === token).length > 2; // three of a family: the pair in colour
    const ends = [];
    recipes.forEach((one, index) => {
      const points = curvePoints(budgets.map(x), y, one.mean, one.low, one.high);
      const token = crowded(one.token) && !chosen.includes(index) ? "ghost" : one.token;
      if (!points.length) return;
      chart.series(`${index}`, { ...one, token }, points, { chosen: chosen.includes(index) });
      const label = { words: one.name, token: token === "ghost" ? "ink2" : token, kind: chosen.includes(index) ? "chosen" : "name" };
      ends.push({ name: `${index}`, y: points.at(-1).y, mark: one.mark, open: one.open, ...label });
    });
    chart.ends(area, ends, room);
    lower({ ...area, top: differences, bottom: differences + 94 }, x, width);
    chart.sweep();
    const line = knob.node.querySelector(".tl-line");
    line.style.flex = `0 0 ${area.right - area.left}px`;
    knob.node.querySelectorAll("i").forEach((tick, index) => (tick.style.left = `${x(budgets[index]) - area.left}px`));
    knob.show(budget);
  }

  function lower(place, x, width) {
    const words = `Paired difference, ${pairNames().join(` ${MINUS} `)}`;
    chart.words("lower title", 0, place.top - 14, words, { kind: "chosen", token: "ink", room: width });
    const found = pair().filter(Boolean);
    const y = differenceScale(found.flatMap(({ low, high }) => [low, high]), place.bottom, place.top);
    const ticks = y.ticks(5).map((value) => ({ at: y(value), words: signed(value, y.digits), value }));
    chart.axes("lower", { ...place, bottom: -9 }, { y: ticks });
    chart.line("zero", [[place.left, y(0)], [place.right, y(0)]], { width: 1.25, layer: "band" });
    chart.words("zero", place.right + 12, y(0) + 4, "no difference", {});
    const unitTick = [ticks.at(-1), ticks[0]].find((tick) => Math.abs(tick.at - y(0)) > 15);
    if (unitTick && view().unit) chart.words("points", place.right + 12, unitTick.at + 4, view().unit);
    pair().forEach((one, index) => {
      const at = x(view().values[index]);
      if (!one && index !== model.get("budget")) chart.words(`missing ${index}`, at, y(0) - 6, "\u2013", { anchor: "middle" });
      const look = one && { filled: !zero(one), chosen: index === model.get("budget") };
      if (one) chart.interval(`budget ${index}`, [at, y(one.low)], [at, y(one.high)], [at, y(one.mean)], look);
    });
  }

  // Zero is always in sight; the scale belongs to the pair, so it stays while the budget moves.
  function differenceScale(values, from, to) {
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const span = Math.max(high - low, view().unit ? 1 : 1e-3);
    const scale = linear(low - 0.08 * span, high + 0.08 * span, from, to);
    scale.ticks = (most) => {
      const found = roundTicks(low - 0.08 * span, high + 0.08 * span, most);
      scale.digits = [0, 1, 2, 3].find((digits) => found.every((value) => Math.abs(value - Number(value.toFixed(digits))) < 1e-6)) ?? 4;
      return found;
    };
    return scale;
  }

  function compare() {
    const { values: budgets } = view();
    const budget = model.get("budget");
    const found = pair()[budget];
    say(caption, `With ${inWords(budgets[budget])}`);
    say(number, found ? points(found.mean) : "not measured");
    say(interval, !found ? SPACE : alone(found) ? certainty(found) : `${certainty(found)}, ${found.values.length} seeds`);
    seedStrip(found);
    const [bold, plain] = !found ? ["Not measured at this scale.", "One of the two has no result here."]
      : alone(found) ? ["Undecided.", "One seed cannot say how far the next would differ."] : verdict(found);
    say(finding.firstChild, `${bold} `);
    say(finding.lastChild, plain);
    const open = pair().map((one, index) => [one, budgets[index]]).filter(([one]) => one && !alone(one) && zero(one)).at(-1);
    const example = open ? ` (at ${inWords(open[1], "labels")}: ${points(open[0].mean)}, ${range(open[0])})` : "";
    frame.status("", [["", "\u25cf filled: interval excludes zero"], ["", `\u25cb open: it does not${example}`]], "      ");
  }

  function verdict(found) {
    const won = `${recipe("first").name} won ${found.wins === 1 ? "once" : `${found.wins} times`} out of ${found.values.length}`;
    const contains = zero(found) ? "contains" : "does not contain";
    const words = `On the same seeds and the same labels, ${won}; the interval ${contains} zero.`;
    return [zero(found) ? "Not separated from zero." : "Separated from zero.", words];
  }

  function seedStrip(found) {
    const width = Math.max(strip.node.parentNode.clientWidth, 160);
    strip.size(width, 104);
    const place = { left: 44, right: width - 14, top: 10, bottom: 80 };
    const all = pair().filter(Boolean).flatMap(({ low, high, values }) => [low, high, ...values]);
    const x = differenceScale(all, place.left, place.right);
    const ticks = x.ticks(Math.floor((place.right - place.left) / 36)).map((value) => ({ at: x(value), words: signed(value, x.digits) }));
    strip.axes("strip", place, { x: ticks });
    strip.line("zero", [[x(0), place.top - 6], [x(0), place.bottom]], { width: 1.25, layer: "grid" });
    strip.words("seeds", 0, 27, "seeds");
    strip.words("mean", 0, 66, "mean");
    set(strip.node, { "aria-label": found ? `Seeds: ${found.values.map(difference).join(", ")}` : "not measured at this scale" });
    if (found) {
      const rows = [[], [], []]; // a ring goes to the first row where it touches no other
      found.values.toSorted((one, other) => one - other).forEach((value, index) => {
        const row = rows.find((ends) => x(value) - (ends.at(-1) ?? -99) > 9) ?? rows[index % 3];
        row.push(x(value));
        strip.mark(`seed ${index}`, "circle", x(value), 14 + 10 * rows.indexOf(row), "ink2", { open: true, size: 3.75 });
      });
      strip.interval("mean", [x(found.low), 62], [x(found.high), 62], [x(found.mean), 62], { filled: !zero(found), chosen: true });
    }
    strip.sweep();
  }

  frame.keys({});
  frame.watch("view budget first second", frame.draw.later);
  draw();
  return frame.close;
}
