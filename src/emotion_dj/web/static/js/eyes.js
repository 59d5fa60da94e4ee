// Who reads the faces: the eye in this page, in a worker, so that nothing is sent. Where it cannot run, the server reads
// what it is sent, but only once the listener has allowed that (or whoever serves the page has settled it).

import { Problem, read as send } from "./api.js";
import { Fault, loadEye } from "./eye.js";
import { aggregate } from "./eye/reading.js";
import { atRest, isResting, isRestful } from "./eye/resting.js";
import * as listener from "./listener.js";
import { NOBODY, follow } from "./live-smoothing.js";
import { signal } from "./signal.js";
import { keep, kept } from "./store.js";

/** @typedef {import("./face.js").Picture} Picture */

const QUALITY = 0.8;
const RESTING = "resting";
const NO_EYE = ["wasm_absent", "wasm_blocked", "worker_gone", "failed", "memory"];

/** The listener lets photos be sent to the server, for this visit. */
export const allowed = signal(false);

/** How the listener's calm face was read, where they said which it is: kept in this browser, and not sent. */
export const resting = signal(isResting(kept("local", RESTING)) ? kept("local", RESTING) : null);

/** @type {Promise<import("./eye.js").Eye> | null} */
let loading = null;
let room = NOBODY;
/** @type {Look | null} */
let plain = null; // what was read last, before the resting face

/** Fetch the eye, so that it is there when it is wanted. */
export function prepare() {
  if (onServer()) return;
  eye().catch(() => {}); // said when somebody wants to be seen
}

/** Does the server read, by the listener's word or by that of whoever serves the page? */
const onServer = () => allowed.peek() || listener.about.peek().read_on === "server";

function eye() {
  loading ??= loadEye(new URL("eye/", document.baseURI)).catch((error) => {
    loading = null; // the next photo tries again
    throw error;
  });
  return loading;
}

/** Read a photo. @param {Blob} photo @returns {Promise<[Look, Picture | null]>} a Problem where nobody is to be seen */
export async function readOf(photo) {
  const reading = onServer() ? import("./photo.js").then(({ readPhoto }) => readPhoto(photo)) : Promise.all([here(photo, false), createImageBitmap(photo).catch(() => null)]);
  const [look, picture] = await reading;
  return shown(await personal(look), picture);
}

/** @param {Look} look @param {ImageBitmap | HTMLCanvasElement | null} picture @returns {[Look, Picture | null]} */
const shown = (look, picture) => [look, picture && { source: picture, width: picture.width, height: picture.height, mirrored: false }];

/**
 * Read a frame of a camera, made steady: everyone who is there, as they have looked for a second.
 * @param {HTMLCanvasElement} frame @param {AbortSignal} stopping @returns {Promise<Look | null>} null while nobody is there
 */
export async function readLive(frame, stopping) {
  const look = await (onServer() ? encoded(frame).then((blob) => send(blob, stopping)) : here(frame, true)).catch(nobody);
  const { card } = await eye();
  if (!card) return look && personal(look);
  room = follow(room, look?.faces ?? [], performance.now() / 1000, card.live);
  if (!room.people.length) return null;
  const faces = [...room.people].sort((one, other) => other.box[2] * other.box[3] - one.box[2] * one.box[3]);
  return personal({ faces, affect: aggregate(/** @type {any} */ (faces), card.affect), model: card.reader.id });
}

/** What was read, beside the listener's resting face where there is one. @param {Look} look @returns {Promise<Look>} */
async function personal(look) {
  plain = look;
  return resting.peek() ? atRest(/** @type {any} */ (look), resting.peek(), await card()) : look;
}

/** The numbers that are read by, also where the eye itself cannot run. @returns {Promise<import("./eye.js").Card>} */
async function card() {
  const loaded = onServer() ? null : (await eye()).card;
  return loaded ?? (await fetch(new URL("eye/eye.json", document.baseURI))).json();
}

/** Take what was read last for the listener's resting face. @returns {Promise<boolean>} whether it can be one */
export async function rest() {
  if (!plain || !isRestful(/** @type {any} */ (plain.faces), (await card()).reader)) return false;
  keep("local", RESTING, resting.value = plain.faces[0].emotions);
  return true;
}

export const forgetResting = () => void keep("local", RESTING, resting.value = null);

/** What was read last, read again. @returns {Promise<Look | null>} */
export const again = async () => plain && personal(plain);

/** Begin anew, as with another camera. */
export const forget = () => void (room = NOBODY);

/** @param {unknown} error @returns {null} */
function nobody(error) {
  if (error instanceof Problem && error.code === "no_face") return null;
  throw error;
}

/** @param {Blob | HTMLCanvasElement} source @param {boolean} live @returns {Promise<Look>} */
async function here(source, live) {
  try {
    return await (await eye()).read(source, { live });
  } catch (error) {
    throw error instanceof Fault ? new Problem(NO_EYE.includes(error.code) ? "no_eye" : error.code, error.message) : error;
  }
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const encoded = (canvas) => new Promise((done, fail) =>
  canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no frame"))), "image/jpeg", QUALITY));
