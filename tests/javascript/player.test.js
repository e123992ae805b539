import assert from "node:assert/strict";
import test from "node:test";
import { player } from "../../tlkit/widgets/player.js";

const nothing = () => {};
const node = { append: nothing, setAttribute: nothing, addEventListener: nothing, contains: () => false, replaceChildren: nothing };
globalThis.document = { createElementNS: () => ({ ...node, getAttribute: () => null, removeAttribute: nothing }) };

// A player through four frames, its frames so far, and its end.
function start(t, { at = 0, still = false } = {}) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  globalThis.matchMedia = () => ({ matches: still });
  const end = new AbortController();
  const seen = [at];
  const frame = { listen: nothing, signal: end.signal, focused: () => null };
  return { ...player(frame, { last: 3, present: () => seen.at(-1), go: (index) => seen.push(index) }), seen, end };
}

test("it plays two frames a second and stops at the last", (t) => {
  const { press, seen } = start(t);
  press();
  assert.deepEqual(seen, [0, 1]);
  t.mock.timers.tick(499);
  assert.deepEqual(seen, [0, 1]);
  t.mock.timers.tick(1);
  assert.deepEqual(seen, [0, 1, 2]);
  t.mock.timers.tick(5000);
  assert.deepEqual(seen, [0, 1, 2, 3]);
});

test("from the last frame it begins again", (t) => {
  const { press, seen } = start(t, { at: 3 });
  press();
  assert.deepEqual(seen, [3, 0]);
});

test("a second press pauses, a step or a chosen frame too", (t) => {
  for (const stop of ["press", "step", "seek"]) {
    const play = start(t);
    play.press();
    play[stop](2);
    const { length } = play.seen;
    t.mock.timers.tick(2000);
    assert.equal(play.seen.length, length, stop);
    t.mock.timers.reset();
  }
});

test("a step goes no further than the last frame", (t) => {
  const { step, seen } = start(t, { at: 3 });
  step();
  assert.deepEqual(seen, [3, 3]);
});

test("who asks for less motion gets one step", (t) => {
  const { press, seen } = start(t, { still: true });
  press();
  t.mock.timers.tick(2000);
  assert.deepEqual(seen, [0, 1]);
});

test("nothing plays on after the end", (t) => {
  const { press, seen, end } = start(t);
  press();
  end.abort();
  t.mock.timers.tick(2000);
  assert.deepEqual(seen, [0, 1]);
});
