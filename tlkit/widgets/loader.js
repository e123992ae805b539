// What anywidget is given of every widget: it loads the widget's own files. Each is sent once and loaded once in a page,
// however many widgets are made of it; a file stands after those that it imports.

const addresses = (globalThis[Symbol.for("tlkit modules")] ??= new Map()); // by their code

function addressOf(name, code) {
  const blob = () => new Blob([code, `\n//# sourceURL=tlkit/${name}`], { type: "text/javascript" });
  if (!addresses.has(code)) addresses.set(code, URL.createObjectURL(blob()));
  return addresses.get(code);
}

function apply(name, css) {
  const id = `tlkit-${name}`;
  const sheet = document.getElementById(id) ?? document.head.appendChild(Object.assign(document.createElement("style"), { id }));
  if (sheet.textContent !== css) sheet.textContent = css;
}

async function render({ model, el }) {
  const manager = model.widget_manager;
  const files = await Promise.all(model.get("_files").map((id) => manager.get_model(id.slice("IPY_MODEL_".length))));
  // The host tells a model, but not anywidget's wrapper of it, that its Python has ended: the files' models know it.
  const whenPythonEnds = (tell, signal) => {
    const look = () => files[0].comm_live === false && tell();
    files[0].on?.("comm_live_update", look);
    signal.addEventListener("abort", () => files[0].off("comm_live_update", look));
    look();
  };
  const modules = {};
  for (const [name, text] of files.map((file) => [file.get("name"), file.get("text")])) {
    if (name.endsWith(".css")) apply(name, text);
    else modules[name] = addressOf(name, text.replace(/(?<=^import .* from ")\.\/(.+?)(?=";$)/gm, (_, other) => modules[other]));
  }
  let widget;
  for (const [name, address] of Object.entries(modules)) {
    widget = await import(address).catch((error) => { throw new Error(`${name}: ${error.message}`); });
  }
  return widget.render({ model, el, whenPythonEnds });
}

export default { render };
