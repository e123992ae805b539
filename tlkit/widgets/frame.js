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

export function makeFrame(model, el, name, draw) {
  const end = new AbortController();
  const { signal } = end;
  const title = html("div", { class: "tl-title" });
  const word = html("div", { class: "tl-word" });
  const subtitle = html("div", { class: "tl-subtitle" });
  const body = html("div", { class: "tl-body" });
  const controls = html("div", { class: "tl-controls" });
  const status = html("div", { class: "tl-status", role: "status", "aria-live": "polite" });
  const root = html("div", {
    class: "tl", "data-widget": name, "data-lm-suppress-shortcuts": "true", tabindex: 0, role: "group",
  }, html("div", { class: "tl-head" }, title, word), subtitle, body, controls, status);
  el.append(root);

  const frame = { root, body, controls, signal, narrow: false, cancel: null };
  frame.listen = (node, event, handler) => node.addEventListener(event, handler, { signal });
  frame.watch = (names, handler) => {
    for (const trait of names.split(" ")) {
      model.on(`change:${trait}`, handler);
      signal.addEventListener("abort", () => model.off(`change:${trait}`, handler));
    }
  };
  frame.focused = () => root.getRootNode().activeElement;
  frame.head = (words, more) => {
    say(title, words);
    say(subtitle, more);
    set(root, { "aria-label": words });
  };
  frame.show = (state, words) => {
    set(root, { "data-state": state });
    if (word.textContent !== words || word.dataset.glyph !== state) {
      word.replaceChildren(icon(STATES[state] ?? "circle"), html("span", {}, words));
      word.dataset.glyph = state;
    }
  };
  // parts: [bold, plain] pairs; `hidden` is what only a screen reader needs, such as the state word.
  frame.status = (hidden, parts, between = " \u00b7 ") => {
    const words = [hidden, between, ...parts.flat()].join("\n");
    if (frame.said === words) return;
    frame.said = words;
    const items = parts.map(([bold, plain]) => html("span", { class: "tl-item" }, html("b", {}, bold), plain));
    const spaced = items.flatMap((item, place) => (place && between ? [html("span", { class: "tl-between" }, between), item] : [item]));
    status.replaceChildren(html("span", { class: "tl-hidden" }, hidden), ...spaced);
  };
  // actions: {" ": ..., ArrowRight: ..., s: ..., Enter: ..., undo: ...}
  frame.keys = (actions) => frame.listen(root, "keydown", (event) => {
    const { target, key } = event;
    const undo = (event.ctrlKey || event.metaKey) && key.toLowerCase() === "z";
    const typing = key.length === 1 && ["SELECT", "INPUT"].includes(target.tagName); // a letter there is a letter
    const held = event.repeat && /^\d$/.test(key); // a digit adds something: once a press
    if (!undo && (held || typing || event.ctrlKey || event.metaKey || event.altKey)) return;
    const allowed = {
      " ": target === root && !event.repeat,
      ArrowRight: target === root || target.tagName === "BUTTON",
      s: !event.repeat,
      Enter: !["BUTTON", "SELECT"].includes(target.tagName) && !event.repeat,
    };
    const action = undo ? "undo" : key.length === 1 ? key.toLowerCase() : key;
    if (action === "Escape") {
      if (frame.cancel) frame.cancel();
      else leave(root, target);
    } else if (actions[action] && allowed[action] !== false) actions[action]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // What is drawn while JupyterLab hides its page, for less than a frame, has no width, and the observer sees no change:
  // observed anew, it tells of any width.
  const drawAnywhere = () => {
    if (!root.getClientRects().length) { // asked before the drawing, after which it would cost another layout
      observer.unobserve(root);
      observer.observe(root);
    }
    draw();
  };
  frame.draw = paced(drawAnywhere, 100, signal); // at most ten times a second
  const observer = new ResizeObserver(([entry]) => {
    frame.narrow = entry.contentRect.width < NARROW;
    root.classList.toggle("tl-narrow", frame.narrow);
    frame.draw.now();
  });
  observer.observe(root);
  frame.close = () => {
    observer.disconnect();
    end.abort();
    root.remove();
  };
  return frame;
}

// Esc gives the focus back to the host, a notebook's cell, so that its own keys work again.
function leave(root, target) {
  target.blur();
  root.parentElement?.closest("[tabindex]")?.focus({ preventScroll: true });
}
