// Gallery: images with what a network says of each, two sets side by side, one line a class, or images with their views.

import { floats } from "./bytes.js";
import { Chart } from "./chart.js";
import { button, roving, segments, turnOff } from "./controls.js";
import { html, say, set } from "./dom.js";
import { makeFrame } from "./frame.js";
import { imagePainter } from "./images.js";
import { color } from "./marks.js";
import { clamp, linear } from "./scales.js";
import { article, many, shortPercent, SPACE } from "./words.js";

const ROWS = 7; // of images on a page
const LINES = 10; // of classes, side by side
const PITCH = 40; // px of a line
const CELL = 44; // px of a view with its frame
const GAP = 12; // before each augmentation
const LARGE = 104; // px of the view that is examined

export function render({ model, el }) {
  const view = model.get("view");
  const frame = makeFrame(model, el, "gallery", () => draw());
  const paint = imagePainter(frame, model.get("images"));
  const beliefs = floats(model, "beliefs", view.classes.length);
  const { draw, keys } = view.sides ? sideBySide(frame, view, paint)
    : view.augmentations ? withViews(frame, view, paint) : browser(frame, view, beliefs, paint);
  frame.head(view.title, view.subtitle);
  const word = view.said ? "measured" : "up to date";
  frame.show(word, word);
  frame.keys(keys);
  return frame.close;
}

const changing = (frame) => (work) => {
  work();
  frame.draw.now();
};
const named = (words, ...controls) => html("div", { class: "tl-row tl-last" }, html("span", { class: "tl-caption" }, words), ...controls);

// Previous, Next, and where one is: "1 to 84 of 133".
function pager(turn) {
  const [back, on] = [[-1, "Previous"], [1, "Next"]].map(([by, words]) => button({ action: words.toLowerCase(), words }, () => turn(by)));
  const range = html("span", { class: "tl-caption tl-range" });
  const show = (first, shown, all) => {
    say(range, shown ? `${first + 1} to ${first + shown} of ${many(all)}` : "");
    turnOff(back, first === 0);
    turnOff(on, first + shown >= all);
  };
  return { nodes: [back, on, range], turn, show };
}

// A grid is one tab stop: arrows, Home and End move within it, Page keys turn it. where: () => [place, columns, count].
function walk(frame, grid, where, go, turn) {
  frame.listen(grid, "keydown", (event) => {
    const [at, columns, all] = where();
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: all - 1 }[event.key];
    if (event.key.startsWith("Page")) turn(event.key === "PageUp" ? -1 : 1);
    else if (to === undefined) return;
    else if (to >= 0 && to < all) go(to);
    event.preventDefault();
    event.stopPropagation();
  });
}

// ---- Images, one by one

