// The dense layers: convolutions and full connections, with float weights or with int8 ones.
//
// A network with int8 weights is computed as LiteRT does it: the input of each layer is brought to 8 bits
// when it is known, and the sums are whole numbers. So a reading here is the reading there.

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./tflite.js").Operator} Operator */
/** @typedef {import("./tflite.js").Tensor} Tensor */
/** @typedef {import("./network.js").Layer} Layer */

const LANES = 8;
const RELU = 1;
const VALID = 1;
const LOWEST = -3.4028234663852886e38;
const FIELDS = 15;

/**
 * @typedef {object} Dense a dense layer, brought to one form
 * @property {number} outputs
 * @property {number} inputs
 * @property {[number, number]} kernel height and width
 * @property {[number, number]} stride
 * @property {boolean} same whether the input is padded so that only strides make it smaller
 * @property {boolean} relu
 * @property {(output: number, row: number, column: number, input: number) => number} weight
 * @property {Float32Array | null} scales of int8 weights, by output
 * @property {Float32Array} bias
 */

/** @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function dense(operator, tensors) {
  const [, kernels, biases] = operator.inputs.map((i) => tensors[i]);
  const values = /** @type {Float32Array | Int8Array} */ (kernels.values);
  const [height, width, inputs] = [...kernels.shape.slice(1, 3), kernels.shape[3]];
  const { options } = operator;
  return {
    outputs: kernels.shape[0], inputs, kernel: [height, width],
    stride: [options?.int(2) || 1, options?.int(1) || 1],
    same: options?.byte(0) !== VALID,
    relu: activation(options?.byte(3) ?? 0),
    weight: (o, y, x, i) => values[((o * height + y) * width + x) * inputs + i],
    scales: kernels.scales,
    bias: /** @type {Float32Array} */ (biases.values),
  };
}

/** A depthwise convolution of one channel is a dense one. @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function ofOneChannel(operator, tensors) {
  const [, kernels, biases] = operator.inputs.map((i) => tensors[i]);
  const values = /** @type {Float32Array | Int8Array} */ (kernels.values);
  const [, height, width, outputs] = kernels.shape;
  const { options } = operator;
  return {
    outputs, inputs: 1, kernel: [height, width],
    stride: [options?.int(2) || 1, options?.int(1) || 1],
    same: options?.byte(0) !== VALID,
    relu: activation(options?.byte(4) ?? 0),
    weight: (o, y, x) => values[(y * width + x) * outputs + o],
    scales: kernels.scales,
    bias: /** @type {Float32Array} */ (biases.values),
  };
}

/** @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function connected(operator, tensors) {
  const [, kernels, biases] = operator.inputs.map((i) => tensors[i]);
  const values = /** @type {Float32Array | Int8Array} */ (kernels.values);
  const [outputs, inputs] = kernels.shape;
  return {
    outputs, inputs, kernel: [1, 1], stride: [1, 1], same: false,
    relu: activation(operator.options?.byte(0) ?? 0),
    weight: (o, _y, _x, i) => values[o * inputs + i],
    scales: kernels.scales,
    bias: /** @type {Float32Array} */ (biases.values),
  };
}

/** Whether there is ReLU. @param {number} code of a fused activation */
export function activation(code) {
  if (code > RELU) throw new Error(`a network wants activation ${code}, which is not built here`);
  return code === RELU;
}

/** @param {Operator} operator @param {Tensor[]} tensors @param {Memory} memory @returns {Layer} */
export const convolution = (operator, tensors, memory) => layer(dense(operator, tensors), memory);

/** @param {Operator} operator @param {Tensor[]} tensors @param {Memory} memory @returns {Layer} */
export const stem = (operator, tensors, memory) => layer(ofOneChannel(operator, tensors), memory);

/** @param {Operator} operator @param {Tensor[]} tensors @param {Memory} memory @returns {Layer} */
export function connection(operator, tensors, memory) {
  const made = layer(connected(operator, tensors), memory);
  return ([[n, channels]]) => {
    const { shape: [, , , outputs], scratch, run } = made([[n, 1, 1, channels]]);
    return { shape: [n, outputs], scratch, run };
  };
}

/** @param {Dense} d @param {Memory} memory @returns {Layer} */
function layer(d, memory) {
  const pairs = Boolean(d.scales) && (d.kernel[1] * d.inputs) % 2 === 0;
  const weights = memory.put(pairs ? packed(d, 2, Int16Array) : packed(scaled(d), 1, Float32Array));
  const filled = Math.ceil(d.outputs / LANES) * LANES;
  const bias = memory.put(fill(d.bias, filled));
  const scales = pairs && d.scales ? memory.put(fill(d.scales, filled)) : 0;
  const record = memory.take(4 * FIELDS);
  return ([shape]) => plan(d, shape, memory, { weights, bias, scales, record });
}

