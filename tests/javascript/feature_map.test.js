import assert from "node:assert/strict";
import test from "node:test";

import { errorWords, neighbourWords, tintOf, toggled } from "../../tlkit/widgets/feature_map.js";

const NOW = { classes: ["4", "8", "bus"], labels: [0, 0, 1, 2, 2], selected: 0, near: [2, 3, 4], early: false };
const words = (more) => neighbourWords({ ...NOW, ...more }).flat().join("");

test("a fifth class takes the colour of the one that was chosen first", () => {
  const four = [0, 1, 2, 3].reduce(toggled, new Map());
  assert.deepEqual([...four], [[0, "s1"], [1, "s2"], [2, "s3"], [3, "s4"]]);
  assert.deepEqual([...toggled(four, 7)], [[1, "s2"], [2, "s3"], [3, "s4"], [7, "s1"]]);
  assert.deepEqual([...toggled(four, 1).keys()], [0, 2, 3]);
  assert.equal(four.size, 4); // nothing is changed in place
});

test("an image has the colour of its class, or that of an error", () => {
  const now = { labels: [0, 1], predicted: [0, 0], shown: [0, 1], tints: new Map([[0, "s1"]]) };
  assert.deepEqual([0, 1].map((image) => tintOf({ ...now, mode: "label" }, image)), ["s1", "ghost"]);
  assert.deepEqual([0, 1].map((image) => tintOf({ ...now, mode: "prediction", shown: [0, 0] }, image)), ["s1", "s1"]);
  assert.deepEqual([0, 1].map((image) => tintOf({ ...now, mode: "error" }, image)), ["ghost", "wrong"]);
  assert.equal(tintOf({ ...now, labels: null, mode: "label" }, 0), "ink");
});

test("neighbours of other classes are counted, the most frequent first", () => {
  assert.equal(words(), "A 4 among two buses and one 8: the features do not tell them apart.");
  assert.equal(words({ near: [2, 1, 1] }), "A 4 beside one 8: the features do not tell them apart.");
  assert.equal(words({ selected: 2, near: [0, 1] }), "An 8 among two 4s: the features do not tell them apart.");
});

test("an image among its own class is said to be placed with it", () => {
  assert.equal(words({ near: [1, 1] }), "A 4 among two 4s: the features place it with its class.");
});

test("before the last step there is still hope, and a wrong prediction is named", () => {
  assert.equal(words({ near: [2], early: true, predicted: [2, 0, 1, 2, 2] }),
    "A 4 beside one 8: the features do not yet tell them apart. The network says bus.");
});

test("names of classes stand apart from the other words", () => {
  assert.deepEqual(neighbourWords({ ...NOW, near: [2] }).slice(0, 5), ["A ", ["4"], " beside ", "one ", ["8"]]);
  assert.deepEqual(neighbourWords({ labels: null, selected: 3 }), ["Image 4."]);
});

test("errors are counted in a sentence", () => {
  assert.equal(errorWords({ labels: [0, 1, 1], predicted: [0, 0, 0] }), "2 of 3 images are misclassified");
  assert.equal(errorWords({ labels: [0, 1, 1], predicted: [0, 1, 0] }), "1 of 3 images is misclassified");
});
