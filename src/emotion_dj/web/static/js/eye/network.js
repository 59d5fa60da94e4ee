// A network out of a .tflite file, for inputs of any size that it allows.
//
// Weights are packed once. What a size needs is planned once: the shapes, and where in memory each
// tensor stands, so that those that live at different times share their place.

import { connection, convolution } from "./convolution.js";
import * as layers from "./layers.js";
import { parse } from "./tflite.js";

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {{shape: number[], scratch: number, run: (inputs: number[], output: number, scratch: number) => void}} Planned */
/** @typedef {(shapes: number[][]) => Planned} Layer what a layer does with inputs of these shapes */
/** @typedef {{inputs: number[], output: number, scratch: number, run: Planned["run"]}} Step by tensor number */
/** @typedef {{bytes: number, places: Map<number, number>, shapes: Map<number, number[]>, steps: Step[]}} Plan */

const FLOAT = 4;
const ALIGNED = 64;

/** @type {Record<string, layers.Maker>} */
const MAKERS = {
  ADD: layers.add,
  CONCATENATION: layers.concatenation,
  CONV_2D: convolution,
  DEPTHWISE_CONV_2D: layers.depthwise,
  DEPTH_TO_SPACE: layers.depthToSpace,
  FULLY_CONNECTED: connection,
  LOGISTIC: layers.logistic,
  MAX_POOL_2D: layers.maxPool,
  MEAN: layers.mean,
  PAD: layers.pad,
  REVERSE_V2: layers.reverse,
  TRANSPOSE: layers.transpose,
};

export class Network {
  /** Throws an Error where the file is none or wants what is not built here. @param {Memory} memory @param {ArrayBuffer} file */
  constructor(memory, file) {
    this.memory = memory;
    this.model = parse(file);
    const { operators, tensors } = this.model;
    this.layers = operators.map((operator) => MAKERS[operator.kind](operator, tensors, memory));
    for (const tensor of tensors) if (tensor.values instanceof Int8Array) tensor.values = new Int8Array(); // packed now
    /** @type {Map<string, Plan>} */
    this.plans = new Map();
  }

  /**
   * Run it on an input of this shape. The outputs are views that hold until the memory is used again.
   * @param {number[]} shape
   * @param {(input: number) => void} fill writes the floats of the input to where it is told
   * @param {number[]} [wanted] tensors to look at; the outputs if left out
   * @returns {{shape: number[], values: Float32Array}[]}
   */
  run(shape, fill, wanted = this.model.outputs) {
    const plan = this.#plan(shape, wanted);
    return this.memory.within(() => {
      const start = this.memory.take(plan.bytes);
      const at = (/** @type {number} */ tensor) => start + (plan.places.get(tensor) ?? 0);
      fill(at(this.model.inputs[0]));
      plan.steps.forEach(({ inputs, output, scratch, run }) => run(inputs.map(at), at(output), at(scratch)));
      return wanted.map((tensor) => {
        const sides = plan.shapes.get(tensor) ?? [];
        return { shape: sides, values: this.memory.floats(at(tensor), layers.size(sides)) };
      });
    });
  }

  /** @param {number[]} shape @param {number[]} wanted @returns {Plan} */
  #plan(shape, wanted) {
    const key = `${shape}/${wanted}`;
    const plan = this.plans.get(key) ?? this.#lay(shape, wanted);
    this.plans.set(key, plan);
    return plan;
  }

  /** @param {number[]} shape @param {number[]} wanted @returns {Plan} */
  #lay(shape, wanted) {
    const { inputs: [input], operators, tensors } = this.model;
    const shapes = new Map([[input, shape]]);
    const needs = [{ tensor: input, bytes: room(shape), from: -1, to: -1 }];
    const steps = operators.map((operator, i) => {
      const inputs = operator.inputs.filter((tensor) => !tensors[tensor].values);
      const planned = this.layers[i](inputs.map((tensor) => shapes.get(tensor) ?? []));
      const [output] = operator.outputs;
      shapes.set(output, planned.shape);
      needs.push({ tensor: output, bytes: room(planned.shape), from: i, to: i });
      needs.push({ tensor: -1 - i, bytes: planned.scratch, from: i, to: i });
      for (const need of needs) if (inputs.includes(need.tensor)) need.to = i;
      return { inputs, output, scratch: -1 - i, run: planned.run };
    });
    for (const need of needs) if (wanted.includes(need.tensor)) need.to = operators.length;
    return { ...placed(needs), shapes, steps };
  }
}

/** @param {number[]} shape */
const room = (shape) => FLOAT * layers.size(shape);

/**
 * Give each need the lowest place that nobody has at its time, the largest first.
 * @param {{tensor: number, bytes: number, from: number, to: number}[]} needs
 * @returns {{bytes: number, places: Map<number, number>}}
 */
function placed(needs) {
  /** @type {{at: number, end: number, from: number, to: number, tensor: number}[]} */
  const done = [];
  for (const { tensor, bytes, from, to } of needs.toSorted((a, b) => b.bytes - a.bytes)) {
    const rivals = done.filter((other) => other.from <= to && from <= other.to).sort((a, b) => a.at - b.at);
    let at = 0;
    for (const other of rivals) if (at + bytes > other.at) at = Math.max(at, other.end);
    done.push({ at, end: at + Math.ceil(bytes / ALIGNED) * ALIGNED, from, to, tensor });
  }
  return { bytes: Math.max(...done.map(({ end }) => end)), places: new Map(done.map(({ tensor, at }) => [tensor, at])) };
}
