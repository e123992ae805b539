// Classes: to choose from as buttons or as a list, and counted.

import { button, roving } from "./controls.js";
import { div, html, set } from "./dom.js";

// Of the classes `numbers` a button each; toggle(number) follows a click, and show(looks) takes the attributes of each.
export function classChips(frame, classes, { numbers, style, name, toggle }) {
  const chips = numbers.map((number) => button({ action: `class ${number}`, words: classes[number] }, () => toggle(number)));
  const node = html("div", { class: `tl-row ${style}`, role: "group", "aria-label": name }, ...chips);
  roving(frame, node, chips);
  return { node, show: (look) => chips.forEach((chip, place) => set(chip, look(numbers[place]))) };
}

// All classes, or one of them: choose(number) is called with -1 for all.
export function classList(frame, classes, choose) {
  const options = ["all classes", ...classes].map((name, place) => html("option", { value: place - 1 }, name));
  const list = html("select", { "aria-label": "Class" }, ...options);
  frame.listen(list, "change", () => choose(Number(list.value)));
  return { node: div("tl-select", list), show: () => {} };
}

// How often each value occurs, as [value, times], the most frequent first.
export function tallied(values) {
  const times = new Map();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return [...times].sort(([, one], [, other]) => other - one);
}
