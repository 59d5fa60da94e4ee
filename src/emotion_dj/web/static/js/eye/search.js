// Where to look for faces: at several sizes, part by part, and at other turns. The search of
// vision/search.py; every number comes from there.

import { largestFirst, merged, ofSmaller, scaled, shifted } from "./boxes.js";
import { detected } from "./detector.js";
import { shrunk } from "./pixels.js";
import { part, turned } from "./turn.js";

/** @typedef {import("./boxes.js").Found} Found */
/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./network.js").Network} Network */
/** @typedef {import("./pixels.js").Picture} Picture */
/**
 * @typedef {object} SearchCard what its names mean stands in vision/search.py and vision/yunet.py
 * @property {number[]} sides @property {number} frame @property {number} min_score @property {number} hint
 * @property {number} sure @property {number[]} quarters @property {number[]} turns @property {number} turned_score
 * @property {number} gain @property {Record<string, number>} surer @property {number} coarsest @property {number} finer
 * @property {number} worth @property {number} same @property {number} gap @property {number} wide
 * @property {number} overlap @property {number} multiple @property {number[]} strides
 */

export class Search {
  /** @param {Memory} memory @param {Network} network @param {SearchCard} card */
  constructor(memory, network, card) {
    this.memory = memory;
    this.card = card;
    this.once = (/** @type {Picture} */ picture) => detected(memory, network, picture, card);
    this.tried = 0; // turns that live frames have been searched at
  }

  /** Every face of a picture, however it is turned, largest first. @param {Picture} picture @returns {Found[]} */
  atAnyTurn(picture) {
    const faces = this.#everywhere(picture);
    if (faces.length && faces.every((face) => face.score >= this.card.sure)) return faces;
    const turn = this.#best(picture, faces, isWide(picture, this.card) ? this.card.quarters : this.card.turns);
    return turn ? this.#replaced(faces, this.#atTurn(picture, turn)) : faces;
  }

  /**
   * The faces of a camera's frame, searched at the turn of the last one; while they are doubtful, one other turn is
   * tried with each frame.
   * @param {Picture} picture @param {number} turn @returns {{faces: Found[], turn: number}} turn: for the next frame
   */
  follow(picture, turn) {
    const quick = turn ? this.#atTurn(picture, turn) : this.#atOneSize(picture);
    const faces = quick.length || turn ? quick : this.#everywhere(picture);
    if (faces.length && faces.every((face) => face.score >= this.card.sure)) return { faces, turn };
    const others = [0, ...this.card.turns].filter((other) => other !== turn);
    this.tried += 1;
    return { faces, turn: this.#best(picture, faces, [others[this.tried % others.length]]) ?? (faces.length ? turn : 0) };
  }

  /** Every upright face. @param {Picture} picture @returns {Found[]} */
  #everywhere(picture) {
    return this.#inParts(picture, (one) => this.#everySize(one));
  }

