// The page: what is known of the listener, what they want, and the set that answers.

import { Problem, ROOT, get, post } from "./api.js";
import { Camera, Smoother } from "./camera.js";
import { choice } from "./choice.js";
import { colour } from "./colour.js";
import { artwork, cover } from "./cover.js";
import { Elsewhere } from "./elsewhere.js";
import * as faces from "./faces.js";
import * as history from "./history.js";
import { LANGUAGES, load, preferred, say } from "./i18n.js";
import { readPhoto } from "./photo.js";
import * as plane from "./plane.js";
import { Player } from "./player.js";
import { clock, mark, rows } from "./set.js";
import * as sources from "./sources.js";
import { name, opening, why } from "./words.js";

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

const KEYS = { " ": "playPause", n: "next", p: "previous", s: "skip", l: "like", m: "mute", c: "stopCamera", "?": "keys" };
const PLAY = "M8 5v14l11-7z";
const PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";
const RETRY_MS = 2000;
const PATIENCE_MS = 300;
const ANYWHERE = { valence: 0, arousal: 0, uncertainty: 1 };

const player = new Player(new Elsewhere($("elsewhere")));
const camera = new Camera($("video"));
const state = {
  /** @type {Wish | null} */ wish: null, // where the listener is, as /sets takes it
  /** @type {Look | null} */ look: null,
  /** @type {Music | null} */ set: null,
  before: false, // the set is that of somebody who is not there any more
  plan: "match",
  serve: "room", // whom, where several are there
  /** @type {About} */ about: { emotions: {}, moods: {}, plans: [], card: {}, ear: {} },
  planning: new AbortController(),
  /** @type {EventSource | null} */ scan: null,
  /** @type {SetPick[] | null} */ drawn: null, // the queue that stands on the page
  /** @type {Set<number>} */ liked: new Set(), // songs, on this visit
  /** @type {Promise<unknown>} */ telling: Promise.resolve(), // what was said last has reached the server
};
let smoother = new Smoother();

async function begin() {
  $("language").append(...Object.entries(LANGUAGES).map(([tag, name]) => new Option(name, tag)));
  $("language").value = preferred();
  await load(preferred());
  plane.begin((valence, arousal) => wish({ at: `${valence.toFixed(3)},${arousal.toFixed(3)}` }));
  listen();
  past();
  navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the page needs the server, no more
  await reach();
}

/** Get what the page needs from the server, however long it takes to come (back). */
async function reach() {
  try {
    state.about = await get("/about");
    $("banner").hidden = true;
    choices("moods", "", Object.keys(state.about.moods), state.wish?.mood, (mood) => wish({ mood }));
    choices("plans", "plan_", state.about.plans, state.plan, (plan) => {
      state.plan = plan;
      replan();
    });
    choices("serve", "serve_", ["room", "each"], state.serve, (serve) => {
      state.serve = serve;
      replan();
    });
    card(state.about);
    await music();
  } catch (error) {
    tell(error);
    setTimeout(reach, RETRY_MS);
  }
}

/** Tell what music there is, and of which sources. */
const music = () => Promise.all([library(), sources.load(replan, shown)]);

async function library() {
  const known = await get("/library");
  plane.constellation(known.points);
  $("music").textContent = known.scan.running ? say("hearing", known.scan) : known.problem || say("tracks", { n: known.tracks });
  if (known.scan.running && !state.scan) followScan();
}

/** Say how the scan goes until it is done; the browser itself comes back where the line breaks. */
function followScan() {
  const scan = new EventSource(`${ROOT}/library/scan`);
  state.scan = scan;
  scan.addEventListener("progress", (event) => ($("music").textContent = say("hearing", JSON.parse(event.data))));
  scan.addEventListener("done", () => {
    scan.close();
    state.scan = null;
    music().catch(tell);
  });
}

// -- where the listener is --------------------------------------------------------------------

