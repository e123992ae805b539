// The frame of every widget: title line with the state, body, controls, status line; its keys and its redrawing.

import { html, say, set } from "./dom.js";
import { icon, STATES } from "./marks.js";

// Runs `work` soon, many calls as one, and never twice within `pause` milliseconds.
export function paced(work, pause, signal) {
  let timer = 0;
  let last = -Infinity;
  const now = () => {
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    if (!signal.aborted) work();
  };
  const later = () => (timer ||= setTimeout(now, Math.max(0, last + pause - performance.now())));
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { now, later };
}

const NARROW = 560; // px of the frame's own box, never of the window

export const makeFrame = (model, el, name, draw) => new Frame(model, el, name, draw);

class Frame {
  constructor(model, el, name, draw) {
    const [title, word, subtitle, body, controls, line] = ["title", "word", "subtitle", "body", "controls", "status"]
      .map((part) => html("div", { class: `tl-${part}` }));
    set(line, { role: "status", "aria-live": "polite" });
    const root = html("div", {
      class: "tl", "data-widget": name, "data-lm-suppress-shortcuts": "true", tabindex: 0, role: "group",
    }, html("div", { class: "tl-head" }, title, word), subtitle, body, controls, line);
    el.append(root);
    const end = new AbortController();
    const { signal } = end;
    Object.assign(this, { model, root, title, word, subtitle, body, controls, line, signal, narrow: false, cancel: null });
    // What is drawn while JupyterLab hides its page, for less than a frame, has no width, and the observer sees no
    // change: observed anew, it tells of any width.
    const drawAnywhere = () => {
      if (!root.getClientRects().length) { // asked before the drawing, after which it would cost another layout
        observer.unobserve(root);
        observer.observe(root);
      }
      draw();
    };
    this.draw = paced(drawAnywhere, 100, signal); // at most ten times a second
    const observer = new ResizeObserver(([entry]) => {
      this.narrow = entry.contentRect.width < NARROW;
      root.classList.toggle("tl-narrow", this.narrow);
      this.draw.now();
    });
    observer.observe(root);
    this.close = () => {
      observer.disconnect();
      end.abort();
      root.remove();
    };
  }

  listen = (node, event, handler) => node.addEventListener(event, handler, { signal: this.signal });
  focused = () => this.root.getRootNode().activeElement;

  // handler(event) returns false for a key that is left to others.
  onKey(node, handler) {
    this.listen(node, "keydown", (event) => {
      if (handler(event) === false) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  watch(names, handler) {
    for (const trait of names.split(" ")) {
      this.model.on(`change:${trait}`, handler);
      this.signal.addEventListener("abort", () => this.model.off(`change:${trait}`, handler));
    }
  }

  // Draws now and whenever one of these traits changes; actions: see keys. Returns what render returns.
  start(traits, actions = {}) {
    this.keys(actions);
    this.watch(traits, this.draw.later);
    this.draw.now();
    return this.close;
  }

  // What the learner chose: to the page, to the kernel, and drawn at once.
  write(traits) {
    for (const [name, value] of Object.entries(traits)) this.model.set(name, value);
    this.model.save_changes();
    this.draw.now();
  }

  head(words, more) {
    say(this.title, words);
    say(this.subtitle, more);
    set(this.root, { "aria-label": words });
  }

  show(state, words = state) {
    set(this.root, { "data-state": state });
    if (this.word.textContent === words && this.word.dataset.glyph === state) return;
    this.word.replaceChildren(icon(STATES[state] ?? "circle"), html("span", {}, words));
    this.word.dataset.glyph = state;
  }

  // parts: [bold, plain] pairs; `hidden` is what only a screen reader needs, such as the state word.
  status(hidden, parts, between = " \u00b7 ") {
    const words = [hidden, between, ...parts.flat()].join("\n");
    if (this.line.words === words) return;
    this.line.words = words;
    const items = parts.map(([bold, plain]) => html("span", {}, html("b", {}, bold), plain));
    const spaced = items.flatMap((item, place) => (place && between ? [html("span", { class: "tl-between" }, between), item] : [item]));
    this.line.replaceChildren(html("span", { class: "tl-hidden" }, hidden), ...spaced);
  }

  // actions: {" ": ..., ArrowRight: ..., s: ..., Enter: ..., undo: ...}
  keys(actions) {
    const cancelOrLeave = ({ target }) => (this.cancel ? this.cancel() : leave(this.root, target));
    this.onKey(this.root, (event) => {
      const act = { ...actions, Escape: cancelOrLeave }[actionOf(event, this.root)];
      if (!act) return false;
      act(event);
    });
  }
}

// The name of what a key does; null where it belongs to the control that has the focus, or to the browser.
export function actionOf({ target, key, repeat, ctrlKey, metaKey, altKey }, root) {
  const command = ctrlKey || metaKey;
  if (command && key.toLowerCase() === "z") return "undo";
  const typed = key.length === 1 && ["SELECT", "INPUT"].includes(target.tagName); // a letter there is a letter
  const again = repeat && /^[\ds ]$|^Enter$/i.test(key); // a digit adds something: once a press
  if (typed || again || command || altKey) return null;
  if (key === " " && target !== root) return null;
  if (key === "ArrowRight" && target !== root && target.tagName !== "BUTTON") return null;
  if (key === "Enter" && ["BUTTON", "SELECT"].includes(target.tagName)) return null;
  return key.length === 1 ? key.toLowerCase() : key;
}

// Esc gives the focus back to the host, a notebook's cell, so that its own keys work again.
function leave(root, target) {
  target.blur();
  root.parentElement?.closest("[tabindex]")?.focus({ preventScroll: true });
}
