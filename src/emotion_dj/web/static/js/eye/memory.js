// The memory of the WebAssembly kernels: weights at the bottom for good, above them what one task needs.

const PAGE = 65_536;
const ALIGNED = 16;

/**
 * @typedef {object} Kernels what eye.wasm exports; pointers are offsets into its memory
 * @property {WebAssembly.Memory} memory
 * @property {WebAssembly.Global} __heap_base
 * @property {(record: number) => void} convolve_floats
 * @property {(record: number) => void} convolve_whole
 * @property {(record: number) => void} depthwise
 * @property {(input: number, output: number, height: number, width: number, channels: number) => void} halve
 * @property {(a: number, b: number, output: number, n: number, relu: number) => void} add
 * @property {(from: number, fromStep: number, to: number, toStep: number, run: number, count: number) => void} copy
 * @property {(input: number, output: number, n: number) => number} quantise
 * @property {(input: number, width: number, height: number, output: number, left: number, top: number, right: number, bottom: number) => void} grey
 * @property {(input: number, width: number, height: number, output: number, across: number, down: number) => void} reduce
 * @property {(table: number, size: number, from: number, to: number, count: number, most: number) => void} triangle
 * @property {(input: number, width: number, lines: number, output: number, table: number, count: number, most: number) => void} across
 * @property {(input: number, width: number, lines: number, output: number, table: number, count: number, most: number) => void} across_grey
 * @property {(input: number, width: number, output: number, table: number, count: number, most: number) => void} down
 * @property {(input: number, width: number, height: number, output: number, paddedWidth: number, paddedHeight: number) => void} colours
 */

export class Memory {
  /** @param {WebAssembly.Module} module */
  constructor(module) {
    const { exports } = new WebAssembly.Instance(module);
    this.kernels = /** @type {Kernels} */ (/** @type {unknown} */ (exports));
    this.top = Number(this.kernels.__heap_base.value);
  }

  /** Take a number of bytes; throws RangeError where there are no more. @param {number} bytes */
  take(bytes) {
    const at = Math.ceil(this.top / ALIGNED) * ALIGNED;
    const missing = at + bytes - this.buffer.byteLength;
    if (missing > 0) this.kernels.memory.grow(Math.ceil(missing / PAGE));
    this.top = at + bytes;
    return at;
  }

  /** Do something, and let go of all that it took. @template T @param {() => T} task @returns {T} */
  within(task) {
    const before = this.top;
    try {
      return task();
    } finally {
      this.top = before;
    }
  }

  /** Keep a copy of these values. @param {Float32Array | Int32Array | Int16Array | Uint8Array | Uint8ClampedArray} values */
  put(values) {
    const at = this.take(values.byteLength);
    this.bytes(at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  get buffer() {
    return this.kernels.memory.buffer;
  }

  /** A view until the memory grows. @param {number} at @param {number} length */
  floats(at, length) {
    return new Float32Array(this.buffer, at, length);
  }

  /** A view until the memory grows. @param {number} at @param {number} length */
  bytes(at, length) {
    return new Uint8Array(this.buffer, at, length);
  }
}
