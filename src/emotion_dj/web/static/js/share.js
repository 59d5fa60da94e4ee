// A card of the set, drawn as a picture: what it answers, its path over the plane, its songs. No photo is in it.

import { colour, drawn } from "./colour.js";
import { $, button, download, make } from "./dom.js";
import { say } from "./i18n.js";
import { DARK, field } from "./plane.js";
import * as queue from "./queue.js";
import { name, opening } from "./words.js";

const [WIDTH, HEIGHT, EDGE] = [1080, 1350, 72];
const PLANE = 600;
const ROW = 92;
const SONGS = 5;
const FONT = "system-ui, sans-serif";
const [GROUND, INK, QUIET] = ["#101013", "#f4f3f6", "#b3b1ba"];

/** Show the card, to be shared or kept. */
export async function open() {
  const { value: music } = queue.music;
  if (!music) return;
  const blob = await card(music);
  const picture = Object.assign(new Image(), { src: URL.createObjectURL(blob), alt: say("shareAlt", { opening: opening(music) }) });
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  $("share-card").replaceChildren(picture, ...ways(new File([blob], "emotion-dj.png", { type: "image/png" }), opening(music)));
  $("share-dialog").showModal();
}

/** @param {File} file @param {string} text */
function ways(file, text) {
  const row = make("p", "row");
  row.append(button(say("shareKeep"), () => download(file, file.name)));
  if (navigator.canShare?.({ files: [file] })) row.prepend(button(say("shareSend"), () => void navigator.share({ files: [file], text }).catch(() => {}), "primary")); // not wanted after all
  return [row];
}

/** @param {Music} music @returns {Promise<Blob>} */
export async function card(music) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ground(pen, music);
  const below = headline(pen, opening(music));
  await plane(pen, music, below);
  await songs(pen, music.picks.slice(0, SONGS), below + PLANE + 48);
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"));
}

/** @param {CanvasRenderingContext2D} pen @param {Music} music */
function ground(pen, { affect: { valence, arousal } }) {
  pen.fillStyle = GROUND;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  const wash = pen.createLinearGradient(0, 0, 0, HEIGHT / 2);
  wash.addColorStop(0, colour(valence, arousal, 0.45));
  wash.addColorStop(1, GROUND);
  pen.fillStyle = wash;
  pen.fillRect(0, 0, WIDTH, HEIGHT / 2);
  pen.fillStyle = QUIET;
  pen.font = `600 30px ${FONT}`;
  pen.fillText("Emotion-DJ", EDGE, HEIGHT - 44);
}

/** The headline, in as many lines as it takes; returns where the next part begins. @param {CanvasRenderingContext2D} pen @param {string} words */
function headline(pen, words) {
  pen.fillStyle = INK;
  pen.font = `750 60px ${FONT}`;
  const lines = wrapped(pen, words, WIDTH - 2 * EDGE).slice(0, 2);
  lines.forEach((line, i) => pen.fillText(line, EDGE, 118 + 70 * i));
  return 118 + 70 * (lines.length - 1) + 40;
}

/** @param {CanvasRenderingContext2D} pen @param {string} words @param {number} width */
function wrapped(pen, words, width) {
  const lines = [""];
  for (const word of words.split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param {CanvasRenderingContext2D} pen @param {Music} music @param {number} top */
async function plane(pen, { picks }, top) {
  const left = (WIDTH - PLANE) / 2;
  const ground = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  await field(ground, DARK);
  pen.save();
  pen.beginPath();
  pen.roundRect(left, top, PLANE, PLANE, 40);
  pen.clip();
  pen.drawImage(ground, left, top, PLANE, PLANE);
  pen.restore();
  const at = (/** @type {Affect} */ { valence, arousal }) => /** @type {[number, number]} */ ([left + (PLANE * (1.1 + valence)) / 2.2, top + (PLANE * (1.1 - arousal)) / 2.2]);
  path(pen, picks.map(({ affect }) => at(affect)));
  picks.forEach(({ affect }, i) => dot(pen, at(affect), colour(affect.valence, affect.arousal, 0.74), i === 0 ? 17 : 11));
}

/** @param {CanvasRenderingContext2D} pen @param {[number, number][]} points */
function path(pen, points) {
  pen.beginPath();
  for (const point of points) pen.lineTo(...point);
  pen.lineWidth = 3;
  pen.strokeStyle = "#fffc";
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {[number, number]} at @param {string} fill @param {number} radius */
function dot(pen, at, fill, radius) {
  pen.beginPath();
  pen.arc(...at, radius, 0, 7);
  pen.fillStyle = fill;
  pen.fill();
  pen.lineWidth = 3;
  pen.strokeStyle = "#fff";
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {SetPick[]} picks @param {number} top */
async function songs(pen, picks, top) {
  const covers = await Promise.all(picks.map(cover));
  picks.forEach((pick, i) => {
    const y = top + ROW * i;
    pen.drawImage(covers[i], EDGE, y, ROW - 16, ROW - 16);
    pen.fillStyle = INK;
    pen.font = `600 32px ${FONT}`;
    const [line, more] = wrapped(pen, name(pick), WIDTH - 2 * EDGE - ROW);
    pen.fillText(more ? `${line} …` : line, EDGE + ROW + 8, y + 50);
  });
}

/** The cover drawn of a song, as a picture. @param {SetPick} pick @returns {Promise<HTMLImageElement>} */
async function cover(pick) {
  const svg = drawn(pick);
  for (const side of ["width", "height"]) svg.setAttribute(side, String(2 * ROW));
  const picture = Object.assign(new Image(), { src: `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}` });
  await picture.decode();
  return picture;
}
