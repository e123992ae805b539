import assert from "node:assert/strict";
import test from "node:test";

import { tallied } from "../../tlkit/widgets/class_choice.js";

test("values are counted, the most frequent first, equally frequent ones as they came", () => {
  assert.deepEqual(tallied(["c", "a", "b", "a", "c", "a"]), [["a", 3], ["c", 2], ["b", 1]]);
  assert.deepEqual(tallied([]), []);
});
