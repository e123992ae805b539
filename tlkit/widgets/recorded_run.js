// What widgets share that show one moment, or a recorded run with Play and a slider through its steps.

import { scrubber } from "./player.js";

// Fills the controls and the state word; of one moment there is nothing to run through, and the result is false.
export function recordedRun(frame, model, steps) {
  const present = () => model.get("frame");
  const run = steps.length > 1 && scrubber(frame, steps, { present, go: (index) => frame.write({ frame: index }) });
  frame.show(run ? "recorded run" : "measured");
  frame.keys(run ? { " ": run.press, ArrowRight: run.step } : {});
  if (run) frame.controls.append(...run.nodes);
  else frame.controls.remove();
  return run;
}
