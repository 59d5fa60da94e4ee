// One way to the server: JSON in, JSON out, a Problem where it refuses or is gone.

export const ROOT = "/api/v1";

export class Problem extends Error {
  /** @param {string} kind @param {string} detail */
  constructor(kind, detail) {
    super(detail);
    this.kind = kind;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(ROOT + path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("gone", "");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Problem(String(told.type || "").replace("urn:emotion-dj:", "") || "gone", told.detail || "");
}

/** @param {string} path */
export const get = async (path) => (await ask(path)).json();

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] */
export const post = (path, body, signal) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal });

/** @param {Blob} photo @param {AbortSignal} [signal] @returns {Promise<Look>} */
export async function read(photo, signal) {
  const form = new FormData();
  form.append("photo", photo, "photo");
  return (await ask("/readings", { method: "POST", body: form, signal })).json();
}
