import assert from "node:assert/strict";
import test from "node:test";
import {
  apart, budgetScale, clamp, curvePoints, decimals, digitsOf, linear, nearest, percentTicks, roundTicks, spread, valueScale,
  valueTicks,
} from "../../tlkit/widgets/scales.js";

const near = (found, wanted) => {
  assert.equal(found.length, wanted.length);
  found.forEach((value, place) => assert.ok(Math.abs(value - wanted[place]) < 1e-9, `${found} is not ${wanted}`));
};
const words = (ticks) => ticks.map((tick) => tick.words);

test("a value is kept between two ends", () => {
  assert.deepEqual([-1, 0.5, 2].map((value) => clamp(value, 0, 1)), [0, 0.5, 1]);
});

test("a linear scale goes there and back", () => {
  const scale = linear(10, 20, 100, 0); // downwards, as on a chart
  assert.deepEqual([10, 12, 20, 25].map(scale), [100, 80, 0, -50]);
  assert.equal(scale.invert(80), 12);
});

test("a scale of a single value puts it in the middle", () => {
  assert.equal(linear(3, 3, 0, 100)(3), 50);
});

test("positive budgets stand at their logarithms, inside the ends of the axis", () => {
  const x = budgetScale([1, 10, 100], { left: 0, right: 117 }); // 12 to 112
  near([1, 10, 100].map(x), [12, 62, 112]);
});

test("budgets with 0 or all labels stand at equal distances", () => {
  const x = budgetScale([0, 5, "all"], { left: 0, right: 117 });
  near([0, 5, "all"].map(x), [12, 62, 112]);
});

test("ticks are round and at most so many steps apart", () => {
  near(roundTicks(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  near(roundTicks(0, 1, 2), [0, 0.5, 1]);
  near(roundTicks(-3, 7, 5), [-2, 0, 2, 4, 6]);
  near(roundTicks(0, 0.03, 3), [0, 0.01, 0.02, 0.03]);
});

test("accuracy has ticks from 0 to 100, its unit once", () => {
  const tall = { top: 10, bottom: 210 };
  assert.deepEqual(words(percentTicks(tall, linear(0, 100, 210, 10))), ["0", "25", "50", "75", "100\u00a0%"]);
  const broken = (bottom, top) => words(percentTicks(tall, linear(bottom, top, 210, 10), { bottom, top }));
  assert.deepEqual(broken(80, 95), ["80", "85", "90", "95\u00a0%"]);
  assert.deepEqual(broken(65, 95), ["70", "80", "90\u00a0%"]);
  const low = percentTicks({ top: 0, bottom: 100 }, linear(0, 100, 100, 0));
  assert.deepEqual(low, [{ at: 100, words: "0" }, { at: 50, words: "50" }, { at: 0, words: "100\u00a0%" }]);
});

test("a value in per cent has one decimal, another three figures at the far end of its axis", () => {
  assert.equal(digitsOf({ unit: "%", top: 100 }), 1);
  assert.deepEqual([0.05, 2, 30, 500].map((top) => digitsOf({ top })), [4, 2, 1, 0]);
  assert.equal(digitsOf({ bottom: -300, top: 2 }), 0);
});

test("ticks of other values have equally many decimals, a comma and a true minus", () => {
  const area = { top: 0, bottom: 136 }; // room for 4 steps
  const scale = (axis) => linear(axis.bottom ?? 0, axis.top, area.bottom, area.top);
  const ticksOf = (axis) => words(valueTicks(area, scale(axis), axis));
  assert.deepEqual(ticksOf({ top: 2 }), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
  assert.deepEqual(ticksOf({ top: 1 }), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
  assert.deepEqual(ticksOf({ bottom: -2000, top: 2000 }), ["\u22122,000", "\u22121,000", "0", "1,000", "2,000"]);
});

test("places with room stay where they are", () => {
  assert.deepEqual(spread([10, 30, 60], 16, 0, 100), [10, 30, 60]);
});

test("places that are too close stand around their mean", () => {
  assert.deepEqual(spread([50, 50], 16, 0, 100), [42, 58]);
  assert.deepEqual(spread([40, 44, 48], 16, 0, 100), [28, 44, 60]);
});

test("a group that grows takes in its neighbour", () => {
  assert.deepEqual(spread([30, 50, 50], 16, 0, 100), [(130 / 3) - 16, 130 / 3, (130 / 3) + 16]); // 42 is too close to 30
});

test("a group stays inside the chart, and begins at its top if it is longer", () => {
  assert.deepEqual(spread([2, 2], 16, 0, 100), [0, 16]);
  assert.deepEqual(spread([99, 99], 16, 0, 100), [84, 100]);
  assert.deepEqual(spread([5, 5, 5], 16, 0, 20), [0, 16, 32]);
});

test("what was not measured is no point of a curve", () => {
  const y = (value) => 100 - value;
  assert.deepEqual(curvePoints([1, 2, 3], y, [10, null, 30], [5, null, null], [15, null, 35]), [
    { x: 1, y: 90, low: 95, high: 85 },
    { x: 3, y: 70, low: null, high: 65 },
  ]);
  assert.deepEqual(curvePoints([1], y, [10]), [{ x: 1, y: 90, low: null, high: null }]);
});

test("the nearest of some places is found, the first of two", () => {
  assert.deepEqual([0.1, 0.3, 0.9, 0.25].map((to) => nearest([0, 0.5, 1], to)), [0, 1, 2, 0]);
});

test("round values have the decimals that all of them need", () => {
  assert.equal(decimals([0, 0.25, 0.5]), 2);
  assert.equal(decimals([0.1 + 0.2, 1]), 1);
  assert.equal(decimals([100, 102.5]), 1);
  assert.equal(decimals([-2, 0]), 0);
});

test("of ticks those stay that have room beside those before them", () => {
  const widthOf = (text) => 10 * text.length;
  const ticks = [{ at: 100, words: "now" }, { at: 130, words: "a" }, { at: 60, words: "b" }, { at: 20, words: "c" }];
  assert.deepEqual(words(apart(ticks, 8, widthOf)), ["now", "a", "b", "c"]); // 20 px wide half by half, and 8
  assert.deepEqual(words(apart(ticks, 15, widthOf)), ["now", "b", "c"]);
});

test("strengths stand at their distance; weights over decades, and words, as budgets do", () => {
  const area = { left: 0, right: 117 }; // 100 px between the first and the last
  const places = (values) => values.map(valueScale(values, area));
  near(places([0, 0.1, 0.5, 1]), [12, 22, 62, 112]);
  near(places([0.25, 0.5, 1]), [12, 12 + 100 / 3, 112]);
  near(places([0.1, 1, 10]), [12, 62, 112]);
  near(places([0, 0.1, 1, 10]), [12, 12 + 100 / 3, 12 + 200 / 3, 112]);
  near(places(["block1", "block2", "head"]), [12, 62, 112]);
  near(places([0.5]), [59.5 + 2.5]);
});
