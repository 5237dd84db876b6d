// The reparameterization: noise that does not move becomes draws that do, and two estimates of
// one gradient gather beside each other.

const WIDE = 640, HIGH = 300, REACH = 5; // the picture shows numbers from -REACH to REACH
const LINES = 40; // arrows from the latest draws of noise

function render({ model, el }) {
  const noise = model.get("noise"), target = model.get("target"), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const canvas = add(body, "canvas", {
    width: WIDE, height: HIGH, tabindex: 0, role: "application", class: "live-wide",
    "aria-label": "Draws of z: left and right move the mean, up and down the logvar",
  });
  const context = canvas.getContext("2d");
  const column = add(body, "div", { class: "live-column" });
  const show = {
    mean: slider(column, { label: "mean", least: -3, most: 3, step: 0.01, value: model.get("mean") }, (v) => change("mean", v)),
    logvar: slider(column, { label: "logvar", least: -3, most: 2, step: 0.01, value: model.get("logvar") }, (v) => change("logvar", v)),
  };
  const buttons = add(column, "div", { class: "live-buttons" });
  button(buttons, "Draw one", () => change("draws", Math.min(noise.length, model.get("draws") + 1)));
  button(buttons, "Draw 50", () => change("draws", Math.min(noise.length, model.get("draws") + 50)));
  button(buttons, "Begin again", () => change("draws", 1));
  const fill = facts(column, ["pathwise", "score function", "exact"]);

  const draw = inFrames(() => {
    const began = performance.now();
    const [mean, logvar, draws] = ["mean", "logvar", "draws"].map((name) => model.get(name));
    const found = estimates(noise.slice(0, draws), mean, logvar, target);
    paint(mean, Math.exp(logvar / 2), noise.slice(Math.max(0, draws - LINES), draws), found.z.at(-1));
    show.mean(mean);
    show.logvar(logvar);
    fill({
      pathwise: described(found.pathwise),
      "score function": described(found.score),
      exact: (2 * (mean - target)).toFixed(2),
    });
    say(`${draws} draw${draws > 1 ? "s" : ""}. The latest: ε = ${noise[draws - 1].toFixed(2)}, z = ${found.z.at(-1).toFixed(2)}`);
    tell(el, { mean, logvar, draws, z: found.z, pathwise: found.pathwise, score: found.score, milliseconds: performance.now() - began });
  });

  function paint(mean, deviation, shown, latest) {
    const ink = getComputedStyle(el).color, x = (value) => (value / REACH + 1) * WIDE / 2;
    const top = 90, bottom = HIGH - 20;
    context.clearRect(0, 0, WIDE, HIGH);
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = 1.5;
    context.font = "16px sans-serif";
    for (const [base, at, spread, name] of [[top, 0, 1, "ε"], [bottom, mean, deviation, "z"]]) {
      context.fillText(name, 6, base - 8);
      context.beginPath();
      for (let i = 0; i <= WIDE; i += 2) {
        const u = ((i / WIDE * 2 - 1) * REACH - at) / spread;
        context.lineTo(i, base - 70 * Math.exp(-u * u / 2) * Math.min(1, 1 / spread));
      }
      context.stroke();
      line(context, 0, base, WIDE, base, ink, 1);
    }
    shown.forEach((eps, i) => {
      const last = i === shown.length - 1;
      line(context, x(eps), top, x(mean + deviation * eps), bottom, last ? "#c2410c" : ink, last ? 3 : 0.6);
    });
    context.fillStyle = "#c2410c";
    context.beginPath();
    context.arc(x(latest), bottom, 6, 0, 2 * Math.PI);
    context.fill();
  }

  draggable(canvas, (right, up) => {
    change("mean", within(model.get("mean") + 2 * REACH * right, -3, 3));
    change("logvar", within(model.get("logvar") + REACH * up, -3, 2));
  });
  model.on("change:mean change:logvar change:draws", draw);
  draw();
}

// z for each ε, and for both estimates of d/dmean E[(z - target)²] the average and the spread.
function estimates(noise, mean, logvar, target) {
  const deviation = Math.exp(logvar / 2), z = noise.map((eps) => mean + deviation * eps);
  return {
    z,
    pathwise: summary(z.map((one) => 2 * (one - target))),
    score: summary(z.map((one, i) => (one - target) ** 2 * noise[i] / deviation)),
  };
}

function summary(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return { mean, spread };
}

const described = ({ mean, spread }) => `${mean.toFixed(2)}, spread ${spread.toFixed(2)}`;

export default { render };
