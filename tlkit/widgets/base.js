// What the widgets share: elements, numbers in words, the parts of a chart, controls and the frame.
// Names and words come from the learner's own code: they enter the page as text, never as markup.

const element = (space) => (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(space, tag);
  set(node, attributes);
  node.append(...children);
  return node;
};
const html = element("http://www.w3.org/1999/xhtml");
const svg = element("http://www.w3.org/2000/svg");

// Writes only what differs, so that a redraw leaves most of the page alone; null takes the attribute away.
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
}

function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// ---- Numbers and words

const MINUS = "\u2212";
const SPACE = "\u00a0"; // keeps a number and its unit on one line
const COUNTS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const color = (token) => `var(--tl-${token})`;
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const count = (number) => COUNTS[number] ?? String(number);
const many = (number) => number.toLocaleString("en");
const fixed = (value, digits = 1) => value.toFixed(digits).replace(/^-(0\.?0*$)?/, (_, zero) => zero ?? MINUS);
const signed = (value, digits = 1) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + fixed(value, digits);
const shortPercent = (value) => `${Number(value.toFixed(1))}${SPACE}%`;
const twoFigures = (value) => Number(value.toPrecision(2));
const rateWords = (rate) => (rate < 0.99e-4 ? twoFigures(rate).toExponential() : String(twoFigures(rate)));
// "labels per class" for several, "label per class" for one
function amount(budget, unit = "labels per class") {
  return budget === "all" ? "all labels" : `${budget} ${budget === 1 ? unit.replace(/(?<=s)es\b|s\b/, "") : unit}`;
}
const article = (name) => `${/^(8|11$|18$|[aeio]|u\w|[fhlmnrsx]$)/i.test(name) ? "an" : "a"} ${name}`;

// Bytes come as a view from a kernel, as a buffer from a saved page.
const dataView = (data) => (data.buffer ? new DataView(data.buffer, data.byteOffset, data.byteLength) : new DataView(data));

// Float32 numbers sent as bytes, in groups of `size`; a group with a NaN in it is no point of a line.
function floats(model, name, size) {
  const data = model.get(name);
  if (!data?.byteLength) return [];
  const bytes = dataView(data);
  const groups = [];
  for (let at = 0; at + 4 * size <= bytes.byteLength; at += 4 * size) {
    groups.push(Array.from({ length: size }, (_, place) => bytes.getFloat32(at + 4 * place, true)));
  }
  return groups.filter((group) => group.every(Number.isFinite));
}

// Runs `work` soon, many calls as one, and never twice within `pause` milliseconds.
function paced(work, pause, signal) {
  let timer = 0;
  let last = -Infinity;
  const now = () => {
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    if (!signal.aborted) work();
  };
  const later = () => (timer ||= setTimeout(now, Math.max(0, last + pause - performance.now())));
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { now, later };
}

// ---- Scales

function linear(from, to, low, high) {
  const scale = (value) => (from === to ? (low + high) / 2 : low + ((value - from) / (to - from)) * (high - low));
  scale.invert = (place) => from + ((place - low) / (high - low)) * (to - from);
  return scale;
}

// Budgets stand on a logarithmic axis, what is no positive number (0, "all", layers) at equal distances; a little
// inside its ends, so that no mark touches the frame.
function budgetScale(budgets, area) {
  const logarithmic = budgets.every((budget) => budget > 0);
  const place = (budget) => (logarithmic ? Math.log(budget) : budgets.indexOf(budget));
  const inner = linear(place(budgets[0]), place(budgets.at(-1)), area.left + 12, area.right - 5);
  return (budget) => inner(place(budget));
}

// Round numbers from low to high, with at most `most` steps between them.
function roundTicks(low, high, most) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => (high - low) / size <= most + 1e-9);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, place) => (first + place) * step);
}

// Accuracy always runs from 0 to 100 %; the unit stands once, at the last tick.
function percentTicks(area, scale) {
  const step = area.bottom - area.top >= 140 ? 25 : 50;
  return Array.from({ length: 100 / step + 1 }, (_, place) => place * step).map((value) => ({
    at: scale(value), words: value === 100 ? `100${SPACE}%` : String(value),
  }));
}

