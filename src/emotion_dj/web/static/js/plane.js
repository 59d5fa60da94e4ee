// The plane: the listener, the music as a constellation, the set as the path between.

import { colour } from "./colour.js";
import * as dj from "./dj.js";
import { $, element } from "./dom.js";
import { say } from "./i18n.js";
import * as listener from "./listener.js";
import * as queue from "./queue.js";
import { effect, signal } from "./signal.js";
import { name, why } from "./words.js";

const STEP = 0.05;
const SETTLED_MS = 150; // after a drag
const KEYED_MS = 600; // keys come in rows
/** @type {Record<string, [number, number]>} as of any slider; what leads over an edge ends there */
const STEPS = {
  ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP],
  Home: [-2, 0], End: [2, 0], PageUp: [0, 5 * STEP], PageDown: [0, -5 * STEP],
};
const MANY = 300;
export const DARK = 0.47; // how light the ground is

/** Where the music stands, all of it. */
export const points = signal(/** @type {number[][]} */ ([]));
/** Where the listener drags themselves to, until they have settled. */
const dragged = signal(/** @type {Affect | null} */ (null));

/** @type {SVGSVGElement} */
const map = $("map");
const stars = element("g", { class: "stars", "aria-hidden": "true" });
const path = element("polyline", { class: "path", points: "", pathLength: 1 });
const picks = element("g", {});
const cloud = element("circle", { class: "cloud", r: 12 });
const word = element("text", { "text-anchor": "middle", class: "me" });
const you = element("g", { class: "you", tabindex: 0, role: "slider", "aria-valuemin": -1, "aria-valuemax": 1 });
let settling = 0;

export function begin() {
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new ResizeObserver(() => map.style.setProperty("--px", String(220 / map.clientWidth || 1))).observe(map);
  you.append(cloud, element("circle", { r: 5 }), word);
  map.replaceChildren(
    element("line", { class: "axis", x1: -100, x2: 100, y1: 0, y2: 0 }),
    element("line", { class: "axis", x1: 0, x2: 0, y1: -100, y2: 100 }),
    ...corners(), stars, path, picks, you,
  );
  hear();
  effect(() => stand(dragged.value ?? listener.place.value));
  effect(() => stars.replaceChildren(...points.value.map(([v, a]) => element("circle", { class: "star", cx: 100 * v, cy: -100 * a, r: points.value.length > MANY ? 0.7 : 1.2 }))));
  effect(show);
  effect(mark);
}

function hear() {
  you.addEventListener("keydown", onKey);
  picks.addEventListener("keydown", onPickKey);
  you.addEventListener("pointerdown", (event) => you.setPointerCapture(event.pointerId));
  you.addEventListener("pointermove", (event) => you.hasPointerCapture(event.pointerId) && go(...fromScreen(event), SETTLED_MS));
  map.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest(".you, .pick"))) go(...fromScreen(event), 0);
  });
}

/** @param {Affect} at */
function stand(at) {
  you.style.setProperty("transform", `translate(${100 * at.valence}px, ${-100 * at.arousal}px)`);
  you.classList.toggle("dragged", dragged.value !== null);
  cloud.setAttribute("r", String(9 + 34 * at.uncertainty));
  word.textContent = say("you");
  word.setAttribute("y", at.arousal > 0.7 ? "16" : "-10");
  you.setAttribute("aria-label", say("youAreHere"));
  you.setAttribute("aria-valuenow", at.valence.toFixed(2));
  you.setAttribute("aria-valuetext", say("whereYouAre", { valence: signed(at.valence), arousal: signed(at.arousal) }));
}

function show() {
  const { value: songs } = queue.songs;
  path.setAttribute("points", songs.map(({ affect }) => `${100 * affect.valence},${-100 * affect.arousal}`).join(" "));
  path.classList.remove("drawn");
  requestAnimationFrame(() => path.classList.add("drawn"));
  picks.replaceChildren(...songs.map(dot));
}

