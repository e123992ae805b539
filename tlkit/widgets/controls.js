// Buttons, sliders and what is dragged, by pointer and by keyboard.

import { html, say, set } from "./dom.js";
import { icon } from "./marks.js";
import { clamp } from "./scales.js";

// Not the `disabled` attribute: a button that is off keeps its place in the tab order and its focus.
export const turnOff = (node, off) => set(node, { "aria-disabled": off ? "true" : null });

export function button({ action, face, words, key, main, off }, press) {
  const node = html("button", { type: "button", class: main ? "tl-button tl-main" : "tl-button", "data-do": action }, face ? icon(face) : "", words);
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
  const held = row.contains(focused) ? focused : null;
  row.replaceChildren(...buttons.map((one) => button(one, press)));
  if (!held) return;
  const wasMain = held.classList.contains("tl-main");
  const same = row.querySelector(`[data-do="${held.dataset.do}"]:not([aria-disabled])`);
  (((!wasMain && same) || row.querySelector(".tl-main")) ?? frame.root).focus({ preventScroll: true });
}

// A group of buttons is one tab stop: arrows, Home and End move within it, and reached(place) is told.
export function roving(frame, group, buttons, reached = () => {}) {
  const hold = (stop) => buttons.forEach((one, place) => set(one, { tabindex: place === stop ? 0 : -1 }));
  hold(0);
  frame.listen(group, "focusin", ({ target }) => buttons.includes(target) && hold(buttons.indexOf(target)));
  frame.listen(group, "keydown", (event) => {
    const place = buttons.indexOf(event.target);
    if (place < 0) return;
    const next = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    buttons.at(next % buttons.length).focus();
    reached((next + buttons.length) % buttons.length);
    event.preventDefault();
    event.stopPropagation();
  });
  return hold;
}

// One of a few: joined buttons. options: words; choose(option) follows a click or an arrow key, and
// show(option, notes) marks the chosen one and writes a note, such as a count, behind each.
export function segments(frame, { name, options, choose }) {
  const notes = options.map(() => html("small"));
  const buttons = options.map((words, place) => html("button", { type: "button", class: "tl-button", role: "radio" }, words, notes[place]));
  const node = html("div", { class: "tl-segments", role: "radiogroup", "aria-label": name }, ...buttons);
  const take = (place) => choose(options[place]);
  const hold = roving(frame, node, buttons, take);
  buttons.forEach((one, place) => frame.listen(one, "click", () => take(place)));
  const show = (chosen, said = []) => {
    buttons.forEach((one, place) => set(one, { "aria-checked": options[place] === chosen }));
    notes.forEach((note, place) => say(note, String(said[place] ?? "")));
    hold(options.indexOf(chosen));
  };
  return { node, show };
}

// start(event) may answer false; end() follows a release, cancel() Esc or a lost pointer.
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

// place(value) is 0 to 1 along the line, value(place) its inverse; next(value, direction, fine) the key's step.
// input(value) follows every move, change(value) comes once it rests: at release, or shortly after the last key.
export function slider(frame, { name, low, high, place, value, next, words, ticks, input, change }) {
  const knob = html("div", { class: "tl-knob", role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": low, "aria-valuemax": high });
  const marks = ticks.map((tick) => html("i", { style: `left:${100 * place(tick)}%` }));
  const line = html("div", { class: "tl-line" }, html("b"), ...marks, knob);
  const node = html("div", { class: "tl-slider" }, html("span", { class: "tl-slider-name" }, name), line);
  let present = low;
  let before = low;
  let rest = 0;
  const show = (to) => {
    present = to;
    knob.style.left = `${100 * place(to)}%`;
    set(knob, { "aria-valuenow": to, "aria-valuetext": words(to) });
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
    start: (event) => {
      before = present;
      knob.focus({ preventScroll: true });
      follow(event);
    },
    move: follow,
    end: () => change(present),
    cancel: () => take(before),
  });
  frame.listen(knob, "keydown", (event) => {
    const ends = { Home: low, End: high }[event.key];
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (event.key === "Enter" && rest) settle();
    else if (ends === undefined && !direction) return;
    else {
      take(ends ?? next(present, direction, event.shiftKey));
      clearTimeout(rest);
      rest = setTimeout(settle, 250);
    }
    event.preventDefault();
    event.stopPropagation();
  });
  frame.listen(knob, "blur", settle);
  frame.signal.addEventListener("abort", () => clearTimeout(rest));
  // While the learner moves it, the kernel's older value does not pull it back.
  return { node, show: (to) => frame.cancel || rest || show(to) };
}
