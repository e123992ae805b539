import assert from "node:assert/strict";
import test from "node:test";
import { amount, article, count, fixed, known, many, plain, rateWords, shortPercent, signed, twoFigures } from "../../tlkit/widgets/words.js";

test("a number is known if it is finite", () => {
  for (const value of [0, -1.5]) assert.equal(known(value), true);
  for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(known(value), false);
});

test("numbers up to ten are words, larger ones figures", () => {
  assert.deepEqual([0, 1, 10, 11].map(count), ["none", "one", "ten", "11"]);
});

test("thousands have a comma", () => {
  assert.deepEqual([999, 1000, 40618].map(many), ["999", "1,000", "40,618"]);
});

test("a negative number has a true minus, and one that rounds to zero has none", () => {
  assert.equal(fixed(-9.44), "\u22129.4");
  assert.equal(fixed(-0.04), "0.0");
  assert.equal(fixed(-0.4, 0), "0");
  assert.equal(fixed(-0.5, 1), "\u22120.5");
  assert.equal(fixed(2.25, 0), "2");
});

test("a difference has its sign, but not zero", () => {
  assert.equal(signed(25.46), "+25.5");
  assert.equal(signed(-9.4), "\u22129.4");
  assert.equal(signed(0.04), "0.0");
  assert.equal(signed(-0.04), "0.0");
  assert.equal(signed(0.0123, 3), "+0.012");
});

test("a share has one decimal at most, and its unit stays on its line", () => {
  assert.equal(shortPercent(10), "10\u00a0%");
  assert.equal(shortPercent(33.333), "33.3\u00a0%");
});

test("two figures are kept of a number", () => {
  assert.deepEqual([0.001234, 1.27, 129].map(twoFigures), [0.0012, 1.3, 130]);
});

test("a learning rate is a decimal down to 0.0001, then a power of ten", () => {
  assert.deepEqual([0.003, 0.00123, 0.0001, 0.00003, 0.000009].map(rateWords), ["0.003", "0.0012", "0.0001", "3e-5", "9e-6"]);
});

test("an amount names its unit in the singular for one", () => {
  assert.equal(amount(1), "1 label per class");
  assert.equal(amount(5), "5 labels per class");
  assert.equal(amount("all"), "all labels");
  assert.equal(amount(1, "images"), "1 image");
  assert.equal(amount(1, "classes"), "1 class");
});

test("the article follows the sound of a name, of a number and of a letter", () => {
  const words = ["apple", "cat", "8", "11", "18", "1", "80", "f", "b", "umbrella", "u", "S"].map(article);
  assert.deepEqual(words, ["an apple", "a cat", "an 8", "an 11", "an 18", "a 1", "an 80", "an f", "a b", "an umbrella", "a u", "an S"]);
});

test("a number in an attribute has no exponent", () => {
  assert.deepEqual([1e22, 1e-7, 0.003, -2.5, 0].map(plain), ["10000000000000000000000", "0.0000001", "0.003", "-2.5", "0"]);
});
