import assert from "node:assert/strict";
import test from "node:test";
import {
  added, barLayout, padWords, renamed, scored, statusWords, verdict, withoutLast,
} from "../../tlkit/widgets/teach.js";

const CLASSES = [{ name: "heart", drawings: ["h1", "h2"] }, { name: "star", drawings: ["s1"] }, { name: "house", drawings: [] }];
const judged = (kind, belief, more = {}) => verdict(kind, belief, { classes: CLASSES, threshold: 0.6, training: "up to date", ...more });

test("a drawing goes from the pad into its class, and an empty pad into none", () => {
  const [words, { classes, drawing, score }] = added(CLASSES, 2, ["stroke"], { pixels: [1, 1] });
  assert.equal(words, "added to house");
  assert.deepEqual(classes[2], { name: "house", drawings: [["stroke"]] });
  assert.deepEqual([classes.slice(0, 2), drawing, score], [CLASSES.slice(0, 2), [], { pixels: [1, 1] }]);
  assert.deepEqual(added(CLASSES, 2, []), ["the pad is empty: draw something first"]);
});

test("the last drawing of a class is taken away", () => {
  const [words, { classes }] = withoutLast(CLASSES, 0);
  assert.equal(words, "the last drawing of heart is removed; Undo brings it back");
  assert.deepEqual(classes[0].drawings, ["h1"]);
});

test("a class is renamed, unless the name is taken, missing or the same", () => {
  const [words, { classes }] = renamed(CLASSES, 1, " sun ");
  assert.deepEqual([words, classes[1].name], ["star is now sun", "sun"]);
  assert.deepEqual(renamed(CLASSES, 1, "heart"), ["there is a class heart already; names must differ"]);
  assert.deepEqual(renamed(CLASSES, 1, "  "), ["a class needs a name; this one stays star"]);
  assert.deepEqual(renamed(CLASSES, 1, "star "), [""]);
});

test("a network names the class with the largest share", () => {
  const belief = { shares: [0.2, 0.75, 0.05], nearest: 0.9 };
  assert.deepEqual(judged("pre-trained", belief), { top: 1, words: "says star", sure: "75\u00a0%" });
});

test("two nearly equal shares are undecided", () => {
  assert.equal(judged("pixels", { shares: [0.48, 0.42, 0.1] }).words, "undecided between two");
});

test("only the pre-trained network says what it was never taught", () => {
  const far = { shares: [0.9, 0.1, 0], nearest: 0.5 };
  assert.deepEqual(judged("pre-trained", far), { words: "I was never taught this", pale: true });
  assert.equal(judged("random weights", far).words, "says heart");
});

test("from scratch first says how far its training is", () => {
  const belief = { shares: [0.9, 0.1, 0] };
  assert.equal(judged("from scratch", belief, { training: "not running" }).words, "not trained yet");
  assert.equal(judged("from scratch", belief, { training: "training" }).words, "training");
  assert.deepEqual(judged("from scratch", belief, { training: "out of date" }), { words: "out of date", pale: true });
  assert.equal(judged("pixels", belief, { training: "not running" }).words, "says heart");
});

test("with fewer than two taught classes there is nothing to believe", () => {
  assert.match(judged("pixels", null, { classes: CLASSES.slice(2) }).words, /^no class has a drawing yet/);
  assert.match(judged("pixels", null, { classes: CLASSES.slice(1) }).words, /^one class only/);
  assert.equal(judged("pixels", null).words, "draw something");
});

test("the score counts for each network how often it was right and how often it was asked", () => {
  const score = scored({}, [["pre-trained", true], ["pixels", false]]);
  assert.deepEqual(score, { "pre-trained": [1, 1], pixels: [0, 1] });
  assert.deepEqual(scored(score, [["pre-trained", false]]), { "pre-trained": [1, 2], pixels: [0, 1] });
});

test("the pad says its strokes and how sure the pre-trained network is", () => {
  assert.equal(padWords([], [{ words: "draw something" }]), "the pad is empty");
  assert.equal(padWords(["one"], [{ words: "says star", sure: "75 %" }]), "1 stroke; has read print says star, 75 %");
  assert.equal(padWords(["one", "two"], [{ words: "I was never taught this" }]), "2 strokes; I was never taught this");
});

test("the status names a class with few drawings, or what was just done", () => {
  assert.deepEqual(statusWords(CLASSES, "", 1.26), ["3 drawings in 3 classes", "last answer took 1.3 ms", "house has no drawing yet"]);
  assert.deepEqual(statusWords(CLASSES.slice(0, 2), "", undefined), ["3 drawings in 2 classes", "star has only 1 so far"]);
  assert.deepEqual(statusWords(CLASSES, "added to star", 1), ["added to star", "3 drawings in 3 classes"]);
});

test("in a narrow figure names stand above their bars, with many classes bars are closer", () => {
  assert.deepEqual(barLayout(400, 2), { stacked: true, pitch: 46, height: 16, names: 0, gap: 20, room: 190, bottom: 92 });
  assert.deepEqual(barLayout(602, 6), { stacked: false, pitch: 30, height: 18, names: 118, gap: 24, room: 230, bottom: 180 });
});
