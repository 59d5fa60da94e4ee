// In the listener's own words: a field whose sentence the service understands, or asks about.

import * as dj from "./dj.js";
import { $ } from "./dom.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import { effect } from "./signal.js";

export function begin() {
  effect(() => $("say").setAttribute("placeholder", say("sayExample")));
  effect(() => ($("say").value = listener.word.value?.say ?? ""));
  $("words").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = $("say").value.trim();
    if (text) dj.say({ say: text });
  });
}
