// Frames: one slider over precomputed pictures, lines or tables; what they are is all in the view.

import { Chart } from "./chart.js";
import { button, segments, turnOff } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { frameSlider, player } from "./player.js";
import { clamp, curvePoints, linear, roundTicks } from "./scales.js";
import { amount, fixed, known, MINUS, SPACE } from "./words.js";

const LARGEST = 76; // px of an image's side

export function render({ model, el }) {
  const view = model.get("view");
  const { name, at, values, few, where, recorded, curve } = view;
  const last = values.length - 1;
  const through = curve && !curve.own; // the slider lies under the curve, on its axis
  const frame = makeFrame(model, el, "frames", draw);
  const paint = imagePainter(frame, model.get("images"));
  const now = () => clamp(model.get("frame"), 0, last);

  // ---- The parts: each is there only if the view has it

  const lines = view.rows.map(imageLine);
  const rows = html("div", { class: "tl-lines" });
  const chart = curve && new Chart(frame.root);
  const value = html("b", { class: "tl-value" });
  const play = player(frame, { last, present: now, go });
  const on = button({ action: "next", face: "step", words: "Next frame", key: "\u2192" }, play.step);
  const knob = frameSlider(frame, {
    name: name[0].toUpperCase() + name.slice(1), at, ticks: few ? at : [...roundTicks(at[0], at[last], 8), at[last]],
    words: (index) => view.words[index], seek: play.seek,
  });
  knob.node.append(value);
  const figure = html("div", { class: "tl-figure" }, view.choices.length ? rows : "");
  if (curve) figure.append(html("div", { class: "tl-chart-title" }, curve.title), chart.node);
  if (through) {
    figure.classList.add("tl-same-axis");
    figure.append(knob.node);
  } else {
    knob.node.classList.add("tl-own-axis");
    knob.node.querySelector(".tl-line").before(html("span", { class: "tl-caption" }, values[0]));
    knob.node.querySelector(".tl-line").after(html("span", { class: "tl-caption" }, values[last]));
    frame.controls.append(knob.node);
  }
  if (recorded) frame.controls.append(html("div", { class: "tl-row" }, play.node, on));
  const choose = view.choices.length > 1 && chooser();
  if (!frame.controls.childElementCount) frame.controls.remove(); // the slider stands at its curve

  const [caption, number, interval, said] = ["tl-caption", "tl-number", "tl-caption", "tl-said"].map((style) => html("div", { class: style }));
  const counts = view.table.map(([words]) => html("div", {}, words, html("b")));
  const aside = view.number.some(Boolean) || counts.length > 0;
  frame.body.append(figure);
  frame.body.classList.toggle("tl-stacked", !aside);
  if (aside) frame.body.append(html("div", { class: "tl-side" }, caption, number, interval, html("div", { class: "tl-counts" }, ...counts), said));
  if (view.strips.length) frame.body.append(html("div", { class: "tl-strips" }, ...view.strips.map((place) => lines[place].node)));
  const status = frame.root.querySelector(".tl-status");

  function imageLine(row) {
    const note = html("span", { class: "tl-caption" });
    const shots = [];
    const pictures = html("div", { class: "tl-pictures", role: "img" });
    const veil = html("canvas");
    const node = html("div", {}, html("div", {}, html("b", {}, row.title), note), pictures);
    const most = Math.max(...row.sets.map(([, images]) => images), 1);

    // Where pixels are hidden the picture is taken away, and of the painter's drawing of them only the hatch stays.
    function hatch(picture, index, room) {
      paint(veil, room, room, row.hidden)(index, 0, 0, room, "ink2");
      const lines = veil.getContext("2d");
      picture.globalCompositeOperation = "destination-out";
      picture.drawImage(veil, 0, 0, room, room);
      for (let start = -room; start < room; start += 7) {
        lines.moveTo(start, room);
        lines.lineTo(start + room, 0);
      }
      lines.globalCompositeOperation = "destination-in";
      lines.stroke();
      picture.globalCompositeOperation = "source-over";
      picture.drawImage(veil, 0, 0, room, room);
    }

    function draw(present) {
      const of = (list) => list[Math.min(present, list.length - 1)];
      const [first, images] = of(row.sets);
      const captions = row.captions.length ? of(row.captions) : [];
      say(note, row.note[present]);
      set(pictures, { "aria-label": [row.title, row.note[present], captions.join("; ") || amount(images, "images")].filter(Boolean).join(", ") });
      const columns = clamp(Math.floor(pictures.clientWidth / 44), 1, most);
      const room = Math.min(LARGEST, Math.floor(pictures.clientWidth / columns) - 14);
      pictures.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      for (let index = 0; index < most; index++) {
        const shot = (shots[index] ??= pictures.appendChild(html("div", { class: row.used ? "tl-shot" : "tl-shot tl-unused" }, html("canvas"))));
        shot.style.visibility = index < images ? "" : "hidden"; // its room stays
        const [canvas] = shot.children;
        const put = paint(canvas, room, room, row);
        if (index >= images) continue;
        put(first + index, 0, 0, room, row.used ? "ink" : "ink2");
        if (row.hidden) hatch(canvas.getContext("2d"), of(row.hidden.sets)[0] + index, room);
        const words = (captions[index] ?? "").split("\n").filter(Boolean);
        shot.replaceChildren(canvas, ...words.map((line) => html(line.startsWith("\u2715") ? "b" : "span", {}, line)));
      }
    }

    return { node, draw };
  }

  function chooser() {
    const names = view.choices.map(([words]) => words);
    const take = (words) => {
      model.set("shown", words);
      model.save_changes();
      frame.draw.now();
    };
    const add = (node) => frame.controls.append(html("div", { class: "tl-show" }, html("span", { class: "tl-caption" }, "Show"), node));
    if (names.length < 5) {
      const { node, show } = segments(frame, { name: "Show", options: names, choose: take });
      add(node);
      return show;
    }
    const select = html("select", { "aria-label": "Show" }, ...names.map((words) => html("option", {}, words)));
    frame.listen(select, "change", () => take(select.value));
    add(html("div", { class: "tl-select" }, select));
    return (words) => (select.value = words);
  }

  function go(index) {
    model.set("frame", index);
    model.save_changes();
    frame.draw.now();
  }

  // ---- Drawing

  function draw() {
    const index = now();
    const shown = view.choices.find(([words]) => words === model.get("shown"))?.[1] ?? [];
    const nodes = shown.map((place) => lines[place].node);
    if (nodes.some((node, place) => node !== rows.children[place])) rows.replaceChildren(...nodes);
    if (choose) choose(model.get("shown"));
    for (const place of [...shown, ...view.strips]) lines[place].draw(index);
    say(value, recorded || through ? where[index] : values[index]);
    if (curve) drawCurve(index);
    knob.show(index);
    turnOff(on, index === last);
    tell(index);
  }

  function tell(index) {
    const [bold, plain] = view.sentence[index];
    const parts = [aside ? [] : [bold, plain], ["", view.note]].filter((part) => part.join(""));
    const playing = play.node.querySelector('[data-do="pause"]');
    for (const live of [status, said]) set(live, { "aria-live": playing ? "off" : "polite" });
    frame.status("", parts.length ? parts : [["", view.words[index]]], " ");
    if (!aside) return;
    say(caption, `With ${where[index]}`);
    say(number, view.number[index]);
    say(interval, view.interval[index]);
    counts.forEach((node, place) => say(node.lastChild, view.table[place][1][index]));
    said.replaceChildren(html("b", {}, bold), plain);
  }

  function drawCurve(index) {
    const { x: xs, y: ys, own, words } = curve;
    const width = Math.max(figure.clientWidth, 200);
    const tall = !aside && !own ? 110 : frame.narrow ? 180 : 220;
    const height = tall + (curve.x_title ? 58 : 42);
    chart.size(width, height);
    const atEnd = `at the end ${words[last]}`;
    const longest = where.toSorted((one, other) => other.length - one.length)[0];
    const names = [...curve.lines.map(([name]) => [name]), ...(recorded ? [[atEnd]] : []), ...(through ? [[longest, 600]] : [])];
    const room = chart.margin(names, width, 16);
    const area = { left: view.choices.length && !frame.narrow ? 148 : 46, right: width - room, top: 18, bottom: 18 + tall };
    const x = linear(...curve.span, area.left, area.right);
    const y = linear(curve.bottom, curve.top, area.bottom, area.top);
    const spots = xs.map((one, place) => ({ x: x(one), y: known(ys[place]) ? y(ys[place]) : null }));

    const ends = recorded && index < last && known(ys[last]) ? [{ name: "last", y: spots[last].y, words: atEnd, token: "ink2" }] : [];
    curve.lines.forEach(([name, line], place) => {
      const points = known(line) ? [[area.left, y(line)], [area.right, y(line)]] : path(curvePoints(xs.map(x), y, line));
      chart.line(`dotted ${place}`, points, { token: "edge", width: 1, dash: "2 3", layer: "grid" });
      if (points.length) ends.push({ name: `dotted ${place}`, y: points.at(-1)[1], words: name, token: "ink2" });
    });
    chart.ends(area, ends, room);
    drawLine(x, y, spots, index);
    drawAxes(area, x, y, spots[index], index);
    if (through) chart.line("now", [[spots[index].x, area.top - 4], [spots[index].x, height + 12]], { width: 1.25, layer: "grid" });
    nameMarks(area, spots, index);
    chart.sweep();
    set(chart.node, { role: "img", "aria-label": `${curve.title}. ${view.words[index]}` });
    if (!through) return;
    knob.node.querySelector(".tl-slider-name").style.width = `${area.left}px`;
    knob.node.querySelector(".tl-line").style.flex = `0 0 ${area.right - area.left}px`;
  }

  const path = (spots) => spots.filter((spot) => known(spot.y)).map((spot) => [spot.x, spot.y]);

  function drawLine(x, y, spots, index) {
    const { token, mark } = curve;
    const points = curvePoints(curve.x.map(x), y, curve.y, curve.low, curve.high);
    if (!recorded) chart.series("curve", { token, mark }, points);
    else {
      const edge = (end) => path(points.map((point) => ({ x: point.x, y: point[end] })));
      if (edge("low").length > 1) chart.band("curve", edge("low"), edge("high"), token);
      chart.line("to come", path(spots), { token: "ghost", width: 1.25 });
      chart.line("until now", path(spots.slice(0, index + 1)), { token, width: 2.25 });
    }
    if (known(spots[index].y)) chart.mark("now", mark, spots[index].x, spots[index].y, token, { size: 6, layer: "front" });
  }

  // On an axis of its own, the curve's two values at the present mark stand in bold among the ticks.
  function drawAxes(area, x, y, here, index) {
    const { bottom, top, unit, own } = curve;
    const ticks = roundTicks(bottom, top, Math.min(4, Math.floor((area.bottom - area.top) / 35)));
    const digits = Math.max(...ticks.map((tick) => (String(Number(tick.toPrecision(6))).split(".")[1] ?? "").length));
    const level = own && known(here.y);
    const beside = ticks.map((tick) => ({ at: y(tick), words: fixed(tick, digits) + (unit && tick === ticks.at(-1) ? SPACE + unit : "") }));
    chart.axes("curve", area, { x: xTicks(area, x, here.x, index), y: beside.filter((tick) => !level || Math.abs(tick.at - here.y) > 12) });
    if (level) {
      chart.line("level", [[area.left, here.y], [here.x, here.y], [here.x, area.bottom]], { width: 1.25, layer: "grid" });
      chart.words("level", area.left - 8, here.y + 4, curve.words[index].replace(` ${unit}`, ""), { kind: "bold", token: "ink", anchor: "end" });
    }
    for (const up of bottom > 0 ? [8, 12] : []) {
      chart.line(`break ${up}`, [[area.left - 5, area.bottom - up], [area.left + 5, area.bottom - up - 6]], { token: "edge", width: 1 });
    }
    chart.words("x title", area.left, area.bottom + 36, curve.x_title);
  }

  // What has room beside those before it. ticks: [{at, words}]
  function apart(ticks, gap) {
    const half = ({ words }) => chart.width(words, 11, 600) / 2;
    const kept = [];
    for (const tick of ticks) if (kept.every((other) => Math.abs(other.at - tick.at) >= half(other) + half(tick) + gap)) kept.push(tick);
    return kept;
  }

  // The present tick is bold; those beside it make room. The last of a run carries the unit.
  function xTicks(area, x, here, index) {
    const { own, span, x: xs } = curve;
    const plain = (number) => ({ at: x(number), words: number.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", MINUS) });
    const every = own || !few ? roundTicks(...span, Math.max(1, Math.floor((area.right - area.left) / 80))).map(plain)
      : at.map((value, place) => ({ at: x(value), words: values[place] }));
    const end = own ? [] : [{ at: x(at[last]), words: recorded ? `${name} ${values[last]}` : values[last] }];
    const present = own ? plain(xs[index]) : index === last ? end[0] : { at: here, words: values[index] };
    return apart([{ ...present, bold: true }, ...end, ...every], 8);
  }

  // The present mark says what it is, where the line is not; of the others those do that have room.
  function nameMarks(area, spots, index) {
    const { own, token, words } = curve;
    const { x, y } = spots[index];
    const side = x < (area.left + area.right) / 2 ? 1 : -1;
    const beside = spots.filter((spot) => known(spot.y) && side * (spot.x - x) > 0);
    const next = beside.sort((one, other) => side * (one.x - other.x))[0];
    const above = next?.y < y && y + 24 < area.bottom ? 24 : -12;
    const label = own ? `${name} ${values[index]}` : `${curve.name} ${words[index]}`;
    const dark = own ? "ink" : token === "ghost" ? "ink2" : token;
    chart.words("now", x + 10 * side, clamp((y ?? area.bottom) + above, area.top - 6, area.bottom - 6), label, { kind: "chosen", token: dark, anchor: side > 0 ? "start" : "end" });
    if (!own) return;
    const present = { at: x + side * (10 + chart.width(label, 12, 600) / 2), words: label };
    const others = [0, last, ...at.keys()].filter((one) => one !== index && known(spots[one].y));
    const named = others.map((one) => ({ at: spots[one].x, words: values[one], y: spots[one].y }));
    for (const one of apart([present, ...named], 40).slice(1)) chart.words(`mark ${one.words}`, one.at + 4, one.y - 9, one.words);
  }

  frame.head(view.title, view.subtitle);
  frame.show(recorded ? "recorded run" : "measured", recorded ? "recorded run" : "measured");
  frame.keys({ " ": recorded && play.press, ArrowRight: play.step });
  frame.watch("frame shown", frame.draw.later);
  draw();
  return frame.close;
}
