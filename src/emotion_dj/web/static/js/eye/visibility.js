// What cannot be seen is not named: vision/visibility.py, whose numbers come along in the card.

/** @typedef {import("./boxes.js").Found} Found */
/**
 * @typedef {object} VisibilityCard what its names mean stands in vision/visibility.py
 * @property {number} low_score @property {[number, number]} scores @property {[number, number]} trusts
 * @property {number} chin @property {number} forehead @property {number} outside
 * @property {Record<string, number>} trust @property {string[]} abstain
 */
/** @typedef {{emotions: Record<string, number>, emotion: string, abstained: boolean, reasons: {code: string}[]}} Reading */

/**
 * A reading of a face in a picture, as certain as what is seen allows.
 * @param {Reading} reading @param {Found} face @param {{width: number, height: number}} size
 * @param {number} abstainBelow @param {VisibilityCard} card @returns {Reading}
 */
export function judged(reading, face, size, abstainBelow, card) {
  const codes = [
    ...reading.reasons.map(({ code }) => code),
    ...(isCutOff(face, size, card) ? ["cut_off"] : []),
    ...(face.score < card.low_score ? ["low_score"] : []),
  ];
  const trust = codes.reduce((product, code) => product * (card.trust[code] ?? 1), ofScore(face.score, card));
  const entries = Object.entries(reading.emotions);
  const emotions = Object.fromEntries(entries.map(([emotion, p]) => [emotion, trust * p + (1 - trust) / entries.length]));
  const unclear = Math.max(...Object.values(emotions)) < abstainBelow || codes.some((code) => card.abstain.includes(code));
  return { ...reading, emotions, abstained: reading.abstained || unclear, reasons: codes.map((code) => ({ code })) };
}

/** Whether chin or forehead are outside of the picture. @param {Found} face @param {{width: number, height: number}} size @param {VisibilityCard} card */
function isCutOff({ landmarks }, size, card) {
  const middle = (/** @type {0 | 1} */ axis, /** @type {number} */ first) => (landmarks[first][axis] + landmarks[first + 1][axis]) / 2;
  const outside = (/** @type {0 | 1} */ axis, /** @type {number} */ length) => {
    const [eyes, mouth] = [middle(axis, 0), middle(axis, 3)];
    const ends = [mouth + card.chin * (mouth - eyes), eyes - card.forehead * (mouth - eyes)];
    return Math.max(...ends.map((end) => Math.max(-end, end - length)));
  };
  const way = Math.hypot(middle(0, 3) - middle(0, 0), middle(1, 3) - middle(1, 0));
  return Math.max(outside(0, size.width), outside(1, size.height)) > card.outside * way;
}

/** How much a detection of this score is trusted. @param {number} score @param {VisibilityCard} card */
function ofScore(score, { scores: [low, high], trusts: [least, most] }) {
  return least + (most - least) * Math.max(0, Math.min(1, (score - low) / (high - low)));
}
