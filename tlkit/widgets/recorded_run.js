// What widgets share that show one moment, or a recorded run with Play and a slider through its steps.

import { scrubber } from "./player.js";

// Sets a trait, tells the kernel and draws.
export function keep(frame, model, trait, value) {
  model.set(trait, value);
  model.save_changes();
  frame.draw.now();
}

// Fills the controls and the state word; of one moment there is nothing to run through, and the result is false.
export function recordedRun(frame, model, steps) {
  const follow = { present: () => model.get("frame"), go: (index) => keep(frame, model, "frame", index) };
  const run = steps.length > 1 && scrubber(frame, steps, follow);
  if (run) frame.controls.append(...run.nodes);
  else frame.controls.remove();
  const word = run ? "recorded run" : "measured";
  frame.show(word, word);
  frame.keys(run ? { " ": run.press, ArrowRight: run.step } : {});
  return run;
}
