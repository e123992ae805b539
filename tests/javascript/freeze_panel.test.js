import assert from "node:assert/strict";
import test from "node:test";
import { bytesWords, costCells, headline, partWords, statusWords, timeWords } from "../../tlkit/widgets/freeze_panel.js";
import { Plan } from "../../tlkit/widgets/plan.js";

const GROUPS = [{ name: "body", weights: 300 }, { name: "head", weights: 100 }];
const VIEW = { groups: GROUPS, steps: 20, lr: 0.01, total: 400 };
const probe = new Plan(VIEW, [["body", null, 0], ["head", 1, 0]]);
const COSTS = { "01": [2_500, 0.0004, 64], "11": [10_000_000, 0.002, 64] }; // bytes, seconds, images

test("amounts have two figures below ten and three above", () => {
  assert.equal(bytesWords(27_341), "27.3\u00a0kB");
  assert.equal(bytesWords(3_199_000), "3.2\u00a0MB");
  assert.equal(timeWords(0.0123), "12.3\u00a0ms");
  assert.equal(timeWords(0.00123), "1.2\u00a0ms");
});

test("a small share is no zero", () => {
  assert.deepEqual([0, 0.0004, 0.25].map(partWords), ["0\u00a0%", "<0.1\u00a0%", "25\u00a0%"]);
});

test("costs stand beside those of all groups thawed", () => {
  const [weights, memory, time] = costCells(VIEW, [false, true], COSTS, false);
  assert.deepEqual(weights, [0.25, "Trainable parameters", "100", "of 400 \u00b7 25\u00a0%"]);
  assert.deepEqual(memory, [0.00025, "Memory for training, 64 images", "2.5\u00a0kB", "of 10\u00a0MB with all thawed"]);
  assert.deepEqual(time, [0.2, "Cost of one step, 64 images", "0.4\u00a0ms", "of 2\u00a0ms with all thawed"]);
});

test("a cost that is not measured says so, and none is none", () => {
  const memory = (...parts) => costCells(VIEW, ...parts)[1].slice(1, 3);
  assert.deepEqual(memory([true, false], COSTS, true), ["Memory for training, 64 images", "measuring"]);
  assert.deepEqual(memory([true, false], {}, false), ["Memory for training", "not measured"]);
  assert.deepEqual(memory([false, false], COSTS, false), ["Memory for training, 64 images", "none"]);
});

test("the title counts the groups that learn at the step shown", () => {
  assert.equal(headline(probe, 0), "What may change: one of two groups is learning");
  assert.equal(headline(probe.toggled(GROUPS[0], 0.5), 0.5), "What may change at step 10: two of two groups are learning");
});

test("the status line says what comes next, what is wrong with the plan, or why nothing is measured", () => {
  const next = "nothing changes up to step 20.";
  const locked = " Batch-norm statistics of locked groups stay as they are.";
  assert.deepEqual(statusWords(probe, 0, "", false), ["Next: ", next]);
  assert.deepEqual(statusWords(probe, 0, "", true), ["Next: ", next + locked]);
  assert.deepEqual(statusWords(probe, 0, "no labels", true), ["Costs are not measured: ", "no labels"]);
  const frozen = probe.toggled(GROUPS[1], 0);
  assert.deepEqual(statusWords(frozen, 0, "", false), ["", "nothing can learn: let at least one group learn at the start"]);
});