/** @param {Dense} d @returns {Dense} with weights that are worth what they say */
function scaled(d) {
  const { scales, weight } = d;
  return scales ? { ...d, weight: (o, y, x, i) => weight(o, y, x, i) * scales[o] } : d;
}

/**
 * Eight outputs side by side, and with each as many of the numbers that follow each other as are taken at once.
 * @template {Float32Array | Int16Array} T
 * @param {Dense} d @param {number} together @param {new (n: number) => T} Values @returns {T}
 */
function packed(d, together, Values) {
  const run = d.kernel[1] * d.inputs;
  const made = new Values(Math.ceil(d.outputs / LANES) * LANES * d.kernel[0] * run);
  for (let o = 0; o < d.outputs; o += 1) {
    const block = (o - (o % LANES)) * d.kernel[0] * run;
    for (let y = 0; y < d.kernel[0]; y += 1) {
      for (let k = 0; k < run; k += 1) {
        const place = y * run + k;
        const group = (place - (place % together)) * LANES;
        made[block + group + (o % LANES) * together + (place % together)] = d.weight(o, y, Math.floor(k / d.inputs), k % d.inputs);
      }
    }
  }
  return made;
}

/** @param {Float32Array} values @param {number} length */
function fill(values, length) {
  const made = new Float32Array(length);
  made.set(values);
  return made;
}

/** Zeros before and after, and the size of the output. @param {Dense} d @param {number} size @param {0 | 1} axis */
function extent(d, size, axis) {
  const [kernel, stride] = [d.kernel[axis], d.stride[axis]];
  if (!d.same) return { before: 0, padded: size, output: Math.floor((size - kernel) / stride) + 1 };
  const output = Math.ceil(size / stride);
  const missing = Math.max(0, (output - 1) * stride + kernel - size);
  return { before: Math.floor(missing / 2), padded: size + missing, output };
}

/**
 * @param {Dense} d @param {number[]} shape @param {Memory} memory
 * @param {{weights: number, bias: number, scales: number, record: number}} at
 * @returns {import("./network.js").Planned}
 */
function plan(d, shape, memory, at) {
  const [n, height, width, channels] = shape;
  const [down, across] = [extent(d, height, 0), extent(d, width, 1)];
  const line = across.padded * channels;
  const sizes = { input: 4 * height * width * channels, output: 4 * down.output * across.output * d.outputs };
  const whole = at.scales ? 2 * height * width * channels + 16 : 0; // the kernel writes four at a time
  const isPadded = down.padded > height || across.padded > width;
  const border = isPadded ? (at.scales ? 2 : 4) * down.padded * line : 0;
  const frame = { down, across, line, isPadded, size: at.scales ? 2 : 4 };
  const fields = [
    at.weights, at.bias, 0, down.output * across.output, across.output, channels * d.stride[1], line * d.stride[0],
    d.kernel[1] * channels, d.kernel[0], line, d.outputs,
  ];
  const run = (/** @type {number[]} */ [input], /** @type {number} */ output, /** @type {number} */ scratch) => {
    for (let i = 0; i < n; i += 1) {
      const scale = at.scales ? memory.kernels.quantise(input + i * sizes.input, scratch, height * width * channels) : 0;
      const from = at.scales ? scratch : input + i * sizes.input;
      const taken = isPadded ? bordered(memory, from, scratch + Math.ceil(whole / 16) * 16, shape, frame) : from;
      write(memory, at, taken, output + i * sizes.output, fields, d.relu, scale);
      memory.kernels[at.scales ? "convolve_whole" : "convolve_floats"](at.record);
    }
  };
  return { shape: [n, down.output, across.output, d.outputs], scratch: Math.ceil(whole / 16) * 16 + border, run };
}

/**
 * Put zeros around a picture. @param {Memory} memory @param {number} from @param {number} to @param {number[]} shape
 * @param {{down: {before: number, padded: number}, across: {before: number}, line: number, size: number}} frame
 */
function bordered(memory, from, to, [, height, width, channels], { down, across, line, size }) {
  memory.bytes(to, size * down.padded * line).fill(0);
  const start = to + size * (down.before * line + across.before * channels);
  memory.kernels.copy(from, size * width * channels, start, size * line, size * width * channels, height);
  return to;
}

/**
 * Tell the kernel what to do: the struct Convolution of convolve.c.
 * @param {Memory} memory @param {{record: number, scales: number}} at @param {number} input @param {number} output
 * @param {number[]} fields @param {boolean} relu @param {number} scale
 */
function write(memory, at, input, output, fields, relu, scale) {
  const [ints, floats] = [new Int32Array(memory.buffer, at.record, FIELDS), memory.floats(at.record, FIELDS)];
  ints[0] = input;
  ints.set(fields, 1);
  ints[3] = output;
  floats[12] = relu ? 0 : LOWEST;
  floats[13] = scale;
  ints[14] = at.scales;
}
