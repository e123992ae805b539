import assert from "node:assert/strict";
import test from "node:test";
import { believe, features, randomLayers, seeded, softmax, untrained } from "../../tlkit/widgets/reader.js";

const near = (found, wanted) => wanted.forEach((value, index) => assert.ok(Math.abs(found[index] - value) < 1e-9));

test("shares of a softmax add up to 1, however large the values", () => {
  near(softmax([0, Math.log(3)]), [0.25, 0.75]);
  near(softmax([1000, 1000]), [0.5, 0.5]);
});

test("a belief is the softmax of heated cosines to the class means", () => {
  const { shares, nearest } = believe([1, 0], [[[2, 0]], [[0, 3], [0, 1]]], Math.log(4)); // cosines 1 and 0
  near(shares, [0.8, 0.2]);
  assert.equal(nearest, 1);
});

test("a class without drawings gets no share", () => {
  near(believe([1, 0], [[], [[1, 1]]], 15).shares, [0, 1]);
});

test("the same seed draws the same numbers, within 0 and 1", () => {
  const [one, same, other] = [1, 1, 2].map((seed) => Array.from({ length: 100 }, seeded(seed)));
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
  assert.ok(one.every((value) => value >= 0 && value < 1));
});

test("a picture has 64 features, and an untrained network as many answers as classes", () => {
  const image = new Float64Array(256).fill(0.5);
  assert.equal(features(randomLayers(seeded(1)), image).length, 64);
  assert.equal(features(untrained(3, seeded(1)), image).length, 3);
});

test("of an empty picture a network sees only its biases", () => {
  const layers = randomLayers(seeded(1));
  layers.forEach(({ weights, outputs }) => weights.fill(0, weights.length - outputs));
  assert.ok(features(layers, new Float64Array(256)).every((value) => value === 0));
});
