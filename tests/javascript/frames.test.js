import assert from "node:assert/strict";
import test from "node:test";
import { rowAt, statusWords, xTicks } from "../../tlkit/widgets/frames.js";

const words = (ticks) => ticks.map((tick) => tick.words);

const run = { name: "epoch", at: [0, 2, 8], values: ["0", "2", "8"], few: true, recorded: true, curve: { own: false, span: [0, 8] } };
const along = (value) => 10 * value;

test("the present tick is bold, the last of a run carries the unit", () => {
  const ticks = xTicks(run, 1, along, 4);
  assert.deepEqual(ticks[0], { at: 20, words: "2", bold: true });
  assert.deepEqual(ticks[1], { at: 80, words: "epoch 8" });
  assert.deepEqual(words(ticks.slice(2)), ["0", "2", "8"]);
  assert.deepEqual(xTicks(run, 2, along, 4)[0], { at: 80, words: "epoch 8", bold: true });
});

test("a click on a row of choices is that choice, one above or below them the nearest", () => {
  const curve = { lines: [["guessing", 10], ["untrained", 55]] }; // two lines of 15 px above, rows of 24
  assert.deepEqual([36, 59, 60, 83].map((y) => rowAt(y, curve, 3)), [0, 0, 1, 1]);
  assert.deepEqual([0, 500].map((y) => rowAt(y, curve, 3)), [0, 3]);
});

test("many frames have round ticks", () => {
  assert.deepEqual(words(xTicks({ ...run, few: false }, 0, along, 4).slice(2)), ["0", "2", "4", "6", "8"]);
});

test("on an axis of its own the curve's value is the bold tick, with a comma and a true minus", () => {
  const choice = { ...run, recorded: false, curve: { own: true, span: [-1000, 1000], x: [-1000, 453, 1000] } };
  assert.deepEqual(words(xTicks(choice, 0, along, 2)), ["\u22121,000", "\u22121,000", "0", "1,000"]);
  assert.deepEqual(xTicks(choice, 1, along, 2)[0], { at: 4530, words: "453", bold: true });
});

test("the status line has the sentence if nothing else shows it, and the note; else where the slider is", () => {
  const view = { sentence: [["Better: ", "than the mean."]], note: "The axis starts at 70 %.", words: ["epoch 0"] };
  assert.deepEqual(statusWords(view, 0, null), [["Better: ", "than the mean."], ["", "The axis starts at 70 %."]]);
  assert.deepEqual(statusWords(view, 0, {}), [["", "The axis starts at 70 %."]]);
  assert.deepEqual(statusWords({ ...view, note: "" }, 0, {}), [["", "epoch 0"]]);
});
