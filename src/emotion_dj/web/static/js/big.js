// The view for a big screen: the plane, the song, and the room that it is for.

import { $ } from "./dom.js";
import { effect, signal } from "./signal.js";

const on = signal(false);

export function begin() {
  effect(() => {
    document.body.classList.toggle("big", on.value);
    $("big-open").setAttribute("aria-pressed", String(on.value));
  });
  for (const id of ["big-open", "big-close"]) $(id).addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", () => (on.value = on.peek() && document.fullscreenElement !== null));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && leave());
}

/** Have it, or have the page again. */
export function toggle() {
  if (on.peek()) return leave();
  on.value = true;
  return document.documentElement.requestFullscreen?.().catch(() => {}); // a large window does too
}

function leave() {
  on.value = false;
  if (document.fullscreenElement) void document.exitFullscreen();
}
