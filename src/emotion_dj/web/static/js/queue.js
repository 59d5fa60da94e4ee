// The queue: the songs in playing order, which of them plays, and what the set that they came from says.

import { batch, computed, signal } from "./signal.js";

export const music = signal(/** @type {Music | null} */ (null));
export const songs = signal(/** @type {SetPick[]} */ ([]));
export const place = signal(-1);
export const current = computed(() => songs.value[place.value] ?? null);
export const coming = computed(() => songs.value[place.value + 1] ?? null);

/** @type {Map<number, number>} when each song was last played here, in songs */
const played = new Map();

/** Take another set, whose first song plays. @param {Music} set */
export function replace(set) {
  batch(() => {
    music.value = set;
    songs.value = set.picks;
    place.value = 0;
  });
}

/** @param {number} at */
export function go(at) {
  place.value = at;
  const song = songs.peek()[at];
  if (song) note(song);
}

/** Remember that a song was played. @param {SetPick} song */
export const note = (song) => played.set(song.id, 1 + Math.max(0, ...played.values()));

/** What was played longest ago comes back first, and before it what was not played at all, in its order. @param {SetPick[]} picks */
export const freshFirst = (picks) => [...picks].sort((one, other) => (played.get(one.id) ?? 0) - (played.get(other.id) ?? 0));

/** How many songs were played, so that as many more are asked for. */
export const playedSoFar = () => played.size;

/** The set goes on: what is not in the rest of the queue yet, freshest first; where there is nothing else, songs come back. @param {SetPick[]} picks @param {number} most */
export function extend(picks, most) {
  const ahead = new Set(songs.peek().slice(Math.max(0, place.peek())).map(({ id }) => id));
  const others = freshFirst(picks.filter(({ id }) => !ahead.has(id)));
  const more = others.length ? others : freshFirst(picks);
  songs.value = [...songs.peek(), ...more.slice(0, most)];
}

/** Where the next song after one stands that will do, and if none is, one before; -1 for none. @param {SetPick} song @param {(song: SetPick) => boolean} does */
export function after({ id }, does) {
  const all = songs.peek();
  const next = 1 + all.findIndex((one) => one.id === id);
  return [...all.keys()].map((i) => (next + i) % all.length).find((at) => does(all[at])) ?? -1;
}

/** @param {number} at */
export function remove(at) {
  batch(() => {
    songs.value = songs.peek().filter((_, i) => i !== at);
    if (at < place.peek()) place.value -= 1;
  });
}

/** @param {number} from @param {number} to where it stands afterwards */
export function move(from, to) {
  const moved = [...songs.peek()];
  const playing = moved[place.peek()];
  moved.splice(to, 0, ...moved.splice(from, 1));
  batch(() => {
    songs.value = moved;
    if (playing) place.value = moved.indexOf(playing);
  });
}

/** Put songs after the one that plays. @param {SetPick[]} more */
export function insert(...more) {
  const at = place.peek() + 1;
  songs.value = [...songs.peek().slice(0, at), ...more, ...songs.peek().slice(at)];
}

export const snapshot = () => ({ music: music.peek(), songs: songs.peek(), place: place.peek() });

/** @param {ReturnType<typeof snapshot>} before */
export function restore(before) {
  batch(() => {
    [music.value, songs.value, place.value] = [before.music, before.songs, before.place];
  });
}
