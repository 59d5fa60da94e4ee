// The resting face: vision/resting.py, whose numbers come along in the card. Nothing of the calm picture
// is needed but what was read of it, and no identity is computed.

import { aggregate } from "./reading.js";

const SEVEN = 7;

/** @typedef {import("./reading.js").ReaderCard} ReaderCard */
/** @typedef {{smile: number, strength: number, floor: number, calm: Record<string, number>}} RestingCard what its names mean stands in vision/resting.py */
/** @typedef {Record<string, number>} Resting emotion -> probability */
/** @typedef {import("./visibility.js").Reading & {box: number[], score: number}} Face */

/**
 * A person's reading as it differs from that of their resting face.
 * @template {import("./visibility.js").Reading} T
 * @param {T} reading @param {Resting} resting @param {ReaderCard} card @returns {T}
 */
export function relative(reading, resting, { resting: { strength, floor, calm }, abstain_below: least }) {
  const scores = Object.entries(reading.emotions).map(([emotion, p]) =>
    Math.log(Math.max(p, 1e-9)) + strength * (Math.log(calm[emotion] + floor) - Math.log(resting[emotion] + floor)));
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const [labels, hidden] = [Object.keys(reading.emotions), reading.abstained && reading.reasons.length > 0];
  return {
    ...reading,
    emotions: Object.fromEntries(labels.map((label, i) => [label, powers[i] / total])),
    emotion: labels[scores.indexOf(top)],
    abstained: hidden || 1 / total < least,
  };
}

/**
 * What was seen as it differs from the listener's resting face: the first face, and so the room.
 * @template {{faces: Face[]}} T
 * @param {T} seen @param {Resting} resting @param {import("./core.js").Card} card @returns {T}
 */
export function atRest(seen, resting, card) {
  const [first, ...others] = seen.faces;
  const faces = [relative(first, resting, card.reader), ...others];
  return { ...seen, faces, affect: aggregate(/** @type {any} */ (faces), card.affect) };
}

/** Whether what was kept is a resting face. @param {unknown} kept @returns {boolean} */
export function isResting(kept) {
  const shares = Object.values(kept ?? {});
  return shares.length === SEVEN && shares.every((share) => typeof share === "number" && share >= 0 && share <= 1);
}

/** Whether a reading can be a resting face: of one person, seen, and no smile. @param {Face[]} faces @param {ReaderCard} card */
export const isRestful = (faces, { resting: { smile } }) =>
  faces.length === 1 && !(faces[0].abstained && faces[0].reasons.length) && faces[0].emotions.happy <= smile;
