// PseudoLabelMonitor: what a threshold lets through. Right is quiet grey, wrong is hatched and crossed.

import { dataView } from "./bytes.js";
import { Chart } from "./chart.js";
import { roving, slider } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { color, makeHatch } from "./marks.js";
import { scrubber } from "./player.js";
import { clamp, linear, roundTicks } from "./scales.js";
import { count, fixed, many, SPACE } from "./words.js";

const ROW = [14, 22]; // px of a class: the least, and the most
const BIN = 0.025; // of the histogram
const BEYOND = 26; // px that a bar too tall for its axis stands above it
const CARD = [86, 140]; // px of a mistake at least, with its gap: with short names, with long ones

export function render({ model, el }) {
  const { name, steps, classes, labels, shape, top, pictured, surest } = model.get("view");
  const total = labels.length;
  const frame = makeFrame(model, el, "pseudo-label-monitor", draw);
  const paint = imagePainter(frame, model.get("images"));
  const hatch = makeHatch(frame, "wrong");
  const [said, sure] = [dataView(model.get("said")), dataView(model.get("sure"))];
  const saidOf = (image) => said.getInt16(2 * (model.get("frame") * total + image), true);
  const sureOf = (image) => sure.getFloat32(4 * (model.get("frame") * total + image), true);
  const wrong = (image) => saidOf(image) !== labels[image];
  const used = (image) => sureOf(image) >= Math.fround(model.get("threshold"));
  const really = classes.map((_, number) => labels.filter((label) => label === number).length);
  const low = Math.floor(1 / classes.length / BIN + 1e-6) * BIN; // guessing: no highest probability is lower
  let selected = -1; // a mistake

  const charts = [new Chart(frame.root), new Chart(frame.root)];
  const cells = ["Pseudo-labels per class", "How sure the network is"].map((words, place) =>
    html("div", { class: place ? "tl-cell tl-sure" : "tl-cell" }, html("div", { class: "tl-chart-title" }, words), charts[place].node));
  for (const { node } of charts) set(node, { role: "img" });
  const thresholdWords = (value) => value.toFixed(Math.max(2, (String(value).split(".")[1] ?? "").length));
  const knob = slider(frame, {
    name: "Threshold", low, high: 1, ticks: [], words: thresholdWords,
    place: (value) => clamp((value - low) / (1 - low), 0, 1),
    value: (place) => Number((low + place * (1 - low)).toFixed(2)),
    next: (value, direction, fine) => Number((value + direction * (fine ? 0.001 : 0.01)).toFixed(3)),
    input: (value) => {
      model.set("threshold", value);
      frame.draw.now();
    },
    change: () => model.save_changes(),
  });
  cells[1].append(knob.node);

  const heading = html("div", { class: "tl-chart-title" });
  const cards = surest[0].map(() => html("button", { type: "button", class: "tl-mistake" }, html("canvas"), html("div"), html("div")));
  const row = html("div", { class: "tl-mistakes", role: "group", "aria-label": "The surest mistakes" }, ...cards);
  const stops = []; // the cards that show a mistake
  const mistakes = () => surest[model.get("frame")].filter((image) => wrong(image) && used(image));
  const select = (place) => {
    selected = mistakes()[place];
    frame.draw.now();
  };
  const hold = roving(frame, row, stops, select);
  cards.forEach((card, place) => frame.listen(card, "click", () => select(place)));
  frame.body.classList.add("tl-stacked");
  frame.body.append(html("div", { class: "tl-pair" }, ...cells), heading, row);

  const go = (index) => {
    model.set("frame", index);
    model.save_changes();
    frame.draw.now();
  };
  const scrub = steps.length > 1 && scrubber(frame, steps, { present: () => model.get("frame"), go });
  if (scrub) frame.controls.append(...scrub.nodes);
  else frame.controls.remove();

  // ---- Words

  const several = (number, noun) => `${many(number)} ${noun}${number === 1 ? "" : "s"}`;

  function title(taken, mistaken) {
    if (!taken) return `None of ${many(total)} images is pseudo-labelled`;
    const right = `${fixed((100 * (taken - mistaken)) / taken)}${SPACE}% of them rightly`;
    return `${many(taken)} of ${many(total)} images ${taken === 1 ? "is" : "are"} pseudo-labelled, ${right}`;
  }

  function tell(rights, wrongs) {
    if (![...rights, ...wrongs].some(Boolean)) return frame.status("", [["No image is sure enough: ", "lower the threshold."]]);
    const share = (number) => (rights[number] + wrongs[number]) / really[number];
    const there = [...classes.keys()].filter((number) => really[number]);
    const least = there.reduce((best, number) => (share(number) < share(best) ? number : best));
    const most = wrongs.indexOf(Math.max(...wrongs));
    const few = several(rights[least] + wrongs[least], "pseudo-label");
    const covered = `class ${classes[least]}, with ${few} for ${several(really[least], "image")}.`;
    const mistaken = `Most mistaken: class ${classes[most]}, ${many(wrongs[most])} of ${many(rights[most] + wrongs[most])}.`;
    frame.status("", [["Least covered: ", covered], ["", wrongs[most] ? mistaken : "None is mistaken."]], " ");
  }

  // ---- Drawing

  function draw() {
    const [rights, wrongs] = [classes.map(() => 0), classes.map(() => 0)];
    const bins = Array.from({ length: Math.round((1 - low) / BIN) }, () => [0, 0]); // of all images: right, wrong
    for (let image = 0; image < total; image++) {
      const bin = clamp(Math.floor((sureOf(image) - low) / BIN + 1e-6), 0, bins.length - 1);
      bins[bin][Number(wrong(image))]++;
      if (used(image)) (wrong(image) ? wrongs : rights)[saidOf(image)]++;
    }
    const [right, mistaken] = [rights, wrongs].map((counts) => counts.reduce((sum, number) => sum + number, 0));
    const step = steps.length ? `after step ${many(steps[model.get("frame")])}` : "";
    const what = [name, step].filter(Boolean).join(", ");
    const hidden = "True labels are shown to you, never to the network.";
    frame.head(title(right + mistaken, mistaken), what ? `${what[0].toUpperCase()}${what.slice(1)}. ${hidden}` : hidden);
    const word = scrub ? "recorded run" : "measured";
    frame.show(word, word);
    perClass(rights, wrongs);
    histogram(bins);
    surestMistakes(mistaken);
    tell(rights, wrongs);
    if (scrub) scrub.show();
  }

  function perClass(rights, wrongs) {
    const chart = charts[0];
    const width = Math.max(cells[0].clientWidth, 200);
    const pitch = clamp(220 / classes.length, ...ROW);
    const bottom = pitch * classes.length;
    chart.size(width, bottom + 46);
    const left = Math.min(0.3 * width, Math.max(14, ...classes.map((one) => chart.width(one, 12, 600)))) + 12;
    const end = width - 92;
    const x = linear(0, 1.1 * Math.max(...really), left, end);
    ["right", "wrong"].forEach((words, place) => chart.words(words, width - 42 * (1 - place), -5, words, { anchor: "end" }));
    classes.forEach((one, number) => {
      const middle = pitch * (number + 0.5);
      const tall = pitch - 8;
      chart.words(`name ${number}`, left - 8, middle + 4, one, { kind: "chosen", token: "ink", anchor: "end", room: left - 12 });
      const most = end + 12; // of a bar too long for its axis
      const [to, all] = [rights[number], rights[number] + wrongs[number]].map((value) => Math.min(x(value), most));
      const box = { y: middle - tall / 2, height: tall, rx: 1 };
      if (to > left) chart.put("mark", `right ${number}`, "rect", { ...box, x: left, width: to - left, fill: color("ink2") });
      if (all > to) {
        const from = Math.min(to + 1.5, all - 2);
        chart.put("mark", `wrong ${number}`, "rect", { ...box, x: from, width: all - from, fill: hatch, stroke: color("wrong") });
      }
      if (all === most) cut(chart, `cut ${number}`, end, middle - tall / 2, 0, tall);
      chart.line(`really ${number}`, [[x(really[number]), middle - 9], [x(really[number]), middle + 9]], { width: 2, layer: "front" });
      chart.words(`rights ${number}`, width - 42, middle + 4, many(rights[number]), { anchor: "end", token: "ink" });
      const cross = wrongs[number] ? { kind: "bold", token: "wrong" } : {};
      chart.words(`wrongs ${number}`, width, middle + 4, `${wrongs[number] ? "\u2715 " : ""}${many(wrongs[number])}`, { anchor: "end", ...cross });
    });
    const y = bottom + 30;
    chart.line("key", [[left + 1, y - 7], [left + 1, y + 7]], { width: 2 });
    chart.words("key", left + 10, y + 4, "how many there really are");
    const after = left + 24 + chart.width("how many there really are");
    chart.put("mark", "key", "rect", { x: after, y: y - 5, width: 17, height: 10, fill: hatch, stroke: color("wrong") });
    chart.words("wrong key", after + 23, y + 4, "wrong");
    chart.sweep();
    const rows = classes.map((one, number) => `${one}: ${rights[number]} right, ${wrongs[number]} wrong, really ${really[number]}`);
    set(chart.node, { "aria-label": `Pseudo-labels per class. ${rows.join("; ")}` });
  }

  // The zigzag that says that a bar goes on: across [x, y] to [x + wide, y + tall], of which one is 0.
  function cut(chart, at, x, y, wide, tall) {
    const points = Array.from({ length: 5 }, (_, place) => {
      const aside = place % 2 ? 3 : -3;
      return wide ? [x + (wide * place) / 4, y + aside] : [x + aside, y + (tall * place) / 4];
    });
    chart.line(at, points, { token: "ground", width: 2.5, layer: "front" });
  }

  function histogram(bins) {
    const chart = charts[1];
    const width = Math.max(cells[1].clientWidth, 200);
    const area = { left: 34, right: width - 10, top: 80, bottom: 230 };
    chart.size(width, 268);
    const x = linear(low, 1, area.left, area.right);
    const y = linear(0, top, area.bottom, area.top); // taller bars are cut
    chart.axes("sure", area, {
      x: roundTicks(low, 1, 5).map((value) => ({ at: x(value), words: value.toFixed(1) })),
      y: roundTicks(0, top, 5).filter(Number.isInteger).map((value) => ({ at: y(value), words: many(value) })),
    });
    chart.words("sure", area.left, area.bottom + 34, `highest class probability of ${many(total)} unlabelled images`, { room: width - area.left });

    const at = x(clamp(model.get("threshold"), low, 1));
    const height = (value, most) => Math.min(area.bottom - y(value), area.bottom - area.top + most);
    let crowded = 0; // numbers above neighbouring bars that are cut stand at two heights
    bins.forEach(([right, mistaken], bin) => {
      const all = right + mistaken;
      const [from, to] = [x(low + bin * BIN) + 0.5, x(low + (bin + 1) * BIN) - 0.5];
      // One bar, hollow as far as the threshold.
      for (const [part, start, end] of [["not used", from, Math.min(to, at)], ["used", Math.max(from, at), to]]) {
        if (end <= start || !all) continue;
        const box = (tall) => ({ x: start, y: area.bottom - tall, width: end - start, height: tall });
        const look = part === "used" ? { fill: color("ink2"), stroke: color("ink2") } : { fill: color("ground"), stroke: color("ink2") };
        chart.put("band", `${part} ${bin}`, "rect", { ...box(height(all, BEYOND)), ...look });
        const tall = height(mistaken, right ? 8 : BEYOND); // beyond the cut as much as is right
        if (mistaken) chart.put("line", `wrong ${part} ${bin}`, "rect", { ...box(tall), fill: hatch, stroke: color("wrong") });
      }
      crowded = all > top ? crowded + 1 : 0;
      if (!crowded) return;
      cut(chart, `cut ${bin}`, from - 1, area.top - 8, to - from + 2, 0);
      chart.words(`all ${bin}`, Math.min((from + to) / 2, width - 12), area.top - BEYOND - (crowded % 2 ? 5 : 17), many(all), { kind: "bold", token: "ink", anchor: "middle" });
    });

    chart.line("threshold", [[at, 16], [at, area.bottom + 2]], { width: 2, layer: "front" });
    const side = at - area.left > 150 ? { x: at - 20, anchor: "end" } : { x: at + 20, anchor: "start" };
    chart.words("threshold", side.x, 13, `threshold ${thresholdWords(model.get("threshold"))}`, { kind: "chosen", token: "ink", anchor: side.anchor });
    chart.words("sides", side.x, 29, "\u2190 not used \u00b7 used \u2192", { anchor: side.anchor });
    if (mistakes().includes(selected)) {
      const place = { d: "M-5,9h10L0,1z", transform: `translate(${x(sureOf(selected))} ${area.bottom})`, fill: color("ink") };
      chart.put("front", "selected", "path", place);
    }
    chart.sweep();
    set(chart.node, { "aria-label": `Highest class probability of ${many(total)} images, threshold ${thresholdWords(model.get("threshold"))}` });
    Object.assign(knob.node.querySelector(".tl-line").style, { marginLeft: `${area.left}px`, flex: `0 0 ${area.right - area.left}px` });
    knob.show(model.get("threshold"));
  }

  function surestMistakes(mistaken) {
    const columns = Math.max(1, Math.floor(row.clientWidth / CARD[Number(classes.some((one) => one.length > 4))]));
    const shown = mistakes().slice(0, columns * (frame.narrow ? 2 : 1));
    const more = mistaken > shown.length && shown.length ? `, the ${count(shown.length)} surest shown` : "";
    say(heading, mistaken ? `Confidently wrong: ${several(mistaken, "image")} to be learnt from${more}` : "Confidently wrong: no image");
    row.style.gridTemplateColumns = `repeat(${Math.min(cards.length, columns)}, minmax(0, 1fr))`;
    cards.forEach((card, place) => {
      const image = shown[place];
      card.hidden = image === undefined;
      if (card.hidden) return;
      const [canvas, says, is] = card.children;
      const percent = `${Math.floor(100 * sureOf(image))}${SPACE}%`;
      paint(canvas, 44, 44, { shape })(pictured.indexOf(image), 0, 0, 44);
      says.replaceChildren("says", html("b", { class: "tl-wrongly" }, classes[saidOf(image)]), `\u00b7 ${percent}`);
      is.replaceChildren("is", html("b", {}, classes[labels[image]]));
      set(card, { "aria-pressed": image === selected });
    });
    stops.splice(0, stops.length, ...cards.slice(0, shown.length));
    hold(Math.max(0, stops.indexOf(frame.focused()), shown.indexOf(selected)));
  }

  frame.keys(scrub ? { " ": scrub.press, ArrowRight: scrub.step } : {});
  frame.watch("threshold frame", frame.draw.later);
  draw();
  return frame.close;
}