// Accuracies have one decimal; other values three figures at the far end of their axis.
const far = ({ bottom = 0, top }) => Math.max(top, -bottom);
function digitsOf(axis) {
  return axis.unit === "%" ? 1 : clamp(2 - Math.floor(Math.log10(far(axis))), 0, 5);
}

function valueTicks(area, scale, axis) {
  if (axis.unit === "%") return percentTicks(area, scale);
  const values = roundTicks(axis.bottom ?? 0, axis.top, (area.bottom - area.top) / 34);
  const digits = Math.max(far(axis) < 10 ? 1 : 0, ...values.map((value) => (String(twoFigures(value)).split(".")[1] ?? "").length));
  const words = (value) => (digits ? fixed(value, digits) : many(value).replace("-", MINUS));
  return values.map((value) => ({ at: scale(value), words: words(value) }));
}

// Moves sorted places apart to `gap`: places that would overlap become one group around their mean.
function spread(places, gap, top, bottom) {
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
function curvePoints(xs, y, means, lows, highs) {
  const edge = (values, index) => (known(values?.[index]) ? y(values[index]) : null);
  const all = xs.map((x, index) => ({ x, y: edge(means, index), low: edge(lows, index), high: edge(highs, index) }));
  return all.filter((point) => point.y !== null);
}

// ---- Marks and icons

const MARKS = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  triangle: (r) => `M0,${-1.15 * r}L${1.15 * r},${0.85 * r}H${-1.15 * r}z`,
  square: (r) => `M${-0.9 * r},${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
  diamond: (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
};
const GLYPHS = { circle: "\u25cf\u25cb", triangle: "\u25b2\u25b3", square: "\u25a0\u25a1", diamond: "\u25c6\u25c7" };

const ICONS = { // on a field of 16; "outline" ones are drawn, the others filled
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9.5 3h3v10h-3z",
  step: "M2.5 2.5v11L10 8zM11 2.5h2.5v11H11z",
  stop: "M3 3h10v10H3z",
  dot: MARKS.circle(5.5).replace("M-5.5,0", "M2.5,8"),
  dots: [3, 8, 13].map((x) => MARKS.circle(1.5).replace("M-1.5,0", `M${x - 1.5},8`)).join(""),
  circle: "outline M3 8a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  check: "outline M3 8.5l3.5 3.5L13 4.5",
  undo: "outline M6.5 2.5L3 6l3.5 3.5M3.5 6H10a3.5 3.5 0 0 1 0 7H6.5",
  again: "outline M8 1L4.8 3.8L8 6.6M5.2 3.8H8A4.8 4.8 0 1 1 3.4 7.6",
  clear: "M6 1.5h4V3h4v1.5H2V3h4zM3.5 5.7h9L11.7 14.5H4.3z",
  plus: "outline M8 2.5v11M2.5 8h11",
  minus: "outline M2.5 8h11",
  save: "outline M8 1.5V10M4.5 6.5L8 10l3.5-3.5M2.5 13.5h11",
  open: "outline M8 11V2.5M4.5 6L8 2.5L11.5 6M2.5 13.5h11",
  cross: "outline M3.5 3.5l9 9M12.5 3.5l-9 9",
  lock: "M3 7h10v7.5H3zM4.7 7V4.8a3.3 3.3 0 0 1 6.6 0V7H9.7V4.8a1.7 1.7 0 0 0-3.4 0V7z",
  unlock: "M3 7h10v7.5H3zM4.7 7V4.3a3.3 3.3 0 0 1 6.6 0v1H9.7v-1a1.7 1.7 0 0 0-3.4 0V7z",
  warning: "M8 1.5L15.5 14.5H0.5zM7.2 6v4.5h1.6V6zM7.2 11.6v1.6h1.6v-1.6z",
};

function icon(name) {
  const [outline, path] = ICONS[name].startsWith("outline ") ? [true, ICONS[name].slice(8)] : [false, ICONS[name]];
  const shape = svg("path", { d: path, "fill-rule": "evenodd" });
  return svg("svg", { class: outline ? "tl-icon tl-outline" : "tl-icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, shape);
}

const STATES = { // every state is a word with a glyph
  "not running": "circle", loading: "dots", training: "dot", paused: "pause", stopped: "stop", finished: "check",
  measured: "check", "up to date": "check", "out of date": "again", error: "warning", "waiting for you": "circle",
  "recorded run": "play",
};

// ---- The chart: an SVG whose elements have names, so that drawing again updates them in place

const LAYERS = ["ground", "grid", "band", "line", "mark", "front", "words"];

class Chart {
  constructor(root) {
    this.root = root;
    this.layers = Object.fromEntries(LAYERS.map((name) => [name, svg("g")]));
    this.node = svg("svg", { class: "tl-chart" }, ...Object.values(this.layers));
    this.nodes = new Map();
    this.used = new Set();
    this.pen = document.createElement("canvas").getContext("2d");
  }

  size(width, height) {
    set(this.node, { width, height, viewBox: `0 0 ${width} ${height}` });
    this.family = getComputedStyle(this.root).fontFamily;
  }

  put(layer, name, tag, attributes, words) {
    const key = `${layer}/${tag}/${name}`;
    let node = this.nodes.get(key);
    if (!node) {
      node = svg(tag);
      this.layers[layer].append(node);
      this.nodes.set(key, node);
    }
    set(node, attributes);
    if (words !== undefined) say(node, words);
    this.used.add(key);
    return node;
  }

  // Takes away what the present drawing did not use.
  sweep() {
    for (const [key, node] of this.nodes) {
      if (this.used.has(key)) continue;
      node.remove();
      this.nodes.delete(key);
    }
    this.used.clear();
  }

  width(words, size = 11, weight = 400) {
    this.pen.font = `${weight} ${size}px ${this.family}`;
    return this.pen.measureText(words).width;
  }

  // A name too long for its room is cut; the value behind it, `tail`, never is.
  words(name, x, y, words, { kind = "tick", anchor = "start", token = "ink2", room = Infinity, tail = "" } = {}) {
    const [size, weight] = { tick: [11, 400], bold: [11, 600], name: [12, 400], chosen: [12, 600] }[kind];
    let text = words + tail;
    for (let end = words.length - 1; end > 3 && this.width(text, size, weight) > room; end--) {
      text = `${words.slice(0, end).trimEnd()}\u2026${tail}`;
    }
    const place = { class: `tl-text-${kind}`, x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor, fill: color(token) };
    return this.put("words", name, "text", place, text);
  }

  line(name, points, { token = "ink", width = 2, dash = null, layer = "line", opacity = null, style = null } = {}) {
    const d = points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
    const look = { d, fill: "none", stroke: color(token), "stroke-width": width, "stroke-linejoin": "round" };
    return this.put(layer, name, "path", { ...look, "stroke-dasharray": dash, opacity, class: style });
  }

  // A curve over budgets: band, line, marks. points: [{x, y, low, high}], where what was not measured is missing.
  series(name, { token, mark, open }, points, { chosen = false, width = open ? 1.25 : 2 } = {}) {
    const banded = points.filter((point) => known(point.low) && known(point.high));
    const [line, marks] = chosen ? ["front", "front"] : ["line", "mark"];
    if (banded.length > 1) this.band(name, banded.map(({ x, low }) => [x, low]), banded.map(({ x, high }) => [x, high]), token);
    this.line(`${name} line`, points.map(({ x, y }) => [x, y]), { token, width, layer: line });
    points.forEach(({ x, y }, place) => this.mark(`${name} at ${place}`, mark, x, y, token, { open, layer: marks }));
  }

  // The interval around a curve: its colour at 14 %, no outline.
  band(name, low, high, token) {
    const edge = [...low, ...high.toReversed()].map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
    this.put("band", name, "path", { d: `M${edge}z`, fill: color(token), opacity: 0.14 });
  }

  // A mark with a ring in the ground colour; an open one tells the second recipe of a family.
  mark(name, shape, x, y, token, { open = false, size = 4, layer = "mark", ring = 1.25 } = {}) {
    const look = open ? { fill: color("ground"), stroke: color(token), "stroke-width": 1.75 }
      : { fill: color(token), stroke: color("ground"), "stroke-width": 2 * ring, "paint-order": "stroke" };
    const place = { d: MARKS[shape](open ? size - 0.5 : size), transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` };
    this.put(layer, name, "path", { ...place, ...look });
  }

  // A mean with its interval: filled where the interval excludes zero, open where it does not.
  interval(name, [x1, y1], [x2, y2], [x, y], { filled, chosen = false }) {
    this.line(`${name} bar`, [[x1, y1], [x2, y2]], { width: chosen ? 3 : 2, layer: "mark" });
    this.mark(`${name} dot`, "circle", x, y, "ink", { open: !filled, size: chosen ? 5.5 : 4.5, layer: "front", ring: 0 });
  }

  // Horizontal grid, tick words, an axis with ticks. x: [{at, words, bold}], y: [{at, words}].
  axes(name, area, { x = [], y = [], unit = "", base = "edge" }) {
    for (const { at, words } of y) {
      const place = { x1: area.left, x2: area.right, y1: at, y2: at, stroke: color("rule") };
      if (Math.abs(at - area.bottom) > 1) this.put("grid", `${name} grid ${words}`, "line", place);
      this.words(`${name} y ${words}`, area.left - 8, at + 4, words, { anchor: "end" });
    }
    const axis = { x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom, stroke: color(base) };
    if (x.length) this.put("grid", `${name} axis`, "line", axis);
    for (const { at, words, bold } of x) {
      this.put("grid", `${name} tick ${words}`, "line", { x1: at, x2: at, y1: area.bottom, y2: area.bottom + 4, stroke: color("edge") });
      const look = bold ? { kind: "bold", token: "ink" } : {};
      this.words(`${name} x ${words}`, at, area.bottom + 17, words, { anchor: "middle", ...look });
    }
    const end = x.length ? x.at(-1).at + this.width(x.at(-1).words) / 2 + 8 : 0; // a long last word pushes the unit away
    if (unit) this.words(`${name} unit`, Math.max(area.right + 10, end), area.bottom + 17, unit);
  }

  chance(area, y, value, inside) {
    const look = { x1: area.left, x2: area.right, y1: y, y2: y, stroke: color("edge"), "stroke-dasharray": "2 3" };
    this.put("grid", "chance", "line", look);
    if (inside) this.words("chance", area.right - 6, y - 5, `chance ${shortPercent(value)}`, { anchor: "end" });
  }

  // Names at the ends of lines, apart by 16, with a leader where one had to move.
  // labels: [{name, y, words, tail, token, kind, mark, open}]
  ends(area, labels, room, gap = 7) {
    const sorted = labels.toSorted((one, other) => one.y - other.y);
    const places = spread(sorted.map((label) => label.y), 16, area.top - 4, area.bottom);
    const moved = (place) => Math.abs(places[place] - sorted[place].y) > 4;
    const lead = area.right + (sorted.some((_, place) => moved(place)) ? Math.max(gap, 13) : gap);
    sorted.forEach(({ name, y, words, tail, token, kind = "tick", mark, open }, place) => {
      const at = places[place];
      if (moved(place)) this.line(`leader ${name}`, [[area.right + 3, y], [lead - 3, at]], { token: token === "ink2" ? "edge" : token, width: 1 });
      if (mark) this.mark(`end ${name}`, mark, lead + 7, at, token, { open });
      const from = lead + (mark ? 16 : 0);
      this.words(`end ${name}`, from, at + 4, words, { kind, token, tail, room: area.right + room - from });
    });
  }

  // The margin that the longest name at a line's end needs, within a share of the width.
  margin(labels, width, marked = 0) {
    const widest = Math.max(0, ...labels.map(([words, weight = 400]) => this.width(words, weight > 400 ? 12 : 11, weight)));
    return clamp(widest + 14 + marked, 30, 0.36 * width);
  }
}

