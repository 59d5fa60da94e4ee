// The eye in a thread of its own, so that the page stays smooth: pictures come in, readings go out.

import { Fault, faultOf } from "./eye/fault.js";
import { load } from "./eye/load.js";
import { decoded, pixelsOf } from "./eye/photo.js";

/** @typedef {import("./eye/core.js").Core} Core */
/** @typedef {{id: number, base: string} | {id: number, source: Blob | ImageBitmap | VideoFrame}} Task */

const thread = /** @type {Worker} */ (/** @type {unknown} */ (self)); // the types of workers are not loaded beside those of pages

/** @type {Core | null} */
let core = null;

thread.addEventListener("message", async (/** @type {MessageEvent<Task>} */ { data: task }) => {
  try {
    thread.postMessage({ id: task.id, seen: "base" in task ? await open(task.base) : await look(task.source) });
  } catch (error) {
    const { code, message } = faultOf(error);
    thread.postMessage({ id: task.id, code, message });
  }
  core?.rest();
});

/** @param {string} base */
async function open(base) {
  core = await load(base);
  return core.card;
}

/** @param {Blob | ImageBitmap | VideoFrame} source */
async function look(source) {
  if (!core) throw new Fault("failed", "nothing is loaded");
  const picture = source instanceof Blob ? await decoded(source, core.card.photo) : source;
  try {
    const { pixels, factor } = pixelsOf(picture, core.card.photo);
    return core.look(pixels, factor);
  } finally {
    picture.close();
  }
}
