// Add your music: a folder of this machine, a server's address, a table; and how the scan of it goes.

import { Problem, post, get, upload } from "./api.js";
import { $, button, make } from "./dom.js";
import { say } from "./i18n.js";
import * as library from "./library.js";
import { effect, signal } from "./signal.js";
import { problem } from "./words.js";

/** @typedef {{path: string, parent: string | null, folders: {name: string, path: string}[], songs: number}} Folder */

const AT_THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

const folder = signal(/** @type {Folder | null} */ (null));
const told = signal(/** @type {{code: string, text?: string, values?: Record<string, unknown>} | null} */ (null));

/** The songs that a list only names and of which nothing is known here: how many, the first by name. */
const missed = signal(/** @type {{n: number, names: string[]}} */ ({ n: 0, names: [] }));

let drawn = false;

/** Open the dialog. */
export function open() {
  if (!drawn) draw();
  drawn = true;
  told.value = null;
  missed.value = { n: 0, names: [] };
  $("add-dialog").showModal();
  if (AT_THIS_MACHINE) void go("");
}

function draw() {
  const [browser, words] = [make("div", "folders"), make("p", "small")];
  words.setAttribute("role", "status");
  effect(() => $("add").replaceChildren(...(AT_THIS_MACHINE ? [browser, server(), table()] : [make("p", "", say("addThere"))]), words, unknown(), again(), failures()));
  effect(() => browser.replaceChildren(...(folder.value ? shown(folder.value) : [])));
  effect(() => {
    const state = library.state();
    words.textContent = told.value ? tell(told.value) : state?.running ? say("hearing", state) : "";
  });
}

/** @param {{code: string, text?: string, values?: Record<string, unknown>}} what */
const tell = (what) => (what.code.startsWith("added") ? say(what.code, what.values) : problem(what));

/** Do something, and say what became of it. @param {() => Promise<unknown>} work */
async function attempt(work) {
  told.value = null;
  try {
    await work();
    await library.load();
  } catch (error) {
    const { code, message } = /** @type {Problem} */ (error);
    told.value = { code: code ?? "unknown", text: message };
  }
}

/** @param {string} at */
const go = (at) => attempt(async () => (folder.value = await get(`/folders?at=${encodeURIComponent(at)}`)));

/** @param {Folder} at */
function shown({ path, parent, folders, songs }) {
  const list = make("ul");
  const into = folders.map(({ name, path }) => button(name, () => void go(path)));
  list.append(...into.map((one) => {
    const item = make("li");
    item.append(one);
    return item;
  }));
  const take = button(say("addFolder", { name: path.split(/[\\/]/).pop() || path }), () => void attempt(() => post("/library/places", { place: path })), "primary");
  return [
    make("p", "path", path), make("p", "small", say("songsHere", { n: songs })), take,
    ...(parent ? [button(say("folderUp"), () => void go(parent))] : []), list,
  ];
}

/** A server's address and the login there. */
function server() {
  const form = /** @type {HTMLFormElement} */ (make("form", "server"));
  const fields = /** @type {const} */ ([["url", "url", "serverUrl"], ["user", "text", "serverUser"], ["password", "password", "serverPassword"]]).map(([name, type, words]) => {
    const [label, input] = [make("label", "small", say(words)), /** @type {HTMLInputElement} */ (make("input"))];
    Object.assign(input, { type, name, required: name !== "password", autocomplete: "off" });
    label.append(input);
    return label;
  });
  const send = /** @type {HTMLButtonElement} */ (make("button", "", say("addServer")));
  form.append(...fields, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(() => post("/library/servers", Object.fromEntries(new FormData(form))));
  });
  return folded(say("server"), form);
}

/** A table of tracks and their features. */
function table() {
  const [label, input] = [make("label", "small", say("tableFile")), /** @type {HTMLInputElement} */ (make("input"))];
  Object.assign(input, { type: "file", accept: ".csv,.tsv,.json,.jsonl,.parquet,.zip" });
  input.addEventListener("change", () => input.files?.[0] && void take(input.files[0]));
  label.append(input);
  return folded(say("table"), label);
}

/** @param {File} file */
export const take = (file) => (open(), attempt(async () => {
  const { tracks, unmatched, names } = await upload("/library/tables", file);
  missed.value = { n: unmatched, names };
  told.value = { code: "addedTable", values: { n: tracks } };
}));

/** @param {string} title @param {HTMLElement} inside */
function folded(title, inside) {
  const made = make("details");
  made.append(make("summary", "", title), inside);
  return made;
}

const again = () => button(say("rescan"), () => void attempt(() => post("/library/scan", {})));

/** What could not be heard, and why. */
function failures() {
  const failed = library.library.value?.failed ?? [];
  return failed.length ? listed(say("failed", { n: failed.length }), failed.map(String)) : "";
}

function unknown() {
  const { n, names } = missed.value;
  return n ? listed(say("unknownSongs", { n }), names) : "";
}

/** @param {string} title @param {string[]} lines */
function listed(title, lines) {
  const list = make("ul", "small");
  list.append(...lines.map((line) => make("li", "", line)));
  return folded(title, list);
}