// Without labels or without a network nothing is right or wrong, and without beliefs nothing is sure: those parts are absent.
function browser(frame, { classes, labels, said, shape, files, count: total, token }, beliefs, paint) {
  const judged = Boolean(labels && said);
  const wrong = (image) => judged && labels[image] !== said[image];
  const of = (image) => (labels ?? said)[image]; // the class by which images are filtered
  const everything = Array.from({ length: total }, (_, image) => image);
  const errors = everything.filter(wrong);
  const long = classes.some((name) => name.length > 3);
  const pitch = long ? 84 : 50;

  const chosen = new Set(); // classes; none is all
  let kind = "all";
  let order = "data set";
  let selected = errors[0] ?? 0;
  let listed = []; // what the filters leave, in order
  let columns = 1;
  const page = () => ROWS * columns;

  const change = changing(frame);
  const go = (image) => image !== undefined && change(() => (selected = image));

  // ---- Filters, grid, controls

  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const cells = [];
  const sentence = html("div", { class: "tl-chart-title" });
  const nothing = html("div", { class: "tl-caption" }, "No image is left here. Choose other classes, or all.");
  const grid = html("div", { class: long ? "tl-images tl-named" : "tl-images", role: "listbox", tabindex: 0, "aria-label": "Images" });
  const choice = (name, options, choose) => segments(frame, { name, options, choose: (option) => change(() => choose(option)) });
  const kinds = judged && choice("Show", ["all", "right", "wrong"], (option) => (kind = option));
  const orders = beliefs.length > 0 && choice("Order", ["data set", "surest first", "least sure"], (option) => (order = option));
  const next = button({ action: "error", face: "cross", words: "Next error", key: "E", main: true }, nextError);
  const pages = pager((by) => go(listed[clamp(listed.indexOf(selected) + by * page(), 0, listed.length - 1)]));
  const live = html("div", { class: "tl-hidden", "aria-live": "polite" });
  const filters = html("div", { class: "tl-row tl-filters" }, classes.length > 10 ? select() : chips(), kinds ? kinds.node : "");
  frame.controls.append(html("div", { class: "tl-row" }, judged ? next : "", ...pages.nodes), orders ? named("Order", orders.node) : "");

  const large = html("canvas", { "aria-hidden": "true" });
  const facts = html("div");
  const bars = html("div", { class: "tl-reading", style: `--tl-guess: ${100 / classes.length}%; --tl-bar: ${color(token)}` });
  const strip = new Chart(frame.root);
  const rank = html("div", { class: "tl-caption" });
  const side = html("div", { class: "tl-side" }, html("div", { class: "tl-picked" }, large, facts), bars,
    html("div", { class: "tl-chart-title" }, "Its place in the data set"), strip.node, rank);
  set(strip.node, { role: "img" });
  frame.body.classList.add("tl-gallery");
  frame.body.append(html("div", { class: "tl-figure" }, filters, sentence, nothing, grid), frame.controls, side, live);

  function chips() {
    const buttons = classes.map((name, number) => {
      const toggle = () => set(chip, { "aria-pressed": !chosen.delete(number) && Boolean(chosen.add(number)) });
      const chip = button({ action: `class ${number}`, words: name }, () => change(toggle));
      set(chip, { "aria-pressed": "false" });
      return chip;
    });
    const group = html("div", { class: "tl-row tl-chips", role: "group", "aria-label": "Classes" }, ...buttons);
    roving(frame, group, buttons);
    return group;
  }

  function select() {
    const options = ["all classes", ...classes].map((name, place) => html("option", { value: place - 1 }, name));
    const node = html("select", { "aria-label": "Class" }, ...options);
    frame.listen(node, "change", () => change(() => {
      chosen.clear();
      if (node.value >= 0) chosen.add(Number(node.value));
    }));
    return html("div", { class: "tl-select" }, node);
  }

  function newCell(place) {
    const node = html("div", { class: "tl-image", role: "option", id: `${id}-${place}` },
      html("canvas"), html("span"), html("b"));
    frame.listen(node, "click", () => {
      grid.focus({ preventScroll: true });
      go(listed[place + Math.floor(listed.indexOf(selected) / page()) * page()]);
    });
    grid.append(node);
    return node;
  }

  function nextError() {
    const at = listed.indexOf(selected) + 1;
    go([...listed.slice(at), ...listed.slice(0, at)].find(wrong));
    if (frame.focused() !== grid) say(live, words(selected)); // in the grid the image itself is read out
  }

  walk(frame, grid, () => [listed.indexOf(selected), columns, listed.length], (place) => go(listed[place]), pages.turn);

  // ---- Words

  const images = (number) => `${many(number)} ${number === 1 ? "image" : "images"}`;
  const are = (number) => (number === 1 ? "is" : "are");

  function words(image) {
    const parts = [labels && `label ${classes[labels[image]]}`, said && `read as ${classes[said[image]]}`];
    return [`image ${image + 1}`, ...parts].filter(Boolean).join(", ");
  }

  function counted(here, mistaken) {
    const names = [...chosen].toSorted((one, other) => one - other).map((number) => article(classes[number]));
    const either = [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" or ");
    const found = chosen.size ? `${many(here)} of ${images(total)} ${are(here)} ${labels ? "" : "read as "}${either}` : images(total);
    return judged ? `${found}; ${many(mistaken)} of them ${are(mistaken)} read wrongly` : found;
  }

  function tell(mistaken) {
    const pairs = new Map();
    for (const image of mistaken) {
      const pair = `${article(classes[labels[image]])} read as ${classes[said[image]]}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    const most = [...pairs].toSorted(([, one], [, other]) => other - one).slice(0, frame.narrow ? 2 : 3);
    const frequent = most.map(([pair, times]) => `${pair}, ${times === 1 ? "once" : `${times} times`}`).join("; ");
    const silent = labels ? "Labels only: no network was asked." : "Without labels nobody can say which are read wrongly.";
    frame.status("", [frequent ? ["Most frequent here: ", `${frequent}.`] : ["", judged ? "No error here." : silent]]);
  }

  // ---- Drawing

  function draw() {
    const here = everything.filter((image) => !chosen.size || chosen.has(of(image)));
    const mistaken = here.filter(wrong);
    listed = kind === "all" ? here : here.filter((image) => wrong(image) === (kind === "wrong"));
    const belief = (image) => beliefs[image][said[image]] * (order === "surest first" ? -1 : 1);
    if (order !== "data set") listed = listed.toSorted((one, other) => belief(one) - belief(other));
    if (listed.length && !listed.includes(selected)) selected = listed[0];
    say(sentence, counted(here.length, mistaken.length));
    if (kinds) kinds.show(kind, [here.length, here.length - mistaken.length, mistaken.length].map(many));
    if (orders) orders.show(order);
    turnOff(next, !listed.some(wrong));
    thumbs();
    examine();
    where();
    tell(mistaken);
  }

  function thumbs() {
    columns = Math.max(1, Math.floor(grid.clientWidth / pitch));
    const at = listed.indexOf(selected);
    const first = Math.max(0, Math.floor(at / page()) * page());
    const shown = listed.slice(first, first + page());
    const rows = Math.min(ROWS, Math.ceil(total / columns)); // the room stays when the filters leave little
    grid.style.cssText = `grid-template-columns: repeat(${columns}, minmax(0, 1fr)); min-height: ${rows * (long ? 78 : 64) - 2}px`;
    for (let place = 0; place < Math.max(cells.length, shown.length); place++) {
      const image = shown[place];
      const node = (cells[place] ??= newCell(place));
      node.hidden = image === undefined;
      if (node.hidden) continue;
      const [canvas, label, error] = node.children;
      set(node, { "aria-selected": image === selected, "aria-label": words(image) });
      say(label, classes[of(image)]);
      say(error, wrong(image) ? `\u2715 ${classes[said[image]]}` : "");
      paint(canvas, 46, 46, { shape })(image, 1, 1, 44);
    }
    set(grid, { "aria-activedescendant": shown.length ? `${id}-${at - first}` : null });
    nothing.hidden = shown.length > 0;
    pages.show(first, shown.length, listed.length);
  }

  // ---- The selected image

  function examine() {
    paint(large, 124, 124, { shape })(selected, 0, 0, 124);
    const fact = (caption, list, mark = "") => {
      const name = classes[list[selected]];
      const style = `${long ? "tl-question" : "tl-number"} ${mark && "tl-wrong"}`;
      return [html("div", { class: "tl-caption" }, caption), html("div", { class: style }, mark + name)];
    };
    const reading = said ? fact("prediction", said, wrong(selected) ? "\u2715 " : "") : [];
    const file = files ? [html("div", { class: "tl-caption" }, files[selected])] : [];
    facts.replaceChildren(...(labels ? fact("label", labels) : []), ...reading, ...file);
    if (beliefs.length) bars.replaceChildren(html("div", { class: "tl-chart-title" }, "What the network believes"),
      ...believed().map((number) => bar(number, beliefs[selected][number])),
      html("div", { class: "tl-guessing" }, `guessing ${shortPercent(100 / classes.length)}`));
  }

  // All classes up to ten; of more the five largest beliefs, and the label.
  function believed() {
    if (classes.length <= 10) return [...classes.keys()];
    const sorted = [...classes.keys()].sort((one, other) => beliefs[selected][other] - beliefs[selected][one]);
    return [...new Set([...sorted.slice(0, 5), labels?.[selected] ?? sorted[0]])];
  }

  function bar(number, belief) {
    const [label, reading] = [labels, said].map((list) => list?.[selected] === number);
    const inside = belief > 0.7; // no room behind the bar
    const ground = color("ground");
    const end = inside ? `right: ${100 - 100 * belief}%; color: ${ground}` : `left: calc(${100 * belief}% + 4px); background: ${ground}`;
    const share = belief < 0.01 ? "<1" : belief > 0.99 ? ">99" : Math.round(100 * belief);
    return html("div", { class: label || reading ? "tl-belief tl-told" : "tl-belief" }, html("span", {}, classes[number]),
      html("div", {}, html("i", { class: reading && wrong(selected) ? "tl-hatched" : "", style: `width: ${100 * belief}%` }),
        label ? html("b", { style: end }, "label") : ""),
      html("span", {}, `${share}${SPACE}%`));
  }

  function where() {
    const width = Math.max(side.clientWidth, 200);
    const x = linear(0, Math.max(total - 1, 1), 6, width - 6);
    strip.size(width, 30);
    strip.put("line", "errors", "path", { d: errors.map((image) => `M${x(image).toFixed(1)},2v8`).join(""), stroke: color("ghost") });
    strip.line("axis", [[6, 10.5], [width - 6, 10.5]], { token: "edge", width: 1 });
    strip.put("front", "selected", "path", { d: "M-6,-1h12l-6,11z", transform: `translate(${x(selected)} 1)`, fill: color("ink") });
    const label = `image ${many(selected + 1)}`;
    const half = strip.width(label, 11, 600) / 2;
    const middle = clamp(x(selected), half, width - half);
    strip.words("selected", middle, 26, label, { kind: "bold", token: "ink", anchor: "middle" });
    if (middle - half > 20) strip.words("first", 3, 26, "1");
    if (middle + half < width - 40) strip.words("last", width - 1, 26, many(total), { anchor: "end" });
    strip.sweep();
    set(strip.node, { "aria-label": `${label} of ${many(total)}` });
    const own = (image) => beliefs[image][labels[image]];
    const marks = errors.length ? `Thin marks are the ${wrong(selected) ? "other " : ""}errors.` : "";
    const less = () => many(beliefs.filter((_, image) => own(image) < own(selected)).length);
    const place = labels && beliefs.length ? `For ${less()} of ${images(total)} the network believes the true label even less.` : "";
    say(rank, `${marks} ${place}`);
  }

  return { draw, keys: judged ? { e: nextError } : {} };
}

// ---- Two sets, one line a class

function sideBySide(frame, { classes, sides, note }, paint) {
  const change = changing(frame);
  const roles = ["source", "target"];
  const both = "side by side";
  let show = both;
  let draws = 0; // how often others were asked for
  let first = 0; // the uppermost line

  const heads = sides.map(({ title, caption }) =>
    html("div", {}, html("div", { class: "tl-chart-title" }, title), html("div", { class: "tl-caption" }, caption)));
  const canvases = sides.map(({ title, caption }) => html("canvas", { role: "img", "aria-label": `${title}: ${caption}` }));
  const names = html("div", { class: "tl-names" });
  const figure = html("div", { class: "tl-sides" }, ...heads, canvases[0], names, canvases[1]);
  const choice = segments(frame, { name: "Show", options: [...roles, both], choose: (option) => change(() => (show = option)) });
  const pages = pager((by) => change(() => (first += by * LINES)));
  const others = button({ action: "others", face: "again", words: "Draw others", main: true }, () => change(() => draws++));
  frame.body.classList.add("tl-stacked");
  frame.body.append(figure);
  frame.controls.append(html("div", { class: "tl-row" }, others, ...(classes.length > LINES ? pages.nodes : [])), named("Show", choice.node));

  function draw() {
    const lines = classes.slice(first, first + LINES);
    names.replaceChildren(...lines.map((name) => html("div", {}, name)));
    set(figure, { "data-show": show });
    const room = figure.clientWidth - names.offsetWidth - 24; // two gaps
    const width = Math.max(PITCH, show === both ? Math.floor(room / 2) : room);
    sides.forEach((side, place) => {
      heads[place].hidden = canvases[place].hidden = ![both, roles[place]].includes(show);
      if (!canvases[place].hidden) fill(paint(canvases[place], width, PITCH * lines.length, side), side, width);
    });
    choice.show(show);
    pages.show(first, lines.length, classes.length);
    frame.status("", [["", note], ["What differs: ", "look along a line."]], " ");
  }

  // Labelled images stand first, framed if there are others, to which they leave half of the line.
  function fill(put, { lines, pale: mixed }, width) {
    const columns = Math.floor(width / PITCH);
    lines.slice(first, first + LINES).forEach(([from, labelled, pale], line) => {
      const framed = Math.min(labelled, mixed ? Math.ceil(columns / 2) : columns);
      const rest = Math.min(pale, columns - framed);
      for (let column = 0; column < framed + rest; column++) {
        const [x, y] = [(column * (width - PITCH)) / Math.max(columns - 1, 1), line * PITCH];
        const own = column < framed;
        const image = own ? (draws * framed + column) % labelled : labelled + ((draws * rest + column - framed) % pale);
        put(from + image, x + 4, y + 4, PITCH - 8, own ? "ink" : "ghost");
        if (own && mixed) put.frame(x + 2, y + 2, PITCH - 4);
      }
    });
  }

  return { draw, keys: {} };
}

// ---- Images, each with random views by several augmentations, one line an image

function withViews(frame, { classes, labels, shape, count: total, augmentations, views }, paint) {
  const change = changing(frame);
  const stride = 1 + augmentations.length * views; // an image and its views follow one another
  let selected = [0, 1]; // an image, and which of the stride
  let columns = [0]; // which of them there is room for

  const id = `tl-${Math.random().toString(36).slice(2)}`;
  const cells = [];
  const titles = html("div", { class: "tl-views" });
  const grid = html("div", { class: "tl-views", role: "listbox", tabindex: 0, "aria-label": "Images and views" });
  const go = (place) => change(() => (selected = [Math.floor(place / columns.length), columns[place % columns.length]]));
  const turn = (by) => change(() => (selected[0] = clamp(selected[0] + by * ROWS, 0, total - 1)));
  const first = () => Math.floor(selected[0] / ROWS) * ROWS;
  const at = () => selected[0] * columns.length + columns.indexOf(selected[1]);
  const pages = pager(turn);
  const large = [0, 1].map(() => html("canvas", { "aria-hidden": "true" }));
  const captions = large.map(() => html("div", { class: "tl-caption" }));
  const label = html("div", { class: "tl-number" });
  const pair = large.map((canvas, place) => html("div", {}, canvas, captions[place]));
  const side = html("div", { class: "tl-side" }, html("div", { class: "tl-picked" }, ...pair),
    ...(labels ? [html("div", { class: "tl-caption" }, "label"), label] : []));
  frame.body.classList.add("tl-gallery");
  frame.body.append(html("div", { class: "tl-figure" }, titles, grid), frame.controls, side);
  frame.controls.append(html("div", { class: "tl-row" }, ...pages.nodes));
  frame.controls.hidden = total <= ROWS;
  walk(frame, grid, () => [at(), columns.length, total * columns.length], go, turn);

  function newCell(place) {
    const node = html("div", { class: "tl-image", role: "option", id: `${id}-${place}` }, html("canvas"));
    frame.listen(node, "click", () => {
      grid.focus({ preventScroll: true });
      go(first() * columns.length + place);
    });
    grid.append(node);
    return node;
  }

  const named = (which) => `${augmentations[Math.floor((which - 1) / views)]}, view ${((which - 1) % views) + 1}`;
  const labelled = (image) => `image ${image + 1}${labels ? `, label ${classes[labels[image]]}` : ""}`;
  const put = (canvas, size, image, which) => paint(canvas, size, size, { shape })(image * stride + which, 0, 0, size);

  function draw() {
    const shown = clamp(Math.floor(((grid.clientWidth - CELL) / augmentations.length - GAP) / CELL), 1, views);
    columns = [0, ...augmentations.flatMap((_, group) => Array.from({ length: shown }, (_, view) => 1 + group * views + view))];
    if (!columns.includes(selected[1])) selected[1] -= (selected[1] - 1) % views;
    const template = [`${CELL}px`, ...augmentations.map(() => `${GAP}px repeat(${shown}, minmax(0, 1fr))`)].join(" ");
    for (const node of [titles, grid]) node.style.gridTemplateColumns = template;
    titles.replaceChildren(...["image", ...augmentations].map((name, group) => {
      const style = `grid-column: ${group ? `${3 + (group - 1) * (shown + 1)} / span ${shown}` : 1}`;
      return html("div", { class: "tl-chart-title", style }, name);
    }));
    const lines = Math.min(ROWS, total - first());
    for (let place = 0; place < Math.max(cells.length, lines * columns.length); place++) {
      const node = (cells[place] ??= newCell(place));
      node.hidden = place >= lines * columns.length;
      if (node.hidden) continue;
      const [image, column] = [first() + Math.floor(place / columns.length), place % columns.length];
      const which = columns[column];
      const chosen = image === selected[0] && which === selected[1];
      set(node, { "aria-selected": chosen, "aria-label": which ? `${labelled(image)}, ${named(which)}` : labelled(image) });
      node.style.gridColumn = 2 + column + Math.floor((column - 1) / shown); // a gap before each augmentation
      put(node.firstChild, CELL - 4, image, which);
    }
    grid.style.minHeight = `${Math.min(ROWS, total) * (CELL + 2) - 2}px`; // the last page leaves its room
    set(grid, { "aria-activedescendant": `${id}-${at() - first() * columns.length}` });
    pages.show(first(), lines, total);
    const [image, which] = selected;
    pair[1].hidden = !which;
    put(large[0], LARGE, image, 0);
    put(large[1], LARGE, image, which);
    say(captions[0], `image ${image + 1}`);
    say(captions[1], which ? named(which) : "");
    if (labels) say(label, classes[labels[image]]);
    frame.status("", [["Every view is one random draw. ", "Training draws new ones in every step."]]);
  }

  return { draw, keys: {} };
}
