// How much music there is, where it stands, and how the scan of it goes: dots appear as songs are heard.

import { ROOT, get } from "./api.js";
import { $ } from "./dom.js";
import { say } from "./i18n.js";
import { points } from "./plane.js";
import { effect, signal } from "./signal.js";
import * as sources from "./sources.js";

const OFTEN_MS = 2000; // while a scan goes on the plane is filled no more often

/** @typedef {{tracks: number, points: number[][], scan: {running: boolean, elsewhere: boolean, done: number, total: number}, failed: unknown[], problem: string}} Library */

export const library = signal(/** @type {Library | null} */ (null));
const scan = signal(/** @type {{running: boolean, elsewhere: boolean, done: number, total: number} | null} */ (null));
/** @type {EventSource | null} */
let following = null;
let filled = 0;

/** How a scan goes, now. */
export const state = () => scan.value ?? library.value?.scan;

export function begin() {
  effect(() => {
    const known = library.value;
    if (!known) return;
    const now = state();
    $("music").textContent = now?.elsewhere ? say("hearingElsewhere") : now?.running ? say("hearing", now) : known.tracks ? say("tracks", { n: known.tracks }) : known.problem || say("noMusic");
  });
}

/** Ask how much there is. */
export async function load() {
  const known = await get("/library");
  library.value = known;
  points.value = known.points;
  filled = performance.now();
  if (known.scan.running) follow();
}

/** Say how the scan goes until it is done; the browser itself comes back where the line breaks. */
export function follow() {
  if (following) return;
  following = new EventSource(`${ROOT}/library/scan`);
  following.addEventListener("progress", (event) => {
    scan.value = JSON.parse(event.data);
    if (performance.now() - filled > OFTEN_MS) load().catch(() => {});
  });
  following.addEventListener("done", () => {
    following?.close();
    following = scan.value = null;
    Promise.all([load(), sources.load()]).catch(() => {});
  });
}
