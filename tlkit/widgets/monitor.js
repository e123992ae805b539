// Monitor: a training run while it runs. Loss left, accuracy right, one x axis; the empty part is the time left.

import { floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { fillRow, slider } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame, paced } from "./frame.js";
import { color, STATES } from "./marks.js";
import { budgetScale, clamp, digitsOf, far, linear, valueTicks } from "./scales.js";
import { fixed, known, rateWords, shortPercent, SPACE, twoFigures } from "./words.js";

const FACES = { // action: [icon, words, key, what the state word says until the kernel answers]
  train: ["play", "Train", "space", "starting"], pause: ["pause", "Pause", "space", "pausing"],
  resume: ["play", "Resume", "space", "starting"], step: ["step", "Step", "\u2192"],
  stop: ["stop", "Stop", "S", "stopping"], continue: ["play", "Continue", "space", "starting"],
  afresh: ["again", "Start afresh", "", "starting"], repair: ["again", "Start afresh", "space", "starting"],
};
const ACTIONS = { // the first one is the main action, except that nothing needs doing after a finished run
  "not running": ["train", "step"], loading: ["train", "step"], training: ["pause", "step", "stop"],
  paused: ["resume", "step", "stop"], stopped: ["continue", "afresh"], finished: ["afresh"],
  "out of date": ["afresh"], error: ["repair"],
};
const PATIENCE = 10000; // ms after which an unanswered button is free again

// An exponential moving average that starts at the first value.
function smooth(points) {
  let mean = points[0]?.[1];
  return points.map(([x, y]) => [x, (mean += 0.25 * (y - mean))]);
}

// Whole parts of a run, as many as fit with 50 px each; the last one names the unit.
function stepTicks(steps, scale, width) {
  const parts = [4, 3, 2].find((number) => steps % number === 0 && width / number >= 50) ?? 1;
  return Array.from({ length: parts + 1 }, (_, place) => (place * steps) / parts).map((step) => ({
    at: scale(step), words: step === steps ? `step ${step.toLocaleString("en")}` : step.toLocaleString("en"),
  }));
}

