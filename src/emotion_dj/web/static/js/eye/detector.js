// One search with YuNet: vision/yunet.py.

import { ofUnion } from "./boxes.js";

/** @typedef {import("./boxes.js").Found} Found */
/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {import("./search.js").SearchCard} SearchCard */

const COLOURS = 3;
const CHANNELS = 16;

/**
 * Everything that may be a face, doubtful ones included: the surest first, each of them once.
 * @param {Memory} memory @param {Network} network @param {Picture} picture @param {SearchCard} card
 */
export function detected(memory, network, picture, card) {
  const [height, width] = [picture.height, picture.width].map((side) => card.multiple * Math.ceil(side / card.multiple));
  const outputs = network.run([1, height, width, COLOURS], (at) =>
    memory.kernels.colours(picture.at, picture.width, picture.height, at, width, height));
  return distinct(outputs.flatMap(({ shape, values }, i) => decoded(values, shape[2], card.strides[i], card.hint)), card.overlap);
}

/** @param {Float32Array} values @param {number} columns @param {number} stride @param {number} least @returns {Found[]} */
function decoded(values, columns, stride, least) {
  /** @type {Found[]} */
  const found = [];
  for (let place = 0; place * CHANNELS < values.length; place += 1) {
    const at = place * CHANNELS;
    const score = Math.sqrt(sigmoid(values[at]) * sigmoid(values[at + 1]));
    if (score >= least) found.push(face(values.subarray(at, at + CHANNELS), place % columns, Math.floor(place / columns), stride, score));
  }
  return found;
}

/** @param {number} logit */
const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

/** @param {Float32Array} values @param {number} x @param {number} y @param {number} stride @param {number} score @returns {Found} */
function face(values, x, y, stride, score) {
  const [w, h] = [Math.exp(values[4]), Math.exp(values[5])];
  const landmarks = [6, 8, 10, 12, 14].map((i) => /** @type {[number, number]} */ ([stride * (x + values[i]), stride * (y + values[i + 1])]));
  const box = /** @type {Found["box"]} */ ([x + values[2] - w / 2, y + values[3] - h / 2, w, h].map((value) => stride * value));
  return { box, score, landmarks, turned: 0 };
}

/** @param {Found[]} faces @param {number} overlap @returns {Found[]} */
function distinct(faces, overlap) {
  /** @type {Found[]} */
  const kept = [];
  for (const one of faces.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => ofUnion(other.box, one.box) <= overlap)) kept.push(one);
  }
  return kept;
}
