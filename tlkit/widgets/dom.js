// Elements of a page. Names and words come from the learner's own code: they enter the page as text, never as markup.

const element = (space) => (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(space, tag);
  set(node, attributes);
  node.append(...children);
  return node;
};

export const html = element("http://www.w3.org/1999/xhtml");
export const svg = element("http://www.w3.org/2000/svg");
export const div = (style, ...children) => html("div", { class: style }, ...children);

// Writes only what differs, so that a redraw leaves most of the page alone; null takes the attribute away.
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
}

export function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
