// FeatureMap: the images are the points; the selected one shows its neighbours, and a slider runs through training.

import { dataView, floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { classChips, tallied } from "./class_choice.js";
import { segments } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter, picture } from "./images.js";
import { ahead, bearer, closest, laidOut, stacked, WAYS } from "./map_layout.js";
import { color } from "./marks.js";
import { recordedRun } from "./player.js";
import { clamp, linear } from "./scales.js";
import { article, count, fixed, many, SPACE } from "./words.js";

const TINTS = ["s1", "s2", "s3", "s4"]; // four colours at most
const MODES = ["label", "prediction", "error"];
const KEYS = "Map: an arrow key selects the nearest image in its direction";
const NOTE = "Only closeness means something here: the two directions have no units, and far apart is not twice as different.";
const LONGEST = 200; // px of a name on the map
const NAMED = 10; // classes; of more than that, only those in colour are named

// ---- Colours and words

// The colours of classes after one was clicked; a fifth takes the colour of the one that was chosen first.
export function toggled(tints, number) {
  const next = new Map(tints);
  if (next.delete(number)) return next;
  if (next.size === TINTS.length) next.delete(next.keys().next().value);
  return next.set(number, TINTS.find((token) => ![...next.values()].includes(token)));
}

// The colour of an image; `shown` are the labels or the predictions, by which images are coloured.
export function tintOf({ labels, predicted, mode, shown, tints }, image) {
  if (!labels) return "ink";
  if (mode === "error") return predicted[image] === labels[image] ? "ghost" : "wrong";
  return tints.get(shown[image]) ?? "ghost";
}

const plural = (name) => (name.length > 1 && /(s|x|ch|sh)$/.test(name) ? `${name}es` : `${name}s`);

// "A <b>4</b> among two <b>8s</b> and one <b>9</b>: the features do not tell them apart." What is bold is an array.
export function neighbourWords({ classes, labels, predicted, selected, near, early }) {
  if (!labels) return [`Image ${selected + 1}.`];
  const own = labels[selected];
  const mixed = tallied(near.map((image) => labels[image]).filter((label) => label !== own));
  const company = (mixed.length ? mixed : [[own, near.length]]).flatMap(([number, times], place, all) => {
    const before = place === 0 ? "" : place < all.length - 1 ? ", " : " and ";
    return [`${before}${count(times)} `, [times === 1 ? classes[number] : plural(classes[number])]];
  });
  const finding = mixed.length ? `: the features do not ${early ? "yet " : ""}tell them apart.` : ": the features place it with its class.";
  const beside = mixed.length === 1 && mixed[0][1] === 1 ? " beside " : " among ";
  const error = predicted && predicted[selected] !== own ? [" The network says ", [classes[predicted[selected]]], "."] : [];
  return [article(classes[own]).startsWith("an ") ? "An " : "A ", [classes[own]], beside, ...company, finding, ...error];
}

export function errorWords({ labels, predicted }) {
  const errors = predicted.filter((number, image) => number !== labels[image]).length;
  return `${many(errors)} of ${many(labels.length)} images ${errors === 1 ? "is" : "are"} misclassified`;
}

// ---- The widget

