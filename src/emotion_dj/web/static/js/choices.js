// What can be chosen: a mood, a plan, whom the music is for, how many songs.

import { colour } from "./colour.js";
import * as dj from "./dj.js";
import { $ } from "./dom.js";
import * as face from "./face.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import { effect } from "./signal.js";

export function begin() {
  const { about, plan, whom, word } = listener;
  choices("moods", () => word.value?.mood, (mood) => dj.say({ mood }));
  choices("plans", () => plan.value, (name) => dj.replan(() => (plan.value = name)));
  choices("serve", () => whom.value, (name) => dj.replan(() => (whom.value = name)));
  effect(() => Object.entries(about.value.moods).forEach(([mood, place]) => tint(mood, place)));
  effect(() => ($("serve").hidden = listener.faces.value.length < 2 || word.value !== null));
  $("length").addEventListener("change", () => dj.replan(() => (listener.length.value = songs())));
  camera();
}

function camera() {
  const { live } = listener;
  effect(() => {
    $("light").hidden = !live.value;
    document.body.classList.toggle("live", live.value);
  });
  effect(() => {
    $("camera").setAttribute("aria-pressed", String(live.value));
    $("camera").setAttribute("aria-disabled", String(face.asking.value));
    $("camera-word").textContent = say(live.value ? "stopCamera" : "useCamera");
  });
  for (const id of ["camera", "light"]) $(id).addEventListener("click", () => void face.toggle());
}

/** How many songs are wanted; the field shows what counts. */
function songs() {
  const wanted = Math.round($("length").valueAsNumber); // what is no number is not known
  const counts = Math.min($("length").max, Math.max($("length").min, Number.isNaN(wanted) ? $("length").defaultValue : wanted));
  $("length").value = String(counts);
  return counts;
}

/**
 * Radio buttons that look like a row of choices, and show what is chosen; they wait for this to be pressed.
 * @param {string} id @param {() => string | undefined} chosen @param {(name: string) => void} choose
 */
function choices(id, chosen, choose) {
  const inputs = /** @type {NodeListOf<HTMLInputElement>} */ ($(id).querySelectorAll("input"));
  for (const input of inputs) input.addEventListener("change", () => choose(input.value));
  effect(() => inputs.forEach((input) => (input.checked = input.value === chosen())));
  $(id).disabled = false;
}

/** @param {string} mood @param {number[]} place */
function tint(mood, [valence, arousal]) {
  const made = /** @type {HTMLElement | null} */ (document.querySelector(`#moods [value=${mood}] + .choice`));
  made?.style.setProperty("--tint", colour(valence, arousal));
}
