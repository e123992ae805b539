// What Teach computes, without a page: strokes as a picture, the network's features, beliefs, training from scratch.

import { dataView } from "./bytes.js";
import { clamp } from "./scales.js";

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

// ---- The network: conv1, conv2, conv3 and fc, which is a convolution of 4 x 4 over what is left of the picture.
// Activations lie [pixel, channel], weights [tap, input, output], biases last. An activation of 0 is skipped: after
// a ReLU that is half of them, and no gradient passes there either.

const SHAPES = [
  { inputs: 1, outputs: 16, kernel: 3, side: 16, slope: 0, pool: true },
  { inputs: 16, outputs: 32, kernel: 3, side: 8, slope: 0, pool: true },
  { inputs: 32, outputs: 64, kernel: 3, side: 4, slope: 0 },
  { inputs: 64, outputs: 64, kernel: 4, side: 4, slope: 1 }, // features are taken before an activation
];

// weight(output, n) and bias(output) are asked in torch's order: [output, input, row, column].
function makeLayer(shape, weight, bias) {
  const { inputs, outputs, kernel, side } = shape;
  const [reached, padding, taps] = [kernel === 3 ? side : 1, kernel === 3 ? 1 : 0, kernel ** 2];
  const links = []; // [pixel read, pixel written, tap]
  for (let n = 0; n < reached ** 2 * taps; n++) {
    const [to, tap] = [Math.floor(n / taps), n % taps];
    const row = Math.floor(to / reached) + Math.floor(tap / kernel) - padding;
    const column = (to % reached) + (tap % kernel) - padding;
    if (Math.min(row, column) >= 0 && Math.max(row, column) < side) links.push([row * side + column, to, tap]);
  }
  const each = inputs * taps;
  const weights = new Float64Array((each + 1) * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let n = 0; n < each; n++) weights[((n % taps) * inputs + Math.floor(n / taps)) * outputs + output] = weight(output, n);
    weights[each * outputs + output] = bias(output);
  }
  const pooled = Int32Array.from({ length: reached ** 2 * outputs }, (_, n) => { // where each place goes in a 2 x 2 max pool
    const [row, column] = [Math.floor(n / outputs / reached) >> 1, Math.floor(n / outputs) % reached >> 1];
    return shape.pool ? ((row * reached) / 2 + column) * outputs + (n % outputs) : n;
  });
  return { ...shape, links, weights, pooled };
}

function float16(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  return (bits >> 15 ? -1 : 1) * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

// For each layer int8 weights, a float16 scale for each output, float16 biases.
export function decode(data) {
  const bytes = dataView(data);
  let end = 0;
  return SHAPES.map((shape) => {
    const [start, each] = [end, shape.inputs * shape.kernel ** 2];
    end += (each + 4) * shape.outputs;
    const halves = (from) => Array.from({ length: shape.outputs }, (_, n) => float16(bytes.getUint16(from + 2 * n, true)));
    const [scales, biases] = [halves(end - 4 * shape.outputs), halves(end - 2 * shape.outputs)];
    return makeLayer(shape, (output, n) => bytes.getInt8(start + output * each + n) * scales[output], (output) => biases[output]);
  });
}

// mulberry32: with a seed, so that a page loaded again says the same
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

// As torch begins: uniform within 1 / sqrt(inputs of one output).
function randomLayer(shape, random) {
  const draw = () => (2 * random() - 1) / Math.sqrt(shape.inputs * shape.kernel ** 2);
  return makeLayer(shape, draw, draw);
}

export const randomLayers = (random) => SHAPES.map((shape) => randomLayer(shape, random));

function convolve({ inputs, outputs, links, weights, pooled }, input) {
  const output = new Float64Array(pooled.length);
  for (let n = 0; n < output.length; n++) output[n] = weights[weights.length - outputs + (n % outputs)];
  for (const [from, to, tap] of links) {
    for (let channel = 0; channel < inputs; channel++) {
      const value = input[from * inputs + channel];
      if (value === 0) continue;
      let weight = (tap * inputs + channel) * outputs;
      for (let n = to * outputs; n < (to + 1) * outputs; n++) output[n] += value * weights[weight++];
    }
  }
  return output;
}

// What each layer was given, last of all the answer, and what each made before pooling.
function forward(layers, image) {
  const given = [image];
  const made = layers.map((layer) => {
    const output = convolve(layer, given.at(-1)).map((value) => (value < 0 ? layer.slope * value : value));
    const most = new Float64Array(output.length / (layer.pool ? 4 : 1)).fill(-Infinity);
    layer.pooled.forEach((to, n) => (most[to] = Math.max(most[to], output[n])));
    given.push(most);
    return output;
  });
  return { given, made };
}

export const features = (layers, image) => forward(layers, image).given.at(-1);

// ---- Beliefs

export function softmax(values) {
  const highest = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp(value - highest));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}

