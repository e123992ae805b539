// A chart: a figure with axes, curves, marks, and names at the ends of lines.

import { Figure } from "./figure.js";
import { color, MARKS } from "./marks.js";
import { clamp, spread } from "./scales.js";
import { known, shortPercent } from "./words.js";

export class Chart extends Figure {
  // A curve over budgets: band, line, marks. points: [{x, y, low, high}], where what was not measured is missing.
  series(name, { token, mark, open }, points, { chosen = false, width = open ? 1.25 : 2 } = {}) {
    const [line, marks] = chosen ? ["front", "front"] : ["line", "mark"];
    this.band(name, points, token);
    this.line(`${name} line`, points.map(({ x, y }) => [x, y]), { token, width, layer: line });
    points.forEach(({ x, y }, place) => this.mark(`${name} at ${place}`, mark, x, y, token, { open, layer: marks }));
  }

  // The interval around a curve: its colour at 14 %, no outline.
  band(name, points, token) {
    const ends = points.filter(({ low, high }) => known(low) && known(high));
    const edge = [...ends.map(({ x, low }) => [x, low]), ...ends.toReversed().map(({ x, high }) => [x, high])];
    const d = `M${edge.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}z`;
    if (ends.length > 1) this.put("band", name, "path", { d, fill: color(token), opacity: 0.14 });
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

  // The axis does not begin at 0.
  broken({ left, bottom }) {
    for (const up of [8, 12]) {
      this.line(`break ${up}`, [[left - 5, bottom - up], [left + 5, bottom - up - 6]], { token: "edge", width: 1 });
    }
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
      const leader = { token: token === "ink2" ? "edge" : token, width: 1 };
      if (moved(place)) this.line(`leader ${name}`, [[area.right + 3, y], [lead - 3, at]], leader);
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

  // As wide as its box: where its axes lie, and the room right of them for names at the lines' ends.
  layout(height, labels, marked = 0) {
    const width = Math.max(this.node.parentNode.clientWidth, 160);
    this.size(width, height);
    const room = this.margin(labels, width, marked);
    return { left: 42, right: width - room, top: 10, bottom: height - 24, room };
  }
}
