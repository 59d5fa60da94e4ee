// A playlist file that was dropped: those of its songs that are in the listener's music, put after the one that plays.

import { Problem, get } from "./api.js";
import * as dj from "./dj.js";
import * as notices from "./notices.js";
import * as queue from "./queue.js";

const MOST = 100;
const NAMED = 3; // of the songs that are not here

/** @typedef {{title: string, artist: string}} Entry */

/** @param {File} file */
export async function take(file) {
  dj.wake();
  try {
    const { picks, missed } = await notices.during("choosing", found(entries(file.name, await file.text())));
    if (!picks.length) throw new Problem("no_songs", "");
    const values = { n: picks.length, names: missed.slice(0, NAMED).join(", ") + (missed.length > NAMED ? ", …" : "") };
    dj.change(missed.length ? "added_some" : "added_many", values, () => queue.insert(...picks));
    if (!queue.current.peek()) void dj.play(0);
  } catch (error) {
    dj.trouble(error);
  }
}

/** @param {Entry[]} wanted @returns {Promise<{picks: SetPick[], missed: string[]}>} */
async function found(wanted) {
  const picks = [], missed = [];
  for (const { title, artist } of wanted.slice(0, MOST)) {
    const { tracks } = await get(`/tracks?limit=20&q=${encodeURIComponent(title.slice(0, 200))}`);
    const same = (/** @type {Entry & {artists: string[]}} */ one) => alike(one.title, title) && (!artist || !one.artists.length || one.artists.some((name) => alike(name, artist)));
    const track = tracks.find(same);
    const pick = track && (await get(`/tracks/${track.id}/pick`).catch(() => null)); // not heard yet: it cannot be placed
    if (pick) picks.push(pick);
    else missed.push(title);
  }
  return { picks, missed };
}

/** @param {string} one @param {string} other */
const alike = (one, other) => one.localeCompare(other, undefined, { sensitivity: "base" }) === 0;

/** @param {string} name @param {string} text @returns {Entry[]} */
function entries(name, text) {
  if (/\.jspf$/i.test(name)) return jspf(text);
  return /\.xspf$/i.test(name) ? xspf(text) : m3u(text);
}

/** @param {string} text @returns {Entry[]} */
function jspf(text) {
  try {
    return JSON.parse(text).playlist.track.map((/** @type {{title?: string, creator?: string}} */ { title = "", creator = "" }) => ({ title, artist: creator }));
  } catch {
    return [];
  }
}

/** @param {string} text @returns {Entry[]} */
function xspf(text) {
  const all = new DOMParser().parseFromString(text, "application/xml").querySelectorAll("track");
  return [...all].map((track) => ({ title: track.querySelector("title")?.textContent ?? "", artist: track.querySelector("creator")?.textContent ?? "" }));
}

/** What each song is called, else its file. @param {string} text @returns {Entry[]} */
function m3u(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  return lines.flatMap((line, i) => (line.startsWith("#") ? [] : [named(lines[i - 1] ?? "", line)]));
}

/** @param {string} info @param {string} path @returns {Entry} */
function named(info, path) {
  const title = /^#EXTINF:[^,]*,(.*)$/.exec(info)?.[1] ?? path.split(/[\\/]/).pop()?.replace(/\.\w+$/, "") ?? "";
  const [artist, ...rest] = title.split(" - ");
  return rest.length ? { title: rest.join(" - "), artist } : { title, artist: "" };
}