// Nearest class mean by cosine. classes: the features of each one's drawings; a class without any gets no share.
export function believe(feature, classes, heat) {
  const dot = (one, other) => one.reduce((sum, value, n) => sum + value * other[n], 0);
  const cosines = classes.map((examples) => {
    const sum = feature.map((_, n) => examples.reduce((total, one) => total + one[n], 0)); // as good as the mean here
    return examples.length ? dot(feature, sum) / (Math.sqrt(dot(feature, feature) * dot(sum, sum)) || 1) : -Infinity;
  });
  return { shares: softmax(cosines.map((cosine) => heat * cosine)), nearest: Math.max(...cosines) };
}

// ---- Training from scratch

export const STEPS = 60;
const BATCH = 12;
const RATE = 1e-3; // the best of 1e-3, 3e-3 and 1e-2 on the sample drawings

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

// The same network with a leaky ReLU on its features and a linear head.
export function untrained(classes, random) {
  const layers = randomLayers(random);
  layers[3].slope = 0.1;
  return [...layers, randomLayer({ inputs: 64, outputs: classes, kernel: 1, side: 1, slope: 1 }, random)];
}

// The cross-entropy of one picture; its gradients are added to `gradients`, which are shaped like the weights.
export function learn(layers, image, label, gradients) {
  const { given, made } = forward(layers, image);
  const shares = softmax(given.at(-1));
  let slopes = Float64Array.from(shares, (share, n) => share - (n === label));
  for (let depth = layers.length - 1; depth >= 0; depth--) {
    const { inputs, outputs, links, weights, slope, pooled } = layers[depth];
    const [input, output, gradient, after] = [given[depth], made[depth], gradients[depth], slopes];
    slopes = output.map((value, n) => {
      if (value !== given[depth + 1][pooled[n]]) return 0;
      const passed = after[pooled[n]] * (value > 0 ? 1 : slope);
      after[pooled[n]] = 0; // the first of equals takes it all, as in torch
      gradient[gradient.length - outputs + (n % outputs)] += passed;
      return passed;
    });
    const passed = new Float64Array(input.length);
    for (const [from, to, tap] of links) {
      for (let channel = 0; channel < inputs; channel++) {
        const value = input[from * inputs + channel];
        if (value === 0) continue;
        let [weight, sum] = [(tap * inputs + channel) * outputs, 0];
        for (let n = to * outputs; n < (to + 1) * outputs; n++) {
          gradient[weight] += value * slopes[n];
          sum += weights[weight++] * slopes[n];
        }
        passed[from * inputs + channel] += sum;
      }
    }
    slopes = passed;
  }
  return -Math.log(shares[label]);
}

// Adam, one step each time it is asked; the classes take turns, and every example is wobbled anew.
export function* fromScratch(layers, classes, random, rate = RATE) {
  const zeros = () => layers.map(({ weights }) => new Float64Array(weights.length));
  const [means, squares] = [zeros(), zeros()];
  for (let step = 1; step <= STEPS; step++) {
    const gradients = zeros();
    for (let turn = step * BATCH; turn < (step + 1) * BATCH; turn++) {
      const label = turn % classes.length;
      const drawing = classes[label][Math.floor(random() * classes[label].length)];
      learn(layers, picture(wobble(drawing, random)), label, gradients);
    }
    const speed = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    layers.forEach(({ weights }, depth) => {
      const [gradient, mean, square] = [gradients[depth], means[depth], squares[depth]];
      for (let n = 0; n < weights.length; n++) {
        const value = gradient[n] / BATCH;
        mean[n] += 0.1 * (value - mean[n]);
        square[n] += 0.001 * (value * value - square[n]);
        weights[n] -= (speed * mean[n]) / (Math.sqrt(square[n]) + 1e-8);
      }
    });
    yield step;
  }
}
