// The sets that were played, in this browser alone and only where the listener wants that; and the session, over a reload.

import * as dj from "./dj.js";
import { $, button, make } from "./dom.js";
import { language, say } from "./i18n.js";
import * as listener from "./listener.js";
import * as queue from "./queue.js";
import { computed, effect, signal } from "./signal.js";
import { keep, kept } from "./store.js";
import { opening } from "./words.js";

const KEY = "history";
const SESSION = "session";
const MOST = 30;
const ONE_MS = 60_000; // a set that stood less is part of the next one: keys and drags make many

/** @typedef {{at: number, music: Music}} Remembered */

const past = signal(/** @type {Remembered[] | null} null where nothing is remembered */ (kept("local", KEY)));

/** The listener wants to be remembered. */
export const remembers = computed(() => past.value !== null);

export function begin() {
  effect(() => queue.music.value && add(queue.music.value));
  effect(draw);
  $("remember").addEventListener("change", () => remember($("remember").checked ? [] : null));
  $("forget").addEventListener("click", () => remember([]));
}

/** @param {Remembered[] | null} sets */
function remember(sets) {
  past.value = keep("local", KEY, sets ?? undefined) || !sets ? sets : null;
  $("remember").checked = past.peek() !== null;
}

/** @param {Music} music */
function add(music) {
  const all = past.peek();
  if (!all || all.some((one) => one.music === music)) return;
  const now = Date.now();
  const rest = all.length && now - all[0].at < ONE_MS && sameAct(all[0].music, music) ? all.slice(1) : all;
  const sets = [{ at: now, music }, ...rest].slice(0, MOST);
  past.value = keep("local", KEY, sets) || keep("local", KEY, sets.slice(0, 1)) ? sets : null; // the browser has no more room
}

/** Dragged or moved by keys a moment ago. @param {Music} one @param {Music} other */
const sameAct = ({ opening: one }, { opening: other }) => one.code === "you_want_place" && other.code === one.code;

function draw() {
  const all = past.value;
  $("remember").checked = all !== null;
  $("forget").hidden = !all?.length;
  $("past").replaceChildren(...(all ?? []).map(entry));
}

/** @param {Remembered} remembered */
function entry({ at, music }) {
  const item = make("li");
  const when = new Date(at).toLocaleString(language.value, { dateStyle: "medium", timeStyle: "short" });
  item.append(button(`${when}: ${opening(music)} (${say(`plan_${music.plan}`)}, ${music.picks.length})`, () => dj.again(music)));
  return item;
}

/** Bring back the set, the song and its place from before a reload, and keep them from now on. @param {import("./player.js").Player} player */
export function session(player) {
  const before = kept("session", SESSION);
  if (before?.queue?.songs?.length) {
    listener.restore(before.listener);
    queue.restore(before.queue);
    player.show(queue.current.peek(), before.position);
    dj.send({ kind: "restore", word: before.listener.word !== null, answered: before.queue.music?.affect ?? null });
  }
  const save = () => queue.songs.peek().length && keep("session", SESSION, { listener: { ...listener.snapshot(), word: queue.music.peek()?.word ?? null }, queue: queue.snapshot(), position: player.clock.position });
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", save);
}
