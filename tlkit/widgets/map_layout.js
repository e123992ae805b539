// Where images and names stand on a map: points are [x, y], boxes {left, top, wide, high}, all in pixels.

import { clamp, linear } from "./scales.js";

// The one that is least far; what is infinitely far is none.
export const closest = (all, far) =>
  all.map((one) => ({ one, far: far(one) })).reduce((best, next) => (next.far < best.far ? next : best), { far: Infinity }).one;

export const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// How far a point lies from another in the direction of an arrow; aside counts twice, and behind is infinitely far.
export function ahead([right, down], [x, y], point) {
  const [across, below] = [point[0] - x, point[1] - y];
  const forwards = across * right + below * down;
  return forwards > 0.5 ? Math.hypot(forwards, 2 * (across * down + below * right)) : Infinity;
}

// Points fill a map of `size`; images, each in a square `room`, that would hide each other are moved apart a little.
export const laidOut = (points, size, room) =>
  separated(stretched(points, size, room / 2 + 6), 0.65 * room, size, room / 2 + 4);

export function stretched(points, size, margin) {
  const scales = size.map((length, axis) => {
    const along = points.map((point) => point[axis]);
    return linear(Math.min(...along), Math.max(...along), margin, length - margin);
  });
  return points.map((point) => scales.map((scale, axis) => scale(point[axis])));
}

// Points nearer than `gap` are moved apart, the same way every time.
export function separated(points, gap, size, margin) {
  const moved = points.map((point) => [...point]);
  const part = (one, other, turn) => {
    const [across, down] = [other[0] - one[0], other[1] - one[1]];
    const far = Math.hypot(across, down);
    if (far >= gap) return;
    const way = far > 0.01 ? [across / far, down / far] : [Math.cos(turn), Math.sin(turn)]; // those on one spot go all ways
    size.forEach((length, axis) => {
      const push = ((gap - far) / 4) * way[axis];
      [one[axis], other[axis]] = [one[axis] - push, other[axis] + push].map((to) => clamp(to, margin, length - margin));
    });
  };
  for (let round = 0; round < 40; round++) {
    moved.forEach((one, place) => moved.slice(place + 1).forEach((other) => part(one, other, place * 2.4)));
  }
  return moved;
}

// The point of a class that bears its name: in the middle and near the top.
export function bearer(points) {
  const at = (axis, share) => points.map((point) => point[axis]).sort((one, other) => one - other)[Math.floor(points.length * share)];
  const [across, down] = [at(0, 0.5), at(1, 0.1)];
  return closest(points, ([x, y]) => Math.hypot(x - across, y - down));
}

// Boxes from the top on; each is pushed down by those before it, and by the reserved one.
export function stacked(boxes, reserved) {
  const before = [reserved];
  for (const box of boxes.toSorted((one, other) => one.top - other.top)) {
    const top = before.reduce((from, other) => {
      const beside = box.left > other.left + other.wide || other.left > box.left + box.wide;
      const below = other.top + other.high + 4;
      return !beside && from < below && from + box.high > other.top ? below : from;
    }, box.top);
    before.push({ ...box, top });
  }
  return before.slice(1);
}
