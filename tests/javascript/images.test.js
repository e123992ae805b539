import assert from "node:assert/strict";
import test from "node:test";

import { fitted, pixelsOf } from "../../tlkit/widgets/images.js";

const bytes = (...values) => new DataView(Uint8Array.from(values).buffer);

test("a grey image is ink on nothing, its values the opacity", () => {
  const images = { shape: [1, 1, 2] };
  assert.deepEqual([...pixelsOf(bytes(1, 2, 3, 4), images, 1)], [0, 0, 0, 3, 0, 0, 0, 4]);
});

test("a photograph keeps its colours, which are sent channel by channel", () => {
  const images = { shape: [3, 1, 2] };
  assert.deepEqual([...pixelsOf(bytes(10, 11, 20, 21, 30, 31), images, 0)], [10, 20, 30, 255, 11, 21, 31, 255]);
});

test("images may begin behind others", () => {
  assert.deepEqual([...pixelsOf(bytes(9, 9, 9, 7), { shape: [1, 1, 1], from: 3 }, 0)], [0, 0, 0, 7]);
});

test("an image that whole pixels fill well is drawn crisp", () => {
  assert.deepEqual(fitted([1, 8, 8], 44, 2), { wide: 44, high: 44, smooth: false }); // 11 device pixels each
  assert.deepEqual(fitted([1, 8, 8], 44, 1), { wide: 40, high: 40, smooth: false }); // 5 each, 40 of 44
});

test("a photograph that whole pixels would fill badly is stretched and smoothed", () => {
  assert.deepEqual(fitted([3, 30, 60], 44, 1), { wide: 44, high: 22, smooth: true });
});
