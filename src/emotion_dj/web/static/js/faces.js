// The picture with its faces framed, and for each face what was read, and a way to correct it.

import { colour } from "./colour.js";
import { $, make } from "./dom.js";
import { resting } from "./eyes.js";
import { correct, picture, rest } from "./face.js";
import { language, say } from "./i18n.js";
import * as listener from "./listener.js";
import { effect } from "./signal.js";

const FRAME = 3;
const WIDTH = 960; // pixels of the picture as it is drawn, at most
const WORTH = 0.15; // from which share a second emotion is named

/** @type {HTMLCanvasElement} */
const canvas = $("picture");
/** @type {HTMLElement} */
const list = $("faces");
let drawn = "";

export function begin() {
  effect(() => {
    $("stage").hidden = !picture.value;
    document.body.classList.toggle("seen", Boolean(picture.value));
    if (picture.value) draw(picture.value);
  });
  effect(bars);
}

/** @param {import("./face.js").Picture} shown */
function draw({ source, width, height, mirrored }) {
  const scale = Math.min(1, WIDTH / width);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? w : 0, 0); // as people know themselves
  pen.drawImage(source, 0, 0, w, h);
  pen.resetTransform();
  const faces = listener.look.peek()?.faces ?? [];
  faces.forEach((face, i) => frame(pen, face, { scale, mirrored, n: faces.length > 1 ? i + 1 : 0 }));
  canvas.setAttribute("aria-label", say("pictureOf", { n: faces.length }));
}

/** Frame a face in the colour of its affect, numbered where there are several. @param {CanvasRenderingContext2D} pen @param {Face} face @param {{scale: number, mirrored: boolean, n: number}} how */
function frame(pen, { box, emotion }, { scale, mirrored, n }) {
  const [left, y, w, h] = box.map((value) => value * scale);
  const x = mirrored ? canvas.width - left - w : left;
  const size = canvas.width / 400;
  pen.beginPath();
  pen.roundRect(x, y, w, h, 8 * size);
  stroke(pen, (FRAME + 2) * size, "#0009"); // seen on any picture
  stroke(pen, FRAME * size, tint(emotion, 0.74));
  if (n) number(pen, n, x, y, size);
}

/** @param {CanvasRenderingContext2D} pen @param {number} width @param {string} style */
function stroke(pen, width, style) {
  pen.lineWidth = width;
  pen.strokeStyle = style;
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {number} n @param {number} x @param {number} y @param {number} size */
function number(pen, n, x, y, size) {
  const color = pen.strokeStyle;
  pen.fillStyle = "#000c";
  pen.beginPath();
  pen.arc(x + 2 * size, y + 2 * size, 11 * size, 0, 7);
  pen.fill();
  pen.font = `600 ${14 * size}px system-ui`;
  pen.textAlign = "center";
  pen.fillStyle = color;
  pen.fillText(String(n), x + 2 * size, y + 7 * size);
}

/** Show what was read; where as many faces stand there already, only what changed is drawn. */
function bars() {
  const faces = listener.look.value?.faces ?? [];
  const now = `${language.value} ${faces.length} ${Boolean(resting.value)}`;
  if (now !== drawn) list.replaceChildren(...faces.map((_, i) => box(i)));
  drawn = now;
  faces.forEach((face, i) => tell(/** @type {HTMLElement} */ (list.children[i]), face, faces.length > 1 ? say("face", { n: i + 1 }) : ""));
}

/** @param {number} i the place of the face */
function box(i) {
  const face = /** @type {Look} */ (listener.look.peek()).faces[i];
  const [made, rows, all] = [make("div", "face"), make("dl", "bars"), make("details", "all")];
  for (const emotion of Object.keys(face.emotions)) rows.append(...bar(emotion));
  all.append(make("summary", "", say("allSeven")), rows);
  made.append(make("h3"), menu(i), ...(i ? [] : [calm()]), all);
  return made;
}

/** What says that the listener looks so at rest, or takes that back. */
function calm() {
  const button = make("button", "resting", say(resting.peek() ? "forgetResting" : "atRest"));
  button.title = say("restingHelp");
  button.addEventListener("click", () => void rest(!resting.peek()));
  return button;
}

/** @param {HTMLElement} made @param {Face} face @param {string} whose */
function tell(made, face, whose) {
  const [first, second] = Object.entries(face.emotions).sort(([, one], [, other]) => other - one);
  const share = (/** @type {number} */ chance) => `${Math.round(100 * chance)} %`;
  const how = face.abstained ? say("unsure") : say("looks", { emotion: say(face.emotion) });
  const also = second && second[1] >= WORTH ? ` · ${say(second[0])} ${share(second[1])}` : "";
  /** @type {HTMLElement} */ (made.querySelector("h3")).textContent = `${whose}${how} · ${share(first[1])}${also}`;
  const [meters, numbers] = [made.querySelectorAll("meter"), made.querySelectorAll("dd:nth-child(3n)")];
  Object.entries(face.emotions).forEach(([emotion, chance], i) => {
    meters[i].value = chance;
    numbers[i].textContent = share(chance);
    numbers[i].parentElement?.children[3 * i].classList.toggle("most", emotion === face.emotion && !face.abstained);
  });
}

/** @param {string} emotion */
function bar(emotion) {
  const [word, meter, number] = [make("dt", "", say(emotion)), make("dd"), make("dd")];
  const drawn = make("meter");
  drawn.style.setProperty("--tint", tint(emotion));
  drawn.setAttribute("aria-label", say(emotion));
  meter.append(drawn);
  return [word, meter, number];
}

/** @param {string} emotion @param {number} [lightness] */
function tint(emotion, lightness) {
  const [valence, arousal] = listener.about.peek().emotions[emotion] ?? [0, 0];
  return colour(valence, arousal, lightness);
}

/** @param {number} i the place of the face */
function menu(i) {
  const select = /** @type {HTMLSelectElement} */ (make("select"));
  const emotions = Object.keys(/** @type {Look} */ (listener.look.peek()).faces[i].emotions);
  select.append(new Option(say("notMe"), ""), ...emotions.map((emotion) => new Option(say("iAm", { emotion: say(emotion) }), emotion)));
  select.setAttribute("aria-label", say("correct"));
  select.addEventListener("change", () => {
    const [said, face] = [select.value, listener.look.peek()?.faces[i]];
    select.value = "";
    select.blur();
    if (said && face) correct(said, face);
  });
  return select;
}
