// The DJ: asks for sets, and sees to it that what the listener does is heard. When something is steered is steering.js's to say.

import { Problem, post, reachable } from "./api.js";
import * as feedback from "./feedback.js";
import * as listener from "./listener.js";
import * as notices from "./notices.js";
import { ACT_FADE_S } from "./player.js";
import * as queue from "./queue.js";
import { missed, returned } from "./server.js";
import { computed, signal } from "./signal.js";
import { BEGIN, steer, turn } from "./steering.js";

/** @typedef {import("./steering.js").SteeringEvent} SteeringEvent */
/** @typedef {{listener: ReturnType<typeof listener.snapshot>, queue: ReturnType<typeof queue.snapshot>, position: number, steering: import("./steering.js").Steering}} Snapshot */

const MOST_SONGS = 200;
const MOST_RAN = 3; // without a sound device songs run through

export const steering = signal(BEGIN);
/** The listener's own word holds over a camera that is on. */
export const holds = computed(() => listener.word.value !== null && listener.live.value);

/** @type {import("./player.js").Player} */
let player;
/** @type {() => string[]} */
let sources = () => [];
let planning = new AbortController();
/** @type {Music | null} the set that is offered */
let offered = null;
let phrase = 0; // that it waits for
/** @type {Snapshot | null} before the act that is being answered */
let before = null;
/** @type {Set<number>} songs that did not play since one did */
const failed = new Set();
let ran = 0; // songs in a row that ended as they began
/** @type {Promise<void>} */
let extended = Promise.resolve();
/** @type {BroadcastChannel | null} */
let pages = null;

/** @param {import("./player.js").Player} made @param {() => string[]} chosen the sources that sets are made of */
export function begin(made, chosen) {
  [player, sources] = [made, chosen];
  player.addEventListener("time", tick);
  player.addEventListener("ending", () => queue.coming.peek() && !queue.coming.peek()?.embed && onBar((fade) => play(queue.place.peek() + 1, fade, true)));
  player.addEventListener("ended", ended);
  player.addEventListener("broken", (event) => onBroken(/** @type {CustomEvent} */ (event).detail));
  player.addEventListener("blocked", () => notices.tell({ code: "press_play" }));
  player.addEventListener("began", () => prefetch());
  player.addEventListener("gone", () => void missed(null, prefetch));
  lead();
}

/** Two pages of this browser: the one where the last act was done steers. */
function lead() {
  if (typeof BroadcastChannel === "undefined") return;
  pages = new BroadcastChannel("emotion-dj");
  pages.addEventListener("message", () => send({ kind: "lead", mine: false }));
}

/** @param {SteeringEvent} event */
export function send(event) {
  const [state, deeds] = steer(steering.peek(), event, performance.now());
  steering.value = state;
  for (const deed of deeds) DEEDS[deed]();
}

const DEEDS = {
  lead: () => pages?.postMessage("mine"),
  now: () => void answer(),
  ahead: () => void ahead(),
  phrase: () => onPhrase(),
  cross: () => accept((work) => work(player.line.fade)),
  fade: () => accept(onBar),
  withdraw: () => withdraw(),
  extend: () => void (extended = extend()),
  taken: () => (notices.said.value = { code: "camera_taken" }),
};

// -- deliberate acts ----------------------------------------------------------------------------

/** Let the browser know of a press, before anything is waited for. */
export const wake = () => player.wake();

/** Something that the listener does on purpose: heard at once, and can be taken back. @param {() => void} change @param {SteeringEvent} [event] */
export function act(change, event = { kind: "act" }) {
  player.wake();
  before = snapshot();
  change();
  send(event);
}

/** The listener says where they are, and that holds. @param {Word} word */
export const say = (word) => act(() => {
  listener.word.value = word;
  notices.said.value = null;
}, { kind: "act", word: true });

/** Let go of the listener's word; what is seen counts again. */
export const release = () => act(() => (listener.word.value = null), { kind: "release" });

/** More songs like one, or calmer, or livelier ones from there on. @param {SetPick} song @param {string} plan */
export const moreLike = (song, plan) => act(() => {
  [listener.word.value, listener.plan.value] = [{ like: song.id }, plan];
  notices.said.value = null;
}, { kind: "act", word: true });

/** Plan again for where the listener is, as after another plan or other sources. @param {() => void} change */
export function replan(change) {
  return listener.start.peek() ? act(change) : change();
}