export function render({ model, el }) {
  const frame = makeFrame(model, el, "monitor", draw);
  const charts = [new Chart(frame.root), new Chart(frame.root)];
  const titles = charts.map(() => html("div", { class: "tl-chart-title" }));
  const note = html("div", { class: "tl-note" }, html("b"), html("span"));
  const cells = charts.map((chart, place) => html("div", { class: "tl-cell" }, titles[place], chart.node));
  cells[0].append(note);
  const figure = html("div", { class: "tl-pair", role: "img" }, ...cells);
  const done = html("span", {}, html("b"), html("span", { class: "tl-soft" }));
  const left = html("span", { class: "tl-soft" });
  const bar = html("div", { class: "tl-bar", role: "progressbar", "aria-valuemin": 0, "aria-label": "progress" }, html("div"));
  frame.body.classList.add("tl-stacked");
  frame.body.append(figure, html("div", { class: "tl-progress" }, done, left), bar);

  const row = html("div", { class: "tl-row" });
  const shown = html("output", { class: "tl-value" });
  const base = () => model.get("view").lr ?? 0.001;
  const scale = () => linear(Math.log(base() / 100), Math.log(base() * 10), 0, 1);
  let rate = null; // the slider, made anew when a run has another base rate
  let pending = null; // the timer of a pressed button that the kernel has not answered yet
  frame.controls.append(row, html("div", { class: "tl-rate" }));

  function makeRate() {
    const [low, high] = [twoFigures(base() / 100), twoFigures(base() * 10)];
    const ticks = []; // 1 and 3 of every power of ten: half a decade each
    for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.log10(high) + 1; power++) {
      ticks.push(...[1, 3].map((digit) => Number(`${digit}e${power}`)).filter((tick) => tick >= low && tick <= high));
    }
    rate = slider(frame, {
      name: "Learning rate", low, high, ticks, words: rateWords,
      place: (value) => scale()(Math.log(value)),
      value: (place) => twoFigures(Math.exp(scale().invert(place))),
      next: (value, direction, fine) => {
        if (fine) return twoFigures(value * 10 ** (direction * 0.05));
        const ordered = direction > 0 ? ticks : ticks.toReversed();
        return ordered.find((tick) => direction * (tick - value) > value * 1e-6) ?? (direction > 0 ? high : low);
      },
      input: (value) => say(shown, rateWords(value)),
      change: (value) => model.send({ do: "rate", value }),
    });
    frame.controls.lastChild.replaceChildren(rate.node, shown);
  }

  function press(action) {
    const node = row.querySelector(`[data-do="${action}"]`);
    if (!node || node.getAttribute("aria-disabled")) return;
    model.send({ do: action });
    const answer = FACES[action][3];
    if (!answer) return; // a step leaves the state as it is
    answered();
    pending = setTimeout(() => { answered(); state(); }, PATIENCE);
    node.setAttribute("aria-disabled", "true");
    frame.show(model.get("state"), answer);
  }

  function answered() {
    if (!pending) return;
    clearTimeout(pending);
    pending = null;
    row.made = ""; // its buttons are drawn anew
  }

  // State and word arrive one after the other; only "stopped" has words of its own.
  function word() {
    const [now, words] = [model.get("state"), model.get("word")];
    return now === "stopped" && words && !(words in STATES) ? words : now;
  }

  function state() {
    const [now, { kind }] = [model.get("state"), model.get("view")];
    const { repair } = model.get("error");
    const actions = (now === "error" && !repair ? ["afresh"] : ACTIONS[now] ?? []).filter((action) => kind === "run" || !(kind === "comparison" ? ["step", "afresh"] : ["afresh"]).includes(action));
    frame.show(now, word());
    fillRow(frame, row, actions.map((action, place) => {
      const [face, words, key] = FACES[action];
      const [off, main] = [now === "loading", place === 0 && now !== "finished" && now !== "loading"];
      return { action, face, words: action === "repair" ? repair : words, key: off ? "" : key, main, off };
    }), press);
    frame.draw.later();
    announce.now();
  }

  // The status line is a live region: while training it speaks every 5 s at most, a new state at once.
  const announce = paced(() => {
    const { words = "", more = "" } = model.get("progress");
    const error = model.get("state") === "error" ? model.get("error") : {};
    const hidden = [word(), error.title, error.words, words, more].filter(Boolean);
    frame.status(`${hidden.join(", ")}. `, model.get("status"));
  }, 5000, frame.signal);

  function draw() {
    const view = model.get("view");
    const progress = model.get("progress");
    const now = model.get("state");
    if (!view.left) return;
    frame.head(view.title, view.subtitle);
    set(figure, { "aria-label": model.get("label") });
    cells[1].hidden = !view.right;
    figure.classList.toggle("tl-one", !view.right);
    figure.classList.toggle("tl-trials", view.kind === "comparison");
    say(titles[0], view.left.title);
    say(titles[1], view.right?.title ?? "");

    curve(charts[0], { ...view.left, below: true }, "left");
    if (view.right && view.kind === "comparison") trials(charts[1], view);
    else if (view.right) curve(charts[1], { marks: true, ...view.right }, "right");

    const share = progress.of ? clamp(progress.step / progress.of, 0, 1) : 0;
    say(done.firstChild, progress.words ?? "");
    say(done.lastChild, progress.more && now !== "loading" ? ` \u00b7 ${progress.more}` : "");
    say(left, progress.left ?? "");
    bar.classList.toggle("tl-loading", now === "loading");
    bar.firstChild.style.width = now === "loading" ? "" : `${100 * share}%`;
    set(bar, { "aria-valuemax": progress.of ?? 0, "aria-valuenow": now === "loading" ? null : progress.step ?? 0 });

    const chosen = model.get("rate");
    frame.controls.lastChild.hidden = !known(chosen);
    if (known(chosen)) {
      if (rate?.base !== base()) { makeRate(); rate.base = base(); }
      rate.show(chosen);
      if (!frame.controls.contains(frame.focused())) say(shown, rateWords(chosen));
    }

    const error = now === "error" ? model.get("error") : {};
    const empty = { "not running": "No steps yet.", loading: progress.more || "Preparing" }[now];
    say(note.firstChild, error.title ?? "");
    say(note.lastChild, error.words ?? (floats(model, "left", 2).length ? "" : empty ?? ""));
    note.hidden = !note.textContent;
  }

  function curve(chart, axis, side) {
    const { bottom = 0, top, unit, chance, below, marks } = axis;
    const view = model.get("view");
    const now = model.get("state");
    const percents = unit === "%";
    const number = (value) => fixed(value, digitsOf(axis));
    const earlier = (view.earlier ?? []).map((run) => [run.name, run[side]]).filter(([, points]) => points?.[1]?.length);
    const area = layout(chart, ends(view));
    const x = linear(0, view.steps, area.left, area.right);
    const y = linear(bottom, top, area.bottom, area.top);
    const at = ([step, value]) => [x(step), y(clamp(value, bottom, top + 0.02 * (top - bottom)))];
    chart.axes("axes", area, { x: stepTicks(view.steps, x, area.right - area.left), y: valueTicks(area, y, axis) });
    const labels = [];
    if (known(chance)) {
      chart.chance(area, y(chance), chance, false);
      labels.push({ name: "chance", y: y(chance), words: `chance ${shortPercent(chance)}`, token: "ink2" });
    }
    earlier.forEach(([name, [steps, values]], place) => {
      const points = steps.map((step, index) => [step, values[index]]).filter(([step, value]) => step <= view.steps && known(value));
      if (!points.length) return;
      chart.line(`earlier ${place}`, points.map(at), { token: "ghost", width: 1.25, layer: "band" });
      labels.push({ name: `earlier ${place}`, y: at(points.at(-1))[1], words: name, tail: ` ${number(points.at(-1)[1])}`, token: "ink2" });
    });

    const taken = events(chart, area, x, side === "left"); // boxes of the words on the axis
    const points = floats(model, side, 2);
    const raw = !marks && points.length > 40;
    const line = raw ? smooth(points) : points;
    const stale = now === "out of date";
    const token = stale ? "ghost" : view.token;
    if (raw) chart.line("raw", points.map(at), { token, width: 1, opacity: 0.38 });
    const live = { token, width: view.open ? 1.25 : 2.25, dash: stale ? "5 4" : null, style: side === "left" ? "tl-live" : "tl-live-right" };
    chart.line("live", line.map(at), live);
    const present = model.get("progress").x;
    if (["training", "paused", "stopped"].includes(now) && known(present)) {
      chart.line("now", [[x(present), area.top - 4], [x(present), area.bottom]], { width: 1, dash: "2 3", layer: "grid" });
    }
    if (line.length) {
      const apart = line.length > 1 ? x(line[1][0]) - x(line[0][0]) : 0;
      if (marks && apart >= 9) {
        line.slice(0, -1).forEach((point, place) => chart.mark(`point ${place}`, view.mark, ...at(point), token, { open: view.open, size: 3, ring: 0 }));
      }
      const [endX, endY] = at(line.at(-1));
      const shape = { stopped: "square", finished: view.mark }[now] ?? "circle";
      chart.mark(`end ${shape}`, shape, endX, endY, token, { open: now === "paused", size: now === "paused" ? 4.5 : 4, layer: "front" });
      const tail = ` ${number(line.at(-1)[1])}${percents ? `${SPACE}%` : ""}`;
      const label = { name: "live", y: endY, words: view.name, tail, token: stale ? "ink2" : token, kind: "chosen" };
      if (endX > area.right - 4) labels.push(label);
      else {
        const margin = labels.map((end) => ({ from: area.right + 7, to: area.right + area.room, y: end.y }));
        besides(chart, area, endX, endY, label, [...taken, ...margin], below);
      }
    }
    chart.ends(area, labels, area.room);
    chart.sweep();
    // The words of an error stand right of the last good curve if there is room, else over its beginning.
    const after = x(line.at(-1)?.[0] ?? 0) + 12;
    if (side === "left") note.style.left = `${area.right + area.room - after > 170 ? Math.max(after, 52) : 52}px`;
  }

  // All that may ever stand at the lines' ends, as wide as it will get: the axes of both charts are alike and stay.
  function ends(view) {
    return [view.left, view.kind !== "comparison" && view.right].filter(Boolean).flatMap((part) => {
      const value = fixed((part.bottom ? -0.88 : 0.88) * far(part), digitsOf(part));
      const earlier = (view.earlier ?? []).map(({ name }) => [`${name} ${value}`]);
      const chance = known(part.chance) ? [[`chance ${shortPercent(part.chance)}`]] : [];
      return [...earlier, ...chance, [`${view.name} ${value}${part.unit === "%" ? " %" : ""}`, 600]];
    });
  }

  function layout(chart, labels, marked = 0) {
    const width = Math.max(chart.node.parentNode.clientWidth, 160);
    const height = frame.narrow ? 160 : 206;
    chart.size(width, height);
    const room = chart.margin(labels, width, marked);
    return { left: 42, right: width - room, top: 10, bottom: height - 24, room };
  }

  // The name at the running end: right of it if there is room, above or below, clear of other words.
  function besides(chart, area, x, y, label, taken, below) {
    const width = chart.width(label.words + label.tail, 12, 600);
    const right = x + 10 + width <= area.right || x - 9 - width < area.left;
    const from = right ? x + 9 : x - 9 - width;
    const free = (at) => at > area.top - 2 && at < area.bottom - 8
      && !taken.some((box) => from < box.to + 4 && from + width > box.from - 4 && Math.abs(at - box.y) < 15);
    const at = (below ? [y + 13, y - 14, y - 30] : [y - 14, y + 14, y + 30]).find(free) ?? y - 14;
    chart.words("live", from, at + 4, label.words, label);
  }

  // What the learner did: a triangle on the axis with its words; where words would overlap, the latest stay.
  function events(chart, area, x, worded) {
    const taken = [];
    for (const { step, words } of model.get("events").toReversed()) {
      if (step > model.get("view").steps) continue;
      const at = x(step);
      const triangle = { d: "M-4.5,-8.5h9L0,-0.5z", transform: `translate(${at} ${area.bottom})`, fill: color("ink") };
      chart.put("front", `event ${step} ${words}`, "path", triangle);
      const width = chart.width(words);
      const from = clamp(at - width / 2, area.left + 2, area.right + area.room - width);
      if (!worded || taken.some((box) => from < box.to + 6 && from + width > box.from - 6)) continue;
      chart.words(`event ${step}`, from, area.bottom - 13, words);
      taken.push({ from, to: from + width, y: area.bottom - 17 });
    }
    return taken;
  }

  // A comparison: every finished trial one mark, its place on the x axis against its value; names at the mean of the
  // last place.
  function trials(chart, view) {
    const dots = floats(model, "dots", 3);
    const area = layout(chart, view.recipes.map(({ name }) => [name, 600]), 26);
    const x = budgetScale(view.values, { ...area, left: area.left + 8, right: area.right - 10 });
    const y = linear(view.right.bottom, view.right.top, area.bottom, area.top);
    const ticks = view.values.map((value) => ({ at: x(value), words: String(value) }));
    const unit = frame.narrow ? view.axis_words.split(" ")[0] : view.axis_words;
    chart.axes("axes", area, { x: ticks, y: valueTicks(area, y, view.right), unit });
    if (known(view.right.chance)) chart.chance(area, y(view.right.chance), view.right.chance, true);
    const apart = Math.min(9, 36 / view.recipes.length);
    dots.forEach(([index, at, value], place) => {
      const recipe = view.recipes[index];
      const aside = (index - (view.recipes.length - 1) / 2) * apart;
      if (recipe) chart.mark(`trial ${place}`, recipe.mark, x(view.values[at]) + aside, y(value), recipe.token, { open: recipe.open, size: 3.5 });
    });
    const ends = view.recipes.map((recipe, index) => {
      const own = dots.filter(([of]) => of === index);
      const last = own.filter(([, at]) => at === Math.max(...own.map((dot) => dot[1])));
      if (!last.length) return null;
      const mean = last.reduce((sum, dot) => sum + dot[2], 0) / last.length;
      const token = recipe.token === "ghost" ? "ink2" : recipe.token;
      return { name: `${index}`, y: y(mean), words: recipe.name, token, mark: recipe.mark, open: recipe.open };
    });
    chart.ends(area, ends.filter(Boolean), area.room);
    chart.sweep();
  }

  frame.keys({
    " ": () => row.querySelector(".tl-main")?.click(),
    ArrowRight: () => press("step"),
    s: () => press("stop"),
  });
  frame.watch("state word", () => { answered(); state(); });
  frame.watch("error", state);
  frame.watch("view", () => { state(); });
  frame.watch("left right dots progress events rate label", frame.draw.later);
  frame.watch("status progress", () => (model.get("state") === "training" ? announce.later() : announce.now()));
  state();
  draw();
  return () => { answered(); frame.close(); };
}
