import assert from "node:assert/strict";
import test from "node:test";
import { differenceAxis, stacked } from "../../tlkit/widgets/budget_explorer.js";

test("zero is always on the axis of differences, and ticks have as many decimals as they need", () => {
  const { scale, ticks } = differenceAxis([10, 20], "points", 0, 116, 4); // from -1.6 to 21.6: 5 px a point
  assert.ok(Math.abs(scale(0) - 8) < 1e-9);
  assert.deepEqual(ticks.map((tick) => tick.words), ["0", "+10", "+20"]);
  const small = differenceAxis([0.001, 0.004], "", 0, 100, 4).ticks.map((tick) => tick.words);
  assert.deepEqual(small, ["0.000", "+0.002", "+0.004"]);
});

test("a ring goes to the first row where it touches no other", () => {
  assert.deepEqual(stacked([10, 15, 18, 25]), [[10, 0], [15, 1], [18, 2], [25, 0]]);
  assert.deepEqual(stacked([10, 11, 12, 13]).at(-1), [13, 0]); // no row is free: by turns
});
