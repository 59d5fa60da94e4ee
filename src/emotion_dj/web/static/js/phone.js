// This phone is the eye of another screen: its camera is read here, and numbers alone go there.

import { Problem, get, tellOf } from "./api.js";
import { Camera } from "./camera.js";
import { $, button, make } from "./dom.js";
import * as eyes from "./eyes.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import { effect, signal } from "./signal.js";
import { capital, problem } from "./words.js";

const TELL_MS = 250; // no more often
const STILL_MS = 2000; // and no more rarely, so that the screen knows that it is seen

const live = signal(false);
const said = signal(/** @type {{code: string, text?: string, emotion?: string}} */ ({ code: "" }));
let told = 0;
/** @type {Promise<unknown> | null} */
let telling = null;

/** @param {string} key of the screen that follows */
export async function begin(key) {
  document.body.className = "eye";
  const view = make("section");
  const [title, lead, words, press] = [make("h2"), make("p"), make("p", "seen"), button("", () => void toggle(), "way")];
  words.setAttribute("role", "status");
  view.append(title, lead, $("video"), press, words);
  /** @type {HTMLElement} */ (document.querySelector("main")).replaceChildren(view);
  const camera = new Camera($("video"), () => stop("camera_taken"));
  effect(() => {
    [title.textContent, lead.textContent] = [say("phoneTitle"), say("phoneLead")];
    press.textContent = say(live.value ? "stopCamera" : "useCamera");
    $("video").hidden = !live.value;
    words.textContent = sentence();
  });
  listener.about.value = await get("/about").catch(() => listener.about.peek());
  eyes.prepare();

  const toggle = () => (live.peek() ? stop() : start());
  /** @param {string} [code] */
  function stop(code = "") {
    camera.stop();
    [live.value, said.value] = [false, { code }];
    void tellOf(key, []).catch(() => {});
  }
  async function start() {
    eyes.forget();
    try {
      await camera.start((frame, signal) => each(frame, signal, key));
      live.value = true;
      void navigator.wakeLock?.request("screen").catch(() => null);
    } catch (error) {
      stop(refusal(error));
    }
  }
}

/** @param {HTMLCanvasElement} frame @param {AbortSignal} signal @param {string} key */
async function each(frame, signal, key) {
  try {
    const look = await eyes.readLive(frame, signal);
    if (signal.aborted) return;
    said.value = look ? { code: look.faces[0].abstained ? "unsure" : "seen", emotion: look.faces[0].emotion } : { code: "nobody" };
    pass(look?.faces ?? [], key);
  } catch (error) {
    said.value = error instanceof Problem ? { code: error.code, text: error.message } : { code: "unknown" };
  }
}

/** One at a time. @param {Face[]} faces @param {string} key */
function pass(faces, key) {
  const wait = faces.length ? TELL_MS : STILL_MS;
  if (telling || performance.now() - told < wait) return;
  told = performance.now();
  telling = tellOf(key, faces.map(listener.sent)).catch((error) => (said.value = { code: error.code })).finally(() => (telling = null));
}

/** @param {unknown} error */
const refusal = (error) => (error instanceof DOMException && error.name === "NotAllowedError" ? "camera_refused" : "camera_broken");

function sentence() {
  const { code, text, emotion } = said.value;
  if (!code) return "";
  return code === "seen" ? capital(say("looks", { emotion: say(emotion ?? "") })) : problem({ code, text });
}