/** @param {Wish} start */
function wish(start) {
  state.wish = start;
  if (!start.faces) $("said").textContent = "";
  pressed(start.mood);
  $("serve").hidden = several(start).length < 2;
  return replan();
}

/** The faces that a set can serve. @param {Wish | null} wish */
const several = (wish) => wish?.faces?.filter((face) => !face.abstained) ?? [];

/** Show which mood was picked, if any. @param {string} [mood] */
function pressed(mood) {
  for (const input of document.querySelectorAll("#moods input")) {
    const radio = /** @type {HTMLInputElement} */ (input);
    radio.checked = radio.value === mood;
  }
}

/** @param {Blob} photo */
async function photo(photo) {
  stopCamera();
  $("said").textContent = "";
  try {
    const [look, picture] = await during(readPhoto(photo), $("said"), "reading");
    $("stage").hidden = !picture;
    if (picture) faces.picture(picture, picture.width, picture.height);
    seen(look);
    await wish({ faces: look.faces });
    if (!player.playing && state.set) await player.jump(0);
  } catch (error) {
    nobody();
    tell(error, $("said"));
  }
}

/** Forget who was there: nothing is planned for them any more, and the set that stands is that of before. */
function nobody() {
  faces.clear();
  $("stage").hidden = true;
  state.planning.abort();
  state.look = state.wish = null;
  pressed();
  $("serve").hidden = true;
  plane.place(ANYWHERE);
  state.before = true;
  if (state.set) $("opening").textContent = headline(state.set);
}

/** @param {Look} look @param {boolean} [mirrored] */
function seen(look, mirrored = false) {
  state.look = look;
  faces.frame(look, state.about.emotions, mirrored);
  faces.bars(look, state.about.emotions, correct);
  plane.place(look.affect);
}

/**
 * Follow what the listener says of themselves, and let the server learn from it.
 * @param {string} emotion @param {number} place of the face in the look
 */
function correct(emotion, place) {
  const face = state.look?.faces[place];
  if (face) post("/corrections", { face, emotion }).catch(() => {}); // the set matters more
  return wish({ emotion });
}

async function toggleCamera() {
  if (camera.on) return stopCamera();
  smoother = new Smoother();
  $("camera").disabled = true; // a second click while the browser asks would open it twice
  try {
    await camera.start(live, (error) => tell(error, $("said")));
  } catch (error) {
    stopCamera();
    const name = error instanceof DOMException ? error.name : "";
    $("said").textContent = say({ NotAllowedError: "cameraRefused", NotFoundError: "noCamera" }[name] ?? "cameraBroken");
    return undefined;
  } finally {
    $("camera").disabled = false;
  }
  light(true);
  return undefined;
}

/** @param {Look} look @param {HTMLCanvasElement} frame */
function live(look, frame) {
  light(true);
  $("said").textContent = "";
  $("stage").hidden = false;
  faces.picture(frame, frame.width, frame.height, true);
  const { affect, moved } = smoother.take(look.affect, performance.now());
  seen({ ...look, affect }, true);
  if (moved) wish({ faces: look.faces });
}

function stopCamera() {
  camera.stop();
  light(false);
}

/** @param {boolean} on */
function light(on) {
  $("light").hidden = !on;
  $("camera").setAttribute("aria-pressed", String(on));
  $("camera-word").textContent = say(on ? "stopCamera" : "useCamera");
}

// -- the set ----------------------------------------------------------------------------------

async function replan() {
  if (!state.wish) return;
  state.planning.abort();
  state.planning = new AbortController();
  try {
    const answer = await during(post("/sets", whole(), state.planning.signal), $("opening"), "choosing");
    show({ ...(await answer.json()), said: state.wish.emotion });
    if (state.set) history.add(state.set, $("opening").textContent);
    past();
  } catch (error) {
    if (!(error instanceof DOMException)) tell(error, $("opening"));
  }
}

