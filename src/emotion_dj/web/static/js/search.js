// Songs looked for by title or artist, and put after the one that plays.

import { get } from "./api.js";
import * as dj from "./dj.js";
import { $, button, make } from "./dom.js";
import { say } from "./i18n.js";
import * as queue from "./queue.js";
import { effect, signal } from "./signal.js";
import { name } from "./words.js";

const TYPED_MS = 200;
const MOST = 8;

/** @typedef {{id: number, title: string, artists: string[]}} Found */

const found = signal(/** @type {Found[]} */ ([]));
let waiting = 0;

export function begin() {
  effect(() => $("found").replaceChildren(...found.value.map(entry)));
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, TYPED_MS);
  });
  void look(); // what was typed while this came
}

async function look() {
  const wanted = $("search").value.trim();
  try {
    const songs = wanted ? (await get(`/tracks?limit=${MOST}&q=${encodeURIComponent(wanted)}`)).tracks : [];
    if ($("search").value.trim() === wanted) found.value = songs;
  } catch (error) {
    dj.trouble(error, look);
  }
}

/** @param {Found} song */
function entry(song) {
  const item = make("li");
  const made = button(name(song), () => void add(song));
  made.setAttribute("aria-label", say("add", { title: name(song) }));
  item.append(made);
  return item;
}

/** @param {Found} song */
async function add(song) {
  try {
    const pick = await get(`/tracks/${song.id}/pick`);
    dj.change("added", { title: song.title }, () => queue.insert(pick));
    $("search").value = "";
    found.value = [];
  } catch (error) {
    dj.trouble(error);
  }
}
