// Rows of images under one slider, as `drawn_rows` in frames.py sends them: the same at every place, or others at each.

import { div, html, say, set } from "./dom.js";
import { imagePainter } from "./images.js";
import { clamp } from "./scales.js";
import { amount } from "./words.js";

// All rows of a view: their node, and show(places, index), which shows those at `places` with the images of a frame.
export function makeRows(frame, model) {
  const paint = imagePainter(frame, model.get("images"));
  const rows = model.get("view").rows.map((row) => makeRow(paint, row));
  const node = div("tl-lines");
  function show(places, index) {
    const nodes = places.map((place) => rows[place].node);
    const same = nodes.length === node.children.length && nodes.every((one, at) => one === node.children[at]);
    if (!same) node.replaceChildren(...nodes);
    for (const place of places) rows[place].draw(index);
  }
  return { node, rows, show };
}

const LARGEST = 76; // px of an image's side

// A row under one title: its node, and draw(index), which shows the images of that frame.
function makeRow(paint, row) {
  const note = html("span", { class: "tl-caption" });
  const pictures = html("div", { class: "tl-pictures", role: "img" });
  const most = Math.max(...row.sets.map(([, images]) => images), 1);
  const shots = Array.from({ length: most }, () => div(row.used ? "tl-shot" : "tl-shot tl-unused", html("canvas")));
  const veil = html("canvas");
  pictures.append(...shots);

  function draw(frame) {
    const of = (list) => list[Math.min(frame, list.length - 1)]; // one for all, or one a frame
    const [first, images] = of(row.sets);
    const captions = row.captions.length ? of(row.captions) : [];
    say(note, row.note[frame]);
    const words = [row.title, row.note[frame], captions.join("; ") || amount(images, "images")];
    set(pictures, { "aria-label": words.filter(Boolean).join(", ") });
    const columns = clamp(Math.floor(pictures.clientWidth / 44), 1, most);
    const room = Math.min(LARGEST, Math.floor(pictures.clientWidth / columns) - 14);
    pictures.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    shots.forEach((shot, place) => {
      shot.style.visibility = place < images ? "" : "hidden"; // its room stays
      const [canvas] = shot.children;
      const put = paint(canvas, room, room, row);
      if (place >= images) return;
      put(first + place, 0, 0, room, row.used ? "ink" : "ink2");
      if (row.hidden) {
        paint(veil, room, room, row.hidden)(of(row.hidden.sets)[0] + place, 0, 0, room, "ink2");
        hatch(canvas.getContext("2d"), veil, room);
      }
      const lines = (captions[place] ?? "").split("\n").filter(Boolean);
      shot.replaceChildren(canvas, ...lines.map((line) => html(line.startsWith("\u2715") ? "b" : "span", {}, line)));
    });
  }

  return { node: html("div", {}, html("div", {}, html("b", {}, row.title), note), pictures), draw };
}

// Where the veil is painted the picture is taken away, and of the veil only the hatch stays.
function hatch(picture, veil, room) {
  const lines = veil.getContext("2d");
  picture.globalCompositeOperation = "destination-out";
  picture.drawImage(veil, 0, 0, room, room);
  for (let start = -room; start < room; start += 7) {
    lines.moveTo(start, room);
    lines.lineTo(start + room, 0);
  }
  lines.globalCompositeOperation = "destination-in";
  lines.stroke();
  picture.globalCompositeOperation = "source-over";
  picture.drawImage(veil, 0, 0, room, room);
}
