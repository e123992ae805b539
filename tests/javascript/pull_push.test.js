import assert from "node:assert/strict";
import test from "node:test";
import { apartAround, nameOf, nextTemperature, noteWords, pullWords } from "../../tlkit/widgets/pull_push.js";

const settings = { temperature: 0.2, push: true };
const said = (points, chosen, more = {}) => pullWords({ points, chosen, settings: { ...settings, ...more } }).join("");

test("views are letters, the other one of an image with a prime", () => {
  assert.deepEqual([0, 1, 6, 7].map(nameOf), ["a", "a\u2032", "d", "d\u2032"]);
});

test("it says who pulls and who pushes most, and which way", () => {
  assert.equal(said([0, 60, 330, 180], 0), "a is pulled anticlockwise by a\u2032; is pushed anticlockwise, most by b");
  assert.equal(said([0, 300, 350, 180], 0), "a is pulled clockwise by a\u2032; is pushed anticlockwise, most by b");
  assert.equal(said([0, 300, 350, 180], 0, { push: false }), "a is pulled clockwise by a\u2032");
  assert.equal(said([0, 10, 120, 130, 240, 250], 3), "b\u2032 is hardly pulled or pushed");
});

test("a note says why there is no arrow: collapsed, solved, cancelled, or closed without the push", () => {
  const note = (points, push, temperature = 0.2) => noteWords({ points, push, temperature }, true);
  const collapsed = [90, 450, 90, -270];
  assert.match(note(collapsed, true), /^Every arrow is zero: all views are one point, and the push has no direction/);
  assert.match(note(collapsed, false), /the loss could not be lower/);
  assert.match(note([0, 10, 120, 130], true), /^No arrow is left: every view finds its pair/);
  assert.match(note([0, 0, 0, 0, 180, 180], true), /pull and push cancel at every view/);
  assert.match(note([5, 5, 50, 50], false), /each pair is closed, wherever it is/);
  assert.match(noteWords({ points: [0, 60, 120, 180], push: false, temperature: 0.2 }, false), /^Free points only pair up; a network/);
});

test("names that would overlap are moved apart, around the circle too, and keep their order", () => {
  const found = apartAround([90, 90, 90, 90], 10).map(Math.round);
  assert.deepEqual(found, [75, 85, 95, 105]);
  assert.deepEqual(apartAround([0, 120, 240], 10), [0, 120, 240]);
  const [first, last] = apartAround([2, 358], 10);
  assert.deepEqual([first, last].map(Math.round), [5, 355]);
});

test("the temperature goes from tick to tick, with shift by a hundredth", () => {
  assert.equal(nextTemperature(0.2, 1, false), 0.5);
  assert.equal(nextTemperature(0.3, -1, false), 0.2);
  assert.equal(nextTemperature(1, 1, false), 1);
  assert.equal(nextTemperature(0.2, -1, true), 0.19);
});
