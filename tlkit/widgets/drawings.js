// A drawing as data: a list of strokes, a stroke a list of [x, y] in thousandths of the pad, y downwards.

import { clamp } from "./scales.js";

// With whole numbers, nowhere off the pad.
export const onPad = (drawing) => drawing.map((stroke) => stroke.map((at) => at.map((value) => clamp(Math.round(value), 0, 1000))));

const sketches = new WeakMap();

// The `d` of an SVG path, written once for each drawing.
export function sketch(drawing) {
  const path = sketches.get(drawing) ?? drawing.map((stroke) => `M${stroke.join("L")}l0,0`).join(""); // l0,0 shows a dot
  sketches.set(drawing, path);
  return path;
}

const filled = (value, isOne) => Array.isArray(value) && value.length > 0 && value.every(isOne);
const isDrawing = (value) => filled(value, (stroke) => filled(stroke, (at) => filled(at, Number.isFinite) && at.length === 2));

// The classes in a saved file; an Error says what is wrong with it.
export function readClasses(text, most) {
  const check = (right, reason) => { if (!right) throw new Error(reason); };
  let file = null;
  try {
    file = JSON.parse(text);
  } catch {
    check(false, "it is not JSON, or its end is missing");
  }
  check(file?.tlkit === "drawings" && file.version === 1, "it holds no drawings saved by this widget");
  const isNamed = (one) => typeof one?.name === "string" && one.name.trim();
  check(filled(file.classes, isNamed), "it has no class, or one without a name");
  const names = file.classes.map(({ name }) => name.trim());
  check(names.length <= most, `it has ${names.length} classes, at most ${most} are possible`);
  check(new Set(names).size === names.length, "two of its classes have one name");
  return file.classes.map(({ drawings }, index) => {
    const right = Array.isArray(drawings) && drawings.every(isDrawing);
    check(right, `a drawing of ${names[index]} is not a list of strokes of points [x, y] with finite numbers`);
    return { name: names[index], drawings: drawings.map(onPad) };
  });
}

// The picture of a drawing, 16 x 16 with ink = 1, the same as `tlkit.data.drawings.picture` makes.
export function picture(drawing) {
  const image = new Float64Array(256);
  // A single point is a line of no length.
  const lines = drawing.flatMap((stroke) => stroke.slice(Math.min(stroke.length - 1, 1)).map((to, n) => [stroke[n], to]));
  const [low, high, centre] = [[Infinity, Infinity], [-Infinity, -Infinity], [0, 0]];
  let ink = 0;
  for (const [from, to] of lines) {
    const weight = Math.hypot(to[0] - from[0], to[1] - from[1]) + 1e-9; // so that dots alone have a centre too
    ink += weight;
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis], from[axis], to[axis]);
      high[axis] = Math.max(high[axis], from[axis], to[axis]);
      centre[axis] += (weight * (from[axis] + to[axis])) / 2;
    }
  }
  const scale = 13.3 / Math.max(high[0] - low[0], high[1] - low[1], 50);
  const nearest = new Float64Array(1024).fill(Infinity); // squared distances of 32 x 32 subsamples
  const first = (one, other) => Math.max(Math.ceil(2 * Math.min(one, other) - 2.4), 0); // no ink beyond 0.95 pixels
  const last = (one, other) => Math.min(Math.floor(2 * Math.max(one, other) + 1.4), 31);
  for (const [from, to] of lines) {
    const [x1, y1, x2, y2] = [...from, ...to].map((value, n) => (value - centre[n % 2] / ink) * scale + 8);
    const [width, height] = [x2 - x1, y2 - y1];
    const squared = Math.max(width * width + height * height, 1e-12);
    const [left, right, bottom] = [first(x1, x2), last(x1, x2), last(y1, y2)];
    for (let row = first(y1, y2); row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const [x, y] = [(column + 0.5) / 2 - x1, (row + 0.5) / 2 - y1];
        const share = clamp((x * width + y * height) / squared, 0, 1);
        const distance = (x - share * width) ** 2 + (y - share * height) ** 2;
        if (distance < nearest[32 * row + column]) nearest[32 * row + column] = distance;
      }
    }
  }
  nearest.forEach((distance, n) => {
    image[16 * (n >> 6) + ((n & 31) >> 1)] += clamp(1.9 - 2 * Math.sqrt(distance), 0, 1) / 4;
  });
  return image;
}

// A new variant of a drawing: turned, sheared, stretched, and every stroke waved along its way.
export function wobble(drawing, random) {
  const within = (size) => size * (2 * random() - 1);
  const [angle, shear, scale, stretch] = [within(Math.PI / 12), within(0.15), 1 + within(0.15), 1 + within(0.15)];
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  const wave = () => {
    const [size, period, phase] = [within(30), 400 + 600 * random(), random()];
    return (way) => 500 + size * Math.sin(2 * Math.PI * (way / period + phase));
  };
  return drawing.map((stroke) => {
    const [across, down] = [wave(), wave()];
    let way = 0;
    return stroke.flatMap(([x2, y2], n) => {
      const [x1, y1] = stroke[Math.max(n - 1, 0)];
      const length = Math.hypot(x2 - x1, y2 - y1);
      const parts = Math.max(Math.ceil(length / 60), 1); // a long line bends too
      return Array.from({ length: parts }, (_, part) => {
        const share = (part + 1) / parts;
        const y = y1 + share * (y2 - y1) - 500;
        const x = (x1 + share * (x2 - x1) - 500) * stretch + shear * y;
        way += length / parts;
        return [x * cos - y * sin + across(way), x * sin + y * cos + down(way)];
      });
    });
  });
}
