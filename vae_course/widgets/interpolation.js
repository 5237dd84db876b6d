// Interpolation: a path between the codes of two images, to scrub and to play.

const STEPS = 11, SECONDS = 4; // pictures in the strip; how long the path takes to play

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), latents = model.get("latents");
  const images = imagesOf(model.get("images"), height * width), names = model.get("names");
  const means = rowsOf(model.get("means"), latents), logvars = rowsOf(model.get("logvars"), latents);
  const decode = decoderOf(model), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const ends = add(body, "div", { class: "live-wide-column" });
  const thumbs = { options: names, images, height, width };
  const showStart = choice(ends, { label: "From", value: model.get("start"), ...thumbs }, (i) => change("start", i));
  const showEnd = choice(ends, { label: "To", value: model.get("end"), ...thumbs }, (i) => change("end", i));
  const paint = picture(body, { height, width, label: "The image at t", scale: 6 });
  const column = add(body, "div", { class: "live-column" });
  const showT = slider(column, { label: "t", least: 0, most: 1, step: 0.01, value: model.get("t") }, (v) => change("t", v));
  const playing = button(column, "Play", play);
  const showPath = choice(column, { label: "Path", options: ["straight", "arc"], value: +model.get("spherical") },
    (i) => change("spherical", i === 1));
  tick(column, "New draws of both codes at every step", model.get("sampled"), (on) => change("sampled", on));
  const paintStrip = strip(add(el, "div"), {
    count: STEPS, height, width, label: "Eleven images along the path", scale: 1.9,
    captions: Array.from({ length: STEPS }, (_, i) => (i / (STEPS - 1)).toFixed(1)),
  });

  // The code of an image at step t: its mean or, where asked for, a draw that belongs to the step.
  function codeOf(index, t, side) {
    if (!model.get("sampled")) return Array.from(means[index]);
    const normal = normals(2 * Math.round(1000 * t) + side);
    return Array.from(means[index], (m, j) => m + Math.exp(logvars[index][j] / 2) * normal());
  }

  function at(t) {
    const path = model.get("spherical") ? arc : straight;
    return path(codeOf(model.get("start"), t, 0), codeOf(model.get("end"), t, 1), t);
  }

  const drawStrip = inFrames(() => {
    showStart(model.get("start"));
    showEnd(model.get("end"));
    showPath(+model.get("spherical"));
    paintStrip(Array.from({ length: STEPS }, (_, i) => decode(at(i / (STEPS - 1)))));
  });
  const draw = inFrames(() => {
    const t = model.get("t"), began = performance.now(), z = at(t), pixels = decode(z);
    paint(pixels);
    showT(t);
    const length = Math.hypot(...z).toFixed(2);
    say(`From ${names[model.get("start")]} to ${names[model.get("end")]}, t = ${t.toFixed(2)}: a code of length ${length}`);
    tell(el, { z, pixels: Array.from(pixels), milliseconds: performance.now() - began });
  });

  let frameId = null;
  function play() {
    if (frameId !== null) return stop();
    playing.textContent = "Stop";
    const from = model.get("t") < 1 ? model.get("t") : 0, began = performance.now();
    const step = (now) => {
      const t = Math.min(1, from + (now - began) / 1000 / SECONDS);
      change("t", Math.max(0, t));
      if (t < 1) frameId = requestAnimationFrame(step);
      else stop();
    };
    frameId = requestAnimationFrame(step);
  }
  function stop() {
    cancelAnimationFrame(frameId);
    frameId = null;
    playing.textContent = "Play";
  }

  model.on("change:start change:end change:spherical change:sampled", () => { drawStrip(); draw(); });
  model.on("change:t", draw);
  drawStrip();
  draw();
}

const straight = (a, b, t) => a.map((v, j) => (1 - t) * v + t * b[j]);

// The direction turns evenly, the length changes linearly. Where two directions (almost) agree,
// or point opposite ways, there is no one arc, and the path is straight.
function arc(a, b, t) {
  const [first, second] = [Math.hypot(...a), Math.hypot(...b)];
  const cosine = a.reduce((sum, v, j) => sum + v * b[j], 0) / (first * second);
  if (!(Math.abs(cosine) < 1 - 1e-6)) return straight(a, b, t);
  const angle = Math.acos(cosine), length = (1 - t) * first + t * second;
  const [u, v] = [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  return a.map((one, j) => length * (u * one / first + v * b[j] / second));
}

export default { render };
