// KL and bound: an approximate posterior to move, its rate as areas, and what the bound loses.

const WIDE = 640, HIGH = 400, REACH = 4; // the picture shows codes from -REACH to REACH
const MIDDLE = 190, BOTTOM = 330; // where the densities stand, and the zero of q log(q/p)
const BLUE = "#3b76b0", ORANGE = "#c2410c";

function render({ model, el }) {
  const noise = model.get("noise"), x = model.get("x"), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const canvas = add(body, "canvas", {
    width: WIDE, height: HIGH, tabindex: 0, role: "application", class: "live-wide live-tall",
    "aria-label": "The densities: left and right move the mean of q, up and down its logvar",
  });
  const context = canvas.getContext("2d"), column = add(body, "div", { class: "live-column" });
  const show = {
    mean: slider(column, { label: "mean", least: -3, most: 3, step: 0.01, value: model.get("mean") }, (v) => change("mean", v)),
    logvar: slider(column, { label: "logvar", least: -4, most: 2, step: 0.01, value: model.get("logvar") }, (v) => change("logvar", v)),
    draws: slider(column, { label: "draws", least: 2, most: noise.length, step: 1, value: model.get("draws"), digits: 0 }, (v) => change("draws", v)),
  };
  button(column, "Put q on the posterior", () => { change("mean", x / 2); change("logvar", -Math.log(2)); });
  const fill = facts(column, ["rate, closed form", "rate, from draws", "distortion", "ELBO", "log p(x)", "gap: KL(q ‖ posterior)"]);
  draggable(canvas, (right, up) => {
    change("mean", within(model.get("mean") + 2 * REACH * right, -3, 3));
    change("logvar", within(model.get("logvar") + 6 * up, -4, 2));
  });

  const draw = inFrames(() => {
    const began = performance.now();
    const [mean, logvar, draws] = ["mean", "logvar", "draws"].map((name) => model.get(name));
    const found = terms(mean, logvar, x, noise.slice(0, draws));
    paint(mean, logvar, found);
    show.mean(mean);
    show.logvar(logvar);
    show.draws(draws);
    fill({
      "rate, closed form": found.rate.toFixed(3),
      "rate, from draws": `${found.estimate.toFixed(3)} ± ${found.error.toFixed(3)}`,
      distortion: found.distortion.toFixed(3),
      ELBO: found.elbo.toFixed(3),
      "log p(x)": found.evidence.toFixed(3),
      "gap: KL(q ‖ posterior)": found.gap.toFixed(3),
    });
    say(`rate ${found.rate.toFixed(2)} + distortion ${found.distortion.toFixed(2)} = −ELBO ${(-found.elbo).toFixed(2)} nats; the bound is ${found.gap.toFixed(2)} nats below log p(x)`);
    tell(el, { mean, logvar, draws, ...found, milliseconds: performance.now() - began });
  });

  function paint(mean, logvar, found) {
    const ink = getComputedStyle(el).color, deviation = Math.exp(logvar / 2);
    const at = (column) => (column / WIDE * 2 - 1) * REACH;
    const q = (z) => normal(z, mean, deviation), area = (z) => q(z) * (logNormal(z, mean, deviation) - logNormal(z, 0, 1));
    context.clearRect(0, 0, WIDE, HIGH);
    context.font = "15px sans-serif";
    curve((z) => MIDDLE - 180 * normal(z, 0, 1), ink, [6, 4]);
    curve((z) => MIDDLE - 180 * normal(z, x / 2, Math.SQRT1_2), ink, [2, 3]);
    curve((z) => MIDDLE - 180 * Math.min(1, q(z)), ORANGE, []);
    line(context, 0, MIDDLE, WIDE, MIDDLE, ink);
    for (let i = 0; i < WIDE; i += 2) {
      const up = 90 * area(at(i + 1));
      context.fillStyle = up > 0 ? ORANGE : BLUE;
      context.fillRect(i, up > 0 ? BOTTOM - Math.min(up, 120) : BOTTOM, 2, Math.min(Math.abs(up), 120));
    }
    line(context, 0, BOTTOM, WIDE, BOTTOM, ink);
    context.fillStyle = ink;
    context.fillText("– –  prior p     · ·  posterior     —  q", 8, 18);
    context.fillText(`q log(q/p): area above ${found.above.toFixed(2)} − below ${found.below.toFixed(2)} = rate ${found.rate.toFixed(2)} nats`, 8, HIGH - 8);

    function curve(height, colour, dashes) {
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.setLineDash(dashes);
      context.beginPath();
      for (let i = 0; i <= WIDE; i += 2) context.lineTo(i, height(at(i)));
      context.stroke();
      context.setLineDash([]);
    }
  }

  model.on("change:mean change:logvar change:draws", draw);
  draw();
}

const logNormal = (z, mean, deviation) =>
  -0.5 * Math.log(2 * Math.PI) - Math.log(deviation) - 0.5 * ((z - mean) / deviation) ** 2;
const normal = (z, mean, deviation) => Math.exp(logNormal(z, mean, deviation));

// All terms of the bound, in nats; the areas by the midpoint rule, over ten deviations each way.
function terms(mean, logvar, x, noise) {
  const variance = Math.exp(logvar), deviation = Math.sqrt(variance);
  const ratio = (z) => logNormal(z, mean, deviation) - logNormal(z, 0, 1);
  const each = noise.map((eps) => ratio(mean + deviation * eps)), count = each.length;
  const estimate = each.reduce((a, b) => a + b, 0) / count;
  const spread = Math.sqrt(each.reduce((sum, v) => sum + (v - estimate) ** 2, 0) / (count - 1));
  let above = 0, below = 0;
  for (let i = 0; i < 4000; i++) {
    const u = (i + 0.5) / 200 - 10, piece = normal(u, 0, 1) / 200 * ratio(mean + deviation * u);
    if (piece > 0) above += piece;
    else below -= piece;
  }
  const rate = 0.5 * (mean ** 2 + variance - 1 - logvar);
  const distortion = 0.5 * Math.log(2 * Math.PI) + 0.5 * ((x - mean) ** 2 + variance);
  const elbo = -distortion - rate, evidence = logNormal(x, 0, Math.SQRT2);
  const gap = 0.5 * (2 * variance + 2 * (mean - x / 2) ** 2 - 1 - logvar - Math.LN2);
  return { rate, estimate, error: spread / Math.sqrt(count), above, below, distortion, elbo, evidence, gap };
}

export default { render };
