import assert from "node:assert/strict";
import test from "node:test";
import { keyTarget, rovingTarget } from "../../tlkit/widgets/controls.js";

const slider = { low: 2, high: 9, next: (value, direction, fine) => value + direction * (fine ? 0.1 : 1) };
const press = (key, shiftKey = false) => keyTarget({ key, shiftKey }, 5, slider);

test("arrows move a slider by a step, and by a fine one with Shift", () => {
  assert.deepEqual(["ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp"].map((key) => press(key)), [4, 4, 6, 6]);
  assert.equal(press("ArrowRight", true), 5.1);
});

test("Home and End are the ends of a slider, other keys leave it", () => {
  assert.deepEqual([press("Home"), press("End"), press("a")], [2, 9, undefined]);
});

test("arrows go round a group of buttons, Home and End to its ends", () => {
  const to = (key, place) => rovingTarget(key, place, 3);
  assert.deepEqual([to("ArrowRight", 1), to("ArrowDown", 2), to("ArrowLeft", 0), to("ArrowUp", 2)], [2, 0, 2, 1]);
  assert.deepEqual([to("Home", 2), to("End", 0), to("Enter", 1)], [0, 2, undefined]);
});
