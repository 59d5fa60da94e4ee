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
 * @property {Float32Array | Int8Array} weights by output, row, column, input
 * @property {Float32Array | null} scales of int8 weights, by output
 * @property {Float32Array} bias
 */

/** Weights and biases, as constants. @param {Operator} operator @param {Tensor[]} tensors */
function constants(operator, tensors) {
  const [, kernels, biases] = operator.inputs.map((i) => tensors[i]);
  return {
    shape: kernels.shape,
    weights: /** @type {Float32Array | Int8Array} */ (kernels.values),
    scales: kernels.scales,
    bias: /** @type {Float32Array} */ (biases.values),
  };
}

/** @param {import("./tflite.js").Table | null} options @returns {Pick<Dense, "same" | "stride">} */
const sliding = (options) => ({ same: options?.byte(0) !== VALID, stride: [options?.int(2) || 1, options?.int(1) || 1] });

/** @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function dense(operator, tensors) {
  const { shape: [outputs, height, width, inputs], ...rest } = constants(operator, tensors);
  return { ...rest, ...sliding(operator.options), outputs, inputs, kernel: [height, width], relu: activation(operator.options?.byte(3) ?? 0) };
}

/** A depthwise convolution of one channel is a dense one. @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function ofOneChannel(operator, tensors) {
  const { shape: [, height, width, outputs], weights, ...rest } = constants(operator, tensors);
  const turned = weights.map((_, i) => weights[(i % (height * width)) * outputs + Math.floor(i / (height * width))]);
  const relu = activation(operator.options?.byte(4) ?? 0);
  return { ...rest, ...sliding(operator.options), weights: turned, outputs, inputs: 1, kernel: [height, width], relu };
}

/** @param {Operator} operator @param {Tensor[]} tensors @returns {Dense} */
function connected(operator, tensors) {
  const { shape: [outputs, inputs], ...rest } = constants(operator, tensors);
  return { ...rest, outputs, inputs, kernel: [1, 1], stride: [1, 1], same: false, relu: activation(operator.options?.byte(0) ?? 0) };
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

/** What the weights are worth. @param {Dense} d @returns {Dense} */
function scaled(d) {
  const { scales, weights } = d;
  const each = weights.length / d.outputs;
  return scales ? { ...d, weights: Float32Array.from(weights, (weight, i) => weight * scales[Math.floor(i / each)]) } : d;
}

/**
 * Eight outputs side by side, and with each as many of the numbers that follow each other as are taken at once.
 * @template {Float32Array | Int16Array} T
 * @param {Dense} d @param {number} together @param {new (n: number) => T} Values @returns {T}
 */
function packed({ weights, outputs }, together, Values) {
  const each = weights.length / outputs;
  const made = new Values(Math.ceil(outputs / LANES) * LANES * each);
  for (let output = 0; output < outputs; output += 1) {
    const lane = output % LANES;
    const start = (output - lane) * each + lane * together;
    for (let k = 0; k < each; k += 1) {
      const within = k % together;
      made[start + (k - within) * LANES + within] = weights[output * each + k];
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
