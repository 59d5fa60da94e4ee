// The eye itself: both networks and what they need, loaded once. It knows neither page nor worker, so it
// also runs under Node, where the tests compare it with Python.

import { Fault } from "./fault.js";
import { Memory } from "./memory.js";
import { Network } from "./network.js";
import { aggregate, reading } from "./reading.js";
import { search } from "./search.js";

/** @typedef {import("./photo.js").PhotoCard} PhotoCard */
/** @typedef {import("./search.js").SearchCard} SearchCard */
/** @typedef {import("./reading.js").ReaderCard} ReaderCard */
/** @typedef {import("./reading.js").AffectCard} AffectCard */
/** @typedef {{kernels: string, detector: string, reader: string}} Files names beside the card */
/** @typedef {{files: Files, photo: PhotoCard, search: SearchCard, reader: ReaderCard, affect: AffectCard, live: import("../live-smoothing.js").Rules}} Card */
/** @typedef {{width: number, height: number, data: Uint8ClampedArray | Uint8Array}} Pixels four bytes each */
/** @typedef {{box: [number, number, number, number], score: number, landmarks: [number, number][], emotions: Record<string, number>, emotion: string, abstained: boolean}} SeenFace */
/** @typedef {{faces: SeenFace[], affect: {valence: number, arousal: number, uncertainty: number}, model: string}} Seen */

const LARGE = 150_000_000; // bytes after which the memory, which never shrinks, is given back

export class Core {
  /** @param {WebAssembly.Module} kernels @param {{detector: ArrayBuffer, reader: ArrayBuffer}} weights @param {Card} card */
  constructor(kernels, weights, card) {
    this.made = { kernels, weights };
    this.card = card;
    this.renew();
  }

  /** Begin with a small memory again. */
  renew() {
    const { kernels, weights } = this.made;
    this.memory = new Memory(kernels);
    this.detector = new Network(this.memory, weights.detector);
    this.reader = new Network(this.memory, weights.reader);
  }

  /** Give back what a large photo took. */
  rest() {
    if (this.memory && this.memory.buffer.byteLength > LARGE) this.renew();
  }

  /**
   * Read every face, largest first. Throws a Fault `no_face` where there is none, a RangeError where memory is out.
   * @param {Pixels} pixels @param {number} [factor] how many pixels of the photo one of these spans @returns {Seen}
   */
  look({ width, height, data }, factor = 1) {
    const { memory, detector, reader, card } = this;
    if (!memory || !detector || !reader) throw new Fault("failed");
    return memory.within(() => {
      const picture = { at: memory.put(data), width, height };
      const found = memory.within(() => search(memory, detector, picture, card.search));
      if (!found.length) throw new Fault("no_face");
      const faces = found.map((face) => ({ ...face, ...reading(memory, reader, picture, face, card.reader) }));
      return { faces: faces.map((face) => inPhoto(face, factor)), affect: aggregate(faces, card.affect), model: card.reader.id };
    });
  }
}

/** @param {SeenFace} face @param {number} factor @returns {SeenFace} */
const inPhoto = (face, factor) => ({
  ...face,
  box: /** @type {SeenFace["box"]} */ (face.box.map((value) => value * factor)),
  landmarks: face.landmarks.map(([x, y]) => [x * factor, y * factor]),
});
