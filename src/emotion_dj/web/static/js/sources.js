// Where the music is from: what the listener chooses of it, and the services that a set is saved to.

import { Problem, get, post } from "./api.js";
import { choice } from "./choice.js";
import { own, say } from "./i18n.js";

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @type {Record<string, string>} */
const BRANDS = { subsonic: "Subsonic", spotify: "Spotify", deezer: "Deezer", audius: "Audius" };
const OURS = ["files", "demo", "tables"];
/** @type {Record<string, string>} */
const REFUSALS = {
  "login-required": "saveLogin", "not-available": "saveNone", "rate-limited": "saveLater", "source-error": "saveDown", busy: "busy", gone: "gone",
};

/** @type {Source[]} */
let sources = [];
let drawn = "";
let saving = false;
/** @type {Set<string>} */
const leftOut = new Set();

const there = () => sources.filter(({ tracks }) => tracks > 0).map(({ name }) => name);
const kept = () => there().filter((name) => !leftOut.has(name));

/** The sources of a wish; none means all. @returns {string[]} */
export const chosen = () => (kept().length === there().length ? [] : kept());

/**
 * Ask what there is, and draw it where that or the language is another one than before.
 * @param {() => void} changed @param {() => unknown} shown the set that is saved
 */
export async function load(changed, shown) {
  sources = (await get("/sources")).sources;
  const writable = sources.filter((source) => source.writable).map(({ name }) => name);
  const all = JSON.stringify([document.documentElement.lang, there(), writable]);
  if (all === drawn) return;
  drawn = all;
  said("");
  $("sources").hidden = there().length < 2;
  $("sources").replaceChildren($("sources").querySelector("legend"), ...there().map((name) => box(name, changed)));
  $("services").replaceChildren(...writable.map((name) => button(name, shown)));
}

/** Say something of what was saved, or nothing. @param {string} words */
export function said(words) {
  const [address] = words.match(/https:\/\/\S*[^\s.]/) ?? [];
  const [before, after] = address ? words.split(address) : [words, ""];
  $("saved").replaceChildren(before, ...(address ? [link(address)] : []), after);
}

/** @param {string} name @param {() => void} changed */
function box(name, changed) {
  const about = { type: /** @type {const} */ ("checkbox"), group: "sources", value: name, words: title(name), checked: !leftOut.has(name) };
  return choice(about, (input) => {
    if (input.checked) leftOut.delete(name);
    else if (kept().length === 1) return (input.checked = true); // a set needs some music
    else leftOut.add(name);
    return changed();
  }).label;
}

/** @param {string} name @param {() => unknown} shown */
function button(name, shown) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = say("saveTo", { service: title(name) });
  made.addEventListener("click", () => save(name, shown()));
  return made;
}

/** @param {string} name @param {unknown} set */
async function save(name, set) {
  if (saving) return;
  const service = title(name);
  saving = true;
  said(say("saving", { service }));
  try {
    const { where } = await (await post(`/sources/${name}/playlists`, set)).json();
    said(say("saved", { where: own(where) }));
  } catch (error) {
    const key = error instanceof Problem && REFUSALS[error.kind];
    said(key ? say(key, { service }) : String(/** @type {Error} */ (error).message));
  } finally {
    saving = false;
  }
}

/** @param {string} name */
const title = (name) => BRANDS[name] ?? (OURS.includes(name) ? say(`source_${name}`) : name);

/** @param {string} address */
function link(address) {
  const made = document.createElement("a");
  Object.assign(made, { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer" });
  return made;
}
