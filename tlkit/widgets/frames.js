// Frames: one slider over precomputed pictures, lines or tables; what they are is all in the view.

import { Chart } from "./chart.js";
import { button, segments, turnOff } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { makeRows } from "./image_rows.js";
import { color } from "./marks.js";
import { frameSlider, player } from "./player.js";
import { apart, clamp, curvePoints, decimals, linear, roundTicks } from "./scales.js";
import { fixed, known, MINUS, SPACE } from "./words.js";

// Each part is there only if the view has it.
export function render({ model, el }) {
  const view = model.get("view");
  const { values, recorded, curve, choices, strips } = view;
  const last = values.length - 1;
  const through = curve && !curve.own && !curve.rows; // the slider lies under the curve, on its axis
  const frame = makeFrame(model, el, "frames", draw);
  const present = () => clamp(model.get("frame"), 0, last);
  const images = makeRows(frame, model);
  const play = player(frame, { last, present, go: (index) => frame.write({ frame: index }) });
  const on = button({ action: "next", face: "step", words: "Next frame", key: "\u2192" }, play.step);
  const knob = makeKnob(frame, view, play.seek);
  const chart = curve && new Chart(frame.root);
  const figure = div("tl-figure", choices.length ? images.node : "", ...(curve ? [div("tl-chart-title", curve.title), chart.node] : []));
  const side = makeSide(view);
  (through ? figure : frame.controls).append(knob.node);
  figure.classList.toggle("tl-same-axis", Boolean(through));
  if (curve?.rows) {
    chart.node.style.cursor = "pointer";
    frame.listen(chart.node, "click", (event) => frame.write({ frame: rowAt(event.offsetY, curve, last) }));
  }
  if (recorded) frame.controls.append(div("tl-row", play.node, on));
  const choose = choices.length > 1 ? chooser(frame, choices.map(([words]) => words)) : () => {};
  if (!frame.controls.childElementCount) frame.controls.remove(); // the slider stands at its curve
  frame.body.append(figure);
  frame.body.classList.toggle("tl-stacked", !side);
  if (side) frame.body.append(side.node);
  if (strips.length) frame.body.append(div("tl-strips", ...strips.map((place) => images.rows[place].node)));

  function draw() {
    const index = present();
    const shown = choices.find(([words]) => words === model.get("shown"))?.[1] ?? [];
    images.show(shown, index);
    choose(model.get("shown"));
    for (const place of strips) images.rows[place].draw(index);
    if (curve?.rows) drawRows(chart, view, index);
    else if (curve) {
      const tall = !side && through ? 110 : frame.narrow ? 180 : 220;
      const area = drawCurve(chart, view, index, tall, frame.narrow);
      if (through) knob.under(area);
    }
    knob.show(index);
    turnOff(on, index === last);
    const live = play.node.querySelector('[data-do="pause"]') ? "off" : "polite";
    for (const node of [frame.line, side?.sentence]) if (node) set(node, { "aria-live": live });
    side?.show(index);
    frame.status("", statusWords(view, index, side), " ");
  }

  frame.head(view.title, view.subtitle);
  frame.show(recorded ? "recorded run" : "measured");
  return frame.start("frame shown", { " ": recorded && play.press, ArrowRight: play.step });
}

// On an axis of its own the slider has its first and last value at its ends.
function makeKnob(frame, { name, at, values, few, where, words, recorded, curve }, seek) {
  const own = !curve || curve.own || curve.rows;
  const value = html("b", { class: "tl-value" });
  const ticks = few ? at : [...roundTicks(at[0], at.at(-1), 8), at.at(-1)];
  const title = name[0].toUpperCase() + name.slice(1);
  const { node, line, under, show } = frameSlider(frame, { name: title, at, ticks, words: (index) => words[index], seek });
  node.append(value);
  if (own) node.classList.add("tl-own-axis");
  if (own && !curve?.rows) { // rows name them all
    line.before(html("span", { class: "tl-caption" }, values[0]));
    line.after(html("span", { class: "tl-caption" }, values.at(-1)));
  }
  return {
    node, under,
    show(index) {
      show(index);
      say(value, recorded || !own ? where[index] : values[index]);
    },
  };
}

