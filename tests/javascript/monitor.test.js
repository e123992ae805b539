import assert from "node:assert/strict";
import test from "node:test";
import {
  aboveAxis, besideEnd, buttonsOf, endWords, lastMean, nextRate, rateTicks, smooth, stepTicks,
} from "../../tlkit/widgets/monitor.js";

const names = (...state) => buttonsOf(...state).map(({ words }) => words);
const AREA = { left: 40, right: 240, top: 10, bottom: 180, room: 60 };

test("each state offers what can be done in it, the main action first", () => {
  assert.deepEqual(names("not running", "run"), ["Train", "Step"]);
  assert.deepEqual(names("training", "run"), ["Pause", "Step", "Stop"]);
  assert.deepEqual(buttonsOf("paused", "run").map(({ main }) => main), [true, false, false]);
});

test("after a finished run nothing needs doing, so no button is filled", () => {
  assert.deepEqual(buttonsOf("finished", "run"), [{ action: "afresh", face: "again", words: "Start afresh", key: "", main: false }]);
});

test("a comparison takes no single steps, and only a run starts afresh", () => {
  assert.deepEqual(names("training", "comparison"), ["Pause", "Stop"]);
  assert.deepEqual(names("stopped", "comparison"), ["Continue"]);
  assert.deepEqual(names("stopped", "loop"), ["Continue"]);
});

test("an error offers its repair, without one a fresh start", () => {
  assert.deepEqual(names("error", "run", "Start afresh with 1e-05"), ["Start afresh with 1e-05"]);
  assert.deepEqual(names("error", "run", ""), ["Start afresh"]);
  assert.deepEqual(names("error", "loop", ""), []);
});

test("a smoothed line starts at the first value and goes a quarter of the way to each next one", () => {
  assert.deepEqual(smooth([[1, 8], [2, 4], [3, 11]]), [[1, 8], [2, 7], [3, 8]]);
  assert.deepEqual(smooth([]), []);
});

test("steps are ticked in whole parts of the run, and the last tick names the unit", () => {
  const ticks = (steps, width) => stepTicks(steps, (step) => step / 10, width).map(({ words }) => words);
  assert.deepEqual(ticks(2000, 400), ["0", "500", "1,000", "1,500", "step 2,000"]);
  assert.deepEqual(ticks(2000, 120), ["0", "1,000", "step 2,000"]);
  assert.deepEqual(ticks(7, 400), ["0", "step 7"]);
  assert.deepEqual(stepTicks(7, (step) => step / 10, 400)[1].at, 0.7);
});

test("learning rates are ticked at 1 and 3 of every power of ten", () => {
  assert.deepEqual(rateTicks(1e-5, 1e-2), [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]);
  assert.deepEqual(rateTicks(2e-5, 9e-4), [3e-5, 1e-4, 3e-4]);
});

test("a key goes to the next tick, beyond the last one to the end, and in fine steps by a twentieth of a decade", () => {
  const ticks = [1e-4, 3e-4, 1e-3];
  assert.equal(nextRate(ticks, 2e-4, 1, false), 3e-4);
  assert.equal(nextRate(ticks, 3e-4, -1, false), 1e-4);
  assert.equal(nextRate(ticks, 1e-3, 1, false), Infinity);
  assert.equal(nextRate(ticks, 1e-4, -1, false), -Infinity);
  assert.equal(nextRate(ticks, 1e-3, 1, true), 0.0011); // 10 ** 0.05 is 1.122
});

test("room is kept for the longest values of both charts from the start", () => {
  const view = {
    kind: "run", name: "kept", earlier: [{ name: "before" }],
    left: { top: 2.5 }, right: { top: 100, unit: "%", chance: 10 },
  };
  assert.deepEqual(endWords(view), [
    ["before 2.20"], ["kept 2.20", 600], ["before 88.0"], ["chance 10\u00a0%"], ["kept 88.0 %", 600],
  ]);
  assert.deepEqual(endWords({ ...view, kind: "comparison", earlier: [] }), [["kept 2.20", 600]]);
  assert.deepEqual(endWords({ ...view, earlier: [], left: { bottom: -3, top: 1 }, right: null }), [["kept \u22122.64", 600]]);
});

test("the running end's name stands right of it, and left where there is no room", () => {
  assert.deepEqual(besideEnd(AREA, [100, 90], 50, [], true), [109, 103]);
  assert.deepEqual(besideEnd(AREA, [200, 90], 50, [], false), [141, 76]);
});

test("the running end's name keeps clear of other words and of the chart's edges", () => {
  const below = [{ from: 100, to: 160, y: 100 }];
  assert.deepEqual(besideEnd(AREA, [100, 90], 50, below, true), [109, 76]);
  assert.deepEqual(besideEnd(AREA, [100, 170], 50, [], true), [109, 156]);
  assert.deepEqual(besideEnd(AREA, [100, 15], 50, [], false), [109, 29]);
  const alongTheAxis = [{ from: 60, to: 160, y: 163 }]; // "rate to 0.001", above a loss near 0
  assert.deepEqual(besideEnd(AREA, [100, 179], 50, alongTheAxis, true), [109, 133]);
});

test("words about a step stand at the axis, above a line that runs there, and clear of other words", () => {
  const low = [[40, 100], [90, 170], [200, 172]];
  assert.equal(aboveAxis(AREA, 100, 150, [], []), 163);
  assert.equal(aboveAxis(AREA, 100, 150, [], [[40, 20], [240, 20]]), 163); // the line is far above
  assert.equal(aboveAxis(AREA, 110, 150, [], low), 155); // its letters end where the line's own room begins
  assert.equal(aboveAxis(AREA, 100, 150, [{ from: 120, to: 180, y: 163 }], []), 147);
  const steep = [[100, 10], [150, 180]];
  assert.equal(aboveAxis(AREA, 100, 150, [], steep), undefined);
});

test("a recipe's name stands at the mean of its trials at the last place it has come to", () => {
  const dots = [[0, 0, 50], [0, 1, 60], [0, 1, 70], [1, 0, 30]];
  assert.equal(lastMean(dots, 0), 65);
  assert.equal(lastMean(dots, 1), 30);
  assert.equal(lastMean(dots, 2), null);
});
