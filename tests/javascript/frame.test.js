import assert from "node:assert/strict";
import test from "node:test";
import { actionOf, paced } from "../../tlkit/widgets/frame.js";

const root = { tagName: "DIV" };
const press = (key, target = root, more = {}) => actionOf({ key, target, ...more }, root);
const on = (tagName) => ({ tagName });

test("Space and the arrow belong to the frame only when nothing else has the focus, the arrow also on a button", () => {
  assert.equal(press(" "), " ");
  assert.equal(press(" ", on("BUTTON")), null);
  assert.equal(press("ArrowRight"), "ArrowRight");
  assert.equal(press("ArrowRight", on("BUTTON")), "ArrowRight");
  assert.equal(press("ArrowRight", on("SELECT")), null);
});

test("Enter belongs to a button or a list that has the focus", () => {
  assert.equal(press("Enter", on("svg")), "Enter");
  assert.equal(press("Enter", on("BUTTON")), null);
});

test("a letter is an action however it is typed, but not in a field", () => {
  assert.deepEqual([press("S"), press("s", on("BUTTON"))], ["s", "s"]);
  assert.equal(press("s", on("INPUT")), null);
  assert.equal(press("Escape", on("INPUT")), "Escape");
});

test("a key that is held acts once, but an arrow goes on", () => {
  const held = { repeat: true };
  assert.deepEqual(["s", "1", " ", "Enter"].map((key) => press(key, root, held)), [null, null, null, null]);
  assert.equal(press("ArrowRight", root, held), "ArrowRight");
});

test("with Ctrl or Cmd, Z takes back and every other key is the browser's", () => {
  assert.equal(press("z", on("INPUT"), { ctrlKey: true }), "undo");
  assert.equal(press("Z", root, { metaKey: true }), "undo");
  assert.equal(press("s", root, { ctrlKey: true }), null);
  assert.equal(press("s", root, { altKey: true }), null);
});

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("what is asked for many times is drawn once, and not sooner than the pause allows", async () => {
  const times = [];
  const draw = paced(() => times.push(performance.now()), 40, new AbortController().signal);
  draw.now();
  for (let call = 0; call < 5; call++) draw.later();
  await wait(200);
  assert.equal(times.length, 2);
  assert.ok(times[1] - times[0] >= 39);
});

test("nothing is drawn after the end", async () => {
  const end = new AbortController();
  let drawn = 0;
  const draw = paced(() => drawn++, 10, end.signal);
  draw.later();
  end.abort();
  draw.now();
  await wait(50);
  assert.equal(drawn, 0);
});
