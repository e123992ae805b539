// Images on a canvas: grey ones as ink on nothing, so that they follow the theme, others in their own colours.

import { dataView } from "./bytes.js";
import { html } from "./dom.js";

// Returns paint(canvas, width, height, images), which clears a canvas of that size in CSS pixels and returns
// put(index, x, y, room, token): it draws one of images, {shape: [channels, height, width], from: byte}, in a square.
export function imagePainter(frame, data) {
  const bytes = dataView(data);
  const small = html("canvas"); // one image at its own size
  const pen = small.getContext("2d");
  let inks = null; // each read once a drawing: reading a style between two writes is slow

  function ink(token) {
    if (!inks) queueMicrotask(() => (inks = null));
    inks ??= {};
    return (inks[token] ??= getComputedStyle(frame.root).getPropertyValue(`--tl-${token}`).trim());
  }

  function read({ shape: [channels, height, width], from = 0 }, index, token) {
    const size = height * width;
    const start = from + index * channels * size;
    Object.assign(small, { width, height }); // which also clears it
    const pixels = pen.createImageData(width, height);
    for (let at = 0; at < size; at++) {
      const value = (channel) => bytes.getUint8(start + channel * size + at);
      pixels.data.set(channels === 1 ? [0, 0, 0, value(0)] : [value(0), value(1), value(2), 255], 4 * at);
    }
    pen.putImageData(pixels, 0, 0);
    if (channels > 1) return;
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = ink(token);
    pen.fillRect(0, 0, width, height);
  }

  function paint(canvas, width, height, images) {
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const put = (index, x, y, room, token = "ink") => {
      const [channels, high, wide] = images.shape;
      const longest = Math.max(high, wide);
      const whole = Math.floor((room * ratio) / longest); // pixels of one size are crisp, if they fill the room well
      const crisp = whole * longest > 0.8 * room * ratio;
      const scale = crisp ? whole / ratio : room / longest;
      read(images, index, token);
      context.globalAlpha = channels > 1 && token === "ghost" ? 0.45 : 1;
      context.imageSmoothingEnabled = !crisp && whole < 3;
      context.drawImage(small, x + (room - wide * scale) / 2, y + (room - high * scale) / 2, wide * scale, high * scale);
      context.globalAlpha = 1;
    };
    put.frame = (x, y, size, token = "ink") => {
      context.strokeStyle = ink(token);
      context.lineWidth = 2;
      context.beginPath();
      context.roundRect(x, y, size, size, 4);
      context.stroke();
    };
    return put;
  }

  // A canvas does not follow the theme by itself.
  const theme = new MutationObserver(frame.draw.later);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
    frame.listen(matchMedia(query), "change", frame.draw.later);
  }
  frame.signal.addEventListener("abort", () => theme.disconnect());
  return paint;
}
