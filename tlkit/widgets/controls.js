// Buttons, sliders and what is dragged, by pointer and by keyboard.

import { html, say, set } from "./dom.js";
import { icon } from "./marks.js";
import { clamp, nearest } from "./scales.js";
import { plain } from "./words.js";

// Not the `disabled` attribute: a button that is off keeps its place in the tab order and its focus.
export const turnOff = (node, off) => set(node, { "aria-disabled": off ? "true" : null });

export function button({ action, face, words, key, main, off }, press) {
  const look = { type: "button", class: main ? "tl-button tl-main" : "tl-button", "data-do": action };
  const node = html("button", look, face ? icon(face) : "", words ? html("span", {}, words) : "");
  if (key) node.append(html("kbd", { "aria-hidden": "true" }, key));
  turnOff(node, off);
  node.addEventListener("click", () => node.getAttribute("aria-disabled") || press(action));
  return node;
}

// Draws a row of buttons anew if they changed; the focus goes to the same button, else the main one, else the frame.
export function fillRow(frame, row, buttons, press) {
  const made = JSON.stringify(buttons);
  if (row.made === made) return;
  row.made = made;
  const focused = frame.focused();
  const hadFocus = row.contains(focused);
  row.replaceChildren(...buttons.map((one) => button(one, press)));
  if (!hadFocus) return;
  const same = row.querySelector(`[data-do="${focused.dataset.do}"]:not([aria-disabled])`);
  const main = row.querySelector(".tl-main");
  ((focused.classList.contains("tl-main") ? main : same ?? main) ?? frame.root).focus({ preventScroll: true });
}

// A group of buttons is one tab stop: arrows, Home and End move within it; reached(place) follows.
export function roving(frame, group, buttons, reached = () => {}) {
  const stopAt = (stop) => buttons.forEach((one, place) => set(one, { tabindex: place === stop ? 0 : -1 }));
  stopAt(0);
  frame.listen(group, "focusin", ({ target }) => buttons.includes(target) && stopAt(buttons.indexOf(target)));
  frame.onKey(group, ({ key, target }) => {
    const place = buttons.indexOf(target);
    const next = rovingTarget(key, place, buttons.length);
    if (place < 0 || next === undefined) return false;
    buttons[next].focus();
    reached(next);
  });
  return stopAt;
}

// Which of `count` things in a ring a key goes to from the one at `place`; undefined for another key.
export function rovingTarget(key, place, count) {
  const to = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: -1 }[key];
  return to === undefined ? undefined : (to + count) % count;
}

// One of a few: joined buttons. options: words; choose(option) follows a click or an arrow key, and
// show(option, notes) marks the chosen one and writes a note, such as a count, behind each.
export function segments(frame, { name, options, choose }) {
  const notes = options.map(() => html("small"));
  const buttons = options.map((words, place) => html("button", { type: "button", class: "tl-button", role: "radio" }, html("span", {}, words), notes[place]));
  const node = html("div", { class: "tl-segments", role: "radiogroup", "aria-label": name }, ...buttons);
  const take = (place) => choose(options[place]);
  const stopAt = roving(frame, node, buttons, take);
  buttons.forEach((one, place) => frame.listen(one, "click", () => take(place)));
  const show = (chosen, words = []) => {
    buttons.forEach((one, place) => set(one, { "aria-checked": options[place] === chosen }));
    notes.forEach((note, place) => say(note, String(words[place] ?? "")));
    stopAt(options.indexOf(chosen));
  };
  return { node, show };
}

// start(event) may return false; end() follows a release, cancel() Esc or a lost pointer.
export function draggable(frame, node, { start, move, end, cancel }) {
  let pointer = null;
  const finish = (then) => () => {
    if (pointer === null) return;
    pointer = null;
    frame.cancel = null;
    then();
  };
  frame.listen(node, "pointerdown", (event) => {
    if (event.button !== 0 || start(event) === false) return;
    event.preventDefault();
    pointer = event.pointerId;
    node.setPointerCapture(pointer);
    frame.cancel = finish(cancel);
  });
  frame.listen(node, "pointermove", (event) => event.pointerId === pointer && move(event));
  frame.listen(node, "pointerup", finish(end));
  frame.listen(node, "pointercancel", finish(cancel));
}

// Where a key moves a slider to; undefined for another key.
export function keyTarget({ key, shiftKey }, present, { low, high, next }) {
  const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
  return direction ? next(present, direction, shiftKey) : { Home: low, End: high }[key];
}

// place(value) is 0 to 1 along the line, value(place) its inverse; next(value, direction, fine) the key's step.
// input(value) follows every move, change(value) comes once it rests: at release, or shortly after the last key.
export function slider(frame, { name, low, high, place, value, next, words, ticks = [], input, change = () => {} }) {
  const range = { "aria-valuemin": plain(low), "aria-valuemax": plain(high) };
  const knob = html("div", { class: "tl-knob", role: "slider", tabindex: 0, "aria-label": name, ...range });
  const marks = ticks.map(() => html("i"));
  const line = html("div", { class: "tl-line" }, html("b"), ...marks, knob);
  const label = html("span", { class: "tl-slider-name" }, name);
  let present = low;
  let before = low;
  let rest = 0; // the timer since the last key
  const show = (to) => {
    present = to;
    [...ticks, to].forEach((at, which) => ((marks[which] ?? knob).style.left = `${100 * place(at)}%`));
    set(knob, { "aria-valuenow": plain(to), "aria-valuetext": words(to) });
  };
  const take = (to) => {
    show(clamp(to, low, high));
    input(present);
  };
  const settle = () => {
    clearTimeout(rest);
    if (rest) change(present);
    rest = 0;
  };
  const follow = (event) => {
    const box = line.getBoundingClientRect();
    take(value(clamp((event.clientX - box.left) / box.width, 0, 1)));
  };
  draggable(frame, line, {
    start(event) {
      before = present;
      knob.focus({ preventScroll: true });
      follow(event);
    },
    move: follow, end: () => change(present), cancel: () => take(before),
  });
  frame.onKey(knob, (event) => {
    const to = keyTarget(event, present, { low, high, next });
    if (event.key === "Enter" && rest) return settle();
    if (to === undefined) return false;
    take(to);
    clearTimeout(rest);
    rest = setTimeout(settle, 250);
  });
  frame.listen(knob, "blur", settle);
  frame.signal.addEventListener("abort", () => clearTimeout(rest));
  return {
    node: html("div", { class: "tl-slider" }, label, line), line,
    show: (to) => frame.cancel || rest || show(to), // while the learner moves it, an older value does not pull it back
    under(area) { // on the axis of a chart that lies over it
      label.style.width = `${area.left}px`;
      line.style.flex = `0 0 ${area.right - area.left}px`;
    },
  };
}

// A slider with stops, which stand at places(), growing from 0 to 1 along the line.
export function stopSlider(frame, { name, places, ticks, words, seek }) {
  return slider(frame, {
    name, low: 0, high: places().length - 1, ticks, words, input: seek,
    place: (stop) => places()[stop], value: (at) => nearest(places(), at), next: (stop, direction) => stop + direction,
  });
}
