// Images on a canvas: grey ones as ink on nothing, so that they follow the theme, others in their own colours.

import { dataView } from "./bytes.js";
import { html } from "./dom.js";

// One of images {shape: [channels, height, width], from: byte} as red, green, blue, opacity; a grey one is opaque where
// it is light.
export function pixelsOf(bytes, { shape: [channels, height, width], from = 0 }, index) {
  const size = height * width;
  const start = from + index * channels * size;
  const pixels = new Uint8ClampedArray(4 * size);
  for (let at = 0; at < size; at++) {
    const value = (channel) => bytes.getUint8(start + channel * size + at);
    pixels.set(channels === 1 ? [0, 0, 0, value(0)] : [value(0), value(1), value(2), 255], 4 * at);
  }
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
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = ink(token);
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
      load(images, index, token);
      context.globalAlpha = images.shape[0] > 1 && token === "ghost" ? 0.45 : 1;
      context.imageSmoothingEnabled = smooth;
      context.drawImage(small, x + (room - wide) / 2, y + (room - high) / 2, wide, high);
      context.globalAlpha = 1;
    };
    put.frame = (x, y, size, token = "ink") => {
      Object.assign(context, { strokeStyle: ink(token), lineWidth: 2 });
      context.beginPath();
      context.roundRect(x, y, size, size, 4);
      context.stroke();
    };
    return put;
  };
}

// The colour of a token, each read once a drawing: reading a style between two writes is slow.
function inkOf(root) {
  let inks = null;
  return (token) => {
    if (!inks) queueMicrotask(() => (inks = null));
    inks ??= {};
    return (inks[token] ??= getComputedStyle(root).getPropertyValue(`--tl-${token}`).trim());
  };
}

// A canvas does not follow the theme by itself.
function followTheme(frame) {
  const theme = new MutationObserver(frame.draw.later);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    frame.listen(matchMedia(query), "change", frame.draw.later);
  }
  frame.signal.addEventListener("abort", () => theme.disconnect());
}
