// The picture with its faces framed, and for each face seven bars and a way to correct it.

import { colour } from "./colour.js";
import { say } from "./i18n.js";

const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#picture"));
const list = /** @type {HTMLElement} */ (document.querySelector("#faces"));
const FRAME = 3;

/**
 * @param {CanvasImageSource} source @param {number} width @param {number} height
 * @param {boolean} [mirrored] as people know themselves
 */
export function picture(source, width, height, mirrored = false) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen?.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
  pen?.drawImage(source, 0, 0, width, height);
  pen?.resetTransform();
}

/**
 * Frame each face in the colour of its affect, numbered where there are several.
 * @param {Look} look what /readings returned
 * @param {Record<string, number[]>} where emotion -> [valence, arousal]
 * @param {boolean} [mirrored]
 */
export function frame(look, where, mirrored = false) {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const scale = canvas.width / 400;
  look.faces.forEach((face, i) => {
    const [left, y, w, h] = face.box;
    const x = mirrored ? canvas.width - left - w : left;
    pen.beginPath();
    pen.roundRect(x, y, w, h, 8 * scale);
    stroke(pen, (FRAME + 2) * scale, "#0009"); // seen on any picture
    stroke(pen, FRAME * scale, tint(face.emotion, where, 0.74));
    if (look.faces.length > 1) number(pen, i + 1, x, y, scale);
  });
  canvas.setAttribute("aria-label", say("pictureOf", { n: look.faces.length }));
}

/** @param {CanvasRenderingContext2D} pen @param {number} width @param {string} style */
function stroke(pen, width, style) {
  pen.lineWidth = width;
  pen.strokeStyle = style;
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {number} n @param {number} x @param {number} y @param {number} scale */
function number(pen, n, x, y, scale) {
  const color = pen.strokeStyle;
  pen.fillStyle = "#000c";
  pen.beginPath();
  pen.arc(x + 2 * scale, y + 2 * scale, 11 * scale, 0, 7);
  pen.fill();
  pen.font = `600 ${14 * scale}px system-ui`;
  pen.textAlign = "center";
  pen.fillStyle = color;
  pen.fillText(String(n), x + 2 * scale, y + 7 * scale);
}

/**
 * Show what was read; where as many faces stand there already, only what changed is drawn.
 * @param {Look} look
 * @param {Record<string, number[]>} where emotion -> [valence, arousal]
 * @param {(emotion: string, place: number) => void} correct called with what the listener says of
 *   themselves, and which face is theirs
 */
export function bars(look, where, correct) {
  if (list.childElementCount !== look.faces.length) {
    list.replaceChildren(...look.faces.map((face, i) => box(face, where, (emotion) => correct(emotion, i))));
  }
  look.faces.forEach((face, i) => tell(/** @type {HTMLElement} */ (list.children[i]), face, look.faces.length > 1 ? say("face", { n: i + 1 }) : ""));
}

export function clear() {
  list.replaceChildren();
}

/** @param {Face} face @param {Record<string, number[]>} where @param {(emotion: string) => void} correct */
function box(face, where, correct) {
  const made = make("div", "face");
  const rows = make("dl", "bars");
  for (const emotion of Object.keys(face.emotions)) rows.append(...bar(emotion, where));
  made.append(make("h3", ""), rows, menu(face, correct));
  return made;
}

/** @param {HTMLElement} made @param {Face} face @param {string} whose */
function tell(made, face, whose) {
  const sure = Math.round(100 * Math.max(...Object.values(face.emotions)));
  const how = face.abstained ? say("unsure") : say("looks", { emotion: say(face.emotion) });
  /** @type {HTMLElement} */ (made.firstElementChild).textContent = `${whose}${how} · ${sure} %`;
  const [meters, numbers] = [made.querySelectorAll("meter"), made.querySelectorAll("dd:nth-child(3n)")];
  Object.entries(face.emotions).forEach(([emotion, chance], i) => {
    meters[i].value = chance;
    numbers[i].textContent = `${(100 * chance).toFixed(0)} %`;
    numbers[i].parentElement?.children[3 * i].classList.toggle("most", emotion === face.emotion && !face.abstained);
  });
}

/** @param {string} emotion @param {Record<string, number[]>} where */
function bar(emotion, where) {
  const [word, meter, number] = [make("dt", ""), make("dd", ""), make("dd", "")];
  const drawn = document.createElement("meter");
  word.textContent = say(emotion);
  drawn.style.setProperty("--tint", tint(emotion, where));
  drawn.setAttribute("aria-label", say(emotion));
  meter.append(drawn);
  return [word, meter, number];
}

/** @param {string} emotion @param {Record<string, number[]>} where @param {number} [lightness] */
function tint(emotion, where, lightness) {
  const [valence, arousal] = where[emotion] ?? [0, 0];
  return colour(valence, arousal, lightness);
}

/** @param {Face} face @param {(emotion: string) => void} correct */
function menu(face, correct) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.append(new Option(say("notMe"), ""));
  for (const emotion of Object.keys(face.emotions)) select.append(new Option(say("iAm", { emotion: say(emotion) }), emotion));
  select.setAttribute("aria-label", say("correct"));
  select.addEventListener("change", () => {
    const said = select.value;
    select.blur();
    if (said) correct(said);
  });
  label.append(select);
  return label;
}

/** @param {string} tag @param {string} name */
function make(tag, name) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}
