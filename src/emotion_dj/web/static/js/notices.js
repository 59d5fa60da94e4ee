// What the page has to say at the moment: codes with values, put into words where they are drawn.

import { signal } from "./signal.js";

/** @typedef {{code: string, values?: Record<string, unknown>, text?: string, allow?: () => void}} Notice */

const TOAST_MS = 10_000;

/** The server cannot be reached: said once, until it is back. */
export const lost = signal(false);
/** Beside the picture: what was wrong with a photo, a camera, a face. */
export const said = signal(/** @type {Notice | null} */ (null));
/** Above the set: what was wrong with the music. */
export const problem = signal(/** @type {Notice | null} */ (null));
/** What takes long enough to wonder: reading, choosing. */
export const busy = signal(/** @type {string} */ (""));
/** What was done, and can be taken back. */
export const done = signal(/** @type {(Notice & {undo?: () => void}) | null} */ (null));
/** The song that comes, and why: live steering. */
export const offer = signal(/** @type {{song: SetPick, why: string} | null} */ (null));
/** For those who listen to the page: the last song or reading, in a sentence. */
export const announced = signal(/** @type {Notice | null} */ (null));

let fading = 0;

/** @param {Notice} what @param {() => void} [undo] */
export function tell(what, undo) {
  clearTimeout(fading);
  done.value = { ...what, undo };
  fading = setTimeout(() => (done.value = null), TOAST_MS);
}

export function hush() {
  clearTimeout(fading);
  done.value = null;
}

const PATIENCE_MS = 300;

/** Say what is being done, where it takes long enough to wonder. @template T @param {string} code @param {Promise<T>} work @returns {Promise<T>} */
export async function during(code, work) {
  const late = setTimeout(() => (busy.value = code), PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(late);
    if (busy.peek() === code) busy.value = "";
  }
}