/** Ask for a set and play it now. */
async function answer() {
  withdraw();
  if (!listener.start.peek()) return; // an unsure face: the page asks for a word
  planning.abort();
  planning = new AbortController();
  const { signal } = planning;
  try {
    const set = await notices.during("choosing", ask(listener.length.peek(), signal));
    if (!signal.aborted) take(set, ACT_FADE_S);
  } catch (error) {
    if (!signal.aborted) trouble(error, answer);
  }
}

/** Play a set; what plays goes on where it is the set's first song too. @param {Music} set @param {number} fade @param {boolean} [beats] */
function take(set, fade, beats = false) {
  const was = before ?? snapshot();
  before = null;
  const playing = player.now.peek();
  notices.problem.value = null;
  listener.answered.value = set.affect;
  queue.replace(set);
  send({ kind: "answered", affect: set.affect });
  if (was.queue.music) notices.tell({ code: "new_set" }, () => undo(was));
  if (!(playing?.id === set.picks[0].id && player.playing.peek())) play(0, fade, beats);
  else prefetch();
}

/** @param {number} n @param {AbortSignal} [signal] @returns {Promise<Music>} */
async function ask(n, signal) {
  const { plan, whom } = listener;
  const wanted = plan.peek() === "journey" ? "journey:..happy" : plan.peek();
  const from = listener.start.peek() ?? queue.music.peek()?.from;
  const body = { ...from, plan: wanted, n, aggregate: whom.peek(), sources: sources() };
  const set = await (await post("/sets", body, signal)).json();
  return { ...set, said: listener.word.peek()?.emotion, word: listener.word.peek(), from: listener.word.peek() ?? { affect: at(set.affect) } };
}

/** @param {Affect} affect */
const at = ({ valence, arousal }) => `${valence.toFixed(3)},${arousal.toFixed(3)}`;

// -- live ---------------------------------------------------------------------------------------

/** Have the music for another expression ready, and say what comes. */
async function ahead() {
  const was = queue.music.peek()?.affect;
  try {
    const set = await ask(listener.length.peek());
    const picks = queue.freshFirst(set.picks);
    if (steering.peek().offer !== "asked") return;
    offered = { ...set, picks };
    void player.ready(picks[0]);
    notices.offer.value = { song: picks[0], why: turn(was, set.affect) };
    send({ kind: "ready" });
  } catch (error) {
    void missed(error, prefetch);
    send({ kind: "failed" }); // the next reading asks again
  }
}

/** Fade into what is offered. @param {(work: (fade: number) => void) => void} when */
function accept(when) {
  const set = offered;
  withdraw();
  if (set) when((fade) => take(set, fade, true));
}

/** Tell when the song's next phrase begins. */
function onPhrase() {
  const line = () => send({ kind: "line", playing: player.playing.peek(), heard: player.heard, duration: player.clock.duration });
  phrase = setTimeout(line, 1000 * player.line.phrase);
}

/** Do something on the next bar of the song, unless another one plays by then. @param {(fade: number) => void} work with the length of a fade */
function onBar(work) {
  const { bar, fade } = player.line;
  const song = player.now.peek();
  setTimeout(() => player.now.peek() === song && player.playing.peek() && work(fade), 1000 * bar);
}

function withdraw() {
  clearTimeout(phrase);
  offered = null;
  notices.offer.value = null;
}

// -- songs --------------------------------------------------------------------------------------

/** @param {number} at in the queue @param {number} [fade] in seconds @param {boolean} [beats] on the bar of what plays */
export function play(at, fade = ACT_FADE_S, beats = false) {
  const song = queue.songs.peek()[at];
  if (!song) return undefined;
  queue.go(at);
  return player.play(song, { fade, beats });
}

export async function next() {
  player.wake();
  if (!queue.coming.peek()) await extended;
  return play(queue.coming.peek() ? queue.place.peek() + 1 : 0);
}

/** Begin the song again, or go to the one before where it has only just begun. */
export function previous() {
  if (queue.place.peek() > 0 && player.clock.position <= 3) return play(queue.place.peek() - 1);
  return player.seek(0);
}

export function toggle() {
  if (player.playing.peek()) return player.pause();
  if (player.now.peek()) return player.resume();
  return play(Math.max(0, queue.place.peek()), 0);
}

function prefetch() {
  const song = queue.coming.peek();
  if (song) void player.ready(song);
}

