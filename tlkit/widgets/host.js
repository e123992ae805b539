// Mounts the widgets of a page without a kernel, from the state that the page carries: a classic script, because a
// module script is refused from file://. What a widget is loaded by, loader.js, comes from a Blob.
(() => {
  const tags = (kind) => document.querySelectorAll(`script[type="application/vnd.jupyter.widget-${kind}+json"]`);
  const models = new Map();
  const modules = new Map(); // by their code

  function bytes(data) {
    const text = atob(data);
    const found = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place++) found[place] = text.charCodeAt(place);
    return new DataView(found.buffer);
  }

  // Takes what the browser kept of the traits that `_remembered` names, under the page's own address, and returns what
  // keeps them. A page that was saved anew begins anew; without storage they last as long as the page.
  function remember(state) {
    const names = state._remembered ?? [];
    const key = `tlkit ${location.pathname} ${state._anywidget_id} ${models.size}`;
    const values = () => names.map((name) => state[name]);
    const began = JSON.stringify(values());
    try {
      const before = JSON.parse(localStorage.getItem(key));
      if (before?.began === began) names.forEach((name, place) => (state[name] = before.now[place]));
    } catch { /* nothing is kept, or not by us */ }
    return () => {
      try {
        if (names.length) localStorage.setItem(key, JSON.stringify({ began, now: values() }));
      } catch { /* the page goes on without memory */ }
    };
  }

  function makeModel({ state, buffers }) {
    for (const { path, data } of buffers ?? []) path.slice(0, -1).reduce((at, key) => at[key], state)[path.at(-1)] = bytes(data);
    const listeners = {};
    return {
      comm_live: false,
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        listeners[`change:${name}`]?.forEach((listener) => listener());
      },
      on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
      off: (event, listener) => listeners[event]?.delete(listener),
      save_changes: remember(state),
      send() {},
      widget_manager: { get_model: async (id) => models.get(id) },
    };
  }

  function note(el, role, words) {
    const line = document.createElement("p");
    line.setAttribute("role", role);
    line.textContent = words;
    el.append(line);
  }

  async function mount(el, id) {
    try {
      const model = models.get(id);
      if (!model) throw new Error("the page does not hold its state");
      const [children, code] = [model.get("children"), model.get("_esm")];
      for (const child of children ?? []) await mount(el.appendChild(document.createElement("div")), child.slice("IPY_MODEL_".length));
      if (!code) return children || note(el, "note", "This control needs Python: open the notebook to use it.");
      if (!modules.has(code)) modules.set(code, import(URL.createObjectURL(new Blob([code], { type: "text/javascript" }))));
      await (await modules.get(code)).default.render({ model, el });
    } catch (error) {
      console.error(error);
      note(el, "alert", `This widget could not be shown: ${error.message}`);
    }
  }

  function begin() {
    try {
      for (const tag of tags("state")) {
        for (const [id, one] of Object.entries(JSON.parse(tag.textContent).state)) models.set(id, makeModel(one));
      }
    } catch (error) {
      console.error(error); // each view says that its state is missing
    }
    for (const tag of tags("view")) {
      const el = document.createElement("div");
      tag.after(el);
      mount(el, JSON.parse(tag.textContent).model_id);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