export function render({ model, el }) {
  const view = model.get("view");
  const { classes, labels, k, words } = view;
  const frame = makeFrame(model, el, "feature-map", draw);
  const paint = imagePainter(frame, model.get("images"));
  const nearest = dataView(model.get("nearest"));
  const state = { mode: "label", tints: new Map(view.colours.map((number, place) => [number, TINTS[place]])) };
  const occurring = labels ? [...classes.keys()].filter((number) => labels.includes(number) || state.tints.has(number)) : [];
  const change = (more) => { Object.assign(state, more); frame.draw.now(); };

  // What is shown: the view, of which the predictions are those of the present step, and all that was chosen.
  const moment = () => {
    const [index, selected] = [model.get("frame"), model.get("selected")];
    const near = Array.from({ length: k }, (_, rank) => nearest.getInt16(2 * ((index * view.count + selected) * k + rank), true));
    const predicted = view.predicted?.[index];
    const shown = state.mode === "prediction" ? predicted : labels;
    return { ...view, ...state, index, selected, near, predicted, shown, occurring, early: index < words.length - 1 };
  };

  const modes = view.predicted && segments(frame, { name: "Colour by", options: MODES, choose: (mode) => change({ mode }) });
  const toggle = (number) => change({ tints: toggled(state.tints, number) });
  const chips = classChips(frame, classes, { numbers: occurring, style: "tl-tints", name: "Classes in colour", toggle });
  const [heading, neighbours, sentence] = [div("tl-caption"), div("tl-nearest"), html("p")];
  const trend = labels && words.length > 1 && new Chart(frame.root);
  const part = (caption, ...nodes) => div(null, div("tl-caption", caption), ...nodes);
  const side = div("tl-side", modes ? part("Colour by", modes.node) : "", labels ? div(null, heading, chips.node) : "",
    part(`Selected image and its ${k} nearest`, neighbours, sentence),
    labels ? part("Nearest neighbours that share the label", ...(trend ? [trend.node] : shareNodes(view))) : "");
  const live = html("div", { class: "tl-hidden", "aria-live": "polite" });
  const select = (image) => {
    frame.write({ selected: image });
    say(live, `image ${image + 1}: ${sentence.textContent}`);
  };
  const run = recordedRun(frame, model, view.steps);
  const map = imageMap(frame, floats(model, "places", 2), select, run);
  frame.body.classList.add("tl-mapped");
  frame.body.append(div("tl-figure", map.node), run.press ? frame.controls : "", side, live);

  function draw() {
    const now = moment();
    if (modes) modes.show(now.mode);
    chips.show((number) => ({ "aria-pressed": now.tints.has(number), style: `--tl-tint: ${color(now.tints.get(number) ?? "ink2")}` }));
    say(heading, now.mode === "error" ? errorWords(now) : "Classes in colour, four at most");
    chips.node.style.visibility = now.mode === "error" ? "hidden" : ""; // its room stays
    map.show(now, paint);
    neighbours.replaceChildren(...neighbourNodes(now, paint));
    sentence.replaceChildren(...neighbourWords(now).map((one) => (Array.isArray(one) ? html("b", {}, ...one) : one)));
    if (trend) drawTrend(trend, view, now.index);
    run.show();
  }

  frame.head(view.title, view.subtitle);
  frame.status("", [["", NOTE]]);
  return frame.start("frame selected", run.keys);
}

// ---- The map

// A click selects the nearest image, an arrow the nearest one in its direction; Space plays the run.
function imageMap(frame, places, select, run) {
  const canvas = html("canvas", { "aria-hidden": "true" });
  const chart = new Chart(frame.root);
  const node = html("div", { class: "tl-map", role: "application", tabindex: 0, "aria-label": KEYS }, canvas, chart.node);
  let [shown, placedFor] = [{}, ""];
  const nearest = (far) => {
    const image = closest([...shown.points.keys()], (one) => far(shown.points[one]));
    if (image !== undefined) select(image);
  };
  frame.listen(node, "click", ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    nearest(([x, y]) => Math.hypot(x - clientX + box.left, y - clientY + box.top));
  });
  frame.onKey(node, ({ key }) => {
    if (WAYS[key]) return nearest((point) => ahead(WAYS[key], shown.points[shown.selected], point));
    return key === " " && run.press ? run.press() : false;
  });
  const show = (now, paint) => {
    const width = Math.max(node.parentNode.clientWidth - 2, 200);
    const size = [width, Math.round(width * (frame.narrow ? 0.9 : 0.73))];
    const room = clamp(0.8 * Math.sqrt((size[0] * size[1]) / now.count), 16, 36);
    const key = [now.index, ...size].join();
    const own = places.slice(now.index * now.count, (now.index + 1) * now.count);
    shown = { ...now, size, room, points: key === placedFor ? shown.points : laidOut(own, size, room) };
    placedFor = key;
    chart.size(...size);
    set(chart.node, { role: "img", "aria-label": now.words[now.index] });
    drawImages(chart, paint(canvas, ...size, now), shown);
    drawNeighbours(chart, shown);
    drawNames(chart, shown);
    chart.sweep();
  };
  return { node, show };
}

function drawImages(chart, put, now) {
  const { points, room } = now;
  const over = (image) => (image === now.selected ? 3 : now.near.includes(image) ? 2 : tintOf(now, image) === "ghost" ? 0 : 1);
  for (const image of [...points.keys()].sort((one, other) => over(one) - over(other))) {
    const [left, top] = points[image].map((at) => at - room / 2);
    const tint = tintOf(now, image);
    put(image, left, top, room, tint);
    if (now.shape[0] > 1 && tint !== "ghost") put.frame(left, top, room, tint); // photographs keep their colours
    if (tint !== "wrong") continue;
    const place = { d: "M-3.5,-3.5l7,7m0,-7l-7,7", transform: `translate(${left + room} ${top})` };
    chart.put("mark", `cross ${image}`, "path", { ...place, stroke: color("wrong"), "stroke-width": 2 });
  }
}

