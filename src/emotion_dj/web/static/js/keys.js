// Keys, and the dialogs that tell of them and of the models.

import * as dj from "./dj.js";
import { $, make } from "./dom.js";
import * as face from "./face.js";
import * as feedback from "./feedback.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import * as screens from "./screens.js";
import { effect } from "./signal.js";

const KEYS = { " ": "playPause", n: "next", p: "previous", s: "skip", l: "like", m: "mute", c: "stopCamera", b: "bigScreen", "?": "keys" };
const BUTTONS = { play: "playPause", next: "next", previous: "previous", skip: "skip", like: "like", mute: "mute" };

/** @param {import("./player.js").Player} player */
export function begin(player) {
  const actions = {
    playPause: dj.toggle, next: dj.next, previous: dj.previous, skip: dj.skip, like: () => feedback.like(), mute: () => player.mute(),
    stopCamera: () => face.stop(), bigScreen: screens.enlarge, keys: () => $("keys-dialog").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const action = meant(event);
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
  for (const id of ["keys", "about"]) $(`${id}-open`).addEventListener("click", () => $(`${id}-dialog`).showModal());
  effect(list);
  effect(() => card(listener.about.value));
}

/** @param {KeyboardEvent} event */
function meant(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typed = target.closest("dialog, select, input:not([type=radio], [type=range], [type=checkbox], [type=file])");
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || typed) return undefined;
  if (event.key === " " && target.closest("button, input, summary, [role=button]")) return undefined;
  return /** @type {"next" | undefined} */ (KEYS[/** @type {keyof typeof KEYS} */ (event.key.toLowerCase())]);
}

function list() {
  $("keys-list").replaceChildren(...Object.entries(KEYS).flatMap(([key, action]) => {
    const term = make("dt");
    term.append(make("kbd", "", cap(key)));
    return [term, make("dd", "", say(action))];
  }));
  for (const [id, action] of Object.entries(BUTTONS)) {
    const key = Object.keys(KEYS).find((one) => KEYS[/** @type {keyof typeof KEYS} */ (one)] === action) ?? "";
    $(id).setAttribute("title", `${say(action)} (${cap(key)})`);
  }
}

/** @param {string} key */
const cap = (key) => (key === " " ? say("space") : key.toUpperCase());

/** What there is to know of the models. @param {About} about */
function card({ card: model, audio_model: ear }) {
  const figures = model.metrics?.votes;
  const heard = ear.metrics?.r2_five_fold_by_track;
  const lines = figures ? [say("cardFigures", { id: model.id, accuracy: (100 * figures.accuracy).toFixed(1), n: figures.n }), model.limits ?? ""] : [];
  if (heard) lines.push(say("earFigures", { id: ear.id, arousal: (100 * heard.arousal).toFixed(0), valence: (100 * heard.valence).toFixed(0) }), ear.limits ?? "");
  $("card").replaceChildren(...lines.map((line) => make("p", "", line)));
}