/** @param {Music} music */
function show(music) {
  state.set = music;
  state.before = false;
  document.body.classList.remove("first");
  $("banner").hidden = true;
  plane.place(music.affect);
  document.documentElement.style.setProperty("--wash", tint(music.affect));
  player.load(music.picks);
  $("player").hidden = false;
  $("save").hidden = false;
  sources.said("");
  $("opening").textContent = headline(music);
  library().catch(() => {});
}

/** @param {Music} music */
const headline = (music) => (state.before ? say("setBefore") : opening(music));

/** Draw the sets of before, where they are remembered. */
function past() {
  const all = history.remembered();
  $("remember").checked = history.remembering();
  $("forget").hidden = all.length === 0;
  $("past").replaceChildren(...all.map(({ at, opening, music }) => {
    const [item, button] = [document.createElement("li"), document.createElement("button")];
    button.type = "button";
    const when = new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    button.textContent = `${when}: ${opening} (${say(`plan_${music.plan}`)}, ${music.picks.length})`;
    button.addEventListener("click", () => show(music));
    item.append(button);
    return item;
  }));
}

const whole = () => ({
  ...state.wish,
  plan: state.plan === "journey" ? "journey:..happy" : state.plan,
  length: songs(),
  sources: sources.chosen(),
  serve: state.serve,
});

/** How many songs are wanted; the field shows what counts. */
function songs() {
  const wanted = Math.round($("length").valueAsNumber); // what is no number is not known
  const counts = Math.min($("length").max, Math.max($("length").min, Number.isNaN(wanted) ? $("length").defaultValue : wanted));
  $("length").value = String(counts);
  return counts;
}

/** The set as it stands on the page, to be saved. */
const shown = () => ({
  songs: player.queue.map((pick) => ({ id: pick.id, reason: why(pick) })),
  plan: state.set?.plan === "journey" ? "journey:..happy" : state.set?.plan,
});

/** Draw what plays; the list and the dots only where they are others, so that no focus is lost. */
function draw() {
  if (state.drawn !== player.queue) {
    state.drawn = player.queue;
    plane.show(player.queue, player.place, (place) => player.jump(place));
    rows(player.queue, (place) => player.jump(place));
  }
  mark(player.place);
  plane.mark(player.place);
  const now = player.current ?? player.queue[0];
  $("now-cover").replaceChildren(...(now ? [cover(now)] : []));
  $("now-title").textContent = now ? name(now) : "";
  $("now-why").textContent = now ? [say(now.mood), why(now)].join(" · ") : "";
  $("play-sign").setAttribute("d", player.playing ? PAUSE : PLAY);
  $("play-word").textContent = say(player.playing ? "pause" : "playWord");
  $("like").setAttribute("aria-pressed", String(Boolean(now && state.liked.has(now.id))));
  $("mute").setAttribute("aria-pressed", String(player.muted));
  document.title = now && player.playing ? `${now.title} · Emotion-DJ` : "Emotion-DJ";
}

/** Open and close what small screens fold away. @param {HTMLElement} button @param {HTMLElement} folded @returns {boolean} */
function unfold(button, folded) {
  const open = folded.classList.toggle("open");
  button.setAttribute("aria-expanded", String(open));
  return open;
}

/** Tell the server, one after the other, what the listener did. @param {SetPick} pick @param {string} kind */
function feedback(pick, kind) {
  const told = state.telling.then(() => post("/feedback", { track: pick.id, kind }));
  state.telling = told.catch(() => {});
  return told;
}

/** Like what plays, or take that back. */
function like() {
  const now = player.current;
  if (!now) return;
  const liked = state.liked.has(now.id);
  mind(now, !liked);
  feedback(now, liked ? "unlike" : "like").catch(() => mind(now, liked)); // not heard, not so
}

/** @param {SetPick} pick @param {boolean} liked */
function mind(pick, liked) {
  if (liked) state.liked.add(pick.id);
  else state.liked.delete(pick.id);
  draw();
}

function skip() {
  const now = player.current;
  if (now) feedback(now, "skip").catch(() => {}); // the music matters more
  return player.next();
}

