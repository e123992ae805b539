// Mounts anywidgets in a page without a kernel, from the state that the page carries: a classic script, because a
// module script is refused from file://. Each widget's own module comes from a Blob.
(() => {
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const models = new Map();
  const modules = new Map(); // twenty widgets of a class import its code once

  function bytes(data) {
    const text = atob(data);
    const found = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place++) found[place] = text.charCodeAt(place);
    return new DataView(found.buffer);
  }

  // What `_remembered` names is kept by the browser, under the page's own address; without storage it lasts as long as
  // the page.
  function makeModel({ state, buffers }) {
    for (const { path, data } of buffers ?? []) path.slice(0, -1).reduce((at, key) => at[key], state)[path.at(-1)] = bytes(data);
    const kept = `tlkit ${location.pathname} ${state._anywidget_id} ${models.size}`;
    const names = state._remembered ?? [];
    const values = () => names.map((name) => state[name]);
    const began = JSON.stringify(values()); // a page that was saved anew begins anew
    try {
      const before = JSON.parse(localStorage.getItem(kept));
      if (before?.began === began) names.forEach((name, place) => (state[name] = before.now[place]));
    } catch { /* nothing is kept, or not by us */ }
    const listeners = new Map();
    const fire = (event, value) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(value));
    return {
      get: (name) => state[name],
      set(name, value) {
        const all = typeof name === "string" ? { [name]: value } : name;
        const changed = Object.keys(all).filter((one) => state[one] !== all[one]);
        Object.assign(state, all);
        for (const one of changed) fire(`change:${one}`, state[one]);
        if (changed.length) fire("change");
      },
      on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
      off: (event, listener) => listeners.set(event, (listeners.get(event) ?? []).filter((one) => listener && one !== listener)),
      save_changes() {
        try {
          if (names.length) localStorage.setItem(kept, JSON.stringify({ began, now: values() }));
        } catch { /* the page goes on without memory */ }
      },
      send() {},
      widget_manager: { get_model: async (id) => models.get(id) },
    };
  }

  function say(el, role, words) {
    const line = document.createElement("p");
    line.setAttribute("role", role);
    line.textContent = words;
    el.append(line);
  }

  async function load(code) {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const found = (await import(url)).default;
    return typeof found === "function" ? found() : found;
  }

  async function mount(el, id) {
    const model = models.get(id);
    try {
      if (!model) throw new Error("the page does not hold its state");
      const children = model.get("children");
      if (children) for (const child of children) await mount(el.appendChild(document.createElement("div")), child.slice("IPY_MODEL_".length));
      const code = model.get("_esm");
      if (!code) return children || say(el, "note", "This control needs Python: open the notebook to use it.");
      if (!modules.has(code)) modules.set(code, load(code));
      const widget = await modules.get(code);
      model.ready ??= widget.initialize?.({ model });
      await model.ready;
      await widget.render({ model, el, signal: new AbortController().signal });
    } catch (error) {
      console.error(error);
      say(el, "alert", `This widget could not be shown: ${error.message}`);
    }
  }

  function begin() {
    for (const tag of document.querySelectorAll(STATE)) {
      try {
        for (const [id, one] of Object.entries(JSON.parse(tag.textContent).state)) models.set(id, makeModel(one));
      } catch (error) {
        console.error(error); // each view says that its state is missing
      }
    }
    for (const tag of document.querySelectorAll(VIEW)) {
      const el = document.createElement("div");
      tag.after(el);
      mount(el, JSON.parse(tag.textContent).model_id);
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
