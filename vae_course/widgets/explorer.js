// The latent explorer: a point in the plane of the first two latents, and the image it decodes to.

const GRID = 15; // images along a side of the map behind the plane
const COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#d4d4d4"];

function render({ model, el }) {
  const [height, width] = model.get("image_shape"), latents = model.get("latents");
  const extent = model.get("extent"), normal = normals(1);
  const decode = decoderOf(model), change = changer(model);
  const { body, say } = frame(el, model.get("label"));
  const area = plane(body, { label: "Latents 1 and 2", extent }, ([a, b]) => change("z", [a, b, ...z().slice(2)]));
  const column = add(body, "div", { class: "live-column" });
  const paint = picture(column, { height, width, label: "The decoded image" });
  const z = () => model.get("z");
  const show = z().map((value, i) => slider(
    column, { label: `Latent ${i + 1}`, least: -extent, most: extent, step: 0.01, value },
    (v) => change("z", z().map((old, j) => (j === i ? v : old)))));
  button(column, "Draw from the prior", () => change("z", z().map(() => within(normal(), -extent, extent))));

  const map = background(), draw = inFrames(() => {
    const code = z(), began = performance.now(), pixels = decode(code);
    paint(pixels);
    area.hold(code[0], code[1]);
    area.context.drawImage(map, 0, 0);
    mark(area, code);
    code.forEach((value, i) => show[i](value));
    say(`z = (${code.map((v) => v.toFixed(2)).join(", ")})`);
    tell(el, { z: code, pixels: Array.from(pixels), milliseconds: performance.now() - began });
  });

  // The images that a grid of codes decodes to, dimmed, and the encoded test images as dots.
  function background() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = area.side;
    const context = canvas.getContext("2d"), tile = area.side / GRID;
    const cell = Object.assign(document.createElement("canvas"), { width, height });
    const small = cell.getContext("2d"), image = small.createImageData(width, height);
    for (let r = 0; r < GRID; r++)
      for (let c = 0; c < GRID; c++) {
        const code = new Array(latents).fill(0);
        code[0] = ((c + 0.5) / GRID * 2 - 1) * extent;
        code[1] = (1 - (r + 0.5) / GRID * 2) * extent;
        decode(code).forEach((v, i) => {
          const shade = 110 * v;
          image.data.set([shade, shade, shade, 255], 4 * i);
        });
        small.putImageData(image, 0, 0);
        context.drawImage(cell, c * tile, r * tile, tile, tile);
      }
    const codes = rowsOf(model.get("codes"), 2), labels = bytesOf(model.get("labels"));
    for (let i = 0; i < labels.length; i++) {
      const [x, y] = area.place(codes[i]);
      context.fillStyle = COLOURS[labels[i]];
      context.fillRect(x - 3, y - 3, 6, 6);
    }
    return canvas;
  }

  function mark({ context, place }, code) {
    const [x, y] = place(code);
    for (const [colour, line] of [["#000", 8], ["#fff", 4]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.beginPath();
      context.arc(x, y, 14, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  model.on("change:z", draw);
  draw();
}

export default { render };
