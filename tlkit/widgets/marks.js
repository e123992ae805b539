// What the widgets are drawn with: colours by their token, marks, icons, the glyphs of the states, the hatch.

import { svg } from "./dom.js";

export const color = (token) => `var(--tl-${token})`;

export const MARKS = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  triangle: (r) => `M0,${-1.15 * r}L${1.15 * r},${0.85 * r}H${-1.15 * r}z`,
  square: (r) => `M${-0.9 * r},${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
  diamond: (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  plus: (r) => {
    const arm = 0.8 * r;
    return `M${-arm / 2},${-1.5 * arm}h${arm}v${arm}h${arm}v${arm}h${-arm}v${arm}h${-arm}v${-arm}h${-arm}v${-arm}h${arm}z`;
  },
  star: (r) => `M${Array.from({ length: 10 }, (_, place) => {
    const [length, turn] = [(place % 2 ? 0.55 : 1.4) * r, (place * Math.PI) / 5];
    return `${(length * Math.sin(turn)).toFixed(2)},${(-length * Math.cos(turn)).toFixed(2)}`;
  }).join("L")}z`,
  wedge: (r) => `M0,${1.15 * r}L${1.15 * r},${-0.85 * r}H${-1.15 * r}z`,
  hourglass: (r) => `M${-r},${-1.1 * r}H${r}L${-r},${1.1 * r}H${r}z`,
};

export const GLYPHS = { // filled and open
  circle: "\u25cf\u25cb", triangle: "\u25b2\u25b3", square: "\u25a0\u25a1", diamond: "\u25c6\u25c7",
  plus: "\u271a\u2719", star: "\u2605\u2606", wedge: "\u25bc\u25bd", hourglass: "\u29d7\u29d6",
};

export const ICONS = { // on a field of 16; "outline" ones are drawn, the others filled
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9.5 3h3v10h-3z",
  step: "M2.5 2.5v11L10 8zM11 2.5h2.5v11H11z",
  stop: "M3 3h10v10H3z",
  dot: MARKS.circle(5.5).replace("M-5.5,0", "M2.5,8"),
  dots: [3, 8, 13].map((x) => MARKS.circle(1.5).replace("M-1.5,0", `M${x - 1.5},8`)).join(""),
  circle: "outline M3 8a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  check: "outline M3 8.5l3.5 3.5L13 4.5",
  undo: "outline M6.5 2.5L3 6l3.5 3.5M3.5 6H10a3.5 3.5 0 0 1 0 7H6.5",
  again: "outline M8 1L4.8 3.8L8 6.6M5.2 3.8H8A4.8 4.8 0 1 1 3.4 7.6",
  clear: "M6 1.5h4V3h4v1.5H2V3h4zM3.5 5.7h9L11.7 14.5H4.3z",
  plus: "outline M8 2.5v11M2.5 8h11",
  minus: "outline M2.5 8h11",
  save: "outline M8 1.5V10M4.5 6.5L8 10l3.5-3.5M2.5 13.5h11",
  open: "outline M8 11V2.5M4.5 6L8 2.5L11.5 6M2.5 13.5h11",
  cross: "outline M3.5 3.5l9 9M12.5 3.5l-9 9",
  lock: "M3 7h10v7.5H3zM4.7 7V4.8a3.3 3.3 0 0 1 6.6 0V7H9.7V4.8a1.7 1.7 0 0 0-3.4 0V7z",
  unlock: "M3 7h10v7.5H3zM4.7 7V4.3a3.3 3.3 0 0 1 6.6 0v1H9.7v-1a1.7 1.7 0 0 0-3.4 0V7z",
  warning: "M8 1.5L15.5 14.5H0.5zM7.2 6v4.5h1.6V6zM7.2 11.6v1.6h1.6v-1.6z",
};

export function icon(name) {
  const [outline, path] = ICONS[name].startsWith("outline ") ? [true, ICONS[name].slice(8)] : [false, ICONS[name]];
  const shape = svg("path", { d: path, "fill-rule": "evenodd" });
  return svg("svg", { class: outline ? "tl-icon tl-outline" : "tl-icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, shape);
}

export const STATES = { // every state is a word with a glyph
  "not running": "circle", loading: "dots", training: "dot", paused: "pause", stopped: "stop", finished: "check",
  measured: "check", "up to date": "check", "out of date": "again", error: "warning", "waiting for you": "circle",
  locked: "lock", "recorded run": "play",
};

// The fill for what is frozen, or wrong.
export function makeHatch(frame, token = "edge") {
  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const lines = svg("path", { d: "M0,0V5", stroke: color(token), "stroke-width": 2 });
  const place = { id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const ground = svg("rect", { width: 5, height: 5, fill: color("ground") });
  frame.root.append(svg("svg", { class: "tl-hidden", "aria-hidden": "true" }, svg("pattern", place, ground, lines)));
  return `url(#${id})`;
}
