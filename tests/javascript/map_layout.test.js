import assert from "node:assert/strict";
import test from "node:test";

import { ahead, bearer, closest, laidOut, separated, stacked, stretched, WAYS } from "../../tlkit/widgets/map_layout.js";

test("the closest of all is taken, the first of equally close ones, and none that is infinitely far", () => {
  assert.equal(closest(["a", "bb", "cc"], (name) => 3 - name.length), "bb");
  assert.equal(closest(["a"], () => Infinity), undefined);
});

test("an arrow sees only what lies ahead, and what lies aside as twice as far", () => {
  assert.equal(ahead(WAYS.ArrowRight, [10, 10], [13, 12]), 5); // 3 ahead, 2 aside
  assert.equal(ahead(WAYS.ArrowUp, [10, 10], [10, 4]), 6);
  assert.equal(ahead(WAYS.ArrowLeft, [10, 10], [13, 10]), Infinity);
  assert.equal(ahead(WAYS.ArrowDown, [10, 10], [10, 10]), Infinity);
});

test("points fill the map as far as its margin", () => {
  assert.deepEqual(stretched([[0, 5], [2, 5], [1, 7]], [100, 60], 10), [[10, 10], [90, 10], [50, 50]]);
});

test("points that are far enough apart stay where they are", () => {
  const points = [[20, 20], [40, 20]];
  assert.deepEqual(separated(points, 20, [100, 100], 5), points);
});

test("points that would hide each other are moved apart, and not out of the map", () => {
  const [one, other] = separated([[6, 50], [6, 50]], 20, [100, 100], 5);
  const far = Math.hypot(one[0] - other[0], one[1] - other[1]);
  assert.ok(far > 19 && far <= 20.01, `they are ${far} apart`);
  assert.ok([one, other].flat().every((value) => value >= 5 && value <= 95));
});

test("a map is laid out the same way every time", () => {
  const points = Array.from({ length: 30 }, (_, place) => [place % 3, place % 5]);
  assert.deepEqual(laidOut(points, [200, 150], 20), laidOut(points, [200, 150], 20));
});

test("a name is borne by the point in the middle and near the top", () => {
  const points = Array.from({ length: 11 }, (_, place) => [place, 10 - place]); // median 5, a tenth from the top 1
  assert.deepEqual(bearer(points), [7, 3]);
});

test("boxes that overlap are pushed below each other, beside each other they stay", () => {
  const box = (left, top) => ({ left, top, wide: 10, high: 10 });
  const tops = (boxes, reserved) => stacked(boxes, reserved).map(({ top }) => top);
  assert.deepEqual(tops([box(0, 5), box(0, 0)], box(100, 100)), [0, 14]);
  assert.deepEqual(tops([box(0, 0), box(20, 0)], box(100, 100)), [0, 0]);
  assert.deepEqual(tops([box(0, 0)], box(5, 3)), [17]);
});
