// Reads faces in this browser: a photo goes in and never leaves. See eye-worker.js and eye/.
//
//     const eye = await loadEye(new URL("eye/", document.baseURI));
//     const { faces, affect, model } = await eye.read(photo);
//
// Both throw a Fault whose `code` says why (eye/fault.js).

import { Fault, faultOf } from "./eye/fault.js";

export { Fault };

/** @typedef {import("./eye/core.js").Seen} Seen */
/** @typedef {import("./eye/core.js").Card} Card */
/** @typedef {Blob | ImageBitmap | HTMLVideoElement | HTMLCanvasElement | VideoFrame} Source */
/** @typedef {{resolve: (answer: any) => void, reject: (fault: Fault) => void, late: number}} Waiting */

const PATIENCE_MS = 30_000; // a worker that says nothing for so long has been killed

/**
 * Load the eye; about two megabytes are fetched, once.
 * @param {URL | string} base where the service has eye.json @param {{patience?: number}} [options] in milliseconds
 */
export async function loadEye(base, { patience = PATIENCE_MS } = {}) {
  const eye = new Eye(String(base), patience);
  await eye.ready();
  return eye;
}

export class Eye {
  /** @param {string} base @param {number} patience */
  constructor(base, patience) {
    this.base = base;
    this.patience = patience;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {Promise<unknown> | null} */
    this.loading = null;
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.count = 0;
    /** @type {Card | null} */
    this.card = null; // every number that it reads by, once it is ready
  }

  /** Wait until the worker is ready; one that was lost is replaced. */
  async ready() {
    this.loading ??= this.#start();
    await this.loading;
  }

  /**
   * Read every face of a picture, largest first; boxes and landmarks are in its pixels, upright.
   * A bitmap or a frame that is handed in stays the caller's.
   * @param {Source} source @param {{live?: boolean}} [options] @returns {Promise<Seen>}
   */
  async read(source, { live = false } = {}) {
    await this.ready();
    const sent = source instanceof Blob ? source : await snapshot(source);
    return this.#ask({ source: sent, live }, sent instanceof Blob ? [] : [sent]);
  }

  /** Let go of the worker and its memory. */
  close() {
    this.#lose(new Fault("worker_gone", "closed"));
  }

  async #start() {
    if (typeof Worker !== "function") throw new Fault("wasm_absent", "no workers");
    this.worker = new Worker(new URL("eye-worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.#answered(data));
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#lose(new Fault("worker_gone", event.message));
    });
    try {
      this.card = await this.#ask({ base: this.base }, []);
    } catch (error) {
      this.#lose(faultOf(error));
      throw error;
    }
  }

  /** @param {object} task @param {Transferable[]} given @returns {Promise<any>} */
  #ask(task, given) {
    const id = (this.count += 1);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#lose(new Fault("worker_gone", "no answer")), this.patience);
      this.waiting.set(id, { resolve, reject, late });
      this.worker?.postMessage({ id, ...task }, given);
    });
  }

  /** @param {{id: number, seen: unknown, code?: string, message?: string}} answer */
  #answered({ id, seen, code, message }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(asked?.late);
    if (code) asked?.reject(new Fault(code, message));
    else asked?.resolve(seen);
  }

  /** Whoever waits is told; the next one gets another worker. @param {Fault} fault */
  #lose(fault) {
    this.worker?.terminate();
    [this.worker, this.loading] = [null, null];
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject, late } of lost) {
      clearTimeout(late);
      reject(fault);
    }
  }
}

/** A copy that can be handed to the worker. @param {Exclude<Source, Blob>} source @returns {Promise<ImageBitmap>} */
async function snapshot(source) {
  try {
    return await createImageBitmap(source);
  } catch (error) {
    throw error instanceof RangeError ? faultOf(error) : new Fault("damaged", String(error));
  }
}
