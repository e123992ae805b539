// A network as rows of blocks: maps are sheets that shrink and multiply, a vector is a column of cells. What is frozen
// is hatched and locked; the forward arrow runs through all, the backward one ends at a wall.

import { color, ICONS } from "./marks.js";

export const [MIDDLE, BACKWARDS, TALL] = [70, 178, 194]; // px in a row: the blocks' middle, the blue arrow, all of it

export const inputSide = (inset) => Math.min(58, inset - 14);

// row: {chart, from, to, width, inset, column}, of groups[from] to groups[to - 1]; learns: whether each group does.
export function drawBlocks({ chart, from, to, width, inset, column }, { groups, learns, input, hatch, several }) {
  const arrow = (name, start, end, y, token = "edge", thick = 1) => {
    const back = end < start ? 5 : -5;
    chart.line(name, [[start, y], [end, y]], { token, width: thick });
    chart.line(`${name} head`, [[end + back, y - 4], [end, y], [end + back, y + 4]], { token, width: thick });
  };
  const [last, onwards] = [inset + (to - from - 0.5) * column, to < groups.length];
  const forward = from ? "" : "forward pass runs through every group";
  const begin = inset + (forward ? chart.width(forward) + 10 : 0);
  chart.size(width, TALL);
  if (forward) chart.words("forward", inset, 12, forward);
  arrow("forward", begin, onwards ? width : Math.max(last, begin + 20), 8);
  if (!from && input) drawInput(chart, input, inputSide(inset));
  for (let place = from; place < to; place++) {
    const left = inset + (place - from) * column;
    drawBlock(chart, groups[place], left + column / 2, column, learns[place] ? null : hatch);
    if (place > from || (!from && input)) arrow(`gap ${place}`, left - 11, left + Math.min(11, column / 10), MIDDLE);
  }
  const deepest = learns.indexOf(true);
  if (deepest >= 0 && deepest < to) {
    const wall = inset + (deepest - from) * column + 4;
    arrow("backward", onwards ? width : last + 12, deepest < from ? inset : wall + 4, BACKWARDS, "s1", 2);
    if (deepest >= from) drawWall(chart, wall, width, deepest ? several : null);
  }
  if (deepest < 0 && !from) chart.words("wall", inset, BACKWARDS + 4, "nothing can learn", { kind: "bold", token: "ink" });
  chart.sweep();
}

function drawWall(chart, wall, width, several) {
  const stopped = `gradients stop here: nothing ${several ? "before it" : "to the left"} can change`;
  const words = several === null ? "gradients reach the first group" : stopped;
  chart.line("wall", [[wall, BACKWARDS - 9], [wall, BACKWARDS + 9]], { width: 2.5, layer: "front" });
  const wide = chart.width(words);
  if (wall - 8 > wide) chart.words("wall", wall - 8, BACKWARDS + 4, words, { anchor: "end" });
  else chart.words("wall", Math.min(wall + 8, width - wide), BACKWARDS - 8, words);
}

function drawInput(chart, shape, side) {
  const box = { x: 0.5, y: MIDDLE - side / 2 + 0.5, width: side - 1, height: side - 1, rx: 4 };
  chart.put("mark", "input", "rect", { ...box, fill: "none", stroke: color("edge") });
  chart.words("input", side / 2, 134, "input", { kind: "chosen", token: "ink", anchor: "middle" });
  chart.words("input shape", side / 2, 150, shape, { anchor: "middle" });
}

// hatch: the fill of a frozen one, null for one that learns; side: 0 for a vector.
function drawBlock(chart, { name, caption, sheets, side }, x, column, hatch) {
  const size = Math.max(12, side * Math.min(66, column - 50));
  const half = side ? (size + 5 * (sheets - 1)) / 2 : 7;
  for (let sheet = sheets - 1; sheet >= 0; sheet--) {
    const place = side ? { x: x - half + 5 * sheet, y: MIDDLE + half - size - 5 * sheet, width: size, height: size }
      : { x: x - half, y: MIDDLE - 4.5 * sheets + 9 * sheet + 1, width: 14, height: 7 };
    const look = hatch ? { fill: side && sheet ? color("ground") : hatch, stroke: color("edge") }
      : { fill: color("s1"), stroke: color("ground") };
    chart.put("line", `${name} ${sheet}`, "rect", { ...place, ...look, rx: 2, class: "tl-sheet" });
  }
  if (hatch) {
    const [left, top] = side ? [x - half + size / 2, MIDDLE + half - size / 2] : [x, MIDDLE];
    const badge = { x: left - 10, y: top - 10, width: 20, height: 20, rx: 4, fill: color("ground"), stroke: color("edge") };
    const place = `translate(${left - 6.4} ${top - 6.8}) scale(0.8)`;
    chart.put("front", `badge ${name}`, "rect", badge);
    chart.put("front", `lock ${name}`, "path", { d: ICONS.lock, transform: place, fill: color("ink"), "fill-rule": "evenodd" });
  }
  chart.words(name, x, 134, name, { kind: "chosen", token: "ink", anchor: "middle", room: column - 6 });
  chart.words(`${name} shape`, x, 150, caption, { anchor: "middle", room: column - 2 });
}
