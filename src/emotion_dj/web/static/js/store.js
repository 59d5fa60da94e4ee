// What this browser keeps. Where it keeps nothing (a private window, storage denied) the page goes on without.

/** @param {"local" | "session"} where @returns {Storage | null} */
function storage(where) {
  try {
    return where === "local" ? localStorage : sessionStorage;
  } catch {
    return null;
  }
}

/** @param {"local" | "session"} where @param {string} key @returns {any} null where nothing, or nothing that can be read, is kept */
export function kept(where, key) {
  try {
    return JSON.parse(storage(where)?.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** @param {"local" | "session"} where @param {string} key @param {unknown} value undefined forgets @returns {boolean} whether it is kept */
export function keep(where, key, value) {
  try {
    if (value === undefined) storage(where)?.removeItem(key);
    else storage(where)?.setItem(key, JSON.stringify(value));
    return storage(where) !== null;
  } catch {
    return false; // no more room, or none at all
  }
}
