// What the listener makes of songs: likes, skips, and what was played; told to the server one after the other.

import { post } from "./api.js";
import * as listener from "./listener.js";
import * as queue from "./queue.js";
import { signal } from "./signal.js";

const liked = signal(/** @type {ReadonlySet<number>} */ (new Set()));
/** The last song of which half was heard. */
export const played = signal(/** @type {SetPick | null} */ (null));
/** @type {Promise<unknown>} */
let telling = Promise.resolve();
/** @type {SetPick | null} the song of which it was told that it was played */
let heard = null;

/** @param {SetPick | null} song */
export const likes = (song) => Boolean(song && liked.value.has(song.id));

/** @param {SetPick} song @param {string} kind */
export function tell(song, kind) {
  if (listener.isGuest()) return Promise.resolve(); // guests teach the owner's taste nothing
  const told = telling.then(() => post("/feedback", { track: song.id, kind }));
  telling = told.catch(() => {});
  return told;
}

/** Like a song, or take that back. @param {SetPick | null} [song] what plays */
export function like(song = queue.current.peek()) {
  if (!song || listener.isGuest()) return;
  const before = liked.peek().has(song.id);
  mind(song, !before);
  tell(song, before ? "unlike" : "like").catch(() => mind(song, before)); // not heard, not so
}

/** @param {SetPick} song @param {boolean} on */
function mind(song, on) {
  const all = new Set(liked.peek());
  if (on) all.add(song.id);
  else all.delete(song.id);
  liked.value = all;
}

/** @param {SetPick} song */
export const skipped = (song) => void tell(song, "skip").catch(() => {}); // the music matters more

/** Tell once of a song that it was played, when half of it is over. @param {import("./player.js").Player} player */
export function follow(player) {
  player.addEventListener("began", () => (heard = null));
  player.addEventListener("time", () => {
    const [song, { position, duration }] = [player.now.peek(), player.clock];
    if (!song || song === heard || !(position > duration / 2)) return;
    heard = played.value = song;
    tell(song, "play").catch(() => {});
  });
}
