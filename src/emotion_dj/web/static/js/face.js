// The face of the listener: of a photo, or live; read, made steady, and handed on.

import { Problem, post } from "./api.js";
import { Camera } from "./camera.js";
import * as dj from "./dj.js";
import * as eyes from "./eyes.js";
import * as listener from "./listener.js";
import * as notices from "./notices.js";
import { effect, signal } from "./signal.js";

/** @typedef {{source: CanvasImageSource, width: number, height: number, mirrored: boolean}} Picture */

const REFUSALS = { NotAllowedError: "camera_refused", NotFoundError: "no_camera", NotReadableError: "camera_taken" };

/** What was looked at; null where nobody is to be seen. */
export const picture = signal(/** @type {Picture | null} */ (null));
export const asking = signal(false); // the browser asks the listener for the camera

/** @type {Camera} */
let camera;

/** @param {HTMLVideoElement} video */
export function begin(video) {
  camera = new Camera(video, () => stop(true));
  effect(() => void stayAwake(listener.live.value));
  document.addEventListener("visibilitychange", () => void stayAwake(listener.live.peek())); // a hidden page loses it
}

/** @type {WakeLockSentinel | null} */
let lock = null;

/** The screen stays on while the camera is. @param {boolean} on */
async function stayAwake(on) {
  await lock?.release();
  lock = null;
  if (on && document.visibilityState === "visible") lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null; // a low battery refuses
}

/** @param {Blob} file */
export async function photo(file) {
  dj.wake();
  stop();
  notices.said.value = null;
  try {
    const [look, shown] = await notices.during("reading", eyes.readOf(file));
    dj.act(() => {
      listener.look.value = look;
      listener.word.value = null;
      picture.value = shown;
    }, { kind: "act", word: false });
    if (!listener.faces.peek().length) notices.said.value = { code: "unsure" };
  } catch (error) {
    nobody();
    complain(error, () => photo(file));
  }
}

/** Nobody is there: what was seen goes, and the picture with it; the music stays. */
function nobody() {
  listener.look.value = picture.value = null;
  dj.send({ kind: "nobody" });
}

/** @param {unknown} error @param {() => void} again */
function complain(error, again) {
  if (!(error instanceof Problem)) throw error;
  if (error.code === "gone") return dj.trouble(error, again);
  const code = error.code === "image_error" && /pixels/.test(error.message) ? "too_many_pixels" : error.code;
  notices.said.value = { code, text: error.message, allow: code === "no_eye" ? () => allow(again) : undefined };
  return undefined;
}

/** The listener lets photos be sent. @param {() => void} again */
function allow(again) {
  eyes.allowed.value = true;
  notices.said.value = null;
  again();
}

/** Turn the camera on or off. */
export const toggle = () => (listener.live.peek() ? stop() : start());

async function start() {
  dj.wake();
  if (asking.peek()) return; // pressed twice while the browser asks
  asking.value = true;
  notices.said.value = null;
  try {
    await camera.start(each);
    eyes.forget();
    watch();
  } catch (error) {
    stop();
    const name = /** @type {keyof typeof REFUSALS} */ (error instanceof DOMException ? error.name : "");
    notices.said.value = { code: REFUSALS[name] ?? "camera_broken" };
  } finally {
    asking.value = false;
  }
}

/** From now on a camera looks: this one, or that of a phone. */
export function watch() {
  listener.live.value = true;
  listener.word.value = null;
  dj.send({ kind: "camera", on: true });
}

/** @param {boolean} [taken] another program took it */
export function stop(taken = false) {
  camera.stop();
  if (!listener.live.peek()) return;
  listener.live.value = false;
  dj.send({ kind: "camera", on: false, taken });
}

/** @param {HTMLCanvasElement} frame @param {AbortSignal} signal */
async function each(frame, signal) {
  try {
    const look = await eyes.readLive(frame, signal);
    if (signal.aborted) return;
    tell(look, frame);
  } catch (error) {
    if (signal.aborted) return;
    stop();
    complain(error, start);
  }
}

/** What a camera sees; a phone sends no picture. @param {Look | null} look null where nobody is there @param {HTMLCanvasElement} [frame] */
export function tell(look, frame) {
  if (look) seen(look, frame);
  else unseen();
}

/** @param {Look} look @param {HTMLCanvasElement} [frame] */
function seen(look, frame) {
  notices.said.value = null;
  listener.look.value = look;
  picture.value = frame ? { source: frame, width: frame.width, height: frame.height, mirrored: true } : null;
  const { valence, arousal } = look.affect;
  dj.send({ kind: "reading", affect: { valence, arousal }, sure: listener.faces.peek().length > 0 });
}

function unseen() {
  if (!listener.look.peek() && notices.said.peek()) return;
  nobody();
  notices.said.value = { code: "nobody" };
}

/** What is seen now is the listener's resting face, or it is forgotten. @param {boolean} on */
export async function rest(on) {
  notices.said.value = null;
  if (!on) eyes.forgetResting();
  else if (!(await eyes.rest())) {
    notices.said.value = { code: "no_resting_face" };
    return;
  }
  const look = listener.live.peek() ? null : await eyes.again(); // the next frame tells it by itself
  if (look) dj.act(() => void (listener.look.value = look), { kind: "act", word: false });
}

/**
 * Follow what the listener says of themselves, and let the server learn from it.
 * @param {string} emotion @param {Face} face as it was read
 */
export function correct(emotion, face) {
  if (!listener.isGuest()) post("/corrections", { face: listener.sent(face), emotion }).catch(() => {}); // the set matters more
  dj.say({ emotion });
}
