// Digit on demand: a label to choose, and a style to keep or to change.

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), classes = model.get("classes"), [first, second] = model.get("axes");
  const extent = 3, normal = normals(7), decode = decoderOf(model), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const paint = picture(body, { height, width, label: "The digit asked for", scale: 7 });
  const area = plane(body, { label: `Style: latents ${first + 1} and ${second + 1}`, extent, side: 200 }, ([a, b]) => {
    const z = [...model.get("z")];
    [z[first], z[second]] = [a, b];
    change("z", z);
  });
  const column = add(body, "div", { class: "live-column" });
  const digits = Array.from({ length: classes }, (_, digit) => String(digit));
  const showDigit = choice(column, { label: "Digit", options: digits, value: model.get("digit") }, (digit) => change("digit", digit));
  const buttons = add(column, "div", { class: "live-buttons" });
  button(buttons, "New style", () => change("z", model.get("z").map(() => within(normal(), -extent, extent))));
  button(buttons, "Mean style", () => change("z", model.get("z").map(() => 0)));
  add(column, "p", { class: "live-caption" }, "Every digit in this style");
  const paintAll = strip(column, { count: classes, height, width, label: "Every digit in this style", scale: 1.4 });

  const labelled = (z, digit) => [...z, ...digits.map((_, i) => +(i === digit))];
  const draw = inFrames(() => {
    const z = model.get("z"), digit = model.get("digit"), began = performance.now();
    const all = digits.map((_, i) => decode(labelled(z, i)));
    paint(all[digit]);
    paintAll(all);
    showDigit(digit);
    area.hold(z[first], z[second]);
    mark(z);
    say(`A ${digit}, style (${z[first].toFixed(2)}, ${z[second].toFixed(2)}, …)`);
    tell(el, { z, digit, pixels: Array.from(all[digit]), milliseconds: performance.now() - began });
  });

  function mark(z) {
    const { context, side } = area, [x, y] = area.place([z[first], z[second]]);
    context.clearRect(0, 0, side, side);
    context.strokeStyle = getComputedStyle(el).color;
    context.lineWidth = 1;
    for (const value of [-2, -1, 0, 1, 2]) {
      const [at, up] = area.place([value, value]);
      context.strokeRect(at, 0, 0, side);
      context.strokeRect(0, up, side, 0);
    }
    context.fillStyle = "#c2410c";
    context.beginPath();
    context.arc(x, y, 12, 0, 2 * Math.PI);
    context.fill();
  }

  model.on("change:z change:digit", draw);
  draw();
}

export default { render };
