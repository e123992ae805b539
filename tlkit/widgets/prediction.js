// Prediction: the learner places a point at every budget before the result is shown; afterwards both stay in sight.

import { Chart } from "./chart.js";
import { draggable, fillRow, turnOff } from "./controls.js";
import { html, say, set, svg } from "./dom.js";
import { makeFrame } from "./frame.js";
import { icon } from "./marks.js";
import { budgetScale, clamp, curvePoints, linear, percentTicks } from "./scales.js";
import { amount, count, fixed, known, shortPercent, signed } from "./words.js";

const CLOSE = 4; // points; a gap beyond it is written at the chart and bold in the table

export function render({ model, el }) {
  const frame = makeFrame(model, el, "prediction", draw);
  const chart = new Chart(frame.root);
  const title = html("div", { class: "tl-chart-title" });
  const plane = svg("rect", { class: "tl-plane" });
  const bubble = svg("g", { class: "tl-bubble" }, svg("rect", { width: 76, height: 24, x: -38, y: -46, rx: 4 }), svg("text", { y: -30 }));
  const handles = svg("svg", { class: "tl-handles", role: "group", "aria-label": "your prediction" }, plane);
  const side = html("div", { class: "tl-side" });
  const row = html("div", { class: "tl-row" });
  const hint = html("span", { class: "tl-caption tl-hint" });
  frame.body.append(html("div", { class: "tl-figure" }, title, chart.node, handles), side);
  frame.controls.append(row, hint);
  set(chart.node, { role: "img" });
  const group = `tl-${Math.random().toString(36).slice(2)}`; // radio buttons of one group need a name of their own

  let points = []; // one focusable handle a budget
  let active = -1; // the point under the hand: focused or dragged
  let stop = 0; // the point that is the group's one tab stop
  let past = []; // earlier placements, for Undo
  let typed = -1; // successive keys on one point are one step of Undo
  let area = null;
  let shown = ""; // what side column and buttons were built for

  const view = () => model.get("view");
  const placed = () => view().budgets.map((_, place) => model.get("placed")[place] ?? null);
  const left = () => placed().filter((value) => value === null).length;
  const mode = () => (!model.get("locked") ? "ask" : gapList().length ? "result" : "locked");
  const x = (place) => budgetScale(view().budgets, area)(view().budgets[place]);
  const y = (value) => linear(0, 100, area.bottom, area.top)(value);
  // An unplaced point rests on the known curve, so that its place suggests nothing else.
  const rest = (place) => view().baseline.values[place] ?? view().chance ?? 50;
  const at = (place) => placed()[place] ?? rest(place);
  const unit = () => view().unit || "labels per class";
  const short = (budget) => amount(budget, unit().split(" ")[0]);
  const full = (budget) => amount(budget, unit());

  // ---- Placing

  function write(values) {
    model.set("placed", values);
    model.save_changes();
    frame.draw.now();
  }

  function place(index, value) {
    write(placed().with(index, clamp(value, 0, 100)));
  }

  function remember() {
    past.push({ placed: placed(), choice: model.get("choice") });
    typed = -1;
  }

  function undo() {
    const before = mode() === "ask" && past.pop();
    if (!before) return;
    typed = -1;
    model.set("choice", before.choice);
    write(before.placed);
  }

  function lock() {
    if (mode() !== "ask" || left()) return;
    const inChart = handles.contains(frame.focused());
    model.set("locked", true);
    model.save_changes();
    frame.draw.now();
    if (inChart) frame.root.focus({ preventScroll: true });
  }

  function again() {
    past = [];
    model.set("locked", false);
    model.set("choice", -1);
    write(view().budgets.map(() => null));
  }

  function choose(index) {
    remember();
    model.set("choice", index);
    model.save_changes();
    frame.draw.now();
  }

  let offset = 0; // between the pointer and the middle of the point it took
  const follow = (event) => {
    const top = handles.getBoundingClientRect().top;
    place(active, Math.round(2 * linear(area.bottom, area.top, 0, 100)(event.clientY - top - offset)) / 2);
  };
  draggable(frame, handles, {
    start: (event) => {
      if (mode() !== "ask") return false;
      const box = handles.getBoundingClientRect();
      const distance = (index) => Math.abs(x(index) - (event.clientX - box.left));
      const nearest = points.map((_, index) => index).sort((one, other) => distance(one) - distance(other))[0];
      const away = event.clientY - box.top - y(at(nearest));
      const held = Math.abs(away) <= 16 && distance(nearest) <= 16;
      offset = held ? away : 0;
      remember();
      points[nearest].classList.add("tl-dragged");
      points[nearest].focus({ preventScroll: true });
      if (held) place(nearest, at(nearest)); // a click accepts where it rests
      else follow(event);
    },
    move: follow,
    end: () => points[active]?.classList.remove("tl-dragged"),
    cancel: () => {
      points[active]?.classList.remove("tl-dragged");
      undo();
    },
  });

  function key(event, index) {
    const aside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const up = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    const end = { Home: 0, End: 100, " ": at(index) }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(aside || up || end !== undefined)) return;
    event.preventDefault();
    event.stopPropagation();
    if (aside) points[clamp(index + aside, 0, points.length - 1)].focus();
    else if (mode() === "ask") {
      if (typed !== index) remember();
      typed = index;
      place(index, end ?? Number((at(index) + up * (event.shiftKey ? 0.1 : 1)).toFixed(1)));
    }
  }

  function makePoints() {
    points = view().budgets.map((budget, index) => {
      const range = { "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": full(budget) };
      const node = svg("g", { class: "tl-point", role: "slider", ...range },
        svg("circle", { class: "tl-hit", r: 16 }), svg("circle", { class: "tl-ring", r: 13 }), svg("circle", { class: "tl-disc", r: 9 }),
        svg("path", { d: "M-3,-2L0,-5L3,-2M-3,2L0,5L3,2" }));
      frame.listen(node, "keydown", (event) => key(event, index));
      frame.listen(node, "focus", () => { active = stop = index; frame.draw.now(); });
      frame.listen(node, "blur", () => { active = typed = -1; frame.draw.later(); });
      return node;
    });
    handles.replaceChildren(plane, ...points, bubble);
  }

  // ---- Drawing

  function draw() {
    const { budgets, baseline, target, chance } = view();
    if (!budgets?.length) return;
    if (points.length !== budgets.length) makePoints();
    const now = mode();
    const state = now === "result" ? "measured" : "waiting for you";
    frame.show(state, state);
    frame.root.classList.toggle("tl-locked", now !== "ask");
    const gaps = now === "result" ? gapList() : [];
    const close = gaps.filter(({ gap }) => Math.abs(gap) <= CLOSE).length;
    const found = `Within ${CLOSE} points at ${count(close)} of ${count(gaps.length)} budgets.`;
    if (now === "result") frame.head("Your prediction against the measurement", found);
    else frame.head(view().title, view().subtitle);
    say(title, view().chart_title);
    set(chart.node, { "aria-label": model.get("label") });

    const width = Math.max(chart.node.parentNode.clientWidth, 160);
    const height = frame.narrow ? 234 : 310;
    chart.size(width, height);
    const axis = frame.narrow ? unit().split(" ")[0] : unit();
    const room = chart.margin([[baseline.name, 600], [target.name, 600], ["your prediction", 600], [axis]], width, 6);
    area = { left: 42, right: width - room, top: 10, bottom: height - 24 };
    set(handles, { width, height });
    set(plane, { x: area.left, y: area.top - 8, width: area.right - area.left + 10, height: area.bottom - area.top + 8 });
    const ticks = budgets.map((budget, index) => ({ at: x(index), words: String(budget) }));
    chart.axes("axes", area, { x: ticks, y: percentTicks(area, y), unit: axis });
    if (known(chance)) chart.chance(area, y(chance), chance, true);

    const ends = [];
    const curve = (name, recipe, { values, low, high }) => {
      const found = curvePoints(budgets.map((_, index) => x(index)), y, values, low, high);
      chart.series(name, recipe, found);
      if (found.length) ends.push({ name, y: found.at(-1).y, words: recipe.name, token: recipe.token, kind: "chosen" });
    };
    curve("baseline", baseline, baseline);
    if (now === "result") curve("target", target, model.get("result"));
    prediction(now, gaps, ends);
    chart.ends(area, ends, room, 14); // clear of a handle at the line's end
    chart.sweep();
    column(now, gaps);
    tell(now, gaps);
  }

  function gapList() {
    const { values = [] } = model.get("result");
    return placed().map((you, index) => ({ index, you, measured: values[index], gap: values[index] - you }))
      .filter(({ you, measured }) => known(you) && known(measured));
  }

  function prediction(now, gaps, ends) {
    const own = placed().map((value, index) => [x(index), y(value), value]).filter(([, , value]) => value !== null);
    if (own.length) chart.line("prediction", own, { width: 2, dash: "6 5", layer: "front" });
    const asking = now !== "result";
    set(handles, { style: asking ? null : "display: none" });
    points.forEach((node, index) => {
      const [value, free] = [shortPercent(at(index)), placed()[index] === null];
      const words = `${full(view().budgets[index])}: ${free ? "not placed, rests at " : ""}${value}`;
      set(node, { transform: `translate(${x(index)} ${y(at(index))})`, tabindex: index === stop ? 0 : -1 });
      set(node, { "aria-disabled": now === "ask" ? null : "true", "aria-valuenow": at(index).toFixed(1), "aria-valuetext": words });
      node.classList.toggle("tl-placed", !free);
    });
    const held = asking && active >= 0 && placed()[active] !== null;
    set(bubble, { display: held ? null : "none" });
    if (held) {
      const below = at(active) > 92 ? 68 : 0; // no room above
      set(bubble, { transform: `translate(${x(active)} ${y(at(active)) + below})` });
      say(bubble.lastChild, shortPercent(at(active)));
    }
    if (asking) {
      if (own.length) nameOwn(own[0][0] - 8, held);
      return;
    }
    for (const { index, you, measured, gap } of gaps) {
      if (Math.abs(y(you) - y(measured)) > 6) chart.line(`gap ${index}`, [[x(index), y(you)], [x(index), y(measured)]], { width: 3 });
      const last = index === points.length - 1;
      const middle = (y(you) + y(measured)) / 2 + 4;
      const look = { kind: "chosen", token: "ink", anchor: last ? "end" : "start" };
      if (Math.abs(gap) > CLOSE) chart.words(`gap ${index}`, x(index) + (last ? -8 : 8), middle, signed(gap), look);
    }
    own.forEach(([px, py], index) => chart.mark(`own ${index}`, "circle", px, py, "ink", { open: true, size: 4.75, layer: "front" }));
    ends.push({ name: "own", y: own.at(-1)[1], words: "your prediction", token: "ink", kind: "chosen" });
  }

  // The words stand above every handle they span, or under them all where the top is near.
  function nameOwn(from, held) {
    const to = from + chart.width("your prediction", 12, 600);
    const spanned = points.map((_, index) => index).filter((index) => x(index) > from - 14 && x(index) < to + 14);
    const above = Math.min(...spanned.map((index) => y(at(index)))) - 18;
    const bubbled = held && x(active) + 38 > from && x(active) - 38 < to;
    const under = Math.max(...spanned.map((index) => y(at(index)))) + 27;
    chart.words("own", from, bubbled || above < area.top ? under : above, "your prediction", { kind: "chosen", token: "ink" });
  }

  // ---- The side column and the rows below

  function column(now, gaps) {
    const { statements = [], budgets } = view();
    const key = JSON.stringify([now, model.get("ready"), now === "result" && [placed(), model.get("result")], view()]);
    if (key !== shown) {
      shown = key;
      side.replaceChildren(...(now === "result" ? result(gaps) : question(statements)));
      // "tl-main" is filled; while it is off, the look of an off button wins.
      const locking = model.get("ready") ? "Lock and show result" : "Lock my prediction";
      const asked = [{ action: "lock", face: "check", words: locking, main: true, off: true }, { action: "undo", face: "undo", words: "Undo", off: true }];
      const locked = [{ action: "again", face: "again", words: "Ask me again" }];
      fillRow(frame, row, now === "ask" ? asked : locked, (action) => ({ lock, undo, again })[action]());
    }
    if (now === "result") return;
    if (now === "ask") [left() > 0, !past.length].forEach((off, place) => turnOff(row.children[place], off)); // Lock, Undo
    side.querySelectorAll(".tl-rows div").forEach((line, index) => {
      const value = placed()[index];
      if (line.classList.toggle("tl-done", value !== null) !== (line.dataset.face === "check") || !line.dataset.face) {
        line.dataset.face = value === null ? "circle" : "check";
        line.firstChild.replaceWith(icon(line.dataset.face));
      }
      say(line.children[1], short(budgets[index]));
      say(line.lastChild, value === null ? "not placed" : shortPercent(value));
    });
    side.querySelectorAll("input").forEach((input, index) => {
      input.checked = index === model.get("choice");
      input.disabled = now !== "ask";
    });
  }

  function question(statements) {
    const parts = [html("div", { class: "tl-question" }, view().question ?? ""), html("p", {}, view().text ?? "")].filter((part) => part.textContent);
    if (!statements.length) {
      return [...parts, html("div", { class: "tl-rows" }, ...view().budgets.map(() => html("div", {}, icon("circle"), html("span"), html("span"))))];
    }
    const choices = statements.map((words, index) => {
      const input = html("input", { type: "radio", name: group });
      frame.listen(input, "change", () => choose(index));
      return html("label", { class: "tl-choice" }, input, html("span", {}, words));
    });
    return [...parts, html("fieldset", {}, html("legend", {}, view().statements_question ?? ""), ...choices)];
  }

  function result(gaps) {
    const { budgets } = view();
    const { sentence } = model.get("result");
    const largest = gaps.toSorted((one, other) => Math.abs(other.gap) - Math.abs(one.gap))[0];
    const cells = (tag, words, far) => words.map((word, index) => html(tag, far && index === 3 ? { class: "tl-far" } : {}, word));
    const lines = budgets.map((budget, index) => {
      const found = gaps.find((one) => one.index === index);
      const own = placed()[index];
      const rest = found ? cells("td", [budget, fixed(found.you), fixed(found.measured), signed(found.gap)], Math.abs(found.gap) > CLOSE)
        : [html("td", {}, budget), html("td", {}, known(own) ? fixed(own) : ""), html("td", { colspan: 2, class: "tl-soft" }, "not measured")];
      return html("tr", {}, ...rest);
    });
    const head = html("thead", {}, html("tr", {}, ...cells("th", [unit().split(" ")[0], "you", "measured", "gap"])));
    const table = html("table", { class: "tl-table" }, head, html("tbody", {}, ...lines));
    return [largest && html("div", { class: "tl-caption" }, `Largest surprise, with ${full(budgets[largest.index])}`),
      largest && html("div", { class: "tl-number" }, `${signed(largest.gap)} points`),
      sentence && html("p", {}, sentence), table].filter(Boolean);
  }

  function tell(now, gaps) {
    const { statements = [], budgets } = view();
    const missing = left();
    const keys = frame.narrow ? "" : " A click leaves a point where it is. Arrow keys move it by 1; with shift, by 0.1.";
    const words = {
      ask: missing ? `Place ${missing} more ${missing === 1 ? "point" : "points"} first.${keys}` : "All points are placed; you can still move them.",
      locked: model.get("ready") ? "Locked." : "Locked. The measurement comes later in this lesson; run on.",
      result: "Your prediction was locked before the result was shown.",
    };
    const { statement } = model.get("result");
    const yours = statements[model.get("choice")] ?? "none of the statements";
    say(hint, now === "result" && statement ? `You chose: ${yours}\nMeasured: ${statement}` : words[now]);
    if (now === "result") {
      const mean = gaps.reduce((sum, { gap }) => sum + Math.abs(gap), 0) / gaps.length;
      frame.status("measured. ", [["", `Mean absolute gap over ${count(gaps.length)} budgets: `], [`${fixed(mean)} points`, ""]], "");
    } else {
      const chosen = statements.length ? [["", model.get("choice") >= 0 ? "1 statement chosen" : "no statement chosen"]] : [];
      frame.status(now === "locked" ? words.locked : "", [[`${budgets.length - missing} of ${budgets.length}`, " points placed"], ...chosen]);
    }
  }

  frame.keys({ Enter: lock, undo });
  frame.watch("view placed choice locked ready result label", frame.draw.later);
  draw();
  return frame.close;
}
