import assert from "node:assert/strict";
import test from "node:test";

import { lineImages } from "../../tlkit/widgets/side_by_side.js";

test("a set with labels fills its line from its first image on", () => {
  assert.deepEqual(lineImages([30, 20, 0], { mixed: false, columns: 4, draw: 0 }), [[30, 31, 32, 33], []]);
});

test("each draw shows the next images, and begins again after the last", () => {
  assert.deepEqual(lineImages([30, 6, 0], { mixed: false, columns: 4, draw: 1 }), [[34, 35, 30, 31], []]);
});

test("a line is no longer than its class has images", () => {
  assert.deepEqual(lineImages([30, 2, 0], { mixed: false, columns: 4, draw: 3 }), [[30, 31], []]);
});

test("labelled images leave half of the line to those without a label", () => {
  assert.deepEqual(lineImages([30, 9, 9], { mixed: true, columns: 5, draw: 0 }), [[30, 31, 32], [39, 40]]);
  assert.deepEqual(lineImages([30, 1, 9], { mixed: true, columns: 5, draw: 0 }), [[30], [31, 32, 33, 34]]);
});

test("a class that the set does not have leaves its line empty", () => {
  assert.deepEqual(lineImages([30, 0, 0], { mixed: true, columns: 5, draw: 2 }), [[], []]);
});