/** @param {string} form */
async function save(form) {
  try {
    const blob = await (await post(`/playlists/${form}`, shown())).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `emotion-dj.${form}`;
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    tell(error, $("opening"));
  }
}

// -- small parts ------------------------------------------------------------------------------

function listen() {
  $("language").addEventListener("change", async () => {
    localStorage.setItem("language", $("language").value);
    await load($("language").value);
    plane.relabel();
    past();
    light(camera.on);
    faces.clear();
    if (state.look && state.wish?.faces) faces.bars(state.look, state.about.emotions, correct);
    if (state.set) $("opening").textContent = headline(state.set);
    state.drawn = null;
    draw();
    await reach();
  });
  $("camera").addEventListener("click", toggleCamera);
  $("photo").addEventListener("click", () => ($("photo").value = "")); // the same photo again counts
  $("photo").addEventListener("change", () => $("photo").files[0] && photo($("photo").files[0]));
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) photo(file);
  });
  for (const kind of /** @type {const} */ (["dragover", "dragleave", "drop"])) document.addEventListener(kind, onDrop);
  $("length").addEventListener("change", replan);
  $("play").addEventListener("click", () => player.toggle());
  $("next").addEventListener("click", () => player.next());
  $("previous").addEventListener("click", () => player.previous());
  $("like").addEventListener("click", like);
  $("skip").addEventListener("click", skip);
  $("mute").addEventListener("click", () => player.mute());
  $("more").addEventListener("click", () => unfold($("more"), $("player")));
  $("plane-open").addEventListener("click", () => {
    $("plane-open").dataset.i18n = unfold($("plane-open"), $("plane")) ? "closePlane" : "openPlane";
    $("plane-open").textContent = say($("plane-open").dataset.i18n);
  });
  $("seek").addEventListener("input", () => player.seek($("seek").value / 1000));
  $("volume").addEventListener("input", () => player.setVolume($("volume").value / 100));
  for (const button of document.querySelectorAll("[data-form]")) {
    button.addEventListener("click", () => save(/** @type {HTMLElement} */ (button).dataset.form || ""));
  }
  for (const id of ["remember", "forget"]) {
    $(id).addEventListener(id === "remember" ? "change" : "click", () => {
      history.remember($("remember").checked);
      past();
    });
  }
  for (const id of ["keys", "about"]) $(`${id}-open`).addEventListener("click", () => $(`${id}-dialog`).showModal());
  document.addEventListener("keydown", onKey);
  player.setVolume($("volume").value / 100);
  player.addEventListener("change", draw);
  player.addEventListener("time", () => {
    const { position, duration } = player.clock;
    const now = player.current;
    if (now && !now.heard && position > duration / 2) {
      now.heard = true;
      feedback(now, "play").catch(() => {});
    }
    $("seek").value = String(Number.isFinite(duration) ? (1000 * position) / duration : 0);
    $("seek").setAttribute("aria-valuetext", clock(position));
    $("time").textContent = `${clock(position)} / ${clock(duration)}`;
  });
  player.addEventListener("blocked", () => ($("opening").textContent = say("pressPlay")));
  player.addEventListener("broken", (event) => {
    $("opening").textContent = say("wontPlay", { title: /** @type {CustomEvent} */ (event).detail?.title });
  });
  player.addEventListener("started", (event) => media(/** @type {CustomEvent} */ (event).detail));
}

