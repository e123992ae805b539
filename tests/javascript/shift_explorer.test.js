import assert from "node:assert/strict";
import test from "node:test";
import { Pair } from "../../tlkit/widgets/pairs.js";
import { facts, ordered, placeTicks, says } from "../../tlkit/widgets/shift_explorer.js";

const recipes = [
  { name: "source only", mean: [98, 60, 40] }, { name: "CORAL", mean: [97.2, 96.36, 92] },
  { name: "oracle", mean: [99, 99, 98], guide: true }, { name: "late", mean: [null, null, 99.5] },
];
const found = (mean, low, high, values = [1, 2]) => ({ mean, low, high, values, wins: 2 });
const view = {
  recipes, pairs: { "1-0": [found(-0.8, -2, 0.4), found(36.36, 30, 42.7), found(52, 52, 52, [52])] }, y: { unit: "%", title: "Accuracy on 600 test images" },
  axis: "strength", axis_words: "strength", values: [0, 0.5, 1], unit: "points", lower: false,
};
const pair = new Pair(view, 1, 0);

test("it says where it is, both values, and their difference with its interval", () => {
  const words = "strength 0.5: CORAL 96.4 %, source only 60.0 %, +36.4 points, 95 % interval +30.0 to +42.7";
  assert.equal(says(pair, 1, "contrast"), `contrast, ${words}`);
  assert.equal(says(pair, 1, ""), words);
  assert.ok(says(pair, 2, "").endsWith("+52.0 points, one seed gives no interval"));
});

test("what was not measured says so, and another metric has its own unit", () => {
  assert.equal(says(new Pair(view, 3, 0), 0, ""), "strength 0: late not measured, source only 98.0 %");
  const losses = { ...view, y: { unit: "", title: "log loss" }, unit: "", pairs: {} };
  assert.equal(says(new Pair(losses, 1, 0), 2, ""), "strength 1: CORAL 92.000, source only 40.000");
});

test("the facts are how close the rivals begin and what each of the pair loses", () => {
  assert.deepEqual(facts(pair), [
    ["", "At strength 0 all methods lie within 0.8 points"],
    ["", "CORAL keeps 95 % of its accuracy to the end"],
    ["", "source only has lost more than half of its accuracy at strength 1"],
  ]);
});

test("who does not lose has lost nothing, and other metrics have no such facts", () => {
  const gains = { ...view, recipes: [{ name: "a", mean: [50, 60, 70] }, { name: "b", mean: [50, 50, 50] }] };
  assert.deepEqual(facts(new Pair(gains, 0, 1)), [["", "At strength 0 all methods lie within 0.0 points"]]);
  const losses = new Pair({ ...view, y: { unit: "", title: "log loss" } }, 1, 0);
  assert.deepEqual(facts(losses), [["", says(losses, 0, "")]]);
});

test("the table has the best first, where lower is better the lowest, and last what was not measured", () => {
  const names = (...order) => ordered(recipes, ...order).map(({ name }) => name);
  assert.deepEqual(names(1, false), ["oracle", "CORAL", "source only", "late"]);
  assert.deepEqual(names(2, true), ["source only", "CORAL", "oracle", "late"]);
});

test("ticks are values of the axis at equal steps from its first to its last, the present one bold", () => {
  const strengths = Array.from({ length: 11 }, (_, tenth) => tenth / 10);
  const ticks = (width, index) => placeTicks(strengths, (value) => width * value, index, () => 20);
  const words = (...how) => ticks(...how).map((tick) => tick.words);
  assert.deepEqual(words(540, 6), ["0.6", "0", "0.2", "0.4", "0.8", "1"]);
  assert.deepEqual(words(540, 5), ["0.5", "0", "0.2", "0.4", "0.6", "0.8", "1"]);
  assert.deepEqual(words(236, 5), ["0.5", "0", "0.2", "0.8", "1"]); // no room beside the present one
  assert.deepEqual(ticks(540, 5).map(({ bold }) => Boolean(bold)), [true, ...Array(6).fill(false)]);
  assert.deepEqual(placeTicks([0.5], () => 9, 0, () => 20), [{ at: 9, words: "0.5", bold: true }]);
});
