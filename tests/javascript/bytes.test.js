import assert from "node:assert/strict";
import test from "node:test";
import { dataView, floats } from "../../tlkit/widgets/bytes.js";

const modelOf = (points) => ({ get: (name) => ({ points })[name] });

test("bytes are read alike from a buffer and from a view of a part of it", () => {
  const buffer = new Uint8Array([7, 8, 9]).buffer;
  assert.equal(dataView(buffer).getUint8(0), 7);
  const part = dataView(new DataView(buffer, 1, 2));
  assert.deepEqual([part.byteLength, part.getUint8(0)], [2, 8]);
});

test("little-endian floats come in groups", () => {
  const one = [0, 0, 128, 63]; // 0x3f800000 is 1
  const two = [0, 0, 0, 64]; // 0x40000000 is 2
  const minusHalf = [0, 0, 0, 191]; // 0xbf000000 is -0.5
  const bytes = new Uint8Array([...one, ...two, ...minusHalf, ...one]);
  assert.deepEqual(floats(modelOf(bytes), "points", 2), [[1, 2], [-0.5, 1]]);
});

test("a group with a NaN, and one that is not whole, are left out", () => {
  const nan = [0, 0, 192, 127];
  const one = [0, 0, 128, 63];
  assert.deepEqual(floats(modelOf(new Uint8Array([...one, ...nan, ...one, ...one, ...one])), "points", 2), [[1, 1]]);
});

test("nothing sent is no group", () => {
  assert.deepEqual(floats(modelOf(undefined), "points", 2), []);
  assert.deepEqual(floats(modelOf(new ArrayBuffer(0)), "points", 2), []);
});