function tick() {
  const { duration } = player.clock;
  const left = queue.songs.peek().length - 1 - queue.place.peek();
  if (player.heard > 2) sounded();
  if (steering.peek().away) player.listen();
  if (listener.start.peek() || queue.music.peek()) send({ kind: "tick", heard: player.heard, duration, left });
}

function sounded() {
  ran = 0;
  failed.clear();
}

/** The queue is nearly over: go on from where the listener is now. */
async function extend() {
  const n = listener.length.peek();
  try {
    const set = await ask(Math.min(MOST_SONGS, n + queue.playedSoFar()));
    queue.extend(set.picks, n);
    prefetch();
    send({ kind: "extended", ok: true });
  } catch (error) {
    void missed(error, prefetch);
    send({ kind: "extended", ok: false });
  }
}

/** A song is over: the next one, where it can be had; else this one again, so that it is not silent. */
function ended() {
  if (player.heard < 1 && (ran += 1) >= MOST_RAN) return stop();
  const at = queue.place.peek();
  const song = queue.coming.peek();
  if (notices.lost.peek() && !player.has(song ?? undefined)) return play(at, 0);
  return song ? play(at + 1, 0) : onward();
}

async function onward() {
  await extended;
  return play(queue.coming.peek() ? queue.place.peek() + 1 : 0, 0);
}

// -- what goes wrong ----------------------------------------------------------------------------

/** A song will not play: the server is gone, or the song is no good. @param {SetPick} song */
async function onBroken(song) {
  const position = player.clock.position;
  const back = queue.songs.peek().findIndex(({ id }) => id === player.now.peek()?.id);
  if (player.playing.peek() && back >= 0) queue.place.value = back; // what played before goes on
  if (!(await reachable())) return meanwhile(song, position);
  failed.add(song.id);
  notices.tell({ code: "wont_play", values: { title: song.title } });
  return another(song);
}

/** The song after one that will not play, else any that may; where none does, that is said. @param {SetPick} song */
function another(song) {
  const at = queue.after(song, ({ id }) => !failed.has(id));
  return at < 0 ? stop() : play(at);
}

/** The server is gone with a song: what is here plays until it is back. @param {SetPick} song @param {number} position */
function meanwhile(song, position) {
  const here = queue.after(song, (one) => player.has(one));
  if (!player.playing.peek() && here >= 0) play(here);
  return returned().then(() => goOn(song, position));
}

function stop() {
  sounded();
  player.pause();
  notices.problem.value = { code: "none_plays" };
}

/** The server is back: a song that it was lost with goes on where it was. @param {SetPick} song @param {number} position */
function goOn(song, position) {
  const at = queue.songs.peek().findIndex(({ id }) => id === song.id);
  if (player.playing.peek() || at < 0) return prefetch();
  queue.place.value = at;
  return player.play(song, { from: position });
}

/** Say what is wrong; where the server is gone, try again when it is back. @param {unknown} error @param {() => unknown} [again] */
export function trouble(error, again) {
  if (!(error instanceof Problem)) throw error;
  if (error.code === "gone") returned().then(again);
  else notices.problem.value = { code: error.code, values: error.values, text: error.message };
}

// -- taking back --------------------------------------------------------------------------------

/** @returns {Snapshot} */
const snapshot = () => ({ listener: listener.snapshot(), queue: queue.snapshot(), position: player.clock.position, steering: steering.peek() });

/** @param {Snapshot} was */
function undo(was) {
  planning.abort();
  withdraw();
  notices.hush();
  listener.restore(was.listener);
  queue.restore(was.queue);
  steering.value = { ...was.steering, away: null, offer: "none", live: listener.live.peek(), fresh: false };
  const song = queue.current.peek();
  if (song && song.id !== player.now.peek()?.id) player.play(song, { fade: ACT_FADE_S, from: was.position });
}

/** Change the queue in a way that can be taken back. @param {string} code @param {Record<string, unknown>} values @param {() => void} change */
export function change(code, values, change) {
  const was = snapshot();
  change();
  notices.tell({ code, values }, () => undo(was));
  prefetch();
}

/** Not this one: the next song, and less of its kind. */
export function skip() {
  const song = queue.current.peek();
  if (!song) return;
  feedback.skipped(song);
  change("skipped", { title: song.title }, () => void next());
}

/** A set of before, as it was. @param {Music} set */
export const again = (set) => act(() => {
  [listener.word.value, listener.look.value, listener.plan.value] = [set.from ?? null, null, set.plan];
  take(set, ACT_FADE_S);
}, { kind: "answered", affect: set.affect });
