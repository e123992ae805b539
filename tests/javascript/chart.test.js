import assert from "node:assert/strict";
import test from "node:test";
import { Chart } from "../../tlkit/widgets/chart.js";
import { GLYPHS, MARKS } from "../../tlkit/widgets/marks.js";

// A chart without a page: every letter is 6 px wide, and what is drawn is listed by its name.
function drawing(draw) {
  const drawn = {};
  const chart = Object.create(Chart.prototype);
  chart.width = (words) => 6 * words.length;
  chart.put = (_layer, name, _tag, attributes, words) => (drawn[name] = words === undefined ? attributes : { ...attributes, words });
  draw(chart);
  return drawn;
}

const AREA = { left: 40, right: 200, top: 10, bottom: 110 };

test("a line runs through its points", () => {
  const { curve } = drawing((chart) => chart.line("curve", [[0, 1], [2.25, 3]]));
  assert.equal(curve.d, "M0.0,1.0L2.3,3.0");
});

test("a name too long for its room is cut, the value behind it is not", () => {
  const { name } = drawing((chart) => chart.words("name", 0, 0, "from scratch", { room: 66, tail: " 81" }));
  assert.equal(name.words, "from sc\u2026 81"); // 11 letters of 6 px
});

test("names with room stand at the ends of their lines, without a leader", () => {
  const labels = [{ name: "a", y: 20, words: "a" }, { name: "b", y: 60, words: "b" }];
  const drawn = drawing((chart) => chart.ends(AREA, labels, 50));
  assert.deepEqual(Object.keys(drawn), ["end a", "end b"]);
  assert.deepEqual([drawn["end a"].x, drawn["end a"].y, drawn["end b"].y], ["207.0", "24.0", "64.0"]);
});

test("names that would overlap move apart, and a leader joins each to its line", () => {
  const labels = [{ name: "low", y: 62, words: "low", token: "s2" }, { name: "high", y: 58, words: "high", token: "s1" }];
  const drawn = drawing((chart) => chart.ends(AREA, labels, 50));
  assert.deepEqual([drawn["end high"].y, drawn["end low"].y], ["56.0", "72.0"]); // 52 and 68, 4 px above the letters' foot
  assert.equal(drawn["leader high"].d, "M203.0,58.0L210.0,52.0");
  assert.equal(drawn["leader low"].stroke, "var(--tl-s2)");
});

test("the margin has room for the longest name, but leaves two thirds to the figure", () => {
  drawing((chart) => {
    assert.equal(chart.margin([["head kept"], ["probe"]], 600), 9 * 6 + 14);
    assert.equal(chart.margin([["x"]], 600), 30);
    assert.equal(chart.margin([["a very long name indeed"]], 200), 72);
  });
});

test("of the unit and a long last tick, the unit gives way", () => {
  const unitAt = (words) => drawing((chart) => chart.axes("axis", AREA, { x: [{ at: 200, words }], unit: "epochs" }))["axis unit"].x;
  assert.equal(unitAt("1"), "211.0"); // 200 + 3 + 8
  assert.equal(unitAt("all labels"), "238.0"); // 200 + 30 + 8
});

test("an axis that does not begin at 0 is broken near its lower end", () => {
  const { "break 8": one, "break 12": other } = drawing((chart) => chart.broken(AREA));
  assert.deepEqual([one.d, other.d], ["M35.0,102.0L45.0,96.0", "M35.0,98.0L45.0,92.0"]);
});

test("every mark of the course can be drawn, open and filled, and has two glyphs", () => {
  for (const [shape, glyphs] of Object.entries(GLYPHS)) {
    for (const open of [false, true]) {
      const { one } = drawing((chart) => chart.mark("one", shape, 10, 20, "s1", { open }));
      assert.match(one.d, /^M[-\d.,MLHhvaz ]+z$/);
    }
    assert.equal(glyphs.length, 2);
  }
  assert.deepEqual(Object.keys(GLYPHS), Object.keys(MARKS));
});

test("an interval is filled if it excludes zero, open if it does not", () => {
  const fill = (filled) => drawing((chart) => chart.interval("one", [0, 0], [0, 9], [0, 4], { filled }))["one dot"].fill;
  assert.deepEqual([fill(true), fill(false)], ["var(--tl-ink)", "var(--tl-ground)"]);
});