// The sentence, if nothing else shows it, and the note; else where the slider is.
export function statusWords(view, index, elsewhere) {
  const parts = [elsewhere ? [] : view.sentence[index], ["", view.note]].filter((part) => part.join(""));
  return parts.length ? parts : [["", view.words[index]]];
}

// The present number and table, with what they mean; null for a view without them.
function makeSide(view) {
  if (!view.number.some(Boolean) && !view.table.length) return null;
  const [caption, number, interval, sentence] = ["tl-caption", "tl-number", "tl-caption", "tl-meaning"].map((style) => div(style));
  sentence.hidden = !view.sentence.flat().some(Boolean); // an empty one takes no room
  const counts = view.table.map(([words]) => html("div", {}, words, html("b")));
  const show = (index) => {
    const [bold, plain] = view.sentence[index];
    say(caption, `With ${view.where[index]}`);
    say(number, view.number[index]);
    say(interval, view.interval[index]);
    counts.forEach((node, row) => say(node.lastChild, view.table[row][1][index]));
    sentence.replaceChildren(html("b", {}, bold), plain);
  };
  return { node: div("tl-side", caption, number, interval, div("tl-counts", ...counts), sentence), sentence, show };
}

// What chooses the rows: joined buttons for a few, a list for more. Returns a function that shows the choice.
function chooser(frame, names) {
  const choose = (shown) => frame.write({ shown });
  const add = (node) => frame.controls.append(div("tl-show", html("span", { class: "tl-caption" }, "Show"), node));
  if (names.length < 5) {
    const { node, show } = segments(frame, { name: "Show", options: names, choose });
    add(node);
    return show;
  }
  const select = html("select", { "aria-label": "Show" }, ...names.map((words) => html("option", {}, words)));
  frame.listen(select, "change", () => choose(select.value));
  add(div("tl-select", select));
  return (words) => (select.value = words);
}

// ---- The curve

const path = (spots) => spots.filter((spot) => known(spot.y)).map((spot) => [spot.x, spot.y]);

// Draws the curve up to a frame and returns where its axes lie.
function drawCurve(chart, view, index, tall, narrow) {
  const { recorded, curve, where, choices } = view;
  const { own, words } = curve;
  const height = tall + (curve.x_title ? 58 : 42);
  const atEnd = recorded ? [[`at the end ${words.at(-1)}`]] : [];
  const longest = own ? [] : [[where.toSorted((one, other) => other.length - one.length)[0], 600]];
  const inside = { left: choices.length && !narrow ? 148 : 46, top: 18, bottom: 18 + tall };
  const area = { ...chart.layout(height, [...curve.lines.map(([name]) => [name]), ...atEnd, ...longest], 16), ...inside };
  const x = linear(...curve.span, area.left, area.right);
  const y = linear(curve.bottom, curve.top, area.bottom, area.top);
  const spots = curve.x.map((one, place) => ({ x: x(one), y: known(curve.y[place]) ? y(curve.y[place]) : null }));
  const plot = { chart, view, index, area, x, y, spots, here: spots[index] };
  drawLines(plot, atEnd);
  drawAxes(plot);
  if (!own) chart.line("now", [[plot.here.x, area.top - 4], [plot.here.x, height + 12]], { width: 1.25, layer: "grid" });
  nameMarks(plot);
  chart.sweep();
  set(chart.node, { role: "img", "aria-label": `${curve.title}. ${view.words[index]}` });
  return area;
}

