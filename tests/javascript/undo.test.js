import assert from "node:assert/strict";
import test from "node:test";
import { undoable } from "../../tlkit/widgets/undo.js";

function steps(traits) {
  const frame = { write: (changed) => Object.assign(traits, changed) };
  return undoable(frame, { get: (name) => traits[name] });
}

test("a change is undone with all that it changed", () => {
  const traits = { a: 1, b: 2, c: 3 };
  const { change, undo, canUndo } = steps(traits);
  change({ a: 10, b: 20 });
  assert.deepEqual([traits, canUndo()], [{ a: 10, b: 20, c: 3 }, true]);
  assert.equal(undo(), true);
  assert.deepEqual([traits, canUndo()], [{ a: 1, b: 2, c: 3 }, false]);
  assert.equal(undo(), false);
});

test("successive changes with one key are one step, until rest", () => {
  const traits = { a: 0 };
  const { change, rest, undo } = steps(traits);
  for (const a of [1, 2, 3]) change({ a }, "drag");
  rest();
  change({ a: 4 }, "drag");
  undo();
  assert.equal(traits.a, 3);
  undo();
  assert.equal(traits.a, 0);
});

test("what is forgotten cannot be undone", () => {
  const { change, forget, undo } = steps({ a: 0 });
  change({ a: 1 });
  forget();
  assert.equal(undo(), false);
});
