// The plane: the listener, the music as a constellation, the set as the path between.

import { colour, element } from "./colour.js";
import { say } from "./i18n.js";
import { name, why } from "./words.js";

const STEP = 0.05;
const SETTLED_MS = 200;

const map = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.querySelector("#map")));
const stars = element("g", { class: "stars", "aria-hidden": "true" });
const path = element("polyline", { class: "path", points: "" });
const picks = element("g", {});
const tip = /** @type {HTMLElement} */ (document.querySelector("#tip"));
const cloud = element("circle", { class: "cloud", r: 12 });
const word = element("text", { "text-anchor": "middle", "data-word": "you" });
const you = element("g", { class: "you", tabindex: 0, role: "slider", "aria-valuemin": -1, "aria-valuemax": 1 });

let at = { valence: 0, arousal: 0, uncertainty: 0 };
/** @type {(valence: number, arousal: number) => void} */
let moved = () => {};
let settling = 0;

/** @param {(valence: number, arousal: number) => void} onMove called when the listener has moved themselves */
export function begin(onMove) {
  moved = onMove;
  paintField();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintField);
  you.append(cloud, word, element("circle", { r: 5 }));
  map.replaceChildren(
    element("line", { class: "axis", x1: -100, x2: 100, y1: 0, y2: 0 }),
    element("line", { class: "axis", x1: 0, x2: 0, y1: -100, y2: 100 }),
    ...corners(), stars, path, picks, you,
  );
  you.addEventListener("keydown", onKey);
  picks.addEventListener("keydown", onPickKey);
  you.addEventListener("pointerdown", (event) => you.setPointerCapture(event.pointerId));
  you.addEventListener("pointermove", (event) => {
    if (you.hasPointerCapture(event.pointerId)) go(...fromScreen(event));
  });
  map.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest(".you, .pick"))) go(...fromScreen(event));
  });
  place(at);
}

export function relabel() {
  for (const text of map.querySelectorAll("text[data-word]")) {
    text.textContent = say(text.getAttribute("data-word") || "");
  }
  place(at);
}

/** @param {Affect} affect */
export function place(affect) {
  at = affect;
  you.setAttribute("transform", `translate(${100 * at.valence} ${-100 * at.arousal})`);
  cloud.setAttribute("r", String(9 + 34 * at.uncertainty));
  word.textContent = say("you");
  word.setAttribute("y", at.arousal > 0.7 ? "16" : "-10");
  map.parentElement?.style.setProperty("--shift", `${Math.max(-200, Math.min(0, 50 - (300 * (110 - 100 * at.arousal)) / 220))}%`);
  you.setAttribute("aria-label", say("youAreHere"));
  you.setAttribute("aria-valuenow", at.valence.toFixed(2));
  you.setAttribute("aria-valuetext", say("whereYouAre", {
    valence: signed(at.valence), arousal: signed(at.arousal),
  }));
}

/** @param {number[][]} points */
export function constellation(points) {
  stars.replaceChildren(...points.map(([v, a]) => element("circle", { class: "star", cx: 100 * v, cy: -100 * a, r: points.length > 300 ? 0.7 : 1.2 })));
}

/**
 * @param {SetPick[]} chosen the picks, in playing order
 * @param {number} current which one plays
 * @param {(place: number) => void} choose
 */
export function show(chosen, current, choose) {
  path.setAttribute("points", chosen.map((p) => `${100 * p.affect.valence},${-100 * p.affect.arousal}`).join(" "));
  picks.replaceChildren(...chosen.map((pick, i) => dot(pick, i, () => choose(i))));
  mark(current);
}

/** Show which one plays. @param {number} current */
export function mark(current) {
  [...picks.children].forEach((made, i) => {
    made.classList.toggle("current", i === current);
    made.setAttribute("r", i === current ? "5.5" : "3.8");
    made.setAttribute("tabindex", i === Math.max(0, current) ? "0" : "-1");
  });
}

/** @param {SetPick} pick @param {number} i @param {() => void} choose */
function dot(pick, i, choose) {
  const { valence, arousal } = pick.affect;
  const made = element("circle", {
    class: "pick", cx: 100 * valence, cy: -100 * arousal, fill: colour(valence, arousal, 0.72),
    role: "button", "aria-label": say("playTrack", { n: i + 1, title: name(pick), why: why(pick) }),
  });
  made.addEventListener("click", choose);
  for (const kind of ["pointerenter", "focus"]) made.addEventListener(kind, () => point(`${i + 1}. ${name(pick)}: ${why(pick)}`));
  for (const kind of ["pointerleave", "blur"]) made.addEventListener(kind, () => point(""));
  return made;
}

/** @param {string} words */
function point(words) {
  tip.textContent = words;
  tip.hidden = !words;
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

/** @param {number} valence @param {number} arousal */
function go(valence, arousal) {
  const clip = (/** @type {number} */ x) => Math.max(-1, Math.min(1, x));
  place({ valence: clip(valence), arousal: clip(arousal), uncertainty: 0 });
  clearTimeout(settling);
  settling = setTimeout(() => moved(at.valence, at.arousal), SETTLED_MS);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
  if (!step) return;
  event.preventDefault();
  go(at.valence + step[0], at.arousal + step[1]);
}

/** @param {MouseEvent} event @returns {[number, number]} */
function fromScreen(event) {
  const matrix = map.getScreenCTM();
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix?.inverse());
  return [point.x / 100, -point.y / 100];
}

function corners() {
  const words = [["dark", -104, 3, "start"], ["bright", 104, 3, "end"], ["lively", 0, -101, "middle"], ["calm", 0, 106, "middle"]];
  return words.map(([word, x, y, anchor]) => {
    const text = element("text", { x, y, "text-anchor": anchor, "data-word": word });
    text.textContent = say(String(word));
    return text;
  });
}

function paintField() {
  const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#field"));
  const pen = canvas.getContext("2d");
  const light = matchMedia("(prefers-color-scheme: dark)").matches ? 0.47 : 0.86;
  if (!pen) return;
  for (let x = 0; x < canvas.width; x += 1) {
    for (let y = 0; y < canvas.height; y += 1) {
      pen.fillStyle = colour((2 * x) / (canvas.width - 1) - 1, 1 - (2 * y) / (canvas.height - 1), light);
      pen.fillRect(x, y, 1, 1);
    }
  }
}

/** @param {number} x */
const signed = (x) => (x > 0 ? "+" : "") + x.toFixed(2);
