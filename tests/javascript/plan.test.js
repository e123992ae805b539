import assert from "node:assert/strict";
import test from "node:test";
import { Plan, rungs } from "../../tlkit/widgets/plan.js";

const GROUPS = ["body", "neck", "head"].map((name) => ({ name, weights: 10 }));
const [BODY, NECK, HEAD] = GROUPS;
const planOf = (rules, groups = GROUPS) => new Plan({ groups, steps: 20, lr: 0.01 }, rules);
const probe = planOf([["body", null, 0], ["neck", null, 0], ["head", 1, 0]]);
const thawing = planOf([["body", null, 0], ["neck", null, 0], ["head", 1, 0], ["neck", 0.5, 0.25], ["body", 0.3, 0.5]]);

test("of a group's rules the latest that has begun holds", () => {
  assert.deepEqual([0, 0.24, 0.25, 1].map((at) => thawing.rate(NECK, at)), [null, null, 0.5, 0.5]);
  assert.deepEqual(thawing.learns(0.3), [false, true, true]);
});

test("a group whose weights were frozen by hand never learns", () => {
  assert.equal(planOf([["head", 1, 0]], [{ name: "head", weights: 0 }]).rate({ name: "head", weights: 0 }, 0), null);
});

test("rules that never hold or change nothing are left out", () => {
  const rules = [["head", 1, 0.5], ["head", 1, 0], ["head", null, 0.7], ["head", 0.3, 0.7], ["head", 0.1, 1]];
  assert.deepEqual(planOf(rules).of("head"), [["head", 1, 0], ["head", 0.3, 0.7]]);
});

test("a switch thaws a group from then on with the rate of the next group above, and freezes it again", () => {
  const plan = planOf([["body", null, 0], ["neck", null, 0], ["head", 0.3, 0]]);
  const thawed = plan.toggled(NECK, 0.5);
  assert.deepEqual(thawed.of("neck"), [["neck", null, 0], ["neck", 0.3, 0.5]]);
  assert.deepEqual(thawed.toggled(NECK, 0.5).of("neck"), [["neck", null, 0]]);
});

test("a group thaws with the rate that it has at another time", () => {
  assert.deepEqual(thawing.toggled(BODY, 0).of("body"), [["body", 0.3, 0]]);
});

test("what is planned for later stays when a switch is pressed", () => {
  assert.deepEqual(thawing.toggled(HEAD, 0.1).of("neck"), [["neck", null, 0], ["neck", 0.5, 0.25]]);
  assert.deepEqual(thawing.toggled(NECK, 0.1).of("neck"), [["neck", null, 0], ["neck", 0.5, 0.1]]);
});

test("the group to thaw next is the frozen one nearest to the head", () => {
  assert.equal(probe.toThaw(0), NECK);
  assert.equal(thawing.toThaw(0.3), BODY);
  assert.equal(thawing.toThaw(0.5), undefined);
});

test("rates go up and down a ladder, which ends at the run's rate and at a thousandth of it", () => {
  assert.deepEqual([1, 0.3, 0.5, 0.001].map(rungs), [[0.3, undefined], [0.1, 1], [0.3, 1], [undefined, 0.003]]);
  assert.deepEqual(rungs(null), []);
});

test("a changed rate is that of the rule which holds", () => {
  assert.deepEqual(thawing.withRate("neck", 0.9, 0.1).of("neck"), [["neck", null, 0], ["neck", 0.1, 0.25]]);
});

test("each group has an edge: at the start if it always learns, at the end if it never does", () => {
  assert.deepEqual(probe.edges("head", 0), [["head", null, 0], ["head", 1, 0]]);
  assert.deepEqual(probe.edges("body", 0), [["body", null, 0], ["body", 1, 1]]);
  assert.equal(thawing.edges("neck", 0).length, 2);
});

test("an edge moves by whole steps and no further than its neighbours", () => {
  const moved = (to) => thawing.moved(thawing.edges("neck", 0), 1, to).of("neck");
  assert.deepEqual(moved(0.42), [["neck", null, 0], ["neck", 0.5, 0.4]]); // step 8 of 20
  assert.deepEqual(moved(-3), [["neck", 0.5, 0]]);
  assert.deepEqual(moved(3), [["neck", null, 0]]);
});

test("a plan says from when each group learns, the head first", () => {
  assert.equal(thawing.words(), "head learns from the start, neck from step 5, body from step 10");
  assert.equal(probe.words(), "head learns from the start; frozen: neck, body");
});

test("it says what changes next", () => {
  assert.equal(thawing.next(0), "neck thaws at step 5 with rate 0.005.");
  assert.equal(thawing.next(0.25), "body thaws at step 10 with rate 0.003.");
  assert.equal(thawing.next(0.5), "nothing changes up to step 20.");
  assert.equal(thawing.toggled(HEAD, 0.5).next(0.25), "body, head change at step 10.");
  assert.equal(planOf([["head", 1, 0], ["head", 0.1, 0.5]], [HEAD]).next(0), "head goes on at step 10 with rate 0.001.");
  assert.equal(planOf([["head", 1, 0], ["head", null, 0.5]], [HEAD]).next(0), "head is frozen at step 10.");
});

test("an edge says what its group does from there", () => {
  const words = ([name, rate, start]) => probe.edgeWords([name, rate, start]);
  assert.equal(words(["neck", 0.5, 0.25]), "neck learns with rate 0.005 from step 5");
  assert.equal(words(["neck", null, 0.25]), "neck is frozen from step 5");
  assert.equal(words(["neck", 1, 1]), "neck stays frozen");
});

test("a plan in which nothing learns for a while is at fault", () => {
  assert.equal(thawing.fault, "");
  assert.equal(probe.toggled(HEAD, 0).fault, "nothing can learn: let at least one group learn at the start");
  assert.equal(probe.toggled(HEAD, 0.5).fault, "nothing can learn from step 10 on: let at least one group learn there");
  assert.equal(probe.toggled(HEAD, 0).words(), "nothing can learn: let at least one group learn at the start");
});
