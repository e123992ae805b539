// A figure: an SVG whose elements have names, so that drawing again updates them in place.

import { say, set, svg } from "./dom.js";
import { color } from "./marks.js";

const BESIDE = 16; // px around a figure that its words may use: what a frame has within its border
const LAYERS = ["ground", "grid", "band", "line", "mark", "front", "words"];

export class Figure {
  constructor(root) {
    this.root = root;
    this.layers = Object.fromEntries(LAYERS.map((name) => [name, svg("g")]));
    this.node = svg("svg", { class: "tl-chart" }, ...Object.values(this.layers));
    this.nodes = new Map();
    this.used = new Set();
    this.pen = document.createElement("canvas").getContext("2d");
  }

  size(width, height) {
    this.across = width;
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

  // A name too long for its room, or for what the figure has, is cut; the value behind it, `tail`, never is.
  words(name, x, y, words, { kind = "tick", anchor = "start", token = "ink2", room = this.roomAt(x, anchor), tail = "" } = {}) {
    const [size, weight] = { tick: [11, 400], bold: [11, 600], name: [12, 400], chosen: [12, 600] }[kind];
    let text = words + tail;
    for (let end = words.length - 1; end > 3 && this.width(text, size, weight) > room; end--) {
      text = `${words.slice(0, end).trimEnd()}\u2026${tail}`;
    }
    const place = { class: `tl-text-${kind}`, x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor, fill: color(token) };
    return this.put("words", name, "text", place, text);
  }

  roomAt(x, anchor) {
    const after = (this.across ?? Infinity) - x;
    return BESIDE + { start: after, end: x, middle: 2 * Math.min(x, after) }[anchor];
  }

  line(name, points, { token = "ink", width = 2, dash = null, layer = "line", opacity = null, style = null } = {}) {
    const d = points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
    const look = { d, fill: "none", stroke: color(token), "stroke-width": width, "stroke-linejoin": "round" };
    return this.put(layer, name, "path", { ...look, "stroke-dasharray": dash, opacity, class: style });
  }
}
