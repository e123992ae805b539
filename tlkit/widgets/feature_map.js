// FeatureMap: the images are the points; the selected one shows its neighbours, and a slider runs through training.

import { dataView, floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { button, roving, segments } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { color } from "./marks.js";
import { scrubber } from "./player.js";
import { clamp, linear } from "./scales.js";
import { article, count, fixed, many, SPACE } from "./words.js";

const TINTS = ["s1", "s2", "s3", "s4"]; // four colours at most

export function render({ model, el }) {
  const { title, subtitle, classes, labels, said, shape, count: total, k, steps, shares, chance, colours, words } = model.get("view");
  const frame = makeFrame(model, el, "feature-map", draw);
  const paint = imagePainter(frame, model.get("images"));
  const places = floats(model, "places", 2);
  const nearest = dataView(model.get("nearest"));
  const last = words.length - 1;

  const present = () => model.get("frame");
  const selected = () => model.get("selected");
  const predicted = (image) => said[present()][image];
  const wrong = (image) => Boolean(said) && predicted(image) !== labels[image];
  const neighbours = () =>
    Array.from({ length: k }, (_, rank) => nearest.getInt16(2 * ((present() * total + selected()) * k + rank), true));

  let mode = "label"; // or prediction, or error
  let points = []; // of the present frame, in pixels
  let placedFor = ""; // the frame and size that they were placed for
  const tints = new Map(colours.map((number, place) => [number, TINTS[place]])); // of classes, the oldest first
  const shown = labels ? [...classes.keys()].filter((number) => labels.includes(number) || tints.has(number)) : [];
  const classOf = (image) => (mode === "prediction" ? predicted(image) : labels[image]);

  function tint(image) {
    if (!labels) return "ink";
    if (mode === "error") return wrong(image) ? "wrong" : "ghost";
    return tints.get(classOf(image)) ?? "ghost";
  }

  function change(trait, value) {
    model.set(trait, value);
    model.save_changes();
    frame.draw.now();
  }

  // ---- Parts

  const canvas = html("canvas", { "aria-hidden": "true" });
  const chart = new Chart(frame.root);
  const map = html("div", {
    class: "tl-map", role: "application", tabindex: 0, "aria-label": "Map: an arrow key selects the nearest image in its direction",
  }, canvas, chart.node);
  const live = html("div", { class: "tl-hidden", "aria-live": "polite" });
  frame.body.classList.add("tl-mapped");
  frame.body.append(html("div", { class: "tl-figure" }, map), frame.controls, html("div", { class: "tl-side" }), live);

  const part = (caption, ...nodes) => {
    const node = html("div", {}, html("div", { class: "tl-caption" }, caption), ...nodes);
    frame.body.querySelector(".tl-side").append(node);
    return node.firstChild;
  };
  const modes = said && segments(frame, { name: "Colour by", options: ["label", "prediction", "error"], choose: (option) => {
    mode = option;
    frame.draw.now();
  } });
  if (modes) part("Colour by", modes.node);

  const chips = shown.map((number) => button({ action: `class ${number}`, words: classes[number] }, () => toggle(number)));
  const group = html("div", { class: "tl-row tl-tints", role: "group", "aria-label": "Classes in colour" }, ...chips);
  roving(frame, group, chips);
  const heading = labels && part("", group);

  const large = html("canvas", { "aria-hidden": "true" });
  const small = Array.from({ length: k }, () => html("canvas", { "aria-hidden": "true" }));
  const sentence = html("p");
  part(`Selected image and its ${k} nearest`, html("div", { class: "tl-nearest" }, large, html("div", {}, ...small)), sentence);

  const trend = new Chart(frame.root);
  const share = html("div", { class: "tl-number" });
  const guessed = html("div", { class: "tl-caption" });
  if (labels) part("Nearest neighbours that share the label", ...(last ? [trend.node] : [share, guessed]));
  for (const { node } of [chart, trend]) set(node, { role: "img" });

  const scrub = last > 0 && scrubber(frame, steps, { present, go: (index) => change("frame", index) });
  if (scrub) frame.controls.append(...scrub.nodes);
  else frame.controls.remove();

  // ---- Moving about

  // A fifth class takes the colour of the one that was chosen first.
  function toggle(number) {
    if (!tints.delete(number)) {
      if (tints.size === TINTS.length) tints.delete(tints.keys().next().value);
      tints.set(number, TINTS.find((token) => ![...tints.values()].includes(token)));
    }
    frame.draw.now();
  }

  // The one that is least far; what is infinitely far is none.
  function closest(all, far) {
    const distances = all.map(far);
    const least = Math.min(...distances);
    return least < Infinity ? all[distances.indexOf(least)] : undefined;
  }

  function select(far) {
    const image = closest([...points.keys()], (one) => far(points[one]));
    if (image === undefined) return;
    change("selected", image);
    say(live, `image ${image + 1}: ${sentence.textContent}`);
  }

  frame.listen(map, "click", ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    select(([x, y]) => Math.hypot(x - clientX + box.left, y - clientY + box.top));
  });

  frame.listen(map, "keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = points[selected()];
    if (way) select(([x, y]) => {
      const [across, down] = [x - from[0], y - from[1]];
      const ahead = across * way[0] + down * way[1];
      return ahead > 0.5 ? Math.hypot(ahead, 2 * (across * way[1] + down * way[0])) : Infinity; // aside counts twice
    });
    else if (event.key === " " && scrub) scrub.press();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- Words

  const several = (number, name) => {
    const plural = name.length > 1 && /(s|x|ch|sh)$/.test(name) ? `${name}es` : `${name}s`;
    return [`${count(number)} `, html("b", {}, number === 1 ? name : plural)];
  };

  function tell() {
    if (!labels) return [`Image ${selected() + 1}.`];
    const own = labels[selected()];
    const others = new Map();
    for (const image of neighbours()) if (labels[image] !== own) others.set(labels[image], (others.get(labels[image]) ?? 0) + 1);
    const mixed = [...others].toSorted(([, one], [, other]) => other - one);
    const listed = (mixed.length ? mixed : [[own, k]]).map(([number, times]) => several(times, classes[number]));
    const company = listed.flatMap((one, place) => [place === 0 ? "" : place < listed.length - 1 ? ", " : " and ", ...one]);
    const yet = present() < last ? "do not yet" : "do not";
    const finding = mixed.length ? `: the features ${yet} tell them apart.` : ": the features place it with its class.";
    const reading = wrong(selected()) ? [" The network says ", html("b", {}, classes[predicted(selected())]), "."] : [];
    const [indefinite] = article(classes[own]).split(" ");
    const beside = mixed.length === 1 && mixed[0][1] === 1 ? " beside " : " among ";
    return [`${indefinite === "a" ? "A" : "An"} `, html("b", {}, classes[own]), beside, ...company, finding, ...reading];
  }

  function mistaken() {
    const errors = said[present()].filter((_, image) => wrong(image)).length;
    return `${many(errors)} of ${many(total)} images ${errors === 1 ? "is" : "are"} read wrongly`;
  }

  // ---- Drawing

  function draw() {
    if (modes) modes.show(mode);
    shown.forEach((number, place) => {
      set(chips[place], { "aria-pressed": tints.has(number), style: `--tl-tint: ${color(tints.get(number) ?? "ink2")}` });
    });
    if (heading) say(heading, mode === "error" ? mistaken() : "Classes in colour, four at most");
    group.style.visibility = mode === "error" ? "hidden" : ""; // its room stays
    images();
    examine();
    if (labels) follow();
    if (scrub) scrub.show();
  }

  function images() {
    const width = Math.max(map.parentNode.clientWidth - 2, 200);
    const height = Math.round(width * (frame.narrow ? 0.9 : 0.73));
    const room = clamp(0.8 * Math.sqrt((width * height) / total), 16, 36);
    place(width, height, room);
    const near = neighbours();
    const put = paint(canvas, width, height, { shape });
    chart.size(width, height);
    set(chart.node, { "aria-label": words[present()] });
    const over = (image) => (image === selected() ? 3 : near.includes(image) ? 2 : tint(image) === "ghost" ? 0 : 1);
    for (const image of [...points.keys()].sort((one, other) => over(one) - over(other))) {
      const [left, top] = points[image].map((at) => at - room / 2);
      put(image, left, top, room, tint(image));
      if (shape[0] > 1 && tint(image) !== "ghost") put.frame(left, top, room, tint(image)); // photographs keep their colours
      if (mode === "error" && wrong(image)) {
        const cross = { d: "M-3.5,-3.5l7,7m0,-7l-7,7", transform: `translate(${left + room} ${top})`, stroke: color("wrong"), "stroke-width": 2 };
        chart.put("mark", `cross ${image}`, "path", cross);
      }
    }
    for (const image of near) {
      chart.line(`to ${image}`, [points[selected()], points[image]], { width: 1.25 });
      outline(image, room + 4, 1.25);
    }
    outline(selected(), room + 10, 3);
    names(width, height, room);
    chart.sweep();
  }

  // The map fills its room; images that would hide each other are moved apart a little, the same way every time.
  function place(width, height, room) {
    const key = [present(), width, room].join();
    if (key === placedFor) return;
    placedFor = key;
    const all = places.slice(present() * total, (present() + 1) * total);
    const [x, y] = [width, height].map((size, axis) => {
      const along = all.map((one) => one[axis]);
      return linear(Math.min(...along), Math.max(...along), room / 2 + 6, size - room / 2 - 6);
    });
    points = all.map((one) => [x(one[0]), y(one[1])]);
    const gap = 0.65 * room;
    for (let round = 0; round < 40; round++) {
      points.forEach((one, first) => points.slice(first + 1).forEach((other) => {
        const [across, down] = [other[0] - one[0], other[1] - one[1]];
        const far = Math.hypot(across, down);
        if (far >= gap) return;
        const [turned, push] = [first * 2.4, (gap - far) / 4]; // those on one spot go all ways
        const way = far > 0.01 ? [across / far, down / far] : [Math.cos(turned), Math.sin(turned)];
        [width, height].forEach((size, axis) => {
          one[axis] = clamp(one[axis] - push * way[axis], room / 2 + 4, size - room / 2 - 4);
          other[axis] = clamp(other[axis] + push * way[axis], room / 2 + 4, size - room / 2 - 4);
        });
      }));
    }
  }

  function outline(image, size, width) {
    const [left, top] = points[image].map((at) => at - size / 2);
    const place = { x: left, y: top, width: size, height: size, rx: 4 };
    chart.put("front", `around ${image}`, "rect", { ...place, fill: "none", stroke: color("ink"), "stroke-width": width });
  }

  // A name stands above an image of its class, in the middle and near the top; others and the selected image push it down.
  // With more than ten classes only those in colour are named.
  function names(width, height, room) {
    const named = shown.filter((number) => shown.length <= 10 || tints.has(number)).flatMap((number) => {
      const own = points.filter((_, image) => classOf(image) === number);
      if (!own.length) return [];
      const [across, down] = [[0, 0.5], [1, 0.1]].map(([axis, share]) =>
        own.map((point) => point[axis]).sort((one, other) => one - other)[Math.floor(own.length * share)]);
      const [x, y] = closest(own, (point) => Math.hypot(point[0] - across, point[1] - down));
      const wide = chart.width(classes[number], 12, 600) + 18;
      return [{ number, wide, high: 22, left: clamp(x - wide / 2, 4, width - wide - 4), top: clamp(y - room / 2 - 22, 4, height - 26) }];
    });
    const [left, top] = points[selected()].map((at) => at - room / 2 - 6);
    const before = [{ left, top, wide: room + 12, high: room + 12 }];
    for (const name of named.toSorted((one, other) => one.top - other.top)) {
      for (const other of before) {
        const beside = name.left > other.left + other.wide || other.left > name.left + name.wide;
        const below = other.top + other.high + 4;
        if (!beside && name.top < below && name.top + name.high > other.top) name.top = below;
      }
      before.push(name);
      const token = mode === "error" ? undefined : tints.get(name.number);
      const box = { x: name.left, y: name.top, width: name.wide, height: 22, rx: 4 };
      chart.put("words", `box ${name.number}`, "rect", { ...box, fill: color("ground"), stroke: color(token ?? "edge"), "stroke-width": token ? 1.5 : 1 });
      const middle = { kind: "chosen", anchor: "middle", token: token ?? "ink2" };
      chart.words(`name ${name.number}`, name.left + name.wide / 2, name.top + 15.5, classes[name.number], middle);
    }
  }

  function examine() {
    paint(large, 76, 76, { shape })(selected(), 2, 2, 72);
    neighbours().forEach((image, rank) => {
      paint(small[rank], 32, 32, { shape })(image, 3, 3, 26, tint(image));
      small[rank].style.borderColor = shape[0] > 1 ? color(tint(image)) : "";
    });
    sentence.replaceChildren(...tell());
  }

  function follow() {
    const now = `${fixed(shares[present()])}${SPACE}%`;
    say(share, now);
    say(guessed, `By chance it would be ${fixed(chance)}${SPACE}%.`);
    if (!last) return;
    const width = Math.max(trend.node.parentNode.clientWidth, 160);
    const area = { left: 5, right: width - 5, top: 20, bottom: 66 };
    const x = linear(steps[0], steps.at(-1), area.left, area.right);
    const y = linear(0, 100, area.bottom, area.top);
    const curve = shares.map((one, index) => [x(steps[index]), y(one)]);
    const [left, top] = curve[present()];
    trend.size(width, 86);
    set(trend.node, { "aria-label": `${now} at step ${steps[present()]}; by chance ${fixed(chance)}${SPACE}%` });
    trend.line("axis", [[area.left, area.bottom], [area.right, area.bottom]], { token: "rule", width: 1, layer: "grid" });
    trend.words("first", 0, 83, `step ${steps[0]}`);
    trend.words("last", width, 83, String(steps.at(-1)), { anchor: "end" });
    trend.chance(area, y(chance), chance, true);
    trend.line("after", curve.slice(present()), { token: "ghost", width: 1.25 });
    trend.line("until", curve.slice(0, present() + 1));
    trend.mark("now", "circle", left, top, "ink", { size: 4.5 });
    const half = trend.width(now, 12, 600) / 2;
    trend.words("now", clamp(left, half, width - half), top - 9, now, { kind: "chosen", anchor: "middle", token: "ink" });
    trend.sweep();
  }

  frame.head(title, subtitle);
  const state = scrub ? "recorded run" : "measured";
  frame.show(state, state);
  frame.status("", [["", "Only closeness means something here: the two directions have no units, and far apart is not twice as different."]]);
  frame.keys(scrub ? { " ": scrub.press, ArrowRight: scrub.step } : {});
  frame.watch("frame selected", frame.draw.later);
  draw();
  return frame.close;
}
