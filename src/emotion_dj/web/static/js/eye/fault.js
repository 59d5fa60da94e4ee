/**
 * Why a photo, or the eye itself, does not work. `code` is what a page puts into words:
 * of a photo `empty`, `too_large`, `damaged`, `heic`, `unsupported`, `no_face`, `memory`;
 * of the eye `wasm_absent`, `wasm_blocked`, `unreachable`, `worker_gone`, `memory`, `failed`.
 */
export class Fault extends Error {
  /** @param {string} code @param {string} [detail] for developers */
  constructor(code, detail = "") {
    super(detail || code);
    this.code = code;
  }
}

/** What any error is called. @param {unknown} error @returns {Fault} */
export function faultOf(error) {
  if (error instanceof Fault) return error;
  return new Fault(error instanceof RangeError ? "memory" : "failed", String(error));
}
