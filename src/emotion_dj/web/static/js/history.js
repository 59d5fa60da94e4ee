// The sets that were played, in this browser alone and only where the listener wants that.

const KEY = "history";
const MOST = 30;

/** @typedef {{at: string, opening: string, music: Music}} Remembered */

export const remembering = () => localStorage.getItem(KEY) !== null;

/** @returns {Remembered[]} newest first */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return []; // written by something else: as good as nothing
  }
}

/** Begin with nothing, or forget everything and stop. @param {boolean} on */
export function remember(on) {
  if (on) localStorage.setItem(KEY, "[]");
  else localStorage.removeItem(KEY);
}

/** Keep a set, where sets are kept. @param {Music} music @param {string} opening */
export function add(music, opening) {
  if (!remembering()) return;
  const all = [{ at: new Date().toISOString(), opening, music }, ...remembered()].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    localStorage.setItem(KEY, JSON.stringify(all.slice(0, 1))); // the browser has no more room
  }
}
