import assert from "node:assert/strict";
import test from "node:test";
import { STATES } from "../../tlkit/widgets/marks.js";
import { answerOf, gapsOf, hintWords, nameHeight, STATE_OF, statusParts } from "../../tlkit/widgets/prediction.js";

const VIEW = { budgets: [1, 5, 20], baseline: { values: [50, 60] }, chance: 10, statements: ["No difference.", "A gain."] };
const ASKED = { view: VIEW, placed: [80, null], locked: false, ready: false, choice: -1, result: {} };
const answer = (traits) => answerOf((name) => ({ ...ASKED, ...traits })[name]);

test("a gap is measured minus predicted, where there are both", () => {
  assert.deepEqual(gapsOf([80, null, 96], [75, 90, null]), [{ index: 0, you: 80, measured: 75, gap: -5 }]);
  assert.deepEqual(gapsOf([80]), []);
});

test("an unplaced point rests on the known curve, and where that is not measured at chance", () => {
  const { placed, at, missing, mode } = answer({});
  assert.deepEqual(placed, [80, null, null]);
  assert.deepEqual(at, [80, 60, 10]);
  assert.deepEqual([missing, mode], [2, "ask"]);
});

test("a result counts only once the prediction is locked", () => {
  const result = { values: [75, 90, 95] };
  assert.deepEqual([answer({ result }).mode, answer({ result }).gaps], ["ask", []]);
  assert.equal(answer({ locked: true }).mode, "locked");
  assert.equal(answer({ locked: true, result }).mode, "result");
});

test("the hint says what is missing, and the keys where there is room", () => {
  assert.equal(hintWords(answer({}), true), "Place 2 more points first.");
  assert.match(hintWords(answer({ placed: [80, 70] }), false), /^Place 1 more point first\. A click leaves a point where it is\./);
  assert.equal(hintWords(answer({ placed: [80, 70, 90] }), true), "All points are placed; you can still move them.");
});

test("a locked prediction says whether its measurement is there", () => {
  assert.equal(hintWords(answer({ locked: true, ready: true }), true), "Locked.");
  assert.match(hintWords(answer({ locked: true }), true), /^Locked\. The measurement comes later/);
});

test("a locked prediction waits for nobody", () => {
  assert.equal(STATE_OF[answer({}).mode], "waiting for you");
  assert.equal(STATE_OF[answer({ locked: true }).mode], "locked");
  assert.ok(Object.values(STATE_OF).every((word) => word in STATES));
});

test("the chosen statement stands beside the measured one", () => {
  const result = { values: [75, 90, 95], statement: "A gain." };
  assert.equal(hintWords(answer({ locked: true, choice: 0, result }), true), "You chose: No difference.\nMeasured: A gain.");
  assert.match(hintWords(answer({ locked: true, result }), true), /^You chose: none of the statements/);
});

test("the status counts points and statements, and after the measurement gives the mean gap", () => {
  assert.deepEqual(statusParts(answer({ choice: 1 }), ""), ["", [["1 of 3", " points placed"], ["", "1 statement chosen"]]]);
  const measured = answer({ locked: true, placed: [80, 84, 96], result: { values: [75, 90, 97] } });
  assert.deepEqual(statusParts(measured, ""), ["measured. ", [["", "Mean absolute gap over three budgets: "], ["4.0 points", ""]], ""]);
  const drawn = { ...measured, result: { ...measured.result, drawn: "Lines are means of 8 seeds." } };
  assert.deepEqual(statusParts(drawn, "")[1].at(-1), ["", " \u00b7 Lines are means of 8 seeds."]);
});

test("a curve's name stands above all handles that it spans, under them where the top or a bubble is near", () => {
  const xs = [50, 100, 300];
  assert.equal(nameHeight(xs, [90, 70, 20], 42, 130, undefined, 10), 52);
  assert.equal(nameHeight(xs, [90, 25, 20], 42, 130, undefined, 10), 117);
  assert.equal(nameHeight(xs, [90, 70, 20], 42, 130, 150, 10), 117);
});
