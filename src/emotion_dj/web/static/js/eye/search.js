// Where the faces are: the upright search of vision/search.py and vision/yunet.py. Every number comes from there.

import { shrunk } from "./pixels.js";

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {import("./pixels.js").Box} Box */
/** @typedef {{box: Box, score: number, landmarks: [number, number][]}} Found in pixels of the picture */
/**
 * @typedef {object} SearchCard
 * @property {number[]} sides longest sides at which a picture is searched, coarse to fine
 * @property {number} frame the longest side of a camera's picture, which is searched finer only if nobody is found
 * @property {number} min_score
 * @property {Record<string, number>} surer the least score of what a finer search adds
 * @property {number} hint what scores so much and is not believed makes a finer search worth while
 * @property {number} coarsest the least width of a face in the coarsest search, in its pixels
 * @property {number} finer the least width of what a finer search adds, in its pixels
 * @property {number} worth how much finer the picture must be for another search
 * @property {number} same the share of the smaller box that two boxes of one face have in common
 * @property {number} overlap the share of their union of which only the surer of two boxes is kept
 * @property {number} multiple of the sides of the network's input
 * @property {number[]} strides
 * @property {number} gap
 */

const COLOURS = 3;
const CHANNELS = 16;

/**
 * Search ever larger copies and gather what they show, largest first.
 * @param {Memory} memory @param {Network} network @param {Picture} picture @param {SearchCard} card @returns {Found[]}
 */
export function search(memory, network, picture, card) {
  /** @type {Found[]} */
  let faces = [];
  const largest = shrunk(memory, picture, card.sides[card.sides.length - 1], card.gap); // once: it takes a while
  for (const side of card.sides) {
    const { small, factor: part } = shrunk(memory, largest.small, side, card.gap);
    const factor = part * largest.factor;
    const { narrowest, surest } = bar(side, factor, faces.length > 0, card);
    const seen = once(memory, network, small, card);
    const found = seen.filter((face) => face.score >= surest && face.box[2] > narrowest);
    faces = merged(faces, found.map((face) => scaled(face, factor)), card.same);
    const somebody = faces.length > 0;
    if (factor <= (somebody ? card.worth : 1)) break;
    if (somebody && Math.max(picture.width, picture.height) <= card.frame && !hints(seen, faces, factor, card)) break;
  }
  return faces.sort((a, b) => area(b.box) - area(a.box));
}

/**
 * How wide and how sure a face must be to be believed.
 * @param {number} side @param {number} factor @param {boolean} somebody @param {SearchCard} card
 */
function bar(side, factor, somebody, card) {
  const [coarse, middle] = card.sides;
  if (side === coarse) return { narrowest: factor > 1 ? card.coarsest : 0, surest: card.min_score };
  return { narrowest: card.finer, surest: side === middle && !somebody ? card.min_score : card.surer[side] };
}

/**
 * Whether a search shows what may be a face beside those that are believed.
 * @param {Found[]} seen @param {Found[]} faces @param {number} factor @param {SearchCard} card
 */
const hints = (seen, faces, factor, card) =>
  seen.some((other) => faces.every((face) => ofSmaller(face.box, scaled(other, factor).box) <= card.same));

/** @param {Found} face @param {number} factor @returns {Found} */
const scaled = ({ box, score, landmarks }, factor) => ({
  box: /** @type {Box} */ (box.map((value) => value * factor)),
  score,
  landmarks: landmarks.map(([x, y]) => [x * factor, y * factor]),
});

/** Add the new faces; of one that was seen already the surer box is kept. @param {Found[]} faces @param {Found[]} finer @param {number} same */
function merged(faces, finer, same) {
  const all = [...faces];
  for (const face of finer) {
    const rivals = faces.flatMap((known, i) => (ofSmaller(known.box, face.box) > same ? [i] : []));
    if (!rivals.length) all.push(face);
    else if (rivals.length === 1 && alike(faces[rivals[0]].box, face.box) && face.score > faces[rivals[0]].score) all[rivals[0]] = face;
  }
  return all;
}

/** @param {Box} box */
const area = ([, , w, h]) => w * h;

/** @param {Box} a @param {Box} b */
function common(a, b) {
  const sides = [0, 1].map((axis) => Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - Math.max(a[axis], b[axis]));
  return Math.max(0, sides[0]) * Math.max(0, sides[1]);
}

/** How much of the smaller box lies in the other. @param {Box} a @param {Box} b */
const ofSmaller = (a, b) => common(a, b) / Math.max(1e-9, Math.min(area(a), area(b)));

/** Whether two boxes are of about one size: an eye is no other view of its face. @param {Box} a @param {Box} b */
const alike = (a, b) => Math.max(a[2], b[2]) < 2 * Math.min(a[2], b[2]);

/** One search: all that may be faces, the surest first, each of them once. @param {Memory} memory @param {Network} network @param {Picture} picture @param {SearchCard} card */
export function once(memory, network, picture, card) {
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
  return { box: [stride * (x + values[2] - w / 2), stride * (y + values[3] - h / 2), stride * w, stride * h], score, landmarks };
}

/** @param {Found[]} faces @param {number} overlap @returns {Found[]} */
function distinct(faces, overlap) {
  /** @type {Found[]} */
  const kept = [];
  for (const one of faces.sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => ofUnion(other.box, one.box) <= overlap)) kept.push(one);
  }
  return kept;
}

/** @param {Box} a @param {Box} b */
const ofUnion = (a, b) => common(a, b) / (area(a) + area(b) - common(a, b));
