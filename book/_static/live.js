// Brings the live figures of a page to life, without a kernel: reads their state from the page,
// and gives each one's module a model to read, to change and to listen to.
(() => {
  const TYPE = "application/vnd.jupyter.widget-";

  class Model {
    #state;
    #listeners = new Map();
    constructor(state) { this.#state = state; }
    get(name) { return this.#state[name]; }
    set(name, value) {
      if (Object.is(this.#state[name], value)) return;
      this.#state[name] = value;
      for (const call of this.#listeners.get(`change:${name}`) ?? []) call();
    }
    on(names, call) {
      for (const name of names.split(" ")) this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), call]);
    }
    off(name, call) { this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter((one) => one !== call)); }
    save_changes() {} // there is no kernel to tell
  }

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  function modelOf({ state, buffers = [] }) {
    const whole = { ...state };
    for (const { path, data } of buffers) whole[path[0]] = new DataView(bytes(data).buffer);
    return new Model(whole);
  }

  // A page opened from a file may import a blob, and nothing else.
  const modules = new Map();
  function moduleOf(source) {
    if (!modules.has(source)) {
      const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(source, import(address).finally(() => URL.revokeObjectURL(address)));
    }
    return modules.get(source);
  }

  async function begin() {
    const states = {};
    for (const script of document.querySelectorAll(`script[type="${TYPE}state+json"]`))
      Object.assign(states, JSON.parse(script.textContent).state);
    for (const script of document.querySelectorAll(`script[type="${TYPE}view+json"]`)) {
      const one = states[JSON.parse(script.textContent).model_id];
      if (!one?.state._esm) continue;
      const el = document.createElement("div"), model = modelOf(one);
      if (one.state._css) el.append(Object.assign(document.createElement("style"), { textContent: one.state._css }));
      const figure = el.appendChild(document.createElement("div"));
      script.before(el);
      await (await moduleOf(one.state._esm)).default.render({ model, el: figure });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
