// Reads a .tflite file, as far as our networks need: tensors, their constants, operators and options.
// A table of a flatbuffer says by a vtable where its fields are; the numbers of fields are those of the
// schema of LiteRT (schema.fbs).

const FLOAT32 = 0;
const INT32 = 2;
const INT8 = 9;

/** @type {Record<number, new (buffer: ArrayBuffer) => Values>} */
const ARRAYS = { [FLOAT32]: Float32Array, [INT32]: Int32Array, [INT8]: Int8Array };

const KINDS = new Map([
  [0, "ADD"], [2, "CONCATENATION"], [3, "CONV_2D"], [4, "DEPTHWISE_CONV_2D"], [5, "DEPTH_TO_SPACE"], [9, "FULLY_CONNECTED"],
  [14, "LOGISTIC"], [17, "MAX_POOL_2D"], [34, "PAD"], [39, "TRANSPOSE"], [40, "MEAN"], [105, "REVERSE_V2"],
]);

/** @typedef {Float32Array | Int32Array | Int8Array} Values */
/** @typedef {{shape: number[], signature: number[], values: Values | null, scales: Float32Array | null}} Tensor values: of a constant */
/** @typedef {{kind: string, inputs: number[], outputs: number[], options: Table | null}} Operator */
/** @typedef {{tensors: Tensor[], operators: Operator[], inputs: number[], outputs: number[]}} Model */

/** A table: each of its fields by its number. */
export class Table {
  /** @param {DataView} view @param {number} at */
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.fields = at - view.getInt32(at, true);
  }

  /** Where a field is, 0 where it is left out. @param {number} field */
  #place(field) {
    const entry = 4 + 2 * field;
    if (entry >= this.view.getUint16(this.fields, true)) return 0;
    const offset = this.view.getUint16(this.fields + entry, true);
    return offset && this.at + offset;
  }

  /** @param {number} field */
  byte(field) {
    const place = this.#place(field);
    return place ? this.view.getInt8(place) : 0;
  }

  /** @param {number} field @param {number} [otherwise] */
  int(field, otherwise = 0) {
    const place = this.#place(field);
    return place ? this.view.getInt32(place, true) : otherwise;
  }

  /** @param {number} field */
  long(field) {
    const place = this.#place(field);
    return place ? Number(this.view.getBigUint64(place, true)) : 0;
  }

  /** @param {number} field @returns {Table | null} */
  table(field) {
    const place = this.#place(field);
    return place ? new Table(this.view, place + this.view.getUint32(place, true)) : null;
  }

  /** @param {number} field @returns {[number, number]} where a vector begins, and its length */
  vector(field) {
    const place = this.#place(field);
    if (!place) return [0, 0];
    const start = place + this.view.getUint32(place, true);
    return [start + 4, this.view.getUint32(start, true)];
  }

  /** @param {number} field */
  ints(field) {
    const [start, length] = this.vector(field);
    return Array.from({ length }, (_, i) => this.view.getInt32(start + 4 * i, true));
  }

  /** @param {number} field */
  tables(field) {
    const [start, length] = this.vector(field);
    const places = Array.from({ length }, (_, i) => start + 4 * i);
    return places.map((place) => new Table(this.view, place + this.view.getUint32(place, true)));
  }
}

/**
 * Raises an Error where the file is none, or wants an operator that is not built here.
 * @param {ArrayBuffer} file @returns {Model}
 */
export function parse(file) {
  const view = new DataView(file);
  const model = new Table(view, view.getUint32(0, true));
  const [graph] = model.tables(2);
  const buffers = model.tables(4);
  const kinds = model.tables(1).map((code) => Math.max(code.byte(0), code.int(3)));
  return {
    tensors: graph.tables(0).map((tensor) => tensorOf(tensor, buffers)),
    operators: graph.tables(3).map((operator) => operatorOf(operator, kinds)),
    inputs: graph.ints(1),
    outputs: graph.ints(2),
  };
}

/** @param {Table} table @param {Table[]} buffers @returns {Tensor} */
function tensorOf(table, buffers) {
  const shape = table.ints(0);
  const signature = table.ints(7);
  const quantization = table.table(4);
  const [start, length] = quantization?.vector(2) ?? [0, 0];
  return {
    shape,
    signature: signature.length ? signature : shape,
    values: constant(buffers[table.int(2)], table.byte(1)),
    scales: length ? new Float32Array(table.view.buffer.slice(start, start + 4 * length)) : null,
  };
}

/** What a buffer holds; large ones lie behind the tables. @param {Table} buffer @param {number} type @returns {Values | null} */
function constant(buffer, type) {
  let [start, length] = buffer.vector(0);
  if (!length && buffer.long(2)) [start, length] = [buffer.long(1), buffer.long(2)];
  if (!length) return null;
  const Values = ARRAYS[type];
  if (!Values) throw new Error(`a network holds constants of type ${type}, which is not built here`);
  return new Values(/** @type {ArrayBuffer} */ (buffer.view.buffer.slice(start, start + length)));
}

/** @param {Table} table @param {number[]} kinds @returns {Operator} */
function operatorOf(table, kinds) {
  const code = kinds[table.int(0)];
  const kind = KINDS.get(code);
  if (!kind) throw new Error(`a network wants operator ${code}, which is not built here`);
  return { kind, inputs: table.ints(1), outputs: table.ints(2), options: table.table(4) };
}
