// The picture with its faces framed, and for each face seven bars and a way to correct it.

import { colour } from "./colour.js";
import { say } from "./i18n.js";

const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#picture"));
const list = /** @type {HTMLElement} */ (document.querySelector("#faces"));
const FRAME = 3;

/** @param {CanvasImageSource} source @param {number} width @param {number} height */
export function picture(source, width, height) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.drawImage(source, 0, 0, width, height);
}

/**
 * Frame each face in the colour of its affect, numbered.
 * @param {Look} look what /readings returned
 * @param {Record<string, number[]>} where emotion -> [valence, arousal]
 */
export function frame(look, where) {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const scale = canvas.width / 400;
  look.faces.forEach((face, i) => {
    const [x, y, w, h] = face.box;
    const [valence, arousal] = where[face.emotion] ?? [0, 0];
    pen.lineWidth = FRAME * scale;
    pen.strokeStyle = colour(valence, arousal, 0.8);
    pen.strokeRect(x, y, w, h);
    pen.font = `600 ${14 * scale}px system-ui`;
    pen.fillStyle = pen.strokeStyle;
    pen.fillText(String(i + 1), x + 4 * scale, y + 16 * scale);
  });
  canvas.setAttribute("aria-label", say("pictureOf", { n: look.faces.length }));
}

/**
 * @param {Look} look
 * @param {(emotion: string, place: number) => void} correct called with what the listener says of
 *   themselves, and which face is theirs
 */
export function bars(look, correct) {
  const kept = list.querySelector("select:focus") !== null;
  if (kept) return; // never pull a menu from under the listener's hands
  list.replaceChildren(...look.faces.map((face, i) => {
    const box = make("div", "face");
    const head = make("h3", "");
    head.textContent = `${i + 1}: ${face.abstained ? say("unsure") : say("looks", { emotion: say(face.emotion) })}`;
    const rows = make("dl", "bars");
    for (const [emotion, chance] of Object.entries(face.emotions)) rows.append(...bar(emotion, chance));
    box.append(head, rows, menu(face, (emotion) => correct(emotion, i)));
    return box;
  }));
}

export function clear() {
  list.replaceChildren();
}

/** @param {string} emotion @param {number} chance */
function bar(emotion, chance) {
  const [word, meter, number] = [make("dt", ""), make("dd", ""), make("dd", "")];
  const drawn = document.createElement("meter");
  word.textContent = say(emotion);
  drawn.value = chance;
  drawn.setAttribute("aria-label", say(emotion));
  meter.append(drawn);
  number.textContent = `${(100 * chance).toFixed(0)} %`;
  return [word, meter, number];
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
