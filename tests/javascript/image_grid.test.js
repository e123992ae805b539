import assert from "node:assert/strict";
import test from "node:test";

import { keyPlace } from "../../tlkit/widgets/image_grid.js";

const PAGE = { at: 5, columns: 4, all: 30 };

test("arrows lead to the neighbours, Home and End to the ends", () => {
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
  assert.deepEqual(keys.map((key) => keyPlace(key, PAGE)), [4, 6, 1, 9, 0, 29]);
});

test("another key is none of the grid's", () => {
  assert.equal(keyPlace("e", PAGE), undefined);
});
