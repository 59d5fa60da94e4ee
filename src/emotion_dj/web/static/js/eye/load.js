// Fetches the card, the kernels and the weights. Their names change with what is in them, so they may be
// kept for ever.

import { Core } from "./core.js";
import { Fault } from "./fault.js";

/** @param {string} base where eye.json is, with a slash at its end @returns {Promise<Core>} */
export async function load(base) {
  if (typeof WebAssembly !== "object" || typeof OffscreenCanvas !== "function") throw new Fault("wasm_absent");
  const card = /** @type {import("./core.js").Card} */ (await (await get(new URL("eye.json", base))).json());
  const { kernels, detector, reader } = card.files;
  const files = await Promise.all([kernels, detector, reader].map(async (name) => (await get(new URL(name, base))).arrayBuffer()));
  try {
    return new Core(await compiled(files[0]), { detector: files[1], reader: files[2] }, card);
  } catch (error) {
    // Where a policy forbids it, compiling is allowed and the instance is not, or the other way round.
    throw error instanceof WebAssembly.CompileError ? new Fault("wasm_blocked", error.message) : error;
  }
}

/** @param {URL} address */
async function get(address) {
  try {
    const answer = await fetch(address);
    if (answer.ok) return answer;
    throw new Fault("unreachable", `${address.pathname} answers ${answer.status}`);
  } catch (error) {
    throw error instanceof Fault ? error : new Fault("unreachable", String(error));
  }
}

/** @param {ArrayBuffer} kernels */
function compiled(kernels) {
  if (!WebAssembly.validate(kernels)) throw new Fault("wasm_absent", "no SIMD");
  return WebAssembly.compile(kernels);
}
