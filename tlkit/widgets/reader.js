// The network that Teach computes in the page: its features of a picture, beliefs, training from scratch.

import { dataView } from "./bytes.js";
import { picture, wobble } from "./drawings.js";

// ---- Layers: conv1, conv2, conv3 and fc, which is a convolution of 4 x 4 over what is left of the picture.
// Activations lie [pixel, channel], weights [tap, input, output], biases last. An activation of 0 is skipped: after
// a ReLU that is half of them, and no gradient passes there either.

const SHAPES = [
  { inputs: 1, outputs: 16, kernel: 3, side: 16, slope: 0, pool: true },
  { inputs: 16, outputs: 32, kernel: 3, side: 8, slope: 0, pool: true },
  { inputs: 32, outputs: 64, kernel: 3, side: 4, slope: 0 },
  { inputs: 64, outputs: 64, kernel: 4, side: 4, slope: 1 }, // features are taken before an activation
];

// weight(output, n) and bias(output) give the numbers in torch's order: [output, input, row, column].
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

// mulberry32: with a seed, so that a page loaded again shows the same
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

// As torch begins: uniform within 1 / sqrt(inputs of one output).
export const randomLayers = (random, shapes = SHAPES) => shapes.map((shape) => {
  const draw = () => (2 * random() - 1) / Math.sqrt(shape.inputs * shape.kernel ** 2);
  return makeLayer(shape, draw, draw);
});

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

// `activations`: the picture, what each layer makes of it, last of all the answer; `unpooled`: the same before pooling.
function forward(layers, image) {
  const activations = [image];
  const unpooled = layers.map((layer) => {
    const output = convolve(layer, activations.at(-1)).map((value) => (value < 0 ? layer.slope * value : value));
    const most = new Float64Array(output.length / (layer.pool ? 4 : 1)).fill(-Infinity);
    layer.pooled.forEach((to, n) => (most[to] = Math.max(most[to], output[n])));
    activations.push(most);
    return output;
  });
  return { activations, unpooled };
}

export const features = (layers, image) => forward(layers, image).activations.at(-1);

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
const LR = 1e-3; // the best of 1e-3, 3e-3 and 1e-2 on the sample drawings

// The same network with a leaky ReLU on its features and a linear head.
export function untrained(classes, random) {
  const head = { inputs: 64, outputs: classes, kernel: 1, side: 1, slope: 1 };
  return randomLayers(random, [...SHAPES.slice(0, 3), { ...SHAPES[3], slope: 0.1 }, head]);
}

// The cross-entropy of one picture; its gradients are added to `gradients`, which are shaped like the weights.
export function learn(layers, image, label, gradients) {
  const { activations, unpooled } = forward(layers, image);
  const shares = softmax(activations.at(-1));
  let slopes = Float64Array.from(shares, (share, n) => share - (n === label));
  for (let depth = layers.length - 1; depth >= 0; depth--) {
    const { inputs, outputs, links, weights, slope, pooled } = layers[depth];
    const [input, output, gradient, after] = [activations[depth], unpooled[depth], gradients[depth], slopes];
    slopes = output.map((value, n) => {
      if (value !== activations[depth + 1][pooled[n]]) return 0;
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

// Adam, a step at a time; the classes take turns, and every example is wobbled anew.
export function* fromScratch(layers, classes, random) {
  const zeros = () => layers.map(({ weights }) => new Float64Array(weights.length));
  const [means, squares] = [zeros(), zeros()];
  for (let step = 1; step <= STEPS; step++) {
    const gradients = zeros();
    for (let turn = step * BATCH; turn < (step + 1) * BATCH; turn++) {
      const label = turn % classes.length;
      const drawing = classes[label][Math.floor(random() * classes[label].length)];
      learn(layers, picture(wobble(drawing, random)), label, gradients);
    }
    const speed = (LR * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
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
