// Draw your own digit: the encoder runs in the page as well as the decoder.

const SCALE = 9, DRAWS = 10; // canvas pixels to an image pixel; draws of z for the distortion

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), latents = model.get("latents");
  const encode = makeNetwork(model.get("encoder"), bytesOf(model.get("encoder_weights")));
  const decode = makeNetwork(model.get("layers"), bytesOf(model.get("weights")));
  const examples = imagesOf(model.get("images"), height * width), change = changer(model);
  const [usualRate, usualDistortion] = model.get("usual");
  const { body, say } = frame(el, model.get("label"));
  const sheet = add(body, "canvas", {
    width: width * SCALE, height: height * SCALE, tabindex: 0, role: "application", class: "live-plane live-sheet",
    "aria-label": "Sheet to draw on: arrow keys move the pen, space puts it down or lifts it, E rubs out",
  });
  const back = picture(body, { height, width, label: "The reconstruction", scale: SCALE });
  const column = add(body, "div", { class: "live-column" });
  const buttons = add(column, "div", { class: "live-buttons" });
  let next = 0, rubbing = false;
  button(buttons, "Clear", () => change("drawn", new Array(height * width).fill(0)));
  button(buttons, "An example", () => { next = (next + 1) % examples.length; change("drawn", Array.from(examples[next])); });
  tick(buttons, "Rub out", false, (on) => { rubbing = on; });
  const fill = facts(column, ["rate", "distortion", "−ELBO"]);
  add(column, "p", { class: "live-caption" }, "The code: mean, and one deviation each way");
  const codes = add(column, "canvas", { width: 480, height: 160, role: "img", class: "live-code", "aria-label": "Bars of the code's means" });

  const draw = inFrames(() => {
    const began = performance.now(), x = model.get("drawn"), head = encode(x);
    const mean = Array.from(head.subarray(0, latents)), logvar = Array.from(head.subarray(latents));
    back(decode(mean).map(sigmoid));
    const normal = normals(3), z = Array.from({ length: DRAWS }, () => mean.map((m, j) => m + Math.exp(logvar[j] / 2) * normal()));
    const rate = mean.reduce((sum, m, j) => sum + 0.5 * (m * m + Math.exp(logvar[j]) - 1 - logvar[j]), 0);
    const distortion = z.reduce((sum, one) => sum + crossEntropy(decode(one), x), 0) / DRAWS;
    paint(x);
    bars(mean, logvar);
    fill({
      rate: `${rate.toFixed(1)} nats (test images: ${usualRate.toFixed(1)})`,
      distortion: `${distortion.toFixed(1)} nats (${usualDistortion.toFixed(1)})`,
      "−ELBO": `${(rate + distortion).toFixed(1)} nats (${(usualRate + usualDistortion).toFixed(1)})`,
    });
    say(`rate ${rate.toFixed(1)} + distortion ${distortion.toFixed(1)} = −ELBO ${(rate + distortion).toFixed(1)} nats`);
    tell(el, { x: Array.from(x), mean, logvar, z, rate, distortion, milliseconds: performance.now() - began });
  });

  // The pen: a square of two by two pixels, so that strokes are as wide as the data's.
  let pen = [Math.floor(height / 2), Math.floor(width / 2)], down = false;
  function stroke(from, to, ink) {
    const x = Array.from(model.get("drawn")), steps = Math.max(1, ...to.map((v, i) => Math.abs(v - from[i])));
    for (let s = 0; s <= steps; s++) {
      const [row, column] = from.map((v, i) => Math.round(v + (to[i] - v) * s / steps));
      for (const [u, v] of [[0, 0], [0, 1], [1, 0], [1, 1]])
        if (row + u >= 0 && row + u < height && column + v >= 0 && column + v < width) x[(row + u) * width + column + v] = ink;
    }
    pen = to;
    change("drawn", x);
  }
  const placeOf = (event) => {
    const box = sheet.getBoundingClientRect();
    return [Math.floor((event.clientY - box.top) / box.height * height - 0.5), Math.floor((event.clientX - box.left) / box.width * width - 0.5)];
  };
  sheet.addEventListener("pointerdown", (event) => {
    sheet.setPointerCapture(event.pointerId);
    stroke(placeOf(event), placeOf(event), +!rubbing);
  });
  sheet.addEventListener("pointermove", (event) => { if (event.buttons) stroke(pen, placeOf(event), +!rubbing); });
  sheet.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (by) {
      const to = [within(pen[0] + by[0], 0, height - 2), within(pen[1] + by[1], 0, width - 2)];
      if (down) stroke(pen, to, 1);
      pen = to;
    } else if (event.key === " ") {
      down = !down;
      if (down) stroke(pen, pen, 1);
    } else if (event.key === "e" || event.key === "E") stroke(pen, pen, 0);
    else return;
    event.preventDefault();
    say(`Pen ${down ? "down" : "up"}, row ${pen[0] + 1}, column ${pen[1] + 1}`);
    paint(model.get("drawn"));
  });
  sheet.addEventListener("focus", () => paint(model.get("drawn")));
  sheet.addEventListener("blur", () => paint(model.get("drawn")));

  function paint(x) {
    const context = sheet.getContext("2d");
    x.forEach((pixel, i) => {
      context.fillStyle = pixel ? "#fff" : "#000";
      context.fillRect((i % width) * SCALE, Math.floor(i / width) * SCALE, SCALE, SCALE);
    });
    if (document.activeElement !== sheet) return;
    context.strokeStyle = "#f97316";
    context.lineWidth = down ? 4 : 2;
    context.strokeRect(pen[1] * SCALE, pen[0] * SCALE, 2 * SCALE, 2 * SCALE);
  }

  function bars(mean, logvar) {
    const context = codes.getContext("2d"), ink = getComputedStyle(el).color;
    const wide = codes.width / latents, middle = codes.height / 2, scale = middle / 4;
    context.clearRect(0, 0, codes.width, codes.height);
    mean.forEach((m, j) => {
      const x = (j + 0.5) * wide, deviation = Math.exp(logvar[j] / 2);
      context.fillStyle = "#c2410c";
      context.fillRect(j * wide + 1, middle, wide - 2, -m * scale);
      context.fillStyle = ink;
      context.fillRect(x - 1, middle - (m + deviation) * scale, 2, 2 * deviation * scale);
    });
    context.fillRect(0, middle, codes.width, 1);
  }

  model.on("change:drawn", draw);
  draw();
}

// −log p(x | z) of one image, in nats, from logits.
function crossEntropy(logits, x) {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const l = logits[i];
    sum += Math.max(l, 0) - l * x[i] + Math.log1p(Math.exp(-Math.abs(l)));
  }
  return sum;
}

export default { render };
