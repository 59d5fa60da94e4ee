// The page: puts its parts together, and nothing else.

import { get } from "./api.js";
import * as bar from "./bar.js";
import * as choices from "./choices.js";
import * as dj from "./dj.js";
import { $ } from "./dom.js";
import * as eyes from "./eyes.js";
import * as face from "./face.js";
import * as faces from "./faces.js";
import * as feedback from "./feedback.js";
import * as headline from "./headline.js";
import * as history from "./history.js";
import * as i18n from "./i18n.js";
import * as keys from "./keys.js";
import * as library from "./library.js";
import * as listener from "./listener.js";
import * as plane from "./plane.js";
import { Player } from "./player.js";
import * as queue from "./queue.js";
import * as said from "./say.js";
import * as screens from "./screens.js";
import * as set from "./set.js";
import { effect } from "./signal.js";
import * as sources from "./sources.js";

const TABLE = /\.(csv|tsv|jsonl?|parquet|zip)$/i;
const PLAYLIST = /\.(m3u8?|xspf|jspf)$/i;
const EYE = "#eye="; // this page is the eye of another screen

async function begin() {
  const about = get("/about");
  about.catch(() => {}); // told below
  await i18n.load(i18n.preferred());
  speak();
  if (location.hash.startsWith(EYE)) return (await import("./phone.js")).begin(location.hash.slice(EYE.length));
  const player = new Player(elsewhere);
  dj.begin(player, sources.chosen);
  feedback.follow(player);
  face.begin($("video"));
  for (const part of [screens, headline, plane, faces, set, choices, said, library, sources, history]) part.begin();
  for (const part of [bar, keys]) part.begin(player);
  history.session(player);
  photos();
  $("add-open").addEventListener("click", async () => (await adding()).open());
  later();
  Player.prepare();
  await reach(about);
  navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the page needs the server, no more
}

/** Get what the page needs from the server, however long it takes to come (back). @param {Promise<any>} about */
async function reach(about) {
  try {
    listener.about.value = await about;
    document.body.dataset.role = listener.about.value.role;
    await Promise.all([library.load(), sources.load()]);
    eyes.prepare();
  } catch (error) {
    dj.trouble(error, () => reach(get("/about")));
  }
}

/** The player for songs that cannot be played here. */
async function elsewhere() {
  const { Elsewhere } = await import("./elsewhere.js");
  return new Elsewhere($("elsewhere"), () => queue.songs.peek().slice(queue.place.peek()));
}

/** The words that stand in the page itself. */
function speak() {
  $("language").value = i18n.language.peek();
  $("language").addEventListener("change", () => void i18n.choose($("language").value));
  effect(() => {
    document.documentElement.lang = i18n.language.value;
    for (const made of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-i18n]"))) made.textContent = i18n.say(made.dataset.i18n ?? "");
  });
}

/** What not every visit needs comes when it is wanted. */
function later() {
  $("share").addEventListener("click", async () => (await import("./share.js")).open());
  $("phone-open").addEventListener("click", async () => {
    dj.wake();
    (await import("./remote.js")).open();
  });
  effect(() => ($("search").setAttribute("placeholder", i18n.say("search"))));
  $("search").addEventListener("focus", async () => (await import("./search.js")).begin(), { once: true });
  effect(() => {
    if (history.remembers.value) void import("./diary.js").then((diary) => diary.begin());
  });
}

/** What adds music comes when it is wanted. */
const adding = () => import("./add.js");

/** Photos are chosen, pasted, or dropped anywhere. */
function photos() {
  const input = $("photo");
  input.addEventListener("click", () => (input.value = "")); // the same photo again counts
  input.addEventListener("change", () => input.files[0] && face.photo(input.files[0]));
  document.addEventListener("paste", ({ clipboardData }) => clipboardData?.files[0] && face.photo(clipboardData.files[0]));
  for (const kind of /** @type {const} */ (["dragover", "dragleave", "drop"])) {
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", kind === "dragover");
      const [file] = kind === "drop" ? event.dataTransfer.files : [];
      if (file) void dropped(file);
    });
  }
}

/** @param {File} file */
async function dropped(file) {
  if (TABLE.test(file.name)) return (await adding()).take(file);
  return PLAYLIST.test(file.name) ? (await import("./playlist.js")).take(file) : face.photo(file);
}

begin();
