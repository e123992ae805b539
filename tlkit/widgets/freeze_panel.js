// FreezePanel: the network with what may change in it, switches and rates, three costs, and the plan as a score.

import { drawBlocks, inputSide, MIDDLE } from "./blocks.js";
import { Chart } from "./chart.js";
import { button, draggable, roving, slider, turnOff } from "./controls.js";
import { html, say, set, svg } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { color, icon, makeHatch } from "./marks.js";
import { clamp, linear, roundTicks } from "./scales.js";
import { amount, count, known, many, rateWords, shortPercent, SPACE } from "./words.js";

const LADDER = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]; // multiples of the run's rate
const COLUMN = 86; // px that a switch needs
const MOST = 8; // blocks in a row
const NOTHING = "nothing can learn: let at least one group learn at the start";

const figures = (value) => String(Number(value.toPrecision(value < 10 ? 2 : 3)));
const bytesWords = (bytes) => (bytes < 1e6 ? `${figures(bytes / 1e3)}${SPACE}kB` : `${figures(bytes / 1e6)}${SPACE}MB`);
const timeWords = (seconds) => `${figures(1000 * seconds)}${SPACE}ms`;
const partWords = (part) => (part > 0 && part < 0.001 ? `<0.1${SPACE}%` : shortPercent(100 * part));

