// Rate and distortion: models trained at several β, one dot on the curve for each.

const SIDE = 560, EDGE = 64; // the plot, in pixels of its canvas, and the room for its axes

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), latents = model.get("latents");
  const betas = model.get("betas"), points = model.get("terms"), change = changer(model);
  const images = imagesOf(model.get("images"), height * width), count = images.length;
  const codes = rowsOf(model.get("codes"), latents), draws = rowsOf(model.get("draws"), latents);
  const all = bytesOf(model.get("weights")), share = all.length / betas.length;
  const decoders = betas.map((_, i) => {
    const network = makeNetwork(model.get("layers"), all.subarray(i * share, (i + 1) * share));
    return (z) => network(z).map(sigmoid);
  });
  const { body, say } = frame(el, model.get("label"));
  const canvas = add(body, "canvas", {
    width: SIDE, height: SIDE, role: "img", class: "live-plot",
    "aria-label": "The models in the plane of rate and distortion; the line below says where the chosen one is",
  });
  const context = canvas.getContext("2d"), column = add(body, "div", { class: "live-column live-column-wide" });
  const show = slider(column, {
    label: "β", least: 0, most: betas.length - 1, step: 1, value: model.get("chosen"), text: (i) => betas[i],
  }, (i) => change("chosen", i));
  const row = (title) => {
    add(column, "p", { class: "live-caption" }, title);
    return strip(column, { count, height, width, label: title, scale: 1.6 });
  };
  row("Test images")(images);
  const paintBack = row("Their reconstructions"), paintDrawn = row("Draws from the prior, decoded");

  const draw = inFrames(() => {
    const i = model.get("chosen"), [rate, distortion] = points[i], began = performance.now();
    const back = codes.slice(i * count, (i + 1) * count).map(decoders[i]), drawn = draws.map(decoders[i]);
    paintBack(back);
    paintDrawn(drawn);
    plot(i);
    show(i);
    say(`β = ${betas[i]}: rate ${rate.toFixed(1)}, distortion ${distortion.toFixed(1)}, −ELBO ${(rate + distortion).toFixed(1)} nats`);
    tell(el, { chosen: i, back: back.map((v) => Array.from(v)), drawn: drawn.map((v) => Array.from(v)), milliseconds: performance.now() - began });
  });

  // Click or tap near a dot to choose it; the slider is the same for keyboards.
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * SIDE, y = (event.clientY - box.top) / box.height * SIDE;
    const away = points.map((point) => { const [a, b] = place(point); return Math.hypot(a - x, b - y); });
    change("chosen", away.indexOf(Math.min(...away)));
  });

  const most = Math.max(...points.map(([rate]) => rate)) * 1.15;
  const heights = points.map(([, distortion]) => distortion), span = Math.max(...heights) - Math.min(...heights);
  const low = Math.min(...heights) - 0.12 * span, high = Math.max(...heights) + 0.12 * span;
  function place([rate, distortion]) {
    return [EDGE + rate / most * (SIDE - EDGE - 10), (high - distortion) / (high - low) * (SIDE - EDGE)];
  }

  function plot(chosen) {
    const ink = getComputedStyle(el).color;
    context.clearRect(0, 0, SIDE, SIDE);
    context.strokeStyle = context.fillStyle = ink;
    context.font = "20px sans-serif";
    context.lineWidth = 2;
    axes();
    context.beginPath();
    points.forEach((point) => context.lineTo(...place(point)));
    context.stroke();
    points.forEach((point, i) => {
      context.fillStyle = i === chosen ? "#c2410c" : ink;
      context.beginPath();
      context.arc(...place(point), i === chosen ? 12 : 7, 0, 2 * Math.PI);
      context.fill();
    });
  }

  function axes() {
    context.beginPath();
    context.moveTo(EDGE, 0);
    context.lineTo(EDGE, SIDE - EDGE);
    context.lineTo(SIDE, SIDE - EDGE);
    context.stroke();
    context.textAlign = "center";
    for (const rate of ticks(0, most)) context.fillText(rate, place([rate, low])[0], SIDE - EDGE + 24);
    context.fillText("rate (nats)", SIDE / 2, SIDE - 8);
    context.textAlign = "right";
    for (const distortion of ticks(low, high)) context.fillText(distortion, EDGE - 6, place([0, distortion])[1] + 7);
    context.textAlign = "left";
    context.fillText("distortion (nats)", EDGE + 10, 22);
  }

  model.on("change:chosen", draw);
  draw();
}

// Round numbers between two numbers, about five.
function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((v) => v * power >= rough), found = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) found.push(+v.toFixed(6));
  return found;
}

export default { render };
