// What can be chosen: a mood, a plan, whom the music is for, how many songs.

import { colour } from "./colour.js";
import { choice } from "./choice.js";
import * as dj from "./dj.js";
import { $ } from "./dom.js";
import * as face from "./face.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import { computed, effect } from "./signal.js";

const WHOM = ["room", "each"];

export function begin() {
  const { about, plan, whom, word } = listener;
  choices("moods", "", () => Object.keys(about.value.moods), () => word.value?.mood, (mood) => dj.say({ mood }));
  choices("plans", "plan_", () => about.value.plans, () => plan.value, (name) => dj.replan(() => (plan.value = name)));
  choices("serve", "serve_", () => WHOM, () => whom.value, (name) => dj.replan(() => (whom.value = name)));
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
 * Radio buttons that look like a row of choices, and show what is chosen.
 * @param {string} id @param {string} prefix of the messages @param {() => string[]} names @param {() => string | undefined} chosen
 * @param {(name: string) => void} choose
 */
function choices(id, prefix, names, chosen, choose) {
  const all = computed(() => names().join(" "));
  effect(() => {
    const legend = $(id).querySelector("legend");
    const made = all.value.split(" ").filter(Boolean).map((name) => one(id, name, say(prefix + name), choose));
    $(id).replaceChildren(legend, ...made);
  });
  effect(() => {
    all.value;
    say(""); // drawn anew in another language
    for (const input of $(id).querySelectorAll("input")) input.checked = input.value === chosen();
  });
}

/** @param {string} group @param {string} name @param {string} words @param {(name: string) => void} choose */
function one(group, name, words, choose) {
  const { label, word } = choice({ type: "radio", group, value: name, words, checked: false }, () => choose(name));
  const place = group === "moods" && listener.about.value.moods[name];
  if (place) word.style.setProperty("--tint", colour(place[0], place[1]));
  return label;
}