// The fill for what is frozen, or wrong.
function makeHatch(frame, token = "edge") {
  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const lines = svg("path", { d: "M0,0V5", stroke: color(token), "stroke-width": 2 });
  const place = { id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const ground = svg("rect", { width: 5, height: 5, fill: color("ground") });
  frame.root.append(svg("svg", { class: "tl-hidden", "aria-hidden": "true" }, svg("pattern", place, ground, lines)));
  return `url(#${id})`;
}

// ---- Controls

// Not the `disabled` attribute: a button that is off keeps its place in the tab order and its focus.
const turnOff = (node, off) => set(node, { "aria-disabled": off ? "true" : null });

function button({ action, face, words, key, main, off }, press) {
  const node = html("button", { type: "button", class: main ? "tl-button tl-main" : "tl-button", "data-do": action }, face ? icon(face) : "", words);
  if (key) node.append(html("kbd", { "aria-hidden": "true" }, key));
  turnOff(node, off);
  node.addEventListener("click", () => node.getAttribute("aria-disabled") || press(action));
  return node;
}

// Draws a row of buttons anew if they changed; the focus goes to the same button, else the main one, else the frame.
function fillRow(frame, row, buttons, press) {
  const made = JSON.stringify(buttons);
  if (row.made === made) return;
  row.made = made;
  const focused = frame.focused();
  const held = row.contains(focused) ? focused : null;
  row.replaceChildren(...buttons.map((one) => button(one, press)));
  if (!held) return;
  const wasMain = held.classList.contains("tl-main");
  const same = row.querySelector(`[data-do="${held.dataset.do}"]:not([aria-disabled])`);
  (((!wasMain && same) || row.querySelector(".tl-main")) ?? frame.root).focus({ preventScroll: true });
}

// A group of buttons is one tab stop: arrows, Home and End move within it, and reached(place) is told.
function roving(frame, group, buttons, reached = () => {}) {
  const hold = (stop) => buttons.forEach((one, place) => set(one, { tabindex: place === stop ? 0 : -1 }));
  hold(0);
  frame.listen(group, "focusin", ({ target }) => buttons.includes(target) && hold(buttons.indexOf(target)));
  frame.listen(group, "keydown", (event) => {
    const place = buttons.indexOf(event.target);
    if (place < 0) return;
    const next = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    buttons.at(next % buttons.length).focus();
    reached((next + buttons.length) % buttons.length);
    event.preventDefault();
    event.stopPropagation();
  });
  return hold;
}

// One of a few: joined buttons. options: words; choose(option) follows a click or an arrow key, and
// show(option, notes) marks the chosen one and writes a note, such as a count, behind each.
function segments(frame, { name, options, choose }) {
  const notes = options.map(() => html("small"));
  const buttons = options.map((words, place) => html("button", { type: "button", class: "tl-button", role: "radio" }, words, notes[place]));
  const node = html("div", { class: "tl-segments", role: "radiogroup", "aria-label": name }, ...buttons);
  const take = (place) => choose(options[place]);
  const hold = roving(frame, node, buttons, take);
  buttons.forEach((one, place) => frame.listen(one, "click", () => take(place)));
  const show = (chosen, said = []) => {
    buttons.forEach((one, place) => set(one, { "aria-checked": options[place] === chosen }));
    notes.forEach((note, place) => say(note, String(said[place] ?? "")));
    hold(options.indexOf(chosen));
  };
  return { node, show };
}

// start(event) may answer false; end() follows a release, cancel() Esc or a lost pointer.
function draggable(frame, node, { start, move, end, cancel }) {
  let pointer = null;
  const finish = (then) => () => {
    if (pointer === null) return;
    pointer = null;
    frame.cancel = null;
    then();
  };
  frame.listen(node, "pointerdown", (event) => {
    if (event.button !== 0 || start(event) === false) return;
    event.preventDefault();
    pointer = event.pointerId;
    node.setPointerCapture(pointer);
    frame.cancel = finish(cancel);
  });
  frame.listen(node, "pointermove", (event) => event.pointerId === pointer && move(event));
  frame.listen(node, "pointerup", finish(end));
  frame.listen(node, "pointercancel", finish(cancel));
}

// place(value) is 0 to 1 along the line, value(place) its inverse; next(value, direction, fine) the key's step.
// input(value) follows every move, change(value) comes once it rests: at release, or shortly after the last key.
function slider(frame, { name, low, high, place, value, next, words, ticks, input, change }) {
  const knob = html("div", { class: "tl-knob", role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": low, "aria-valuemax": high });
  const marks = ticks.map((tick) => html("i", { style: `left:${100 * place(tick)}%` }));
  const line = html("div", { class: "tl-line" }, html("b"), ...marks, knob);
  const node = html("div", { class: "tl-slider" }, html("span", { class: "tl-slider-name" }, name), line);
  let present = low;
  let before = low;
  let rest = 0;
  const show = (to) => {
    present = to;
    knob.style.left = `${100 * place(to)}%`;
    set(knob, { "aria-valuenow": to, "aria-valuetext": words(to) });
  };
  const take = (to) => {
    show(clamp(to, low, high));
    input(present);
  };
  const settle = () => {
    clearTimeout(rest);
    if (rest) change(present);
    rest = 0;
  };
  const follow = (event) => {
    const box = line.getBoundingClientRect();
    take(value(clamp((event.clientX - box.left) / box.width, 0, 1)));
  };
  draggable(frame, line, {
    start: (event) => {
      before = present;
      knob.focus({ preventScroll: true });
      follow(event);
    },
    move: follow,
    end: () => change(present),
    cancel: () => take(before),
  });
  frame.listen(knob, "keydown", (event) => {
    const ends = { Home: low, End: high }[event.key];
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (event.key === "Enter" && rest) settle();
    else if (ends === undefined && !direction) return;
    else {
      take(ends ?? next(present, direction, event.shiftKey));
      clearTimeout(rest);
      rest = setTimeout(settle, 250);
    }
    event.preventDefault();
    event.stopPropagation();
  });
  frame.listen(knob, "blur", settle);
  frame.signal.addEventListener("abort", () => clearTimeout(rest));
  // While the learner moves it, the kernel's older value does not pull it back.
  return { node, show: (to) => frame.cancel || rest || show(to) };
}

// A slider through frames that stand at growing numbers, `at`; a tick is at the frame nearest to each of `ticks`.
function frameSlider(frame, { name, at, ticks = at, words, seek }) {
  const along = linear(at[0], at.at(-1), 0, 1);
  const far = (index, place) => Math.abs(along(at[index]) - place);
  const nearest = (place) => [...at.keys()].reduce((best, index) => (far(index, place) < far(best, place) ? index : best));
  return slider(frame, {
    name, low: 0, high: at.length - 1, ticks: ticks.map((tick) => nearest(along(tick))), words,
    place: (index) => along(at[index]), value: nearest, next: (index, direction) => index + direction,
    input: seek, change: () => {},
  });
}

// Plays through frames, two a second, up to the last, and begins again from there. Who asks for less motion gets a step.
// seek(index) and step() go there by hand, so they end the playing.
function player(frame, { last, present, go }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const row = html("div", { class: "tl-row" });
  let timer = 0;
  const show = () => {
    const [action, words] = still.matches ? ["step", "Next frame"] : timer ? ["pause", "Pause"] : ["play", "Play"];
    fillRow(frame, row, [{ action, face: action, words, key: "space", main: true }], press);
  };
  const rest = () => {
    clearInterval(timer);
    timer = 0;
    show();
  };
  const press = () => {
    if (timer) return rest();
    go(present() < last ? present() + 1 : 0);
    if (!still.matches) timer = setInterval(() => (present() < last ? go(present() + 1) : rest()), 500);
    show();
  };
  frame.listen(still, "change", rest);
  frame.signal.addEventListener("abort", () => clearInterval(timer));
  show();
  const seek = (index) => {
    rest();
    go(index);
  };
  return { node: row, press, seek, step: () => seek(Math.min(present() + 1, last)) };
}

// Play and a slider through the steps of a run, of which present() is shown: {nodes, press, step, show}.
function scrubber(frame, steps, { present, go }) {
  const last = steps.length - 1;
  const { node, press, seek, step } = player(frame, { last, present, go });
  const words = (index) => `step ${many(steps[index])} of ${many(steps[last])}`;
  const knob = frameSlider(frame, { name: "Step", at: steps, words, seek });
  knob.node.classList.add("tl-scrubber");
  const value = html("span", { class: "tl-value" });
  const show = () => {
    knob.show(present());
    say(value, words(present()));
  };
  return { nodes: [node, knob.node, value], press, step, show };
}

// ---- The frame: title line with the state, body, controls, status line

const NARROW = 560; // px of the frame's own box, never of the window

function makeFrame(model, el, name, draw) {
  const end = new AbortController();
  const { signal } = end;
  const title = html("div", { class: "tl-title" });
  const word = html("div", { class: "tl-word" });
  const subtitle = html("div", { class: "tl-subtitle" });
  const body = html("div", { class: "tl-body" });
  const controls = html("div", { class: "tl-controls" });
  const status = html("div", { class: "tl-status", role: "status", "aria-live": "polite" });
  const root = html("div", {
    class: "tl", "data-widget": name, "data-lm-suppress-shortcuts": "true", tabindex: 0, role: "group",
  }, html("div", { class: "tl-head" }, title, word), subtitle, body, controls, status);
  el.append(root);

  const frame = { root, body, controls, signal, narrow: false, cancel: null };
  frame.listen = (node, event, handler) => node.addEventListener(event, handler, { signal });
  frame.watch = (names, handler) => {
    for (const trait of names.split(" ")) {
      model.on(`change:${trait}`, handler);
      signal.addEventListener("abort", () => model.off(`change:${trait}`, handler));
    }
  };
  frame.focused = () => root.getRootNode().activeElement;
  frame.head = (words, more) => {
    say(title, words);
    say(subtitle, more);
    set(root, { "aria-label": words });
  };
  frame.show = (state, words) => {
    set(root, { "data-state": state });
    if (word.textContent !== words || word.dataset.glyph !== state) {
      word.replaceChildren(icon(STATES[state] ?? "circle"), html("span", {}, words));
      word.dataset.glyph = state;
    }
  };
  // parts: [bold, plain] pairs; `hidden` is what only a screen reader needs, such as the state word.
  frame.status = (hidden, parts, between = " \u00b7 ") => {
    const words = [hidden, between, ...parts.flat()].join("\n");
    if (frame.said === words) return;
    frame.said = words;
    const items = parts.map(([bold, plain]) => html("span", { class: "tl-item" }, html("b", {}, bold), plain));
    const spaced = items.flatMap((item, place) => (place && between ? [html("span", { class: "tl-between" }, between), item] : [item]));
    status.replaceChildren(html("span", { class: "tl-hidden" }, hidden), ...spaced);
  };
  // actions: {" ": ..., ArrowRight: ..., s: ..., Enter: ..., undo: ...}
  frame.keys = (actions) => frame.listen(root, "keydown", (event) => {
    const { target, key } = event;
    const undo = (event.ctrlKey || event.metaKey) && key.toLowerCase() === "z";
    const typing = key.length === 1 && ["SELECT", "INPUT"].includes(target.tagName); // a letter there is a letter
    const held = event.repeat && /^\d$/.test(key); // a digit adds something: once a press
    if (!undo && (held || typing || event.ctrlKey || event.metaKey || event.altKey)) return;
    const allowed = {
      " ": target === root && !event.repeat,
      ArrowRight: target === root || target.tagName === "BUTTON",
      s: !event.repeat,
      Enter: !["BUTTON", "SELECT"].includes(target.tagName) && !event.repeat,
    };
    const action = undo ? "undo" : key.length === 1 ? key.toLowerCase() : key;
    if (action === "Escape") {
      if (frame.cancel) frame.cancel();
      else leave(root, target);
    } else if (actions[action] && allowed[action] !== false) actions[action]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // What is drawn while JupyterLab hides its page, for less than a frame, has no width, and the observer sees no change:
  // observed anew, it tells of any width.
  const drawAnywhere = () => {
    if (!root.getClientRects().length) { // asked before the drawing, after which it would cost another layout
      observer.unobserve(root);
      observer.observe(root);
    }
    draw();
  };
  frame.draw = paced(drawAnywhere, 100, signal); // at most ten times a second
  const observer = new ResizeObserver(([entry]) => {
    frame.narrow = entry.contentRect.width < NARROW;
    root.classList.toggle("tl-narrow", frame.narrow);
    frame.draw.now();
  });
  observer.observe(root);
  frame.close = () => {
    observer.disconnect();
    end.abort();
    root.remove();
  };
  return frame;
}

// Esc gives the focus back to the host, a notebook's cell, so that its own keys work again.
function leave(root, target) {
  target.blur();
  root.parentElement?.closest("[tabindex]")?.focus({ preventScroll: true });
}
