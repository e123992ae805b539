import assert from "node:assert/strict";
import test from "node:test";

import { classWords, lowest, tally, thresholdWords, titleWords } from "../../tlkit/widgets/pseudo_label_monitor.js";

// Four images of two classes; the second and the fourth are misclassified.
const NOW = {
  classes: ["a", "b"], labels: [0, 1, 1, 0], predicted: [0, 0, 1, 1], confidence: [0.99, 0.9, 0.6, 0.7].map(Math.fround), surest: [1, 3],
};

test("no highest probability is lower than guessing, rounded down to a bin", () => {
  assert.equal(lowest(["a", "b"]), 0.5);
  assert.ok(Math.abs(lowest(Array(10)) - 0.1) < 1e-12);
  assert.ok(Math.abs(lowest(Array(3)) - 0.325) < 1e-12);
});

test("of a single class, of which everybody is sure, all images stand in the last bin", () => {
  const { bins } = tally({ classes: ["a"], labels: [0, 0], predicted: [0, 0], confidence: [1, 1], threshold: 0.95, surest: [] });
  assert.deepEqual([bins.length, bins.at(-1)], [20, [2, 0]]);
});

test("what reaches the threshold is counted for each predicted class, right and wrong", () => {
  const { rights, wrongs, really, right, mistaken } = tally({ ...NOW, threshold: 0.7 });
  assert.deepEqual({ rights, wrongs, really, right, mistaken }, { rights: [1, 0], wrongs: [1, 1], really: [2, 2], right: 1, mistaken: 2 });
});

test("a probability that is the threshold reaches it, in the kernel's 32 bits", () => {
  assert.equal(tally({ ...NOW, threshold: 0.9 }).mistaken, 1);
  assert.equal(tally({ ...NOW, threshold: 0.901 }).mistaken, 0);
});

test("the surest mistakes are those that the threshold lets through", () => {
  assert.deepEqual(tally({ ...NOW, threshold: 0.6 }).mistakes, [1, 3]);
  assert.deepEqual(tally({ ...NOW, threshold: 0.8 }).mistakes, [1]);
});

test("all images stand in bins of 0.025, whatever the threshold", () => {
  const { bins } = tally({ ...NOW, threshold: 1 });
  assert.equal(bins.length, 20);
  assert.deepEqual([bins[4], bins[8], bins[16], bins[19]], [[1, 0], [0, 1], [0, 1], [1, 0]]);
  assert.equal(bins.flat().reduce((sum, number) => sum + number), 4);
});

test("the title says how many images are pseudo-labelled and how many of these labels are right", () => {
  assert.equal(titleWords(1_000, { right: 3, mistaken: 1 }), "4 of 1,000 images are pseudo-labelled, 75.0\u00a0% of them rightly");
  assert.equal(titleWords(1_000, { right: 1, mistaken: 0 }), "1 of 1,000 images is pseudo-labelled, 100.0\u00a0% of them rightly");
  assert.equal(titleWords(1_000, { right: 0, mistaken: 0 }), "None of 1,000 images is pseudo-labelled");
});

test("the class with the smallest share of pseudo-labels and that with the most errors are named", () => {
  const counts = { rights: [4, 1, 0], wrongs: [0, 1, 0], really: [5, 4, 0], right: 5, mistaken: 1 };
  assert.deepEqual(classWords(["a", "b", "c"], counts), [
    ["Least covered: ", "class b, with 2 pseudo-labels for 4 images."], ["", "Most mistaken: class b, 1 of 2."],
  ]);
  const right = { ...counts, rights: [1, 4, 0], wrongs: [0, 0, 0], mistaken: 0 };
  assert.deepEqual(classWords(["a", "b", "c"], right), [
    ["Least covered: ", "class a, with 1 pseudo-label for 5 images."], ["", "None is mistaken."],
  ]);
  assert.deepEqual(classWords(["a"], { rights: [0], wrongs: [0], really: [1], right: 0, mistaken: 0 }), [
    ["No image is sure enough: ", "lower the threshold."],
  ]);
});

test("a threshold has two decimals, or as many as it needs", () => {
  assert.deepEqual([0.9, 0.95, 0.909].map(thresholdWords), ["0.90", "0.95", "0.909"]);
});
