// Where the music is from: what the listener chooses of it, and the services that a set is saved to.

import { Problem, get, post } from "./api.js";
import * as dj from "./dj.js";
import { $, button, download, make } from "./dom.js";
import { known, say } from "./i18n.js";
import * as queue from "./queue.js";
import { computed, effect, signal } from "./signal.js";
import { problem, why } from "./words.js";

/** @type {Record<string, string>} */
const BRANDS = { subsonic: "Subsonic", jellyfin: "Jellyfin", spotify: "Spotify", deezer: "Deezer", audius: "Audius", mpd: "MPD" };

const sources = signal(/** @type {Source[]} */ ([]));
/** The names of those that no set is made of. */
const leftOut = signal(/** @type {ReadonlySet<string>} */ (new Set()));
/** What became of the last set that was saved. */
const saved = signal(/** @type {{key: string, values: Record<string, string>} | null} */ (null));

const there = () => sources.value.filter(({ tracks }) => tracks > 0).map(({ name }) => name);
const kept = () => there().filter((name) => !leftOut.value.has(name));

/** The sources of a set; none means all. @returns {string[]} */
export const chosen = () => (kept().length === there().length ? [] : kept());

export function begin() {
  effect(() => {
    $("sources").hidden = there().length < 2;
    $("sources").replaceChildren($("sources").querySelector("legend"), ...there().map(box));
  });
  effect(() => $("services").replaceChildren(...sources.value.filter(({ writable }) => writable).map(({ name }) =>
    button(say("saveTo", { service: title(name) }), () => void save(name)))));
  const picks = computed(() => queue.music.value?.picks.map(({ id }) => id).join()); // a set that only goes on is still the one that was saved
  effect(() => {
    picks.value;
    saved.value = null;
  });
  effect(tell);
  effect(() => ($("save").hidden = queue.songs.value.length === 0));
  for (const made of document.querySelectorAll("[data-form]")) made.addEventListener("click", () => saveFile(/** @type {HTMLElement} */ (made).dataset.form ?? ""));
}

/** Ask what there is; drawn where that is something else than before. */
export async function load() {
  const all = (await get("/sources")).sources;
  if (JSON.stringify(all) !== JSON.stringify(sources.peek())) sources.value = all;
}

/** @param {string} source */
function box(source) {
  const [label, input, word] = [make("label"), /** @type {HTMLInputElement} */ (make("input")), make("span", "choice", title(source))];
  Object.assign(input, { type: "checkbox", name: "sources", value: source, checked: !leftOut.peek().has(source) });
  input.addEventListener("change", () => leave(source, input));
  label.append(input, word);
  return label;
}

/** @param {string} source @param {HTMLInputElement} input */
function leave(source, input) {
  const out = new Set(leftOut.peek());
  if (input.checked) out.delete(source);
  else if (kept().length === 1) return void (input.checked = true); // a set needs some music
  else out.add(source);
  dj.replan(() => (leftOut.value = out));
  /** @type {HTMLElement | null} */ (document.querySelector(`#sources input[value="${source}"]`))?.focus();
  return undefined;
}

/** The set as it stands on the page. */
const shown = () => ({
  songs: queue.songs.peek().map((song) => ({ id: song.id, reason: why(song) })),
  plan: queue.music.peek()?.plan === "journey" ? "journey:..happy" : queue.music.peek()?.plan,
});

/** @param {string} name */
async function save(name) {
  if (saved.peek()?.key === "saving") return;
  const service = title(name);
  saved.value = { key: "saving", values: { service } };
  try {
    const playlist = await (await post(`/sources/${name}/playlists`, shown())).json();
    const where = playlist.place.startsWith("https://") ? playlist.place : `${playlist.name} · ${playlist.place}`;
    saved.value = { key: playlist.songs < playlist.total ? "savedSome" : "saved", values: { ...playlist, where } };
  } catch (error) {
    const { code, message } = /** @type {Problem} */ (error);
    saved.value = known(`save.${code}`) ? { key: `save.${code}`, values: { service } } : { key: "", values: { text: problem({ code, text: message }) } };
  }
}

/** @param {string} form */
async function saveFile(form) {
  try {
    download(await (await post(`/playlists/${form}`, shown())).blob(), `emotion-dj.${form}`);
  } catch (error) {
    dj.trouble(error);
  }
}

/** Say what became of it; an address is a link. */
function tell() {
  const { key = "", values = {} } = saved.value ?? {};
  const words = key ? say(key, values) : values.text ?? "";
  const [address] = words.match(/https:\/\/\S*[^\s.,;]/) ?? [];
  const [before, after] = address ? words.split(address) : [words, ""];
  $("saved").replaceChildren(before, ...(address ? [link(address)] : []), after);
}

/** @param {string} name */
const title = (name) => BRANDS[name] ?? (known(`source_${name}`) ? say(`source_${name}`) : name);

/** @param {string} address */
const link = (address) => Object.assign(make("a", "", address), { href: address, target: "_blank", rel: "noopener noreferrer" });
