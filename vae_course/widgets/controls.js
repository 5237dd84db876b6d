// What the live figures are built from: pictures, sliders, buttons, a plane to drag in.

// Make an element with attributes, inside another.
export function add(parent, name, attributes = {}, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

let made = 0;
export const newId = () => `live-${++made}`;

// The figure's frame: a named group, with a line that screen readers speak when it changes.
export function frame(el, label) {
  el.classList.add("live-figure");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", label);
  const body = add(el, "div", { class: "live-body" });
  const said = add(el, "p", { class: "live-said", role: "status", "aria-live": "polite" });
  return { body, say: (text) => { said.textContent = text; } };
}

// A picture of numbers in [0, 1], black to white; returns how to paint it.
export function picture(parent, { height, width, label, scale = 7 }) {
  const named = label ? { role: "img", "aria-label": label } : {};
  const canvas = add(parent, "canvas", { height, width, class: "live-picture", ...named });
  canvas.style.width = `${width * scale}px`;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  return (values) => {
    for (let i = 0; i < values.length; i++) {
      const shade = 255 * values[i];
      image.data.set([shade, shade, shade, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  };
}

// A row of pictures with captions; returns how to paint them, from lists of numbers in [0, 1].
export function strip(parent, { count, height, width, label, captions, scale = 2 }) {
  const row = add(parent, "div", { class: "live-strip", role: "img", "aria-label": label });
  const cells = Array.from({ length: count }, (_, i) => {
    const cell = add(row, "span", { class: "live-cell", "aria-hidden": "true" });
    const paint = picture(cell, { height, width, label: "", scale });
    if (captions) add(cell, "span", { class: "live-caption" }, captions[i]);
    return paint;
  });
  return (images) => images.forEach((image, i) => cells[i](image));
}

// One out of several, by radio buttons: words, or small pictures with words for those who listen.
export function choice(parent, { label, options, value, images, height, width }, chosen) {
  const group = add(parent, "fieldset", { class: "live-choice" }), name = newId();
  add(group, "legend", {}, label);
  const inputs = options.map((option, i) => {
    const one = add(group, "label", { class: images ? "live-thumb" : "live-option" });
    const input = add(one, "input", { type: "radio", name, value: i });
    if (images) {
      input.setAttribute("aria-label", option);
      picture(one, { height, width, label: "", scale: 1.2 })(images[i]);
    } else add(one, "span", {}, option);
    input.addEventListener("change", () => chosen(i));
    return input;
  });
  const show = (i) => { inputs[i].checked = true; };
  show(value);
  return show;
}

// A box to tick.
export function tick(parent, label, value, changed) {
  const one = add(parent, "label", { class: "live-option" });
  const input = add(one, "input", { type: "checkbox" });
  input.checked = value;
  add(one, "span", {}, label);
  input.addEventListener("change", () => changed(input.checked));
}

// A table of names and numbers; returns how to fill it, from an object of texts.
export function facts(parent, names) {
  const table = add(parent, "table", { class: "live-table" });
  const cells = Object.fromEntries(names.map((name) => {
    const row = add(table, "tr");
    add(row, "th", { scope: "row" }, name);
    return [name, add(row, "td")];
  }));
  return (texts) => { for (const [name, text] of Object.entries(texts)) cells[name].textContent = text; };
}

// A canvas in which what is drawn can be dragged, or moved by arrow keys: moved(right, up), each
// as a share of the canvas.
export function draggable(canvas, moved) {
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    if (event.buttons) moved(event.movementX / box.width, -event.movementY / box.height);
  });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    moved(...by.map((v) => v * (event.shiftKey ? 0.001 : 0.01)));
  });
}

export const within = (value, least, most) => Math.max(least, Math.min(most, value));

export function line(context, x1, y1, x2, y2, colour, width = 1) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

// How a model's numbers are changed, from here and, in JupyterLab, from Python.
export const changer = (model) => (name, value) => { model.set(name, value); model.save_changes(); };

// A labelled slider with its number beside it.
export function slider(parent, { label, least, most, step, value, digits = 2, text }, moved) {
  const said = text ?? ((v) => (+v).toFixed(digits));
  const row = add(parent, "div", { class: "live-slider" }), id = newId();
  add(row, "label", { for: id }, label);
  const input = add(row, "input", { type: "range", id, min: least, max: most, step });
  const number = add(row, "span", { class: "live-number", "aria-hidden": "true" }); // the slider says it
  const show = (v) => {
    input.value = v;
    number.textContent = said(v);
    input.setAttribute("aria-valuetext", said(v));
  };
  input.addEventListener("input", () => { show(input.value); moved(+input.value); });
  show(value);
  return show;
}

export function button(parent, label, pressed) {
  const made = add(parent, "button", { type: "button", class: "live-button" }, label);
  made.addEventListener("click", pressed);
  return made;
}

// A plane to drag a point in, from -extent to extent, the second axis pointing up. Arrow keys
// move the point by a fortieth of the side, with shift by a tenth of that.
export function plane(parent, { label, extent, side = 280 }, moved) {
  const canvas = add(parent, "canvas", {
    width: 2 * side, height: 2 * side, tabindex: 0, role: "application", "aria-label": label,
    "aria-roledescription": "plane, arrow keys move the point", class: "live-plane",
  });
  canvas.style.width = `${side}px`;
  const context = canvas.getContext("2d");
  const clamp = (v) => within(v, -extent, extent);
  let point = [0, 0];
  const go = (a, b) => { point = [clamp(a), clamp(b)]; moved(point); };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    go(((event.clientX - box.left) / box.width * 2 - 1) * extent,
       (1 - (event.clientY - box.top) / box.height * 2) * extent);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) at(event); });
  canvas.addEventListener("keydown", (event) => {
    const step = extent / (event.shiftKey ? 200 : 20);
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (!by) return;
    event.preventDefault();
    go(point[0] + by[0], point[1] + by[1]);
  });
  const place = ([a, b]) => [(a / extent + 1) * side, (1 - b / extent) * side];
  return { canvas, context, side: 2 * side, place, hold: (a, b) => { point = [clamp(a), clamp(b)]; } };
}

// Tell the page what the figure computed: tests listen, and so may other figures.
export const tell = (el, detail) => el.dispatchEvent(new CustomEvent("live", { bubbles: true, detail }));

// Once in a frame, however often it is asked for; and again when the page turns light or dark.
export function inFrames(draw) {
  let waiting = false;
  const ask = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  const themes = new MutationObserver(ask);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  return ask;
}

// A sequence of standard normal numbers, the same for the same seed (mulberry32, Box and Muller).
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
