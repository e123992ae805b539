// FreezePanel: the network with what may change in it, switches and rates, three costs, and the plan as a score.

import { drawBlocks, inputSide, MIDDLE } from "./blocks.js";
import { Chart } from "./chart.js";
import { button, roving, turnOff } from "./controls.js";
import { div, html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { icon, makeHatch } from "./marks.js";
import { Plan, rungs } from "./plan.js";
import { makeTimeline } from "./plan_chart.js";
import { clamp } from "./scales.js";
import { undoable } from "./undo.js";
import { amount, count, many, shortPercent, SPACE } from "./words.js";

const COLUMN = 86; // px that a switch needs
const MOST = 8; // blocks in a row

const figures = (value) => String(Number(value.toPrecision(value < 10 ? 2 : 3)));
export const bytesWords = (bytes) => (bytes < 1e6 ? `${figures(bytes / 1e3)}${SPACE}kB` : `${figures(bytes / 1e6)}${SPACE}MB`);
export const timeWords = (seconds) => `${figures(1000 * seconds)}${SPACE}ms`;
export const partWords = (part) => (part > 0 && part < 0.001 ? `<0.1${SPACE}%` : shortPercent(100 * part));

export function render({ model, el }) {
  const frame = makeFrame(model, el, "freeze-panel", draw);
  const view = model.get("view");
  const hatch = makeHatch(frame);
  const steps = undoable(frame, model);
  const state = { share: 0, dragged: null }; // the part of the run that is shown; the plan while an edge is dragged
  const plan = () => state.dragged ?? new Plan(view, model.get("rules"));
  const preview = (changes) => {
    Object.assign(state, changes);
    frame.draw.now();
  };
  const write = ({ rules }) => {
    state.dragged = null;
    steps.change({ rules });
  };
  const toggle = (group) => write(plan().toggled(group, state.share));
  const change = ({ name }, rate) => write(plan().withRate(name, state.share, rate));
  const network = makeNetwork(frame, view, model.get("image"), hatch, { toggle, change });
  const costs = makeCosts();
  const timeline = makeTimeline(frame, view, hatch, { plan, preview, write });
  const reset = button({ action: "reset", face: "again", words: "Reset plan" }, () => write({ rules: view.first }));
  const thaw = button({ action: "thaw", words: "Thaw one more group", main: true }, () => toggle(plan().toThaw(state.share)));
  frame.controls.append(thaw, reset);
  frame.body.before(frame.controls);
  frame.body.classList.add("tl-freeze");
  frame.body.append(network.node, costs.node, timeline.node);

  function draw() {
    const [present, { share }, error] = [plan(), state, model.get("error")];
    const word = error ? "error" : present.fault ? "waiting for you" : "up to date";
    frame.head(headline(present, share), "A locked group keeps its weights. Thaw from the head backwards.");
    frame.show(word);
    turnOff(thaw, !present.toThaw(share));
    turnOff(reset, JSON.stringify(present.rules) === JSON.stringify(view.first));
    network.show(present, share);
    costs.show(costCells(view, present.learns(share), model.get("costs"), model.get("measuring")));
    timeline.show(present, share);
    frame.status(word, [statusWords(present, share, error, view.batch_norm)]);
  }

  return frame.start("rules costs measuring error", { undo: steps.undo });
}

// ---- Words

export function headline(plan, share) {
  const learners = plan.learns(share).filter(Boolean).length;
  const at = share ? ` at step ${plan.step(share)}` : "";
  return `What may change${at}: ${count(learners)} of ${count(plan.groups.length)} groups ${learners === 1 ? "is" : "are"} learning`;
}

// [bold, plain]
export function statusWords(plan, share, error, batchNorm) {
  if (error) return ["Costs are not measured: ", error];
  if (plan.fault) return ["", plan.fault];
  const locked = batchNorm && plan.toThaw(share) ? " Batch-norm statistics of locked groups stay as they are." : "";
  return ["Next: ", plan.next(share) + locked];
}

// What is trained, kept and computed: [part of the same with all groups thawed, caption, value, more].
export function costCells({ groups, total }, learns, costs, measuring) {
  const [now, most] = [learns, groups.map(({ weights }) => weights > 0)].map((which) => costs[which.map(Number).join("")]);
  const trainable = groups.reduce((sum, { weights }, place) => sum + (learns[place] ? weights : 0), 0);
  const cost = (name, place, words) => {
    const caption = most ? `${name}, ${amount(most[2], "images")}` : name;
    if (!learns.includes(true)) return [0, caption, "none", ""];
    if (!now || !most) return [0, caption, measuring ? "measuring" : "not measured", ""];
    return [now[place] / most[place], caption, words(now[place]), `of ${words(most[place])} with all thawed`];
  };
  const part = trainable / total;
  return [
    [part, "Trainable parameters", many(trainable), `of ${many(total)} \u00b7 ${partWords(part)}`],
    cost("Memory for training", 0, bytesWords), cost("Cost of one step", 1, timeWords),
  ];
}

function makeCosts() {
  const cells = [0, 1, 2].map(() => ["div", "b", "span", "i"].map((tag) => html(tag)));
  const cell = ([caption, value, more, bar]) => html("div", {}, caption, value, " ", more, html("div", {}, bar));
  const node = div("tl-costs", ...cells.map(cell));
  const show = (costs) => costs.forEach(([part, ...words], place) => {
    words.forEach((text, which) => say(cells[place][which], text));
    cells[place][3].style.width = `${100 * Math.min(part, 1)}%`;
  });
  return { node, show };
}

// ---- The network: blocks in rows as even as they can be, each with its switch and its rate below

function makeNetwork(frame, { groups, input, sent }, image, hatch, { toggle, change }) {
  const node = html("div", { class: "tl-figure tl-network", role: "group" });
  const picture = html("canvas", { "aria-hidden": "true" });
  const paint = imagePainter(frame, image);
  const controls = groups.map((group) => makeControl(group, toggle, change));
  roving(frame, node, controls.map((one) => one.toggle));
  roving(frame, node, controls.flatMap((one) => one.sides));
  let rows = []; // of blocks: {chart, from, to}

  function layOut() {
    const width = Math.max(node.clientWidth, 240);
    const inset = frame.narrow ? 52 : 72;
    const lines = Math.ceil(groups.length / clamp(Math.floor((width - inset) / COLUMN), 1, MOST));
    const per = Math.ceil(groups.length / lines);
    if (rows.length !== lines) {
      rows = Array.from({ length: lines }, (_, line) =>
        ({ chart: new Chart(frame.root), from: line * per, to: Math.min((line + 1) * per, groups.length) }));
      const under = (name, part, { from, to }) =>
        div("tl-columns", html("span", {}, name), ...controls.slice(from, to).map((one) => one[part]));
      node.replaceChildren(picture, ...rows.flatMap((row) =>
        [row.chart.node, under("Learns?", "toggle", row), under("Rate", "stepper", row)]));
    }
    node.style.cssText = `--tl-inset: ${inset}px; --tl-count: ${per}`;
    rows.forEach((row) => Object.assign(row, { width, inset, column: (width - inset) / per }));
    const side = inputSide(inset) - 4;
    if (sent) paint(picture, side, side, { shape: sent })(0, 0, 0, side);
    picture.style.translate = `2px ${MIDDLE - side / 2}px`;
  }

  function show(plan, share) {
    set(node, { "aria-label": plan.words() });
    layOut();
    rows.forEach((row) => drawBlocks(row, { groups, learns: plan.learns(share), input, hatch, several: rows.length > 1 }));
    controls.forEach((one, place) => one.show(plan, plan.rate(groups[place], share)));
  }

  return { node, show };
}

// A group's switch, and its rate with a button on each side.
function makeControl(group, press, change) {
  const { name, weights } = group;
  const toggle = button({ action: `switch ${name}`, words: "", off: !weights }, () => press(group));
  toggle.classList.add("tl-switch");
  set(toggle, { role: "switch" });
  let rates = []; // next below and above
  const sides = [["lower", "minus"], ["higher", "plus"]].map(([way, face], place) => {
    const side = button({ action: `${way} ${name}`, face, words: "" }, () => change(group, rates[place]));
    set(side, { "aria-label": `${way} rate of ${name}` });
    return side;
  });
  const value = html("span");
  const stepper = div("tl-stepper", ...sides, value);

  function show(plan, rate) {
    const word = rate !== null ? "learning" : weights ? "frozen" : "frozen by you";
    if (toggle.textContent !== word) toggle.replaceChildren(icon(rate === null ? "lock" : "unlock"), html("span", {}, word));
    set(toggle, { "aria-checked": rate !== null, "aria-label": `${name}: ${word}` });
    say(value, rate === null ? "none" : plan.rateWords(rate));
    rates = rungs(rate);
    sides.forEach((side, place) => turnOff(side, rates[place] === undefined));
  }

  return { toggle, stepper, sides, show };
}
