// The other layers. Small ones, which stand at the ends of our networks, are computed here; the others by
// the kernels.

import { activation, convolution, stem } from "./convolution.js";

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./tflite.js").Operator} Operator */
/** @typedef {import("./tflite.js").Tensor} Tensor */
/** @typedef {import("./network.js").Layer} Layer */
/** @typedef {(operator: Operator, tensors: Tensor[], memory: Memory) => Layer} Maker */

const FLOAT = 4;

/** @param {number[]} shape */
export const size = (shape) => shape.reduce((product, side) => product * side, 1);

/** A constant operand. @param {Operator} operator @param {number} which @param {Tensor[]} tensors */
const constant = (operator, which, tensors) => Array.from(/** @type {Int32Array} */ (tensors[operator.inputs[which]].values));

/** @type {Maker} */
export function depthwise(operator, tensors, memory) {
  const [input, kernels, biases] = operator.inputs.map((i) => tensors[i]);
  const [, side, width, channels] = kernels.shape;
  if (input.shape[3] === 1) return stem(operator, tensors, memory);
  const { options } = operator;
  const fits = options?.int(1) === 1 && options.int(3) === 1 && options.byte(0) === 0 && side === width && channels % 4 === 0;
  if (!fits || kernels.scales) throw new Error("a network wants another depthwise convolution than is built here");
  const weights = memory.put(/** @type {Float32Array} */ (kernels.values));
  const bias = memory.put(/** @type {Float32Array} */ (biases.values));
  const record = memory.take(9 * FLOAT);
  const relu = Number(activation(options.byte(4)));
  return ([shape]) => ({
    shape,
    scratch: 0,
    run: ([from], to) => {
      const [, height, across] = shape;
      new Int32Array(memory.buffer, record, 9).set([from, weights, bias, to, height, across, channels, side, relu]);
      memory.kernels.depthwise(record);
    },
  });
}

/** @type {Maker} */
export function maxPool(operator, _tensors, memory) {
  const { options } = operator;
  if (![1, 2, 3, 4].every((field) => options?.int(field) === 2)) throw new Error("a network wants another pooling than 2x2");
  return ([[n, height, width, channels]]) => ({
    shape: [n, Math.floor(height / 2), Math.floor(width / 2), channels],
    scratch: 0,
    run: ([from], to) => memory.kernels.halve(from, to, n * height, width, channels),
  });
}

/** @type {Maker} */
export function add(operator, _tensors, memory) {
  const relu = Number(activation(operator.options?.byte(0) ?? 0));
  return ([shape]) => ({ shape, scratch: 0, run: ([a, b], to) => memory.kernels.add(a, b, to, size(shape), relu) });
}

/** @type {Maker} */
export function concatenation(operator, _tensors, memory) {
  const axis = operator.options?.int(0) ?? 0;
  return (shapes) => {
    const runs = shapes.map((shape) => FLOAT * size(shape.slice(axis)));
    const step = runs.reduce((sum, run) => sum + run, 0);
    const count = size(shapes[0].slice(0, axis));
    const shape = shapes[0].with(axis, shapes.reduce((sum, one) => sum + one[axis], 0));
    return { shape, scratch: 0, run: (inputs, to) => {
      inputs.reduce((at, from, i) => (memory.kernels.copy(from, runs[i], at, step, runs[i], count), at + runs[i]), to);
    } };
  };
}

/** @type {Maker} */
export function depthToSpace(operator, _tensors, memory) {
  const block = operator.options?.int(0) ?? 1;
  return ([[n, height, width, channels]]) => {
    const run = (FLOAT * channels) / block;
    return { shape: [n, height * block, width * block, channels / block ** 2], scratch: 0, run: ([from], to) => {
      for (let line = 0; line < n * height * block; line += 1) {
        const start = from + Math.floor(line / block) * width * FLOAT * channels + (line % block) * run;
        memory.kernels.copy(start, FLOAT * channels, to + line * width * run, run, run, width);
      }
    } };
  };
}

/** Zeros around the rows and columns. @type {Maker} */
export function pad(operator, tensors, memory) {
  const [, , top, bottom, left, right] = constant(operator, 1, tensors);
  return ([[n, height, width, channels]]) => {
    const shape = [n, height + top + bottom, width + left + right, channels];
    const [run, step] = [FLOAT * width * channels, FLOAT * shape[2] * channels];
    return { shape, scratch: 0, run: ([from], to) => {
      memory.bytes(to, FLOAT * size(shape)).fill(0);
      for (let i = 0; i < n; i += 1) {
        const start = to + step * (i * shape[1] + top) + FLOAT * left * channels;
        memory.kernels.copy(from + i * run * height, run, start, step, run, height);
      }
    } };
  };
}

/** @type {Maker} */
export const logistic = (_operator, _tensors, memory) => ([shape]) => ({
  shape,
  scratch: 0,
  run: ([from], to) => {
    const [x, y] = [memory.floats(from, size(shape)), memory.floats(to, size(shape))];
    for (let i = 0; i < x.length; i += 1) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
});

/** Run backwards along some axes. @type {Maker} */
export function reverse(operator, tensors, memory) {
  const axes = constant(operator, 1, tensors);
  return ([shape]) => rearranged(memory, shape, shape, (place) => place.map((x, axis) => (axes.includes(axis) ? shape[axis] - 1 - x : x)));
}

/** @type {Maker} */
export function transpose(operator, tensors, memory) {
  const order = constant(operator, 1, tensors);
  return ([shape]) => rearranged(memory, shape, order.map((axis) => shape[axis]), (place) => order.map((axis) => place[axis]));
}

/** @type {Maker} */
export function mean(operator, tensors, memory) {
  const axes = constant(operator, 1, tensors);
  const kept = Boolean(operator.options?.byte(0));
  return ([shape]) => {
    const flat = shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
    const to = destinations(shape, flat, (place) => place.map((x, axis) => (axes.includes(axis) ? 0 : x)));
    const share = size(shape) / size(flat);
    return { shape: kept ? flat : shape.filter((_, axis) => !axes.includes(axis)), scratch: 0, run: ([from], at) => {
      const [x, y] = [memory.floats(from, size(shape)), memory.floats(at, size(flat))];
      y.fill(0);
      for (let i = 0; i < x.length; i += 1) y[to[i]] += x[i];
      for (let i = 0; i < y.length; i += 1) y[i] /= share;
    } };
  };
}

/** @param {Memory} memory @param {number[]} shape @param {number[]} target @param {(place: number[]) => number[]} where */
function rearranged(memory, shape, target, where) {
  const to = destinations(shape, target, where);
  return { shape: target, scratch: 0, run: (/** @type {number[]} */ [from], /** @type {number} */ at) => {
    const [x, y] = [memory.floats(from, size(shape)), memory.floats(at, size(shape))];
    for (let i = 0; i < x.length; i += 1) y[to[i]] = x[i];
  } };
}

/** Where each number goes. @param {number[]} shape @param {number[]} target @param {(place: number[]) => number[]} where */
function destinations(shape, target, where) {
  return Int32Array.from({ length: size(shape) }, (_, i) => {
    const place = shape.map((side, axis) => Math.floor(i / size(shape.slice(axis + 1))) % side);
    return where(place).reduce((sum, x, axis) => sum * target[axis] + x, 0);
  });
}

export { convolution };
