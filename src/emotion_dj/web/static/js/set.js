// The queue as a list: the cover of each song, what it is, where it stands, why it was chosen; and what can be done with it.

import { colour } from "./colour.js";
import { cover } from "./cover.js";
import * as dj from "./dj.js";
import { $, button, make, sign } from "./dom.js";
import * as feedback from "./feedback.js";
import { say } from "./i18n.js";
import * as queue from "./queue.js";
import { effect } from "./signal.js";
import { clock, name, why } from "./words.js";

const SIGNS = {
  more: "M5 10h4v4H5zM10 10h4v4h-4zM15 10h4v4h-4z", like: "M12 20l-7-7a4.6 4.6 0 0 1 7-6 4.6 4.6 0 0 1 7 6z",
  next: "M4 6h12v2H4zM4 11h8v2H4zM4 16h8v2H4zM15 11l6 4-6 4z", up: "M6 14 12 8l6 6-1.500 1.500L12 11l-4.500 4.500z",
  down: "M6 10l6 6 6-6-1.500-1.500L12 13 7.500 8.500z", remove: "M6 7.500 7.500 6 12 10.500 16.500 6 18 7.500 13.500 12 18 16.500 16.500 18 12 13.500 7.500 18 6 16.500 10.500 12z",
};

/** @type {HTMLElement} */
const list = $("set");

export function begin() {
  effect(() => {
    const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
    list.replaceChildren(...queue.songs.value.map(row));
    if (focused >= 0) /** @type {HTMLElement | null} */ (list.children[Math.min(focused, list.children.length - 1)]?.querySelector(".song"))?.focus();
  });
  effect(mark);
  list.addEventListener("dragover", (event) => list.querySelector(".dragged") && event.preventDefault());
}

/** Show which one plays, and have it in sight. */
function mark() {
  queue.songs.value;
  [...list.children].forEach((item, i) => item.setAttribute("aria-current", String(i === queue.place.value)));
  requestAnimationFrame(sight); // where it stands is known with the next picture; an answer waits for no layout
}

function sight() {
  const playing = /** @type {HTMLElement | null} */ (list.querySelector("[aria-current=true]"));
  if (playing && !list.contains(document.activeElement)) list.scrollTo?.({ top: playing.offsetTop - list.offsetTop - 60 });
}

/** @param {SetPick} song @param {number} at */
function row(song, at) {
  const item = make("li");
  const more = sign(SIGNS.more, say("moreOf", { title: name(song) }), () => {
    more.setAttribute("aria-expanded", String(item.classList.toggle("open")));
    if (item.classList.contains("open") && !item.querySelector(".acts")) item.append(acts(song, at));
  });
  more.setAttribute("aria-expanded", "false");
  item.append(play(song, at), more);
  draggable(item, song, at);
  return item;
}

/** @param {SetPick} song @param {number} at */
function play(song, at) {
  const made = button("", () => void dj.play(at), "song");
  const [text, side] = [make("span", "text"), make("span", "side")];
  const reason = why(song);
  text.append(make("span", "title", song.title), ...(song.artists.length ? [make("span", "artist", song.artists.join(", "))] : []), make("span", "why", reason));
  const mood = make("span", "mood", say(song.mood));
  mood.style.setProperty("--tint", colour(song.affect.valence, song.affect.arousal));
  side.append(mood, make("span", "why", song.duration ? clock(song.duration) : ""));
  made.append(cover(song), text, side);
  made.setAttribute("aria-label", say("playTrack", { n: at + 1, title: name(song), why: [say(song.mood), reason].filter(Boolean).join(", ") }));
  return made;
}

/** @param {SetPick} song @param {number} at */
function acts(song, at) {
  const made = make("span", "acts");
  const values = { title: song.title };
  const like = sign(SIGNS.like, say("like"), () => feedback.like(song));
  like.classList.add("taught");
  effect(() => like.setAttribute("aria-pressed", String(feedback.likes(song))));
  made.append(
    like,
    sign(SIGNS.next, say("playNext"), () => moved(at, at > queue.place.peek() ? queue.place.peek() + 1 : queue.place.peek(), values)),
    sign(SIGNS.up, say("up"), () => moved(at, at - 1, values)),
    sign(SIGNS.down, say("down"), () => moved(at, at + 1, values)),
    sign(SIGNS.remove, say("remove"), () => remove(at, values)),
    directions(song),
  );
  return made;
}

/** The ways in which music may go on from a song. @param {SetPick} song */
function directions(song) {
  const made = make("span", "directions");
  made.append(...Object.entries({ match: "moreLike", calm: "calmer", liven: "livelier" }).map(([plan, words]) => button(say(words), () => dj.moreLike(song, plan))));
  return made;
}

/** @param {number} from @param {number} to @param {Record<string, unknown>} values */
function moved(from, to, values) {
  if (to < 0 || to >= queue.songs.peek().length || to === from) return;
  dj.change("moved", values, () => queue.move(from, to));
}

/** @param {number} at @param {Record<string, unknown>} values */
function remove(at, values) {
  dj.change("removed", values, () => {
    const plays = at === queue.place.peek();
    queue.remove(at);
    if (plays) dj.play(Math.min(at, queue.songs.peek().length - 1));
  });
}

/** @param {HTMLElement} item @param {SetPick} song @param {number} at */
function draggable(item, song, at) {
  item.draggable = true;
  item.addEventListener("dragstart", (event) => {
    item.classList.add("dragged");
    event.dataTransfer?.setData("text/plain", name(song));
  });
  item.addEventListener("dragend", () => item.classList.remove("dragged"));
  item.addEventListener("drop", (event) => {
    const from = [...list.children].findIndex((other) => other.classList.contains("dragged"));
    if (from < 0) return;
    event.preventDefault();
    event.stopPropagation();
    moved(from, at, { title: queue.songs.peek()[from].title });
  });
}

