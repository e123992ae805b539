import assert from "node:assert/strict";
import test from "node:test";
import {
  alignment, collapsedLoss, cosines, descended, future, loss, moves, pulls, shares, uniformity,
} from "../../tlkit/widgets/contrast.js";

const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found} is not ${wanted}`);
const HALF = [0, 108, 36, 144, 72, 180]; // three images in half a circle, the views of each far apart
const TEMPERATURES = [0.05, 0.1, 0.2, 0.5, 1];

test("two images at right angles, computed by hand", () => {
  const points = [0, 0, 90, 90];
  assert.deepEqual(cosines(points)[0].map((value) => Math.round(value * 1e9) / 1e9), [1, 1, 0, 0]);
  near(shares(points, 1)[0][1], Math.E / (Math.E + 2));
  near(loss(points, { temperature: 1, push: true }), Math.log((Math.E + 2) / Math.E));
  near(loss(points, { temperature: 1, push: false }), 0);
  near(alignment(points), 0);
  near(uniformity(points), -4); // the squared distance of two images is 2
  near(pulls(points, { temperature: 1, push: true })[0][2], -2 / (Math.E + 2)); // both rows hold it, and push it back
});

test("a view is drawn by its pair from either side, pushed away by others, and not by itself", () => {
  const [first] = pulls([0, 30, 330, 180], { temperature: 0.5, push: true });
  assert.equal(first[0], 0);
  assert.ok(first[1] > 0 && first[2] > 0); // the pair at 30 pulls, another image at -30 pushes the same way
  const without = pulls([0, 30, 330, 180], { temperature: 0.5, push: false })[0];
  assert.deepEqual(without.slice(2).map(Math.abs), [0, 0]);
});

test("a collapse moves nothing and has the loss of a guess; without the push it has the lowest loss", () => {
  const points = Array(6).fill(73);
  for (const temperature of TEMPERATURES) {
    near(loss(points, { temperature, push: true }), collapsedLoss(6, true));
    near(loss(points, { temperature, push: false }), collapsedLoss(6, false));
    for (const push of [true, false]) assert.ok(moves(points, { temperature, push }).every((pull) => pull === 0));
  }
});

test("each step of descent lowers the loss and goes at most ten degrees", () => {
  for (const temperature of TEMPERATURES) {
    for (const push of [true, false]) {
      const path = future(HALF, { temperature, push });
      const losses = path.map((points) => loss(points, { temperature, push }));
      losses.slice(1).forEach((value, step) => assert.ok(value < losses[step], `step ${step + 1} at ${temperature}`));
      const farthest = descended(HALF, { temperature, push }).map((point, view) => Math.abs(point - HALF[view]));
      assert.ok(Math.max(...farthest) <= 10 + 1e-9);
    }
  }
});

test("descent ends with close pairs a third of a circle apart; without the push they only pair up", () => {
  const end = future(HALF, { temperature: 0.5, push: true }).at(-1);
  assert.ok(alignment(end) < 0.001 && uniformity(end) < -5.99);
  const alone = future(HALF, { temperature: 0.5, push: false }).at(-1);
  assert.ok(alignment(alone) < 0.001 && uniformity(alone) > -2 && uniformity(alone) < -0.5);
});

test("of a collapse the image gets away of which one view is moved; the others stay one point", () => {
  const end = future([90, 90, 90, 90, 90, 95], { temperature: 0.5, push: true }).at(-1);
  assert.equal(new Set(end.slice(0, 4)).size, 1);
  assert.ok(end[4] - end[0] > 170 && Math.abs(end[4] - end[5]) < 1);
});