function drawLines({ chart, view: { curve, recorded }, index, area, x, y, spots, here }, atEnd) {
  const { token, mark } = curve;
  const end = atEnd.map(([words]) => ({ name: "last", y: spots.at(-1).y, words, token: "ink2" }));
  const ends = index < spots.length - 1 ? end.filter((label) => known(label.y)) : [];
  curve.lines.forEach(([name, line], place) => {
    const points = known(line) ? [[area.left, y(line)], [area.right, y(line)]] : path(curvePoints(curve.x.map(x), y, line));
    chart.line(`dotted ${place}`, points, { token: "edge", width: 1, dash: "2 3", layer: "grid" });
    if (points.length) ends.push({ name: `dotted ${place}`, y: points.at(-1)[1], words: name, token: "ink2" });
  });
  chart.ends(area, ends, area.room);
  const points = curvePoints(curve.x.map(x), y, curve.y, curve.low, curve.high);
  if (!recorded) chart.series("curve", { token, mark }, points);
  else {
    chart.band("curve", points, token);
    chart.line("to come", path(spots), { token: "ghost", width: 1.25 });
    chart.line("until now", path(spots.slice(0, index + 1)), { token, width: 2.25 });
  }
  if (known(here.y)) chart.mark("now", mark, here.x, here.y, token, { size: 6, layer: "front" });
}

// On an axis of its own, the curve's two values at the present mark stand in bold among the ticks.
function drawAxes({ chart, view, index, area, x, y, here }) {
  const { bottom, top, unit, own, words: values, x_title: title } = view.curve;
  const beside = unitTicks(roundTicks(bottom, top, Math.min(4, Math.floor((area.bottom - area.top) / 35))), unit, y);
  const level = own && known(here.y);
  chart.axes("curve", area, {
    x: apart(xTicks(view, index, x, Math.floor((area.right - area.left) / 80)), 8, (label) => chart.width(label, 11, 600)),
    y: beside.filter((tick) => !level || Math.abs(tick.at - here.y) > 12),
  });
  if (level) {
    chart.line("level", [[area.left, here.y], [here.x, here.y], [here.x, area.bottom]], { width: 1.25, layer: "grid" });
    const look = { kind: "bold", token: "ink", anchor: "end" };
    chart.words("level", area.left - 8, here.y + 4, values[index].replace(` ${unit}`, ""), look);
  }
  if (bottom > 0) chart.broken(area);
  chart.words("x title", area.left, area.bottom + 36, title);
}

// Ticks with as many decimals as they need; the unit stands at the last.
function unitTicks(ticks, unit, scale) {
  const words = ticks.map((tick) => fixed(tick, decimals(ticks)));
  if (unit) words.push(`${words.pop()}${SPACE}${unit}`);
  return ticks.map((tick, place) => ({ at: scale(tick), words: words[place] }));
}

// ---- Over choices that are no numbers: a row for each, so that every name has room, and nothing between two of them

const ROW = 24; // px that a row is high
const rowsTop = ({ lines }) => 6 + 15 * lines.length; // the names of dotted lines stand above

export const rowAt = (y, curve, last) => clamp(Math.floor((y - rowsTop(curve)) / ROW), 0, last);