function drawNeighbours(chart, { selected, near, points, room }) {
  for (const image of near) chart.line(`to ${image}`, [points[selected], points[image]], { width: 1.25 });
  for (const [image, size, width] of [...near.map((one) => [one, room + 4, 1.25]), [selected, room + 10, 3]]) {
    const [x, y] = points[image].map((at) => at - size / 2);
    const look = { rx: 4, fill: "none", stroke: color("ink"), "stroke-width": width };
    chart.put("front", `around ${image}`, "rect", { x, y, width: size, height: size, ...look });
  }
}

// A name stands above an image of its class; others and the selected image push it down.
function drawNames(chart, { classes, occurring, tints, shown, selected, mode, points, room, size: [width, height] }) {
  const boxes = occurring.filter((number) => occurring.length <= NAMED || tints.has(number)).flatMap((number) => {
    const own = points.filter((_, image) => shown[image] === number);
    if (!own.length) return [];
    const [x, y] = bearer(own);
    const wide = Math.min(chart.width(classes[number], 12, 600), LONGEST) + 18;
    return [{ number, wide, high: 22, left: clamp(x - wide / 2, 4, width - wide - 4), top: clamp(y - room / 2 - 22, 4, height - 26) }];
  });
  const [left, top] = points[selected].map((at) => at - room / 2 - 6);
  for (const { number, ...name } of stacked(boxes, { left, top, wide: room + 12, high: room + 12 })) {
    const token = mode === "error" ? undefined : tints.get(number);
    const box = { x: name.left, y: name.top, width: name.wide, height: name.high, rx: 4, fill: color("ground") };
    chart.put("words", `box ${number}`, "rect", { ...box, stroke: color(token ?? "edge"), "stroke-width": token ? 1.5 : 1 });
    const look = { kind: "chosen", anchor: "middle", token: token ?? "ink2", room: LONGEST };
    chart.words(`name ${number}`, name.left + name.wide / 2, name.top + 15.5, classes[number], look);
  }
}

// ---- Beside the map

// The selected image large and its neighbours small.
function neighbourNodes(now, paint) {
  const small = now.near.map((image) => {
    const token = tintOf(now, image);
    return picture(paint, now, image, 32, { room: 26, token, style: now.shape[0] > 1 ? `border-color: ${color(token)}` : null });
  });
  return [picture(paint, now, now.selected, 76, { room: 72 }), div(null, ...small)];
}

const percent = (share) => `${fixed(share)}${SPACE}%`;

// The share of neighbours with the same label as a number.
const shareNodes = ({ shares, chance }) => [div("tl-number", percent(shares[0])),
  div("tl-caption", `By chance it would be ${percent(chance)}.`)];

// The same share through training, black up to the present step.
function drawTrend(trend, { steps, shares, chance }, index) {
  const width = Math.max(trend.node.parentNode.clientWidth, 160);
  const area = { left: 5, right: width - 5, top: 20, bottom: 66 };
  const x = linear(steps[0], steps.at(-1), area.left, area.right);
  const y = linear(0, 100, area.bottom, area.top);
  const curve = shares.map((share, place) => [x(steps[place]), y(share)]);
  const [[left, top], now] = [curve[index], percent(shares[index])];
  trend.size(width, 86);
  set(trend.node, { role: "img", "aria-label": `${now} at step ${steps[index]}; by chance ${percent(chance)}` });
  trend.line("axis", [[area.left, area.bottom], [area.right, area.bottom]], { token: "rule", width: 1, layer: "grid" });
  trend.words("first", 0, 83, `step ${steps[0]}`);
  trend.words("last", width, 83, String(steps.at(-1)), { anchor: "end" });
  trend.chance(area, y(chance), chance, true);
  trend.line("after", curve.slice(index), { token: "ghost", width: 1.25 });
  trend.line("until", curve.slice(0, index + 1));
  trend.mark("now", "circle", left, top, "ink", { size: 4.5 });
  const half = trend.width(now, 12, 600) / 2;
  trend.words("now", clamp(left, half, width - half), top - 9, now, { kind: "chosen", anchor: "middle", token: "ink" });
  trend.sweep();
}
