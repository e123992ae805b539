// Images on a canvas: grey ones as ink on nothing, so that they follow the theme, others in their own colours.

import { dataView } from "./bytes.js";
import { html } from "./dom.js";

// One of images {shape: [channels, height, width], from: byte} as red, green, blue, opacity; a grey value is opacity.
export function pixelsOf(bytes, { shape: [channels, height, width], from = 0 }, index) {
  const size = height * width;
  const pixels = new Uint8ClampedArray(4 * size);
  const value = (channel, at) => bytes.getUint8(from + (index * channels + channel) * size + at);
  const colours = channels === 1 ? (at) => [0, 0, 0, value(0, at)] : (at) => [value(0, at), value(1, at), value(2, at), 255];
  for (let at = 0; at < size; at++) pixels.set(colours(at), 4 * at);
  return pixels;
}

// The size of an image in a square room, and whether it is smoothed: pixels of one size are crisp, if they fill it well.
export function fitted([, high, wide], room, ratio) {
  const longest = Math.max(high, wide);
  const whole = Math.floor((room * ratio) / longest);
  const crisp = whole * longest > 0.8 * room * ratio;
  const scale = crisp ? whole / ratio : room / longest;
  return { wide: wide * scale, high: high * scale, smooth: !crisp && whole < 3 };
}

// Returns paint(canvas, width, height, images), which clears a canvas of that size in CSS pixels and returns
// put(index, x, y, room, token): it draws one of images in a square.
export function imagePainter(frame, data) {
  const bytes = dataView(data);
  const ink = inkOf(frame.root);
  const small = html("canvas"); // one image at its own size
  const pen = small.getContext("2d");

  function load(images, index, token) {
    const [channels, height, width] = images.shape;
    Object.assign(small, { width, height });
    pen.putImageData(new ImageData(pixelsOf(bytes, images, index), width, height), 0, 0);
    if (channels > 1) return;
    Object.assign(pen, { globalCompositeOperation: "source-in", fillStyle: ink(token) });
    pen.fillRect(0, 0, width, height);
  }

  followTheme(frame);
  return (canvas, width, height, images) => {
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const put = (index, x, y, room, token = "ink") => {
      const { wide, high, smooth } = fitted(images.shape, room, ratio);
      const pale = images.shape[0] > 1 && token === "ghost";
      load(images, index, token);
      Object.assign(context, { globalAlpha: pale ? 0.45 : 1, imageSmoothingEnabled: smooth });
      context.drawImage(small, x + (room - wide) / 2, y + (room - high) / 2, wide, high);
    };
    put.frame = (x, y, size, token = "ink") => {
      Object.assign(context, { globalAlpha: 1, strokeStyle: ink(token), lineWidth: 2 });
      context.beginPath();
      context.roundRect(x, y, size, size, 4);
      context.stroke();
    };
    return put;
  };
}

// A canvas of its own with one image in the middle.
export function picture(paint, images, index, size, { room = size, token, ...look } = {}) {
  const canvas = html("canvas", { "aria-hidden": "true", ...look });
  paint(canvas, size, size, images)(index, (size - room) / 2, (size - room) / 2, room, token);
  return canvas;
}

// The colour of a token, read once a drawing: reading a style between two writes is slow.
function inkOf(root) {
  const inks = new Map();
  return (token) => {
    if (!inks.size) queueMicrotask(() => inks.clear());
    if (!inks.has(token)) inks.set(token, getComputedStyle(root).getPropertyValue(`--tl-${token}`).trim());
    return inks.get(token);
  };
}

// A canvas does not follow the theme by itself.
function followTheme(frame) {
  const theme = new MutationObserver(frame.draw.later);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  frame.signal.addEventListener("abort", () => theme.disconnect());
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const query of queries) frame.listen(query, "change", frame.draw.later);
}