/** @param {DragEvent} event */
function onDrop(event) {
  event.preventDefault();
  document.body.classList.toggle("dropping", event.type === "dragover");
  const file = event.type === "drop" && event.dataTransfer?.files[0];
  if (file) photo(file);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog, select, input:not([type=radio], [type=range], [type=checkbox])")) return;
  if (event.key === " " && target.closest("button, input, summary")) return;
  const action = {
    playPause: () => player.toggle(), next: () => player.next(), previous: () => player.previous(), skip, like,
    mute: () => player.mute(), stopCamera, keys: () => $("keys-dialog").showModal(),
  }[KEYS[/** @type {keyof typeof KEYS} */ (event.key.toLowerCase())]];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Tell the system what plays, so that media keys and lock screens work. @param {SetPick | null} pick */
function media(pick) {
  if (!("mediaSession" in navigator) || !pick) return;
  navigator.mediaSession.metadata = new MediaMetadata({ title: pick.title, artist: pick.artists.join(", "), album: pick.album, artwork: [artwork(pick)] });
  navigator.mediaSession.setActionHandler("play", () => player.toggle());
  navigator.mediaSession.setActionHandler("pause", () => player.toggle());
  navigator.mediaSession.setActionHandler("nexttrack", () => player.next());
  navigator.mediaSession.setActionHandler("previoustrack", () => player.previous());
}

/**
 * Radio buttons that look like a row of choices.
 * @param {string} id @param {string} prefix of the messages @param {string[]} names @param {string | undefined} chosen
 * @param {(name: string) => void} choose
 */
function choices(id, prefix, names, chosen, choose) {
  const legend = $(id).querySelector("legend");
  legend.textContent = say(legend.dataset.i18n);
  $(id).replaceChildren(legend, ...names.map((name) => {
    const words = say(prefix + name);
    const { label, word } = choice({ type: "radio", group: id, value: name, words, checked: name === chosen }, () => choose(name));
    const place = id === "moods" && state.about.moods[name];
    if (place) word.style.setProperty("--tint", colour(place[0], place[1]));
    return label;
  }));
}

/** What there is to know of the models. @param {About} about */
function card({ card: model, ear }) {
  const figures = model.metrics?.["fer2013-public"];
  const heard = ear.metrics?.r2_five_fold_by_track;
  $("keys-list").replaceChildren(...Object.entries(KEYS).flatMap(([key, action]) => {
    const [term, means] = [document.createElement("dt"), document.createElement("dd")];
    const cap = document.createElement("kbd");
    cap.textContent = key === " " ? say("space") : key.toUpperCase();
    term.append(cap);
    means.textContent = say(action);
    return [term, means];
  }));
  const lines = figures ? [say("cardFigures", { id: model.id, accuracy: (100 * figures.accuracy).toFixed(1), n: figures.n }), model.limits ?? ""] : [];
  if (heard) lines.push(say("earFigures", { id: ear.id, arousal: (100 * heard.arousal).toFixed(0), valence: (100 * heard.valence).toFixed(0) }), ear.limits ?? "");
  $("card").replaceChildren(...lines.map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
}

/**
 * Say what is being done, where it takes long enough to wonder.
 * @template T
 * @param {Promise<T>} work @param {HTMLElement} place @param {string} key
 */
async function during(work, place, key) {
  const before = place.textContent;
  const late = setTimeout(() => (place.textContent = say(key)), PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(late);
    if (place.textContent === say(key)) place.textContent = before;
  }
}

/**
 * Say what is wrong, in its own sentence, where it belongs.
 * @param {unknown} error @param {HTMLElement} [place]
 */
function tell(error, place) {
  const kind = error instanceof Problem ? error.kind : "";
  if (kind === "gone" || !place) {
    $("banner").textContent = say("gone");
    $("banner").hidden = false;
    return;
  }
  const known = { "no-face": "noFace", unsure: "unsureFace", "image-error": "noPhoto", "too-large": "tooLarge", busy: "busy" };
  if (kind === "image-error" && /pixels/.test(/** @type {Error} */ (error).message)) place.textContent = say("tooManyPixels");
  else place.textContent = kind in known ? say(known[/** @type {keyof typeof known} */ (kind)]) : String(/** @type {Error} */ (error).message);
}

/** @param {{valence: number, arousal: number}} affect */
const tint = (affect) => colour(affect.valence, affect.arousal).replace(")", " / 0.18)");

begin();
