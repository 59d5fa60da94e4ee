// The server, gone and back: said once, asked with growing patience, and all who wait for it wait together.

import { Problem, reachable } from "./api.js";
import * as notices from "./notices.js";

const WAIT_MS = 1000;
const MOST_WAIT_MS = 15_000;

/** @type {Promise<void> | null} */
let returning = null;

/** Wait until the server is back. */
export function returned() {
  returning ??= patiently().finally(() => (returning = null));
  return returning;
}

async function patiently() {
  notices.lost.value = true;
  for (let wait = WAIT_MS; !(await reachable()); wait = Math.min(MOST_WAIT_MS, 2 * wait)) await new Promise((done) => setTimeout(done, wait));
  notices.lost.value = false;
}

/** Something was not to be had: where the server is gone, go on when it is back. @param {unknown} error @param {() => void} again */
export async function missed(error, again) {
  if (error instanceof Problem && error.code !== "gone") return;
  if (!(await reachable())) await returned().then(again);
}
