// Traversal: one latent at a time, from the code of an image.

const VALUES = [-3, -2, -1, 0, 1, 2, 3];

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), latents = model.get("latents");
  const images = imagesOf(model.get("images"), height * width), codes = rowsOf(model.get("codes"), latents);
  const shown = model.get("shown"), rates = model.get("rates"), decode = decoderOf(model), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const left = add(body, "div", { class: "live-column" });
  const showStart = choice(left, {
    label: "Begin at", value: model.get("start"), images, height, width,
    options: images.map((_, i) => `image ${i + 1}`),
  }, begin);
  const showLatent = choice(left, {
    label: "Latent to move", value: shown.indexOf(model.get("latent")),
    options: shown.map((j) => `${j + 1} (${rates[j].toFixed(2)} nats)`),
  }, (i) => {
    change("value", codes[model.get("start")][shown[i]]);
    change("latent", shown[i]);
  });
  const showValue = slider(left, { label: "its value", least: -3, most: 3, step: 0.01, value: model.get("value") }, (v) => change("value", v));
  const paint = picture(left, { height, width, label: "The image with this value", scale: 5 });
  const right = add(body, "div", { class: "live-column live-column-wide" });
  const strips = shown.map((j) => {
    const row = add(right, "div", { class: "live-row" });
    add(row, "span", { class: "live-caption" }, `latent ${j + 1}`);
    return strip(row, { count: VALUES.length, height, width, label: `Latent ${j + 1} from −3 to 3`, scale: 1.6 });
  });

  function begin(i) {
    change("value", codes[i][model.get("latent")]);
    change("start", i);
  }
  const moved = (latent, value) => {
    const z = Array.from(codes[model.get("start")]);
    z[latent] = value;
    return z;
  };
  const drawStrips = inFrames(() => {
    shown.forEach((j, row) => strips[row](VALUES.map((value) => decode(moved(j, value)))));
    showStart(model.get("start"));
  });
  const draw = inFrames(() => {
    const latent = model.get("latent"), value = model.get("value"), began = performance.now();
    const z = moved(latent, value), pixels = decode(z);
    paint(pixels);
    showLatent(shown.indexOf(latent));
    showValue(value);
    say(`Latent ${latent + 1} at ${value.toFixed(2)}; its rate is ${rates[latent].toFixed(2)} nats`);
    tell(el, { z, pixels: Array.from(pixels), milliseconds: performance.now() - began });
  });
  model.on("change:start", () => { drawStrips(); draw(); });
  model.on("change:latent change:value", draw);
  drawStrips();
  draw();
}

export default { render };
