import assert from "node:assert/strict";
import test from "node:test";
import { Pair } from "../../tlkit/widgets/pairs.js";

const CLEAR = { mean: 25.46, low: 22.4, high: 28.6, wins: 5, values: [24, 25, 25.5, 26, 26.8] };
const UNSURE = { mean: -0.5, low: -2, high: 1, wins: 1, values: [-2, -1.5, 1] };
const SINGLE = { mean: 3, low: 3, high: 3, wins: 1, values: [3] };
const view = {
  recipes: [{ name: "head kept" }, { name: "from scratch" }], pairs: { "0-1": [CLEAR, UNSURE, SINGLE, null] },
  axis: "budget", axis_words: "labels per class", values: [1, 5, 20, "all"], unit: "points", lower: false,
};
const pair = new Pair(view, 0, 1);

test("a difference has its interval, one of a single seed has none", () => {
  assert.equal(pair.words(0), "1 label per class: +25.5 points, 95 % interval +22.4 to +28.6");
  assert.equal(pair.words(1), "5 labels per class: \u22120.5 points, 95 % interval \u22122.0 to +1.0");
  assert.equal(pair.words(2), "20 labels per class: +3.0 points, one seed gives no interval");
  assert.equal(pair.words(3), "all labels: not measured yet");
});

test("an interval that excludes zero separates the two", () => {
  assert.deepEqual(pair.verdict(0), [
    "Separated from zero.",
    "On the same seeds and the same labels, head kept won 5 times out of 5; the interval does not contain zero.",
  ]);
  assert.deepEqual(pair.verdict(1), [
    "Not separated from zero.",
    "On the same seeds and the same labels, head kept won once out of 3; the interval contains zero.",
  ]);
});

test("a single seed decides nothing, and what was not measured says so", () => {
  assert.equal(pair.verdict(2)[0], "Undecided.");
  assert.equal(pair.verdict(3)[0], "Not measured yet.");
});

test("the example of an open dot is the last one, and not that of a single seed", () => {
  assert.equal(pair.openWords(), " (at 5 labels: \u22120.5 points, \u22122.0 to +1.0)");
  assert.equal(new Pair({ ...view, pairs: { "0-1": [CLEAR] } }, 0, 1).openWords(), "");
});

test("where lower is better the second is minuend, and a metric of its own has three decimals and no points", () => {
  const losses = new Pair({ ...view, lower: true, unit: "", axis: "layer", values: ["block1"] }, 0, 1);
  assert.deepEqual(losses.names, ["from scratch", "head kept"]);
  assert.equal(losses.points(0.1234), "+0.123");
  assert.equal(losses.where(0), "layer block1");
});

test("a pair that was not compared has nothing measured", () => {
  assert.deepEqual(new Pair(view, 1, 0).found, [null, null, null, null]);
});
