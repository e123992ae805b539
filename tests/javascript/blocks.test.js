import assert from "node:assert/strict";
import test from "node:test";
import { drawBlocks, inputSide } from "../../tlkit/widgets/blocks.js";

const GROUPS = [
  { name: "block1", caption: "16 x 8 x 8", sheets: 2, side: 1 },
  { name: "block2", caption: "32 x 4 x 4", sheets: 3, side: 0.7 },
  { name: "head", caption: "10 classes", sheets: 10, side: 0 },
];

// What is drawn of a row whose letters are 5 px wide: lines, words and shapes by their name.
function drawn(learns, row = { from: 0, to: 3 }, several = false) {
  const found = {};
  const chart = {
    size() {}, sweep() {}, width: (words) => 5 * words.length,
    line: (name, points) => (found[name] = points),
    words: (name, x, _y, words) => (found[`words ${name}`] = [words, x]),
    put: (_layer, name, _tag, attributes) => (found[name] = attributes),
  };
  drawBlocks({ chart, width: 900, inset: 72, column: 200, ...row }, { groups: GROUPS, learns, input: "1 x 8 x 8", hatch: "hatch", several });
  return found;
}

test("the backward arrow ends at a wall before the deepest group that learns", () => {
  const found = drawn([false, true, true]);
  assert.deepEqual(found.backward.map(([x]) => x), [584, 280]); // from 72 + 2.5 * 200 + 12 to 72 + 200 + 8
  assert.deepEqual(found.wall.map(([x]) => x), [276, 276]);
  assert.equal(found["words wall"][0], "gradients stop here: nothing to the left can change");
});

test("with several rows nothing before the wall can change", () => {
  assert.match(drawn([false, true, true], { from: 0, to: 3 }, true)["words wall"][0], /nothing before it can change$/);
});

test("if all groups learn the gradients reach the first one", () => {
  assert.equal(drawn([true, true, true])["words wall"][0], "gradients reach the first group");
});

test("if none learns there is no arrow backwards", () => {
  const found = drawn([false, false, false]);
  assert.equal(found.backward, undefined);
  assert.equal(found["words wall"][0], "nothing can learn");
});

test("a row that ends before the head passes both arrows on", () => {
  const found = drawn([false, false, true], { from: 0, to: 2 });
  assert.equal(found.forward.at(-1)[0], 900);
  assert.equal(found.backward, undefined); // it ends in the next row
});

test("what is frozen is hatched and locked, what learns is not", () => {
  const found = drawn([false, true, true]);
  assert.equal(found["block1 0"].fill, "hatch");
  assert.ok(found["lock block1"]);
  assert.equal(found["block2 0"].fill, "var(--tl-s1)");
  assert.equal(found["lock block2"], undefined);
});

test("maps are sheets, a vector is a column of cells", () => {
  const found = drawn([true, true, true]);
  assert.deepEqual([found["block2 2"].width, found["block2 3"]], [0.7 * 66, undefined]);
  assert.deepEqual([found["head 9"].width, found["head 9"].height], [14, 7]);
});

test("the input's square fits its column and grows no further", () => {
  assert.deepEqual([52, 72, 200].map(inputSide), [38, 58, 58]);
});
