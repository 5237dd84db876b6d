// A trained network, computed in the page: the layers of vae_course/widgets/network.py on plain
// arrays. Every layer is a function from the numbers before it to the numbers after it; images are
// laid out row by row, the channels last.

// Half-precision floats, little-endian, as numbers: sign, 5 bits of exponent, 10 of fraction.
export function readHalves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(bytes.byteLength / 2);
  for (let i = 0; i < out.length; i++) {
    const half = view.getUint16(2 * i, true);
    const exponent = (half >> 10) & 31, fraction = half & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    out[i] = half & 0x8000 ? -size : size;
  }
  return out;
}

const ACTIVATIONS = {
  none: (v) => v,
  relu: (v) => (v > 0 ? v : 0),
  silu: (v) => v / (1 + Math.exp(-v)),
  tanh: Math.tanh,
};

const KINDS = { dense, conv, transposed, squares };

// From layers and their weights, one after the other, to a function from numbers to numbers.
export function makeNetwork(layers, halves) {
  const weights = readHalves(halves);
  let at = 0;
  const take = (count) => weights.subarray(at, (at += count));
  const steps = layers.map((layer) => KINDS[layer.kind](layer, take));
  if (at !== weights.length) throw new Error(`${weights.length} weights for ${at} places`);
  return (input) => steps.reduce((h, step) => step(h), Float32Array.from(input));
}

export const sigmoid = (v) => 1 / (1 + Math.exp(-v));

function activate(h, name) {
  const f = ACTIVATIONS[name];
  if (name !== "none") for (let i = 0; i < h.length; i++) h[i] = f(h[i]);
  return h;
}

// out = h W + b, with W of shape (inputs, outputs).
function dense({ inputs, outputs, activation }, take) {
  const w = take(inputs * outputs), b = take(outputs);
  return (h) => {
    const out = Float32Array.from(b);
    for (let i = 0; i < inputs; i++) {
      const v = h[i];
      if (v === 0) continue; // black pixels, and what relu put out
      for (let j = 0, k = i * outputs; j < outputs; j++, k++) out[j] += v * w[k];
    }
    return activate(out, activation);
  };
}

// A convolution that keeps the size, divided by the stride; w is (size, size, inputs, outputs).
function conv({ shape: [height, width, inputs], outputs, size, stride, activation }, take) {
  const w = take(size * size * inputs * outputs), b = take(outputs);
  const rows = Math.ceil(height / stride), columns = Math.ceil(width / stride);
  const before = (length, count) => Math.floor(Math.max((count - 1) * stride + size - length, 0) / 2);
  const top = before(height, rows), left = before(width, columns);
  return (h) => {
    const out = new Float32Array(rows * columns * outputs);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const to = out.subarray((r * columns + c) * outputs, (r * columns + c + 1) * outputs);
        to.set(b);
        for (let u = 0; u < size; u++) {
          const row = r * stride + u - top;
          if (row < 0 || row >= height) continue;
          for (let v = 0; v < size; v++) {
            const column = c * stride + v - left;
            if (column < 0 || column >= width) continue;
            spread(h, (row * width + column) * inputs, w, (u * size + v) * inputs * outputs, to, inputs);
          }
        }
      }
    return activate(out, activation);
  };
}

// to += h[at …] W, with W of shape (inputs, outputs) beginning at `from`.
function spread(h, at, w, from, to, inputs) {
  const outputs = to.length;
  for (let i = 0; i < inputs; i++) {
    const value = h[at + i];
    if (value === 0) continue;
    for (let j = 0, k = from + i * outputs; j < outputs; j++, k++) to[j] += value * w[k];
  }
}

// A transposed convolution: each place is painted into a square of the larger image.
// w is (size, size, outputs, inputs).
function transposed({ shape: [height, width, inputs], outputs, size, stride, activation }, take) {
  const w = take(size * size * outputs * inputs), b = take(outputs);
  const rows = height * stride, columns = width * stride;
  // How jax.lax.conv_transpose pads "SAME".
  const pad = stride > size - 1 ? size - 1 : Math.ceil((size + stride - 2) / 2);
  const offset = pad - (size - 1);
  return (h) => {
    const out = new Float32Array(rows * columns * outputs);
    for (let place = 0; place < rows * columns; place++) out.set(b, place * outputs);
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++)
        for (let u = 0; u < size; u++) {
          const row = r * stride + u + offset;
          if (row < 0 || row >= rows) continue;
          for (let v = 0; v < size; v++) {
            const column = c * stride + v + offset;
            if (column < 0 || column >= columns) continue;
            const at = (r * width + c) * inputs, to = (row * columns + column) * outputs;
            for (let j = 0; j < outputs; j++) {
              let sum = 0;
              const k = ((u * size + v) * outputs + j) * inputs;
              for (let i = 0; i < inputs; i++) sum += h[at + i] * w[k + i];
              out[to + j] += sum;
            }
          }
        }
    return activate(out, activation);
  };
}

// Four channels laid out as the four pixels of a 2×2 square.
function squares({ shape: [height, width, inputs], activation }) {
  const outputs = inputs / 4;
  return (h) => {
    const out = new Float32Array(h.length);
    for (let r = 0; r < 2 * height; r++)
      for (let c = 0; c < 2 * width; c++) {
        const from = ((r >> 1) * width + (c >> 1)) * inputs + ((r & 1) * 2 + (c & 1)) * outputs;
        for (let j = 0; j < outputs; j++) out[(r * 2 * width + c) * outputs + j] = h[from + j];
      }
    return activate(out, activation);
  };
}

export const bytesOf = (value) =>
  (value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength));

// Numbers of single precision that Python wrote, as rows of `width` numbers.
export function rowsOf(value, width) {
  const bytes = bytesOf(value).slice(), all = new Float32Array(bytes.buffer);
  return Array.from({ length: all.length / width }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

// Black-and-white images, a byte a pixel, as arrays of 0 and 1.
export function imagesOf(value, size) {
  const bytes = bytesOf(value);
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

// The figure's decoder: from a code to the probabilities of the pixels.
export function decoderOf(model) {
  const network = makeNetwork(model.get("layers"), bytesOf(model.get("weights")));
  return (z) => network(z).map(sigmoid);
}
