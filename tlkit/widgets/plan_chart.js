// A freezing plan as a score: one row a group, the head on top, hatched until it thaws, with edges that one drags.

import { Chart } from "./chart.js";
import { draggable, slider } from "./controls.js";
import { html, set, svg } from "./dom.js";
import { color } from "./marks.js";
import { linear, roundTicks } from "./scales.js";

const GAP = 4; // px between two rows
const TARGET = 24; // px that an edge is high to the pointer

// plan() is the present one, preview({share, dragged}) shows another time, or the plan while an edge moves, and
// write(plan) is for the plan that the edge leaves.
export function makeTimeline(frame, { groups, steps }, hatch, { plan, preview, write }) {
  const chart = new Chart(frame.root);
  const stride = (fine) => Math.max(1, Math.round(steps / (fine ? 200 : 20)));
  const cursor = slider(frame, {
    name: "Step shown", low: 0, high: steps - 1, words: (step) => `step ${step}`, place: (step) => step / steps,
    value: (at) => Math.min(Math.round(at * steps), steps - 1),
    next: (step, by, fine) => step + by * stride(fine),
    input: (step) => preview({ share: step / steps }),
  });
  const title = html("div", { class: "tl-chart-title" }, "Plan: what learns in which step");
  const node = html("div", { class: "tl-figure tl-timeline" }, title, cursor.node, chart.node);
  let present = 0;
  let stop = `1 ${groups.at(-1).name}`; // the edge that Tab comes to

  function show(shown, share) {
    present = share;
    const high = matchMedia("(pointer: coarse)").matches ? 32 : 18;
    const width = Math.max(node.clientWidth, 200);
    const left = Math.min(Math.max(...groups.map(({ name }) => chart.width(name))) + 10, 110);
    const area = { left, right: width - 22, bottom: (high + GAP) * groups.length + GAP };
    const x = linear(0, 1, area.left, area.right);
    chart.size(width, area.bottom + 22);
    chart.x = x;
    const look = { x, high, left, hatch, share, stop };
    groups.toReversed().forEach((group, row) => drawRow(chart, shown, group, 2 + (high + GAP) * row, look));
    drawSteps(chart, area, x, steps);
    drawNow(chart, x(share), area.bottom, width, `step ${shown.step(share)}`);
    chart.sweep();
    cursor.node.style.cssText = `margin: 0 22px 0 ${left}px`;
    cursor.show(shown.step(share));
  }

  const edgeOf = ({ dataset }) => ({ edges: plan().edges(dataset.group, present), place: Number.parseInt(dataset.edge, 10) });
  dragEdges(frame, chart, { edgeOf, plan, preview, write });
  // At the box around it: an SVG that listens to focus or keys takes the focus itself.
  frame.listen(node, "focusin", ({ target }) => {
    if (!target.dataset.edge) return;
    stop = target.dataset.edge;
    edgeNodes(chart).forEach((edge) => set(edge, { tabindex: edge === target ? 0 : -1 }));
  });
  frame.onKey(node, ({ target, key, shiftKey }) => {
    if (!target.dataset.edge) return false;
    const { edges, place } = edgeOf(target);
    const [start, by, all] = [edges[place][2], stride(shiftKey) / steps, edgeNodes(chart)];
    const to = { Home: 0, End: 1, ArrowLeft: start - by, ArrowRight: start + by }[key];
    const row = { ArrowUp: -1, ArrowDown: 1 }[key];
    if ((row ?? to) === undefined) return false;
    if (row) return all.at((all.indexOf(target) + row) % all.length).focus();
    write(plan().moved(edges, place, to));
    if (!target.isConnected) edgeNodes(chart).find((edge) => edge.dataset.group === edges[0][0]).focus();
  });
  return { node, show };
}

// From top to bottom, and from left to right.
function edgeNodes(chart) {
  return [...chart.node.querySelectorAll(".tl-edge")].toSorted((one, other) => {
    const [a, b] = [one, other].map((node) => node.getBoundingClientRect());
    return a.y - b.y || a.x - b.x;
  });
}

