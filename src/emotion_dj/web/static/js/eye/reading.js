// What a face shows, and what a room of faces does: vision/emotion.py and affect.py, whose numbers come
// along in the cards.

import { cropped } from "./pixels.js";
import { judged } from "./visibility.js";

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {import("./boxes.js").Found} Found */
/** @typedef {import("./visibility.js").Reading} Reading */
/** @typedef {{id: string, labels: string[], side: number, crop: number, reach: number, epsilon: number, temperature: number, abstain_below: number, hidden: string[], visibility: import("./visibility.js").VisibilityCard, resting: import("./resting.js").RestingCard}} ReaderCard */
/** @typedef {{emotions: Record<string, [number, number]>, arousal_weight: number, certain: number}} AffectCard emotion -> valence, arousal */
/** @typedef {{valence: number, arousal: number, uncertainty: number}} Point */

const BYTE = 255;

/** @param {Memory} memory @param {Network} network @param {Picture} picture @param {Found} face @param {ReaderCard} card @returns {Reading} */
export function reading(memory, network, picture, face, card) {
  const pixels = standardised(cropped(memory, picture, face, card), card.epsilon);
  const [scores, hidden] = network.run([1, card.side, card.side, 1], (at) => memory.floats(at, pixels.length).set(pixels));
  const reasons = card.hidden.filter((_, i) => hidden && hidden.values[i] > 0).map((code) => ({ code }));
  return judged({ ...calibrated(Array.from(scores.values), card), reasons }, face, picture, card.abstain_below, card.visibility);
}

/** Bring a grey face to mean 0 and deviation 1. @param {Uint8Array} pixels @param {number} epsilon */
export function standardised(pixels, epsilon) {
  const mean = average(pixels);
  const deviation = Math.sqrt(average(Array.from(pixels, (x) => (x - mean) ** 2)));
  return Float32Array.from(pixels, (x) => (x - mean) / BYTE / (deviation / BYTE + epsilon));
}

/** @param {Uint8Array | number[]} values */
function average(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** @param {number[]} logits @param {ReaderCard} card @returns {Omit<Reading, "reasons">} */
export function calibrated(logits, { labels, temperature, abstain_below: least }) {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const probabilities = powers.map((power) => power / total);
  const most = Math.max(...probabilities);
  return {
    emotions: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]])),
    emotion: labels[probabilities.indexOf(most)],
    abstained: most < least,
  };
}

/**
 * The affect of everyone together; large and certain faces count more. There must be one at least.
 * @param {(Found & Reading)[]} faces @param {AffectCard} card @returns {Point}
 */
export function aggregate(faces, card) {
  const sure = faces.filter(({ abstained }) => !abstained);
  const counted = sure.length ? sure : faces;
  const points = counted.map((face) => ofReading(face, card));
  return mean(points, counted.map(({ box }, i) => box[2] * box[3] * (card.certain - points[i].uncertainty)), card);
}

/** The expected affect, and how little is certain. @param {Pick<Reading, "emotions">} reading @param {AffectCard} card @returns {Point} */
export function ofReading({ emotions }, card) {
  const shares = Object.entries(emotions);
  const entropy = shares.reduce((sum, [, p]) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  const axis = (/** @type {0 | 1} */ i) => shares.reduce((sum, [emotion, p]) => sum + p * card.emotions[emotion][i], 0);
  return { valence: within(axis(0)), arousal: within(axis(1)), uncertainty: Math.min(1, entropy / Math.log(shares.length)) };
}

/** @param {number} value */
const within = (value) => Math.max(-1, Math.min(1, value));

/** @param {Point[]} points @param {number[]} weights @param {AffectCard} card @returns {Point} */
function mean(points, weights, { arousal_weight: weight }) {
  const total = weights.reduce((sum, x) => sum + x, 0);
  const shares = weights.map((x) => (total > 0 ? x / total : 1 / weights.length));
  const over = (/** @type {(point: Point) => number} */ what) => points.reduce((sum, point, i) => sum + shares[i] * what(point), 0);
  const [valence, arousal] = [over((point) => point.valence), over((point) => point.arousal)];
  const between = over((point) => (point.valence - valence) ** 2 + weight * (point.arousal - arousal) ** 2);
  return { valence, arousal, uncertainty: Math.min(1, Math.sqrt(over((point) => point.uncertainty ** 2) + between)) };
}
