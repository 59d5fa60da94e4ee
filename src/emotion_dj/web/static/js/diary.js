// A diary, kept where the listener remembers their sets: in this browser alone. How they were, over days, and what they heard.

import { colour } from "./colour.js";
import { $, button, download, element, make } from "./dom.js";
import * as feedback from "./feedback.js";
import { remembers } from "./history.js";
import { language, say } from "./i18n.js";
import * as listener from "./listener.js";
import * as queue from "./queue.js";
import { effect, signal } from "./signal.js";
import { keep, kept } from "./store.js";
import { name } from "./words.js";

const KEY = "diary";
const MOST = 3000;
const AGAIN_MS = 60_000; // a face that stays is noted no more often
const DAY_MS = 86_400_000;
const [WIDTH, HEIGHT, EDGE] = [320, 130, 8];

/** @typedef {{at: number, valence: number, arousal: number}} Noted how the listener was */
/** @typedef {{at: number, song: string}} Heard */

const notes = signal(/** @type {(Noted | Heard)[]} */ (kept("local", KEY) ?? []));
const readings = () => notes.value.filter((one) => "valence" in one);
const songs = () => notes.value.filter((one) => "song" in one);

let begun = false;

export function begin() {
  if (begun) return;
  begun = true;
  effect(() => {
    if (!remembers.value) put([]);
  });
  follow(queue.music, ({ affect }) => note(affect));
  effect(() => {
    const last = readings().at(-1)?.at ?? 0;
    if (listener.live.value && listener.faces.value.length && listener.look.value && Date.now() - last > AGAIN_MS) note(listener.look.value.affect);
  });
  follow(feedback.played, (song) => write({ at: Date.now(), song: name(song) }));
  effect(draw);
}

/** What comes from now on: a diary that is switched on begins with the next reading. @template T @param {{readonly value: T | null, peek: () => T | null}} of @param {(value: T) => void} work */
function follow(of, work) {
  const before = of.peek();
  effect(() => {
    if (of.value && of.value !== before) work(of.value);
  });
}

/** A set that is back after a reload is no other one. @param {Affect} affect */
function note({ valence, arousal }) {
  const last = notes.peek().findLast((one) => "valence" in one);
  if (last?.valence !== valence || last.arousal !== arousal) write({ at: Date.now(), valence, arousal });
}

/** @param {Noted | Heard} one */
function write(one) {
  if (remembers.peek()) put([...notes.peek(), one].slice(-MOST));
}

/** @param {(Noted | Heard)[]} all */
function put(all) {
  notes.value = keep("local", KEY, all.length ? all : undefined) ? all : [];
}

function draw() {
  const [days, heard] = [readings(), songs()];
  $("diary").hidden = !remembers.value;
  if (!days.length) return $("diary").replaceChildren(make("p", "small", say("diaryEmpty")));
  return $("diary").replaceChildren(
    chart(days), make("p", "small", say("diaryLines", { songs: heard.length })),
    button(say("diaryExport"), () => download(new Blob([JSON.stringify(notes.peek(), null, 1)], { type: "application/json" }), "emotion-dj-diary.json")),
  );
}

/** Every reading as a dot of its colour, and a line through the days: bright above, dark below. @param {Noted[]} days */
function chart(days) {
  const [first, last] = [days[0].at, Math.max(days[days.length - 1].at, days[0].at + DAY_MS)];
  const x = (/** @type {number} */ at) => EDGE + ((WIDTH - 2 * EDGE) * (at - first)) / (last - first);
  const y = (/** @type {number} */ value) => HEIGHT / 2 - (HEIGHT / 2 - EDGE) * value;
  const line = (/** @type {"valence" | "arousal"} */ axis) => element("polyline", { class: axis, points: means(days, axis).map(([at, value]) => `${x(at)},${y(value)}`).join(" ") });
  const made = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label(days) });
  made.append(
    element("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }), line("valence"), line("arousal"),
    ...days.map(({ at, valence, arousal }) => element("circle", { cx: x(at), cy: y(valence), r: 3.5, fill: colour(valence, arousal) })),
  );
  return made;
}

/** The mean of each day, at the mean of its times. @param {Noted[]} days @param {"valence" | "arousal"} axis @returns {[number, number][]} */
function means(days, axis) {
  /** @type {Map<string, Noted[]>} */
  const byDay = new Map();
  for (const one of days) byDay.set(day(one.at), [...(byDay.get(day(one.at)) ?? []), one]);
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...byDay.values()].map((all) => [mean(all.map(({ at }) => at)), mean(all.map((one) => one[axis]))]);
}

/** @param {Noted[]} days */
const label = (days) => say("diaryChart", { n: days.length, from: day(days[0].at), to: day(days[days.length - 1].at) });

/** @param {number} at */
const day = (at) => new Date(at).toLocaleDateString(language.value, { dateStyle: "medium" });