export function render({ model, el }) {
  const frame = makeFrame(model, el, "freeze-panel", draw);
  const { groups, total, steps, lr, input, sent, first, batch_norm: batchNorm } = model.get("view");
  const [headFirst, can] = [groups.toReversed(), groups.map(({ weights }) => weights > 0)];
  const paint = imagePainter(frame, model.get("image"));
  const hatch = makeHatch(frame);

  let share = 0; // of the run: the step that the blocks and switches show
  let dragged = null; // the rules while an edge is under the pointer
  let stop = ""; // the edge that Tab comes to
  let rows = []; // of blocks: {chart, from, to}
  const past = []; // the rules before each change

  // ---- The plan: rules [group, rate or null, start]; of a group's rules the latest that has begun holds

  const rules = () => dragged ?? model.get("rules");
  const ofGroup = (name) => tidy(rules().filter(([group]) => group === name));
  const held = (name, at) => ofGroup(name).findLast(([, , start]) => start <= at);
  const rateOf = ({ weights, name }, at = share) => (weights ? held(name, at)[1] : null);
  const starts = () => [...new Set(rules().map(([, , start]) => start))].toSorted((one, other) => one - other);
  const barren = () => starts().find((at) => groups.every((group) => rateOf(group, at) === null));
  const toThaw = () => headFirst.find((group) => group.weights && rateOf(group) === null);
  const stepOf = (start) => Math.ceil(start * steps - 1e-9);
  const shown = (rate) => rateWords(rate * lr);

  // A frozen group thaws with the rate that it has at another time, else with that of the next group above.
  function thawRate(name) {
    const above = groups.slice(groups.findIndex((one) => one.name === name) + 1).map((one) => rateOf(one));
    return [...ofGroup(name).map(([, rate]) => rate), ...above].find(known) ?? 1;
  }

  // One group's rules in order, without those that never hold or change nothing.
  function tidy(list) {
    const sorted = list.toSorted((one, other) => one[2] - other[2]);
    const begun = sorted.filter(([, , start], place) => start < 1 && start !== sorted[place + 1]?.[2]);
    return begun.filter(([, rate], place) => rate !== begun[place - 1]?.[1]);
  }

  const revised = (name, list) => groups.flatMap((one) => (one.name === name ? tidy(list) : ofGroup(one.name)));

  function write(to, remember = true) {
    dragged = null;
    if (remember) past.push(model.get("rules"));
    model.set("rules", to);
    model.save_changes();
    frame.draw.now();
  }

  // From the shown step on; what is planned for later stays.
  function toggle(group) {
    const { name } = group;
    const rule = [name, rateOf(group) === null ? thawRate(name) : null, share];
    write(revised(name, [...ofGroup(name).filter(([, , start]) => start !== share), rule]));
  }

  function change({ name }, by) {
    const rule = held(name, share);
    const rate = by < 0 ? LADDER.find((one) => one < 0.99 * rule[1]) : LADDER.findLast((one) => one > 1.01 * rule[1]);
    write(revised(name, ofGroup(name).map((one) => (one[2] === rule[2] ? one.with(1, rate) : one))));
  }

  // ---- The parts

  const network = html("div", { class: "tl-figure tl-network", role: "group" });
  const picture = html("canvas", { "aria-hidden": "true" });
  const switches = groups.map((group) => {
    const node = button({ action: `switch ${group.name}`, words: "", off: !group.weights }, () => toggle(group));
    node.classList.add("tl-switch");
    set(node, { role: "switch" });
    return node;
  });
  const steppers = groups.map((group) => {
    const sides = [["lower", "minus", -1], ["higher", "plus", 1]].map(([way, face, by]) => {
      const node = button({ action: `${way} ${group.name}`, face, words: "" }, () => change(group, by));
      set(node, { "aria-label": `${way} rate of ${group.name}` });
      return node;
    });
    return html("div", { class: "tl-stepper" }, ...sides, html("span"));
  });
  roving(frame, network, switches);
  roving(frame, network, steppers.flatMap((one) => [...one.children].slice(0, 2)));

  const costs = ["Trainable parameters", "Memory for training", "Cost of one step"].map((name) => ({
    name, caption: html("div"), value: html("b"), more: html("span"), bar: html("i"),
  }));
  const plan = new Chart(frame.root);
  const cursor = slider(frame, {
    name: "Step shown", low: 0, high: steps - 1, ticks: [], words: (step) => `step ${step}`, place: (step) => step / steps,
    value: (at) => Math.min(Math.round(at * steps), steps - 1),
    next: (step, by, fine) => step + by * stride(fine),
    input: (step) => {
      share = step / steps;
      frame.draw.now();
    },
    change: () => {},
  });
  const timeline = html("div", { class: "tl-figure tl-timeline" },
    html("div", { class: "tl-chart-title" }, "Plan: what learns in which step"), cursor.node, plan.node);
  const reset = button({ action: "reset", face: "again", words: "Reset plan" }, () => write(first));
  const thaw = button({ action: "thaw", words: "Thaw one more group", main: true }, () => toggle(toThaw()));
  frame.controls.append(thaw, reset);
  frame.body.before(frame.controls);
  frame.body.classList.add("tl-freeze");
  frame.body.append(network, html("div", { class: "tl-costs" }, ...costs.map(({ caption, value, more, bar }) =>
    html("div", {}, caption, value, " ", more, html("div", {}, bar)))), timeline);

  // ---- Words

  function words() {
    const begin = headFirst.map((group) => [group.name, starts().find((at) => rateOf(group, at) !== null)]);
    const never = begin.filter(([, at]) => at === undefined).map(([name]) => name);
    const learn = begin.filter(([, at]) => at !== undefined).map(([name, at], place) =>
      `${name}${place ? "" : " learns"} from ${at ? `step ${stepOf(at)}` : "the start"}`);
    return learn.length ? learn.join(", ") + (never.length ? `; frozen: ${never.join(", ")}` : "") : NOTHING;
  }

  function next() {
    const at = starts().find((start) => start > share);
    if (at === undefined) return `nothing changes up to step ${steps}.`;
    const changed = groups.filter((group) => ofGroup(group.name).some(([, , start]) => start === at));
    const [one] = changed;
    if (changed.length > 1) return `${changed.map(({ name }) => name).join(", ")} change at step ${stepOf(at)}.`;
    const before = rateOf(one, starts().findLast((start) => start < at));
    if (rateOf(one, at) === null) return `${one.name} is frozen at step ${stepOf(at)}.`;
    return `${one.name} ${before === null ? "thaws" : "goes on"} at step ${stepOf(at)} with rate ${shown(rateOf(one, at))}.`;
  }

  function tell(state, bare) {
    const error = model.get("error");
    const locked = batchNorm && toThaw() ? " Batch-norm statistics of locked groups stay as they are." : "";
    const lost = bare ? `nothing can learn from step ${stepOf(bare)} on: let at least one group learn there` : NOTHING;
    const said = bare === undefined ? ["Next: ", next() + locked] : ["", lost];
    frame.status(state, [error ? ["Costs are not measured: ", error] : said]);
  }

  // ---- Drawing

  function draw() {
    const learns = groups.map((group) => rateOf(group) !== null);
    const learners = learns.filter(Boolean).length;
    const bare = barren();
    const state = model.get("error") ? "error" : bare === undefined ? "up to date" : "waiting for you";
    const at = share ? ` at step ${stepOf(share)}` : "";
    const who = `${count(learners)} of ${count(groups.length)} groups ${learners === 1 ? "is" : "are"} learning`;
    frame.head(`What may change${at}: ${who}`,
      "A locked group keeps its weights. Thaw from the head backwards.");
    frame.show(state, state);
    turnOff(thaw, !toThaw());
    turnOff(reset, JSON.stringify(rules()) === JSON.stringify(first));
    set(network, { "aria-label": words() });
    layOut();
    rows.forEach((row) => drawBlocks(row, { groups, learns, input, hatch, several: rows.length > 1 }));
    groups.forEach((group, place) => control(group, place, rateOf(group)));
    drawCosts(learns);
    drawPlan();
    tell(state, bare);
  }

  // Blocks in rows as even as they can be, each with its switch and its rate below.
  function layOut() {
    const width = Math.max(network.clientWidth, 240);
    const inset = frame.narrow ? 52 : 72;
    const lines = Math.ceil(groups.length / clamp(Math.floor((width - inset) / COLUMN), 1, MOST));
    const per = Math.ceil(groups.length / lines);
    if (rows.length !== lines) {
      const charted = (from) => ({ chart: new Chart(frame.root), from, to: Math.min(from + per, groups.length) });
      rows = Array.from({ length: lines }, (_, line) => charted(line * per));
      const under = (name, nodes, { from, to }) =>
        html("div", { class: "tl-columns" }, html("span", {}, name), ...nodes.slice(from, to));
      network.replaceChildren(picture, ...rows.flatMap((row) =>
        [row.chart.node, under("Learns?", switches, row), under("Rate", steppers, row)]));
    }
    network.style.cssText = `--tl-inset: ${inset}px; --tl-count: ${per}`;
    rows.forEach((row) => Object.assign(row, { width, inset, column: (width - inset) / per }));
    const side = inputSide(inset) - 4;
    if (sent) paint(picture, side, side, { shape: sent })(0, 0, 0, side);
    picture.style.translate = `2px ${MIDDLE - side / 2}px`;
  }

  function control({ name, weights }, place, rate) {
    const word = rate !== null ? "learning" : weights ? "frozen" : "frozen by you";
    const [node, [lower, higher, value]] = [switches[place], steppers[place].children];
    if (node.textContent !== word) node.replaceChildren(icon(rate === null ? "lock" : "unlock"), html("span", {}, word));
    set(node, { "aria-checked": rate !== null, "aria-label": `${name}: ${word}` });
    say(value, rate === null ? "none" : shown(rate));
    turnOff(lower, rate === null || rate <= LADDER.at(-1));
    turnOff(higher, rate === null || rate >= 1);
  }

  function drawCosts(learns) {
    const measured = (which) => model.get("costs")[which.map((one) => (one ? "1" : "0")).join("")];
    const [now, most] = [measured(learns), measured(can)];
    const trainable = groups.reduce((sum, { weights }, place) => sum + (learns[place] ? weights : 0), 0);
    const cost = (place, inWords) => {
      if (!learns.includes(true)) return ["none", "", 0];
      if (!now || !most) return [model.get("measuring") ? "measuring" : "not measured", "", 0];
      return [inWords(now[place]), `of ${inWords(most[place])} with all thawed`, now[place] / most[place]];
    };
    const counted = [many(trainable), `of ${many(total)} \u00b7 ${partWords(trainable / total)}`, trainable / total];
    [counted, cost(0, bytesWords), cost(1, timeWords)].forEach(([said, beside, part], place) => {
      const { name, caption, value, more, bar } = costs[place];
      say(caption, place && most ? `${name}, ${amount(most[2], "images")}` : name);
      say(value, said);
      say(more, beside);
      bar.style.width = `${100 * Math.min(part, 1)}%`;
    });
  }

  // ---- The timeline: one row a group, the head on top

  const stride = (fine) => Math.max(1, Math.round(steps / (fine ? 200 : 20)));

  // At least two rules, so that each row has an edge to drag: at 0 if it always learns, at the end if it never does.
  function edges({ name }) {
    const own = ofGroup(name);
    const [, rate] = own[0];
    return own.length > 1 ? own : [[name, null, 0], [name, rate ?? thawRate(name), rate === null ? 1 : 0]];
  }

  const edgeNodes = () => [...plan.node.querySelectorAll(".tl-edge")].toSorted((one, other) => {
    const [a, b] = [one, other].map((node) => node.getBoundingClientRect());
    return a.y - b.y || a.x - b.x;
  });
  const edgeName = ({ name }, place) => `${place} ${name}`;

  function drawPlan() {
    const high = matchMedia("(pointer: coarse)").matches ? 32 : 18;
    const width = Math.max(timeline.clientWidth, 200);
    const left = Math.min(Math.max(...groups.map(({ name }) => plan.width(name))) + 10, 110);
    const area = { left, right: width - 22, bottom: (high + 4) * groups.length + 4 };
    const x = linear(0, 1, area.left, area.right);
    plan.size(width, area.bottom + 22);
    plan.x = x;
    if (!stop) stop = edgeName(headFirst[0], 1);
    headFirst.forEach((group, row) => {
      const y = 2 + (high + 4) * row;
      plan.words(`row ${group.name}`, left - 8, y + high / 2 + 4, group.name, { anchor: "end", room: left - 8 });
      ofGroup(group.name).forEach(([, rate, start], place, own) => {
        const [from, to] = [x(start), x(own[place + 1]?.[2] ?? 1)];
        const look = rate && group.weights ? { fill: color("s1") } : { fill: hatch, stroke: color("edge") };
        const box = { x: from + 0.5, y: y + 0.5, width: Math.max(to - from - 1, 0), height: high - 1, rx: 2 };
        plan.put("band", `${group.name} ${place}`, "rect", { stroke: null, ...box, ...look });
        if (!rate || !group.weights || to - from < 20 + plan.width(shown(rate))) return;
        const value = plan.words(`${group.name} ${place}`, from + 14, y + high / 2 + 4, shown(rate), { token: "ground" });
        value.style.stroke = "none";
      });
      const own = group.weights ? edges(group) : [];
      own.slice(1).forEach((rule, place) => drawEdge(group, place + 1, rule, x(rule[2]), y, high));
    });
    const whole = roundTicks(0, steps, Math.max(1, Math.floor((area.right - left) / 60))).filter(Number.isInteger);
    const ticks = whole.filter((step) => step < 0.92 * steps).map((step) => ({ at: x(step / steps), words: String(step) }));
    plan.axes("plan", area, { x: [...ticks, { at: area.right, words: `step ${steps}` }] });
    const at = x(share);
    const behind = at + 60 > width;
    plan.line("now", [[at, -8], [at, area.bottom]], { layer: "front" }).style.pointerEvents = "none";
    const look = { kind: "bold", token: "ink", anchor: behind ? "end" : "start" };
    plan.words("now", at + (behind ? -10 : 10), -9, `step ${stepOf(share)}`, look);
    plan.sweep();
    cursor.node.style.cssText = `margin: 0 22px 0 ${left}px`;
    cursor.show(stepOf(share));
  }

  function drawEdge(group, place, [, rate, start], at, y, high) {
    const learns = rate !== null && start < 1;
    const does = learns ? `learns with rate ${shown(rate)}` : start < 1 ? "is frozen" : "stays frozen";
    const name = edgeName(group, place);
    const node = plan.put("front", name, "g", {
      class: "tl-edge", role: "slider", tabindex: name === stop ? 0 : -1, "data-edge": name, "data-group": group.name,
      "aria-label": `edge of ${group.name}`, "aria-valuemin": 0, "aria-valuemax": steps, "aria-valuenow": stepOf(start),
      "aria-valuetext": `${group.name} ${does}${start < 1 ? ` from step ${stepOf(start)}` : ""}`,
      transform: `translate(${at.toFixed(1)} ${y})`,
    });
    if (!node.firstChild) node.append(svg("rect", { x: -16, width: 32, rx: 4 }), svg("path"));
    set(node.firstChild, { height: high });
    set(node.lastChild, { d: `M${start < 1 ? 5 : -8},${high / 2 - 4}v8m3,0v-8`, class: learns ? "tl-on" : null });
  }

  // Moves an edge to a share of the run, as far as its neighbours let it; list: the group's rules as they were.
  function moved({ list, place }, to) {
    const start = clamp(Math.round(to * steps) / steps, list[place - 1][2], list[place + 1]?.[2] ?? 1);
    dragged = revised(list[0][0], list.with(place, list[place].with(2, start)));
    frame.draw.now();
  }

  const grip = ({ dataset }) => ({
    list: edges(groups.find(({ name }) => name === dataset.group)), place: Number.parseInt(dataset.edge, 10),
  });
  let hand = null; // the edge under the pointer

  draggable(frame, plan.node, {
    start: ({ target, clientX }) => {
      const node = target.closest(".tl-edge");
      if (!node) return false;
      node.focus({ preventScroll: true });
      hand = { ...grip(node), from: clientX };
    },
    move: ({ clientX }) => moved(hand, plan.x.invert(plan.x(hand.list[hand.place][2]) + clientX - hand.from)),
    end: () => dragged && write(dragged),
    cancel: () => {
      dragged = null;
      frame.draw.now();
    },
  });

  // At the box around it: an SVG that listens to focus or keys takes the focus itself.
  frame.listen(timeline, "focusin", ({ target }) => {
    if (!target.dataset.edge) return;
    stop = target.dataset.edge;
    edgeNodes().forEach((node) => set(node, { tabindex: node === target ? 0 : -1 }));
  });
  frame.listen(timeline, "keydown", (event) => {
    const row = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const to = { Home: 0, End: 1 }[event.key];
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!event.target.dataset.edge || (row ?? to ?? by) === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [all, edge] = [edgeNodes(), grip(event.target)];
    if (row) return all.at((all.indexOf(event.target) + row) % all.length).focus();
    moved(edge, to ?? edge.list[edge.place][2] + (by * stride(event.shiftKey)) / steps);
    write(dragged);
    if (!event.target.isConnected) edgeNodes().find((node) => node.dataset.group === edge.list[0][0]).focus();
  });

  frame.keys({ undo: () => past.length && write(past.pop(), false) });
  frame.watch("rules costs measuring error", frame.draw.later);
  draw();
  return frame.close;
}