function drawRows(chart, view, index) {
  const { values, curve } = view;
  const { token, mark, low, high, words } = curve;
  const top = rowsTop(curve);
  const bottom = top + ROW * values.length;
  const { right, room } = chart.layout(bottom + 24, words.map((one) => [one, 600]));
  const widest = Math.max(...values.map((name) => chart.width(name, 12, 600)));
  const area = { left: clamp(widest + 16, 46, 0.45 * right), right, top, bottom };
  const x = linear(curve.bottom, curve.top, area.left, area.right);
  const ticks = unitTicks(roundTicks(curve.bottom, curve.top, clamp(Math.floor((right - area.left) / 60), 1, 4)), curve.unit, x);
  chart.axes("curve", area, { x: ticks });
  ticks.forEach(({ at, words: name }) => chart.line(`grid ${name}`, [[at, top], [at, bottom]], { token: "rule", width: 1, layer: "grid" }));
  chart.put("ground", "row", "rect", { x: 0, y: top + ROW * index, width: right + room, height: ROW, fill: color("panel") });
  const dotted = { token: "edge", width: 1, dash: "2 3", layer: "grid" };
  curve.lines.forEach(([name, line], place) => {
    const ends = values.map((_, row) => known(line) || known(line[row]) ? x(known(line) ? line : line[row]) : null);
    ends.forEach((at, row) => known(at) && chart.line(`dotted ${place} ${row}`, [[at, row ? top + ROW * row : 15 * place + 14], [at, top + ROW * (row + 1)]], dotted));
    const half = chart.width(name) / 2;
    if (known(ends[0])) chart.words(`dotted ${place}`, clamp(ends[0], half, right + room - half), 15 * place + 11, name, { anchor: "middle" });
  });
  values.forEach((name, row) => {
    const [y, present] = [top + ROW * (row + 0.5), row === index];
    const look = { kind: present ? "chosen" : "name", token: present ? "ink" : "ink2" };
    chart.words(`name ${row}`, area.left - 12, y + 4, name, { ...look, anchor: "end", room: area.left - 12 });
    chart.words(`value ${row}`, right + 10, y + 4, words[row], { ...look, room: room - 4 });
    if (!known(curve.y[row])) return;
    if (known(low?.[row]) && known(high?.[row])) chart.line(`interval ${row}`, [[x(low[row]), y], [x(high[row]), y]], { token, layer: "mark" });
    chart.mark(`mark ${row}`, mark, x(curve.y[row]), y, token, { size: present ? 6 : 4, layer: "front" });
    if (!present || curve.name === curve.title) return;
    const [from, to] = [low, high].map((end) => x(end?.[row] ?? curve.y[row]));
    const after = to + 12 + chart.width(curve.name, 12, 600) < right;
    const side = after ? [to + 10, { anchor: "start" }] : [from - 10, { anchor: "end" }];
    chart.words("now", side[0], y + 4, curve.name, { ...side[1], kind: "chosen", token: token === "ghost" ? "ink2" : token });
  });
  chart.sweep();
  set(chart.node, { role: "img", "aria-label": `${curve.title}. ${view.words[index]}` });
}

// The present tick is bold and first; those beside it make room. The last of a run carries the unit.
export function xTicks({ name, at, values, few, recorded, curve: { own, span, x: xs } }, index, x, most) {
  const plain = (number) => ({ at: x(number), words: number.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", MINUS) });
  const last = values.length - 1;
  const each = at.map((value, place) => ({ at: x(value), words: values[place] }));
  const every = own || !few ? roundTicks(...span, Math.max(1, most)).map(plain) : each;
  const end = recorded ? { ...each[last], words: `${name} ${values[last]}` } : each[last];
  const present = own ? plain(xs[index]) : index === last ? end : each[index];
  return [{ ...present, bold: true }, ...(own ? [] : [end]), ...every];
}

// The present mark says what it is, where the line is not; of the others those do that have room.
function nameMarks({ chart, view: { name, values, curve }, index, area, spots, here: { x, y } }) {
  const { own, token, words } = curve;
  const side = x < (area.left + area.right) / 2 ? 1 : -1;
  const beside = spots.filter((spot) => known(spot.y) && side * (spot.x - x) > 0);
  const next = beside.toSorted((one, other) => side * (one.x - other.x))[0];
  const below = next?.y < y && y + 24 < area.bottom; // the line goes up from here
  const [label, tail] = own ? [`${name} ${values[index]}`, ""] : [curve.name, ` ${words[index]}`];
  const dark = own ? "ink" : token === "ghost" ? "ink2" : token;
  const height = clamp((y ?? area.bottom) + (below ? 24 : -12), area.top - 6, area.bottom - 6);
  chart.words("now", x + 10 * side, height, label, { kind: "chosen", token: dark, anchor: side > 0 ? "start" : "end", tail });
  if (!own) return;
  const present = { at: x + side * (10 + chart.width(label, 12, 600) / 2), words: label };
  const others = [0, spots.length - 1, ...spots.keys()].filter((one) => one !== index && known(spots[one].y));
  const named = others.map((one) => ({ at: spots[one].x, words: values[one], y: spots[one].y }));
  const shown = apart([present, ...named], 40, (text) => chart.width(text, 11, 600)).slice(1);
  for (const one of shown) chart.words(`mark ${one.words}`, one.at + 4, one.y - 9, one.words);
}
