// Changes of a widget's traits that can be undone.

// Successive changes with one key, such as the moves of a drag, are one step, until rest().
export function undoable(frame, model) {
  let past = []; // {before: the traits as they were, key}
  const change = (traits, key = null) => {
    const before = Object.fromEntries(Object.keys(traits).map((name) => [name, model.get(name)]));
    if (key === null || past.at(-1)?.key !== key) past.push({ before, key });
    frame.write(traits);
  };
  const rest = () => past.length && (past.at(-1).key = null);
  const undo = () => {
    if (!past.length) return false;
    frame.write(past.pop().before);
    return true;
  };
  return { change, rest, undo, canUndo: () => past.length > 0, forget: () => (past = []) };
}
