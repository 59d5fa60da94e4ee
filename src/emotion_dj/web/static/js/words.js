// What codes and values are in the listener's words.

import { known, say } from "./i18n.js";

/** @typedef {{code: string, text?: string} & Record<string, any>} Coded */

/** @param {{title: string, artists: string[]}} pick */
export const name = (pick) => [pick.title, pick.artists.join(", ")].filter(Boolean).join(" — ");

/** A code of the service in words; what has none here is told as the service tells it. @param {string} kind @param {Coded} coded */
export function told(kind, { code, text, ...values }) {
  const key = `${kind}.${code}`;
  return known(key) ? say(key, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, worded(name, value)]))) : text ?? "";
}

/** @param {string} name @param {any} value */
function worded(name, value) {
  if (name === "words") return both(value.map((/** @type {string} */ word) => say(word)));
  if (name === "said" || name === "conditions") return value.join(", ");
  if (name === "tonic") return say(`tonic.${value}`);
  if (name === "bpm") return Math.round(value);
  return ["emotion", "mood", "mode"].includes(name) ? say(value) : value;
}

/** @param {string[]} words */
const both = (words) => (words.length > 1 ? say("both", { one: words[0], two: words[1] }) : words.join(""));

/** Why a song was chosen. @param {SetPick} pick */
export const why = ({ reasons, reason }) => reasons?.map((one) => told("reason", one)).filter(Boolean).join(", ") ?? reason;

/** What the set answers. @param {Music} music */
export function opening({ opening, picks, said, plan }) {
  if (said && plan === "match") return capital(say("opening.you_said", { emotion: say(said) }));
  const means = picks[0]?.reasons?.find(({ code }) => code === "character");
  const seen = ["you_look", "all_look"].includes(opening.code) && means;
  return capital([told("opening", opening), ...(seen ? [told("reason", means)] : [])].join(" · "));
}

/** What there is to know of a set. @param {Music} music */
export const notes = (music) => music.notes.map((note) => `${capital(told("note", note))}.`).join(" ");

/** What is wrong; `text` is the service's own sentence, which some words end with. @param {{code: string, values?: Record<string, unknown>, text?: string}} notice */
export const problem = ({ code, values, text }) => told("problem", { detail: text, ...values, code, text }) || say("problem.unknown");

/** @param {string} text */
export const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.floor(seconds) : 0;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
