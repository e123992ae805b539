// Through frames in time: a slider, Play, and both together for a recorded run.

import { fillRow, stopSlider } from "./controls.js";
import { html, say } from "./dom.js";
import { linear, nearest } from "./scales.js";
import { many } from "./words.js";

// A slider through frames that stand at growing numbers, `at`; a tick is at the frame nearest to each of `ticks`.
export function frameSlider(frame, { at, ticks = at, ...rest }) {
  const along = linear(at[0], at.at(-1), 0, 1);
  const places = at.map(along);
  return stopSlider(frame, { places: () => places, ticks: ticks.map((tick) => nearest(places, along(tick))), ...rest });
}

// Plays through frames, two a second, up to the last, and begins again from there. Who asks for less motion gets a step,
// called `next`. seek(index) and step() go there by hand, so they end the playing. more() is whether a frame follows.
export function player(frame, { last, present, go, next = "Next frame", more = () => present() < last }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const row = html("div", { class: "tl-row" });
  let timer = 0;
  const show = () => {
    const [action, words] = still.matches ? ["step", next] : timer ? ["pause", "Pause"] : ["play", "Play"];
    fillRow(frame, row, [{ action, face: action, words, key: "space", main: true }], press);
  };
  const rest = () => {
    clearInterval(timer);
    timer = 0;
    show();
  };
  const press = () => {
    if (timer) return rest();
    go(more() ? present() + 1 : 0);
    if (!still.matches) timer = setInterval(() => (more() ? go(present() + 1) : rest()), 500);
    show();
  };
  frame.listen(still, "change", rest);
  frame.signal.addEventListener("abort", () => clearInterval(timer));
  show();
  const seek = (index) => {
    rest();
    go(index);
  };
  return { node: row, press, seek, step: () => seek(present() + more()) };
}

// Play and a slider in the controls run through the steps of a recorded run, of which `frame` is the present one; a single
// moment has no controls. Returns {keys, press, show}: what the frame's keys do, and how the present step is shown.
export function recordedRun(frame, model, steps) {
  const last = steps.length - 1;
  const present = () => model.get("frame");
  frame.show(last > 0 ? "recorded run" : "measured");
  if (last < 1) {
    frame.controls.remove();
    return { keys: {}, show: () => {} };
  }
  const { node, press, seek, step } = player(frame, { last, present, go: (index) => frame.write({ frame: index }) });
  const words = (index) => `step ${many(steps[index])} of ${many(steps[last])}`;
  const knob = frameSlider(frame, { name: "Step", at: steps, words, seek });
  const value = html("span", { class: "tl-value" });
  knob.node.classList.add("tl-scrubber");
  frame.controls.append(node, knob.node, value);
  const show = () => {
    knob.show(present());
    say(value, words(present()));
  };
  return { keys: { " ": press, ArrowRight: step }, press, show };
}
