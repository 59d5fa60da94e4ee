// What of the page is to be seen: the first visit gives way to the set; on small screens one panel at a time.

import { $ } from "./dom.js";
import { say } from "./i18n.js";
import * as queue from "./queue.js";
import { computed, effect, signal } from "./signal.js";

const panel = signal("plane");
const big = signal(false);
const begun = computed(() => queue.songs.value.length > 0);
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function begin() {
  effect(() => {
    if (document.body.classList.contains("first") === begun.value) glide(show);
  });
  effect(() => {
    document.body.dataset.panel = panel.value;
    for (const made of buttons()) made.setAttribute("aria-pressed", String(made.dataset.panel === panel.value));
  });
  effect(() => {
    document.body.classList.toggle("big", big.value);
    $("big-open").setAttribute("aria-pressed", String(big.value));
  });
  for (const id of ["big-open", "big-close"]) $(id).addEventListener("click", enlarge);
  document.addEventListener("fullscreenchange", () => (big.value = big.peek() && document.fullscreenElement !== null));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && leave());
  effect(() => $("panels").setAttribute("aria-label", say("panels")));
  for (const made of buttons()) made.addEventListener("click", () => (panel.value = made.dataset.panel ?? ""));
}

/** @returns {NodeListOf<HTMLElement>} */
const buttons = () => document.querySelectorAll("#panels button");

function show() {
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  main.hidden = true; // laid out anew, so that nothing jumps from where it was
  main.getBoundingClientRect();
  document.body.classList.toggle("first", !begun.peek());
  $("player").hidden = !begun.peek();
  main.hidden = false;
}

/** Change the view by a transition where the browser has one. @param {() => void} change */
function glide(change) {
  if (document.startViewTransition && !still.matches && document.visibilityState === "visible") document.startViewTransition(change).finished.catch(() => {});
  else change();
}

/** Have the view for a big screen: the plane, the song, and the room that it is for; or the page again. */
export function enlarge() {
  if (big.peek()) return leave();
  big.value = true;
  return document.documentElement.requestFullscreen?.().catch(() => {}); // a large window does too
}

function leave() {
  big.value = false;
  if (document.fullscreenElement) void document.exitFullscreen();
}