  /** What one search of a small copy shows. @param {Picture} picture @returns {Found[]} */
  #atOneSize(picture) {
    const { sides, gap, min_score: least } = this.card;
    return this.#inParts(picture, (one) => {
      const { small, factor } = shrunk(this.memory, one, sides[0], gap);
      return this.once(small).filter(({ score, box }) => score >= least && box[2] > 0).map((face) => scaled(face, factor));
    });
  }

  /** @param {Picture} picture @param {(one: Picture) => Found[]} task @returns {Found[]} */
  #inParts(picture, task) {
    const found = parts(picture, this.card).reduce((faces, [left, top, right, bottom]) => this.memory.within(() => {
      const whole = right - left === picture.width && bottom - top === picture.height;
      const one = whole ? picture : part(this.memory, picture, left, top, right, bottom);
      return merged(faces, task(one).map((face) => shifted(face, left, top)), this.card.same);
    }), /** @type {Found[]} */ ([]));
    return largestFirst(found);
  }

  /** Search ever larger copies and gather what they show. @param {Picture} picture @returns {Found[]} */
  #everySize(picture) {
    const { memory, card } = this;
    /** @type {Found[]} */
    let faces = [];
    const largest = shrunk(memory, picture, card.sides[card.sides.length - 1], card.gap); // once: it takes a while
    for (const side of card.sides) {
      const { small, factor: share } = shrunk(memory, largest.small, side, card.gap);
      const factor = share * largest.factor;
      const { narrowest, surest } = bar(side, factor, faces.length > 0, card);
      const seen = this.once(small);
      const found = seen.filter((face) => face.score >= surest && face.box[2] > narrowest);
      faces = merged(faces, found.map((face) => scaled(face, factor)), card.same);
      const somebody = faces.length > 0;
      if (factor <= (somebody ? card.worth : 1)) break;
      if (somebody && Math.max(picture.width, picture.height) <= card.frame && !hints(seen, faces, factor, card)) break;
    }
    return faces;
  }

  /** The faces that stand upright once the picture is turned. @param {Picture} picture @param {number} degrees @returns {Found[]} */
  #atTurn(picture, degrees) {
    return this.memory.within(() => {
      const upright = turned(this.memory, picture, degrees);
      return largestFirst(this.#everywhere(upright).map((face) => turnedBack(face, degrees, upright, picture)));
    });
  }

  /**
   * The turn at which a small copy shows a face best, null where none is better than what is known.
   * @param {Picture} picture @param {Found[]} faces @param {number[]} turns
   */
  #best(picture, faces, turns) {
    return this.memory.within(() => {
      const wide = isWide(picture, this.card); // searched in parts, which a slanting canvas would multiply
      const { small, factor } = wide ? { small: picture, factor: 1 } : shrunk(this.memory, picture, this.card.sides[0], this.card.gap);
      let [best, chosen] = [0, /** @type {number | null} */ (null)];
      for (const degrees of turns) {
        const score = this.memory.within(() => this.#gained(small, factor, degrees, faces));
        if (score > best) [best, chosen] = [score, degrees];
      }
      return chosen;
    });
  }

  /** The best score that a turn adds, 0 if none. @param {Picture} small @param {number} factor @param {number} degrees @param {Found[]} faces */
  #gained(small, factor, degrees, faces) {
    const upright = turned(this.memory, small, degrees);
    const placed = this.#atOneSize(upright).map((face) => scaled(turnedBack(face, degrees, upright, small), factor));
    return Math.max(0, ...placed.filter((face) => gains(face, faces, this.card)).map((face) => face.score));
  }

  /** Put better turned views in the place of upright ones, and add the new ones. @param {Found[]} faces @param {Found[]} views */
  #replaced(faces, views) {
    const better = views.filter((face) => gains(face, faces, this.card));
    const left = faces.filter((face) => better.every((other) => ofSmaller(face.box, other.box) <= this.card.same));
    return largestFirst([...left, ...better]);
  }
}

/** @param {Picture} picture @param {SearchCard} card */
function isWide({ width, height }, card) {
  return Math.max(width, height) > Math.max(card.wide * Math.min(width, height), card.sides[1]);
}

/** Left, top, right, bottom of the whole, or of overlapping parts of a long and narrow picture. @param {Picture} picture @param {SearchCard} card */
function parts(picture, card) {
  const { width, height } = picture;
  if (!isWide(picture, card)) return [[0, 0, width, height]];
  const [short, long] = width < height ? [width, height] : [height, width];
  const size = Math.max(2 * short, card.sides[1]);
  const starts = Array.from({ length: Math.ceil((long - short) / (size - short)) }, (_, i) => i * (size - short));
  return starts.map((start) => {
    const end = Math.min(long, start + size);
    return width > height ? [start, 0, end, height] : [0, start, width, end];
  });
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

/** Whether a turned view is better than all views of the same face. @param {Found} face @param {Found[]} faces @param {SearchCard} card */
function gains(face, faces, card) {
  const rivals = faces.filter((other) => ofSmaller(other.box, face.box) > card.same).map((other) => other.score);
  return face.score >= (rivals.length ? Math.max(...rivals) + card.gain : card.turned_score);
}

/** A face of the turned picture as it stands in the picture. @param {Found} face @param {number} degrees @param {Picture} upright @param {Picture} picture @returns {Found} */
function turnedBack({ box: [x, y, w, h], score, landmarks }, degrees, upright, picture) {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const back = (/** @type {number} */ a, /** @type {number} */ b) => {
    const [dx, dy] = [a - upright.width / 2, b - upright.height / 2];
    return /** @type {[number, number]} */ ([picture.width / 2 + dx * cos + dy * sin, picture.height / 2 - dx * sin + dy * cos]);
  };
  const [cx, cy] = back(x + w / 2, y + h / 2);
  const [wide, high] = degrees === 90 || degrees === 270 ? [h, w] : [w, h];
  return { box: [cx - wide / 2, cy - high / 2, wide, high], score, landmarks: landmarks.map(([a, b]) => back(a, b)), turned: degrees };
}
