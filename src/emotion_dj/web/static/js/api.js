// One way to the server: JSON in, JSON out, a Problem where it refuses or is gone.

/** Where the page lies: /, or the sub-path under which a proxy shows it. */
const BASE = new URL(".", globalThis.document?.baseURI ?? "http://here/").pathname;

export const ROOT = `${BASE}api/v1`;

/** An address as this page reaches it, whether or not the server knows of a sub-path. @param {string} address */
export const at = (address) => (address.startsWith(BASE) ? address : BASE + address.slice(1));

export class Problem extends Error {
  /** @param {string} code @param {string} detail the server's own sentence @param {Record<string, unknown>} [values] */
  constructor(code, detail, values = {}) {
    super(detail);
    this.code = code;
    this.values = values;
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
  if (answer.status === 401) location.reload(); // this device is let in no more: the server says how
  const told = await answer.json().catch(() => ({}));
  throw new Problem(codeOf(told), told.detail || "", told);
}

/** @param {{code?: string, type?: string}} told */
const codeOf = ({ code, type }) => code || String(type ?? "").replace("urn:emotion-dj:", "").replaceAll("-", "_") || "gone";

/** @param {string} path */
export const get = async (path) => (await ask(path)).json();

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] */
export const post = (path, body, signal) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal });

/** @param {Blob} photo @param {AbortSignal} [signal] @returns {Promise<Look>} */
export async function read(photo, signal) {
  return sent("/readings", "photo", photo, signal);
}

/** Tell who follows a key what was seen; nobody there is no mistake. @param {string} key @param {{box: number[], emotions: Record<string, number>, abstained: boolean}[]} faces */
export const tellOf = (key, faces) => post(`/readings?live=${key}`, { faces }).catch((error) => {
  if (error.code !== "no_face") throw error;
});

/** @param {string} path @param {File} file */
export const upload = (path, file) => sent(path, "file", file);

/** @param {string} path @param {string} field @param {Blob} blob @param {AbortSignal} [signal] */
async function sent(path, field, blob, signal) {
  const form = new FormData();
  form.append(field, blob, blob instanceof File ? blob.name : field);
  return (await ask(path, { method: "POST", body: form, signal })).json();
}

/** Does the server answer at all? */
export const reachable = () => get("/health").then(() => true, (error) => error.code !== "gone");
