// The set as a list: the cover of each song, what it is, where it stands, why it was chosen.

import { colour } from "./colour.js";
import { cover } from "./cover.js";
import { say } from "./i18n.js";
import { name, why } from "./words.js";

const list = /** @type {HTMLElement} */ (document.querySelector("#set"));

/** @param {SetPick[]} queue @param {(place: number) => void} choose */
export function rows(queue, choose) {
  list.replaceChildren(...queue.map((pick, place) => row(pick, place, () => choose(place))));
}

/** Show which one plays. @param {number} place */
export function mark(place) {
  [...list.children].forEach((item, i) => item.setAttribute("aria-current", String(i === place)));
}

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.floor(seconds) : 0;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {SetPick} pick @param {number} place @param {() => void} choose */
function row(pick, place, choose) {
  const [item, button, text, side] = [document.createElement("li"), document.createElement("button"), part("text"), part("side")];
  text.append(part("title", pick.title), ...(pick.artists.length ? [part("artist", pick.artists.join(", "))] : []), part("why", why(pick)));
  const mood = part("mood", say(pick.mood));
  mood.style.setProperty("--tint", colour(pick.affect.valence, pick.affect.arousal));
  side.append(mood, part("why", pick.duration ? clock(pick.duration) : ""));
  button.type = "button";
  button.append(cover(pick), text, side);
  button.setAttribute("aria-label", say("playTrack", { n: place + 1, title: name(pick), why: `${say(pick.mood)}, ${why(pick)}` }));
  button.addEventListener("click", choose);
  item.append(button);
  return item;
}

/** @param {string} kind @param {string} [words] */
function part(kind, words = "") {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = words;
  return made;
}
