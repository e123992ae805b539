// A freezing plan: rules [group, rate or null, start]; a group follows that of its rules which began last.

import { clamp } from "./scales.js";
import { known, rateWords } from "./words.js";

const NOTHING = "nothing can learn: let at least one group learn at the start";
const LADDER = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]; // multiples of the run's rate

// The rates next below and above on the ladder; undefined where it ends, and for a frozen group.
export const rungs = (rate) =>
  rate === null ? [] : [LADDER.find((rung) => rung < 0.99 * rate), LADDER.findLast((rung) => rung > 1.01 * rate)];

// One group's rules in order, without those that never hold or change nothing.
function tidy(rules) {
  const sorted = rules.toSorted((one, other) => one[2] - other[2]);
  const begun = sorted.filter(([, , start], place) => start < 1 && start !== sorted[place + 1]?.[2]);
  return begun.filter(([, rate], place) => rate !== begun[place - 1]?.[1]);
}

// Groups {name, weights} stand from input to head; one without weights never learns. A time is a share of the run.
export class Plan {
  constructor({ groups, steps, lr }, rules) {
    Object.assign(this, { groups, steps, lr, rules });
    this.starts = [...new Set(rules.map(([, , start]) => start))].toSorted((one, other) => one - other);
  }

  of = (name) => tidy(this.rules.filter(([group]) => group === name));
  rule = (name, at) => this.of(name).findLast(([, , start]) => start <= at);
  rate = ({ name, weights }, at) => (weights ? this.rule(name, at)[1] : null);
  learns = (at) => this.groups.map((group) => this.rate(group, at) !== null);
  toThaw = (at) => this.groups.findLast((group) => group.weights && this.rate(group, at) === null); // nearest to the head
  step = (at) => Math.ceil(at * this.steps - 1e-9);
  rateWords = (rate) => rateWords(rate * this.lr);
  when = (at) => (at ? `step ${this.step(at)}` : "the start");

  // The plan with other rules for one group.
  revised(name, rules) {
    return new Plan(this, this.groups.flatMap((one) => (one.name === name ? tidy(rules) : this.of(one.name))));
  }

  // A frozen group thaws with the rate that it has at another time, else with that of the next group above.
  thawRate(name, at) {
    const above = this.groups.slice(this.groups.findIndex((one) => one.name === name) + 1);
    return [...this.of(name).map(([, rate]) => rate), ...above.map((one) => this.rate(one, at))].find(known) ?? 1;
  }

  // Freezes a group or thaws it, from then on; what is planned for later stays.
  toggled(group, at) {
    const { name } = group;
    const rate = this.rate(group, at) === null ? this.thawRate(name, at) : null;
    return this.revised(name, [...this.of(name).filter(([, , start]) => start !== at), [name, rate, at]]);
  }

  // The rate that holds for a group then, changed as long as it holds.
  withRate(name, at, rate) {
    const [, , begun] = this.rule(name, at);
    return this.revised(name, this.of(name).map((rule) => (rule[2] === begun ? rule.with(1, rate) : rule)));
  }

  // At least two rules, so that there is an edge to drag: at 0 if a group always learns, at the end if it never does.
  edges(name, at) {
    const own = this.of(name);
    const [, rate] = own[0];
    return own.length > 1 ? own : [[name, null, 0], [name, rate ?? this.thawRate(name, at), rate === null ? 1 : 0]];
  }

  // A group's edge at another time, as far as its neighbours let it; edges: those of the group as they were.
  moved(edges, place, to) {
    const start = clamp(Math.round(to * this.steps) / this.steps, edges[place - 1][2], edges[place + 1]?.[2] ?? 1);
    return this.revised(edges[0][0], edges.with(place, edges[place].with(2, start)));
  }

  edgeWords([name, rate, start]) {
    const does = rate === null ? "is frozen" : `learns with rate ${this.rateWords(rate)}`;
    return start < 1 ? `${name} ${does} from step ${this.step(start)}` : `${name} stays frozen`;
  }

  // What is wrong with a plan that lets nothing learn for a while; else "".
  get fault() {
    const at = this.starts.find((start) => !this.learns(start).includes(true));
    if (at) return `nothing can learn from step ${this.step(at)} on: let at least one group learn there`;
    return at === 0 ? NOTHING : "";
  }

  // From when each group learns, the head first.
  words() {
    const firsts = this.groups.map((group) => [group.name, this.starts.find((at) => this.rate(group, at) !== null)]).reverse();
    const [begin, never] = [true, false].map((ever) => firsts.filter(([, at]) => known(at) === ever));
    const learn = begin.map(([name, at], place) => `${name}${place ? "" : " learns"} from ${this.when(at)}`);
    const frozen = never.length ? `; frozen: ${never.map(([name]) => name).join(", ")}` : "";
    return learn.length ? learn.join(", ") + frozen : NOTHING;
  }

  // What changes after that time.
  next(now) {
    const at = this.starts.find((start) => start > now);
    if (at === undefined) return `nothing changes up to step ${this.steps}.`;
    const [{ name, weights }, ...others] = this.groups.filter((group) => this.of(group.name).some(([, , start]) => start === at));
    if (others.length) return `${[name, ...others.map((one) => one.name)].join(", ")} change at ${this.when(at)}.`;
    const [before, rate] = [this.starts.findLast((start) => start < at), at].map((time) => this.rate({ name, weights }, time));
    const does = rate === null ? "is frozen" : before === null ? "thaws" : "goes on";
    return `${name} ${does} at ${this.when(at)}${rate === null ? "" : ` with rate ${this.rateWords(rate)}`}.`;
  }
}
