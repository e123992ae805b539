import assert from "node:assert/strict";
import test from "node:test";

import { believedClasses, countWords, errorWords, filtered, imageSet, imageWords, rankWords, toggled } from "../../tlkit/widgets/gallery.js";

const VIEW = { classes: ["4", "8", "x"], labels: [0, 1, 2, 0], predicted: [0, 0, 1, 1], count: 4 };
const BELIEFS = [[0.9, 0.1, 0], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.7, 0]];
const BOTH = imageSet(VIEW, BELIEFS);
const ALL = { chosen: [], kind: "all", order: "data set" };

test("an image is wrong where prediction and label differ, and nothing is wrong if one of them is missing", () => {
  assert.deepEqual(BOTH.errors, [1, 2, 3]);
  assert.deepEqual(imageSet({ ...VIEW, labels: null }).errors, []);
  assert.deepEqual(imageSet({ ...VIEW, predicted: null }).errors, []);
});

test("images are filtered by their label, or by the prediction if there are no labels", () => {
  assert.deepEqual(filtered(BOTH, { ...ALL, chosen: [0] }).listed, [0, 3]);
  assert.deepEqual(filtered(imageSet({ ...VIEW, labels: null }), { ...ALL, chosen: [0] }).listed, [0, 1]);
});

test("right and wrong images are told from those of the chosen classes", () => {
  const wrong = filtered(BOTH, { ...ALL, chosen: [0, 1], kind: "wrong" });
  assert.deepEqual(wrong, { here: [0, 1, 3], errors: [1, 3], listed: [1, 3] });
  assert.deepEqual(filtered(BOTH, { ...ALL, kind: "right" }).listed, [0]);
});

test("images are ordered by the belief in the prediction", () => {
  assert.deepEqual(filtered(BOTH, { ...ALL, order: "surest first" }).listed, [0, 3, 1, 2]);
  assert.deepEqual(filtered(BOTH, { ...ALL, order: "least sure" }).listed, [2, 1, 3, 0]);
});

test("a class is added in the order of the classes, or taken away", () => {
  assert.deepEqual(toggled([2], 0), [0, 2]);
  assert.deepEqual(toggled([0, 2], 2), [0]);
});

test("an image is named by its number, its label and its prediction, where there are any", () => {
  assert.equal(imageWords(BOTH, 1), "image 2, label 8, predicted as 4");
  assert.equal(imageWords({ ...VIEW, labels: null }, 1), "image 2, predicted as 4");
  assert.equal(imageWords({ ...VIEW, predicted: null }, 1), "image 2, label 8");
});

test("images and errors of the chosen classes are counted in a sentence", () => {
  assert.equal(countWords(BOTH, [], [4, 1, 3]), "4 images; 3 of them are misclassified");
  assert.equal(countWords(BOTH, [0, 1, 2], [4, 1, 3]), "4 of 4 images are a 4, an 8 or an x; 3 of them are misclassified");
  assert.equal(countWords(BOTH, [1], [1, 0, 1]), "1 of 4 images is an 8; 1 of them is misclassified");
  assert.equal(countWords(imageSet({ ...VIEW, labels: null }), [1], [2, 2, 0]), "2 of 4 images are predicted as an 8");
});

test("the most frequent errors are named, as many as there is room for", () => {
  const view = { ...VIEW, labels: [0, 0, 1, 2], predicted: [1, 1, 0, 0] };
  const words = "a 4 predicted as 8, 2 times; an 8 predicted as 4, once.";
  assert.deepEqual(errorWords(imageSet(view), [0, 1, 2, 3], 2), ["Most frequent here: ", words]);
  assert.deepEqual(errorWords(BOTH, [], 2), ["", "No error here."]);
  assert.deepEqual(errorWords(imageSet({ ...VIEW, predicted: null }), [], 2), ["", "Labels only: no network was asked."]);
  const silent = "Without labels nobody can say which are misclassified.";
  assert.deepEqual(errorWords(imageSet({ ...VIEW, labels: null }), [], 2), ["", silent]);
});

test("up to ten classes all beliefs are shown, of more the five largest and that of the label", () => {
  assert.deepEqual(believedClasses([0.1, 0.7, 0.2], 0), [0, 1, 2]);
  const twelve = [0, 0.3, 0, 0.2, 0, 0.1, 0, 0.15, 0, 0.25, 0, 0];
  assert.deepEqual(believedClasses(twelve, 11), [1, 9, 3, 7, 5, 11]);
  assert.deepEqual(believedClasses(twelve, 3), [1, 9, 3, 7, 5]);
  assert.deepEqual(believedClasses(twelve), [1, 9, 3, 7, 5]);
});

test("the place of an image is given by those for which the true label is believed even less", () => {
  // in the true labels: 0.9, 0.3, 0.3, 0.3
  const others = "Thin marks are the other errors. For 0 of 4 images the network believes the true label even less.";
  assert.equal(rankWords(BOTH, 1), others);
  assert.equal(rankWords(BOTH, 0), "Thin marks are the errors. For 3 of 4 images the network believes the true label even less.");
  assert.equal(rankWords(imageSet({ ...VIEW, predicted: null }), 0), " ");
});