function dragEdges(frame, chart, { edgeOf, plan, preview, write }) {
  let grip = null; // the edge under the pointer: {edges, place, from}
  let dragged = null;
  draggable(frame, chart.node, {
    start({ target, clientX }) {
      const node = target.closest(".tl-edge");
      if (!node) return false;
      node.focus({ preventScroll: true });
      grip = { ...edgeOf(node), from: clientX };
      dragged = null;
    },
    move({ clientX }) {
      const at = chart.x.invert(chart.x(grip.edges[grip.place][2]) + clientX - grip.from);
      dragged = plan().moved(grip.edges, grip.place, at);
      preview({ dragged });
    },
    end: () => dragged && write(dragged),
    cancel: () => preview({ dragged: null }),
  });
}

function drawRow(chart, plan, group, y, { x, high, left, hatch, share, stop }) {
  const { name, weights } = group;
  const middle = y + high / 2 + 4;
  chart.words(`row ${name}`, left - 8, middle, name, { anchor: "end", room: left - 8 });
  plan.of(name).forEach(([, rate, start], place, own) => {
    const [from, to] = [x(start), x(own[place + 1]?.[2] ?? 1)];
    const learns = rate && weights;
    const look = learns ? { fill: color("s1"), stroke: null } : { fill: hatch, stroke: color("edge") };
    const box = { x: from + 0.5, y: y + 0.5, width: Math.max(to - from - 1, 0), height: high - 1, rx: 2 };
    chart.put("band", `${name} ${place}`, "rect", { ...box, ...look });
    const words = learns ? plan.rateWords(rate) : "";
    if (!learns || to - from < 20 + chart.width(words)) return;
    chart.words(`${name} ${place}`, from + 14, middle, words, { token: "ground" }).style.stroke = "none";
  });
  const edges = weights ? plan.edges(name, share) : [];
  edges.slice(1).forEach((rule, place) => drawEdge(chart, plan, rule, `${place + 1} ${name}`, { at: x(rule[2]), y, high, stop }));
}

function drawEdge(chart, plan, rule, name, { at, y, high, stop }) {
  const [group, rate, start] = rule;
  const node = chart.put("front", name, "g", {
    class: "tl-edge", role: "slider", tabindex: name === stop ? 0 : -1, "data-edge": name, "data-group": group,
    "aria-label": `edge of ${group}`, "aria-valuemin": 0, "aria-valuemax": plan.steps, "aria-valuenow": plan.step(start),
    "aria-valuetext": plan.edgeWords(rule), transform: `translate(${at.toFixed(1)} ${y})`,
  });
  if (!node.firstChild) node.append(...["rect", "rect", "path"].map((tag) => svg(tag))); // what is hit, the focus, the handle
  const target = Math.max(high, TARGET);
  set(node.children[0], { x: -16, width: 32, y: (high - target) / 2, height: target });
  set(node.children[1], { x: -16, width: 32, height: high, rx: 4 });
  set(node.lastChild, { d: `M${start < 1 ? 5 : -8},${high / 2 - 4}v8m3,0v-8`, class: rate !== null && start < 1 ? "tl-on" : null });
}

function drawSteps(chart, area, x, steps) {
  const whole = roundTicks(0, steps, Math.max(1, Math.floor((area.right - area.left) / 60))).filter(Number.isInteger);
  const ticks = whole.filter((step) => step < 0.92 * steps).map((step) => ({ at: x(step / steps), words: String(step) }));
  chart.axes("plan", area, { x: [...ticks, { at: area.right, words: `step ${steps}` }] });
}

// The step under the cursor, named on the side that has room.
function drawNow(chart, at, bottom, width, words) {
  const [side, anchor] = at + 60 > width ? [-10, "end"] : [10, "start"];
  chart.line("now", [[at, -8], [at, bottom]], { layer: "front" }).style.pointerEvents = "none";
  chart.words("now", at + side, -9, words, { kind: "bold", token: "ink", anchor });
}
