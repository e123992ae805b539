import assert from "node:assert/strict";
import test from "node:test";
import { onPad, picture, readClasses, sketch, wobble } from "../../tlkit/widgets/drawings.js";

const LINE = [[[100, 500], [900, 500]]];
const saved = (classes, more = {}) => JSON.stringify({ tlkit: "drawings", version: 1, classes, ...more });
const refused = (text, reason) => assert.throws(() => readClasses(text, 2), { message: reason });

test("points are whole numbers on the pad", () => {
  assert.deepEqual(onPad([[[-3, 499.6], [1200, 0.4]]]), [[[0, 500], [1000, 0]]]);
});

test("a stroke is sketched as a path, and a single point as a dot", () => {
  assert.equal(sketch([[[1, 2], [3, 4]], [[5, 6]]]), "M1,2L3,4l0,0M5,6l0,0");
});

test("a level line is a level bar in the middle of its picture", () => {
  const image = picture(LINE);
  const rows = Array.from({ length: 16 }, (_, row) => image.slice(16 * row, 16 * row + 16));
  assert.deepEqual(rows.flatMap((pixels, row) => (pixels.some((ink) => ink > 0) ? [row] : [])), [7, 8]);
  assert.ok(Math.abs(rows[7][8] - 0.7) < 1e-9); // two of four subsamples inside, two at the edge with 0.4
  assert.ok(Math.abs(rows[7][3] - rows[8][12]) < 1e-9);
});

test("an empty drawing has an empty picture", () => {
  assert.ok(picture([]).every((ink) => ink === 0));
});

test("without chance a wobbled line is the line, in parts short enough to bend", () => {
  const middle = () => 0.5; // no turn, no stretch; a wave of size 0
  const [stroke] = wobble(LINE, middle);
  assert.equal(stroke.length, 1 + Math.ceil(800 / 60));
  assert.deepEqual(stroke.map(([x, y]) => [Math.round(x), Math.round(y)]).at(0), [100, 500]);
  assert.deepEqual(stroke.at(-1).map(Math.round), [900, 500]);
});

test("what was saved is read, names trimmed and points put on the pad", () => {
  const classes = [{ name: " far ", drawings: [[[[-5, 3.4], [2e9, 1000]]]] }, { name: "empty", drawings: [] }];
  assert.deepEqual(readClasses(saved(classes), 2), [
    { name: "far", drawings: [[[[0, 3], [1000, 1000]]]] }, { name: "empty", drawings: [] },
  ]);
});

test("another file is refused with its reason", () => {
  const star = { name: "star", drawings: [LINE] };
  refused(saved([star]).slice(0, -9), "it is not JSON, or its end is missing");
  refused('{"cells": []}', "it holds no drawings saved by this widget");
  refused(saved([star], { version: 2 }), "it holds no drawings saved by this widget");
  refused(saved([{ name: " ", drawings: [] }]), "it has no class, or one without a name");
  refused(saved([star, star]), "two of its classes have one name");
  refused(saved(["a", "b", "c"].map((name) => ({ name, drawings: [] }))), "it has 3 classes, at most 2 are possible");
  refused(saved([{ name: "star", drawings: [[[[1, 2, 3]]]] }]),
    "a drawing of star is not a list of strokes of points [x, y] with finite numbers");
});