/** Show which one plays. */
function mark() {
  queue.songs.value;
  [...picks.children].forEach((made, i) => {
    made.classList.toggle("current", i === queue.place.value);
    made.classList.toggle("over", i < queue.place.value);
    made.setAttribute("r", i === queue.place.value ? "5.5" : "3.8");
    made.setAttribute("tabindex", i === Math.max(0, queue.place.value) ? "0" : "-1");
  });
}

/** @param {SetPick} song @param {number} i */
function dot(song, i) {
  const { valence, arousal } = song.affect;
  const made = element("circle", {
    class: "pick", cx: 100 * valence, cy: -100 * arousal, fill: colour(valence, arousal, 0.72),
    role: "button", "aria-label": say("playTrack", { n: i + 1, title: name(song), why: why(song) }),
  });
  made.style.setProperty("--beat", `${60 / (song.tempo || 60)}s`);
  made.addEventListener("click", () => void dj.play(i));
  for (const kind of ["pointerenter", "focus"]) made.addEventListener(kind, () => point(`${i + 1}. ${name(song)}: ${why(song)}`));
  for (const kind of ["pointerleave", "blur"]) made.addEventListener(kind, () => point(""));
  return made;
}

/** @param {string} words */
function point(words) {
  $("tip").textContent = words;
  $("tip").hidden = !words;
}

/** The dots are one stop of the Tab key; arrows lead from one to the next. @param {KeyboardEvent} event */
function onPickKey(event) {
  const made = /** @type {SVGElement} */ (event.target);
  const steps = { ArrowRight: "nextElementSibling", ArrowDown: "nextElementSibling", ArrowLeft: "previousElementSibling", ArrowUp: "previousElementSibling" };
  const step = /** @type {"nextElementSibling" | undefined} */ (steps[/** @type {keyof typeof steps} */ (event.key)]);
  const press = event.key === "Enter" || event.key === " ";
  if (!step && !press) return;
  event.preventDefault();
  event.stopPropagation();
  if (press) made.dispatchEvent(new MouseEvent("click"));
  else if (step) /** @type {SVGElement | null} */ (made[step])?.focus();
}

/** @param {number} valence @param {number} arousal @param {number} wait in milliseconds, until the listener has settled */
function go(valence, arousal, wait) {
  const clip = (/** @type {number} */ x) => Math.max(-1, Math.min(1, x));
  const at = { valence: clip(valence), arousal: clip(arousal), uncertainty: 0 };
  dragged.value = at;
  clearTimeout(settling);
  settling = setTimeout(() => {
    dj.say({ affect: `${at.valence.toFixed(3)},${at.arousal.toFixed(3)}` });
    dragged.value = null;
  }, wait);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const at = dragged.peek() ?? listener.place.peek();
  go(at.valence + step[0], at.arousal + step[1], KEYED_MS);
}

/** @param {MouseEvent} event @returns {[number, number]} */
function fromScreen(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM()?.inverse());
  return [point.x / 100, -point.y / 100];
}

function corners() {
  const words = [["dark", -104, 3, "start"], ["bright", 104, 3, "end"], ["lively", 0, -109, "middle"], ["calm", 0, 109, "middle"]];
  return words.map(([word, x, y, anchor]) => {
    const text = element("text", { x, y, "text-anchor": anchor, class: word });
    effect(() => (text.textContent = say(String(word))));
    return text;
  });
}

const paint = () => void field($("field"), matchMedia("(prefers-color-scheme: dark)").matches ? DARK : 0.86);

/** The ground of the plane, a column at a time: what can be pressed, and what is, does not wait for it. @param {HTMLCanvasElement} canvas @param {number} light */
export async function field(canvas, light) {
  const pen = canvas.getContext("2d");
  for (let x = 0; pen && x < canvas.width; x += 1) {
    await new Promise((done) => setTimeout(done));
    for (let y = 0; y < canvas.height; y += 1) {
      pen.fillStyle = colour(1.1 * ((2 * x) / (canvas.width - 1) - 1), 1.1 * (1 - (2 * y) / (canvas.height - 1)), light);
      pen.fillRect(x, y, 1, 1);
    }
  }
  canvas.hidden = false;
}

/** @param {number} x */
const signed = (x) => (x > 0 ? "+" : "") + x.toFixed(2);
