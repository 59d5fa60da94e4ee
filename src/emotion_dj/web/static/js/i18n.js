// Messages: one file per language; English stands in the page itself and in en.json.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };

/** @type {Record<string, string>} */
let messages = {};
/** @type {Record<string, string>} */
let english = {};

/** Sentences of the service with parts that differ; each is a message too. */
const FORMS = [
  "someThere", "playlistOn", "youSaid", "youWant", "allLook", "youLook", "roomLooks", "noteFew", "bpm", "major", "minor", "both",
];

/** The user's choice, else the browser's language, else English. */
export function preferred() {
  const wanted = [localStorage.getItem("language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => tag && tag in LANGUAGES) || "en";
}

/** @param {string} language */
export async function load(language) {
  const [first, own] = await Promise.all(
    ["en", language].map((tag) => fetch(`i18n/${tag}.json`).then((answer) => answer.json())),
  );
  [english, messages] = [first, { ...first, ...own }];
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = say(/** @type {HTMLElement} */ (element).dataset.i18n || "");
  }
}

/**
 * A message by its key, with {names} filled in.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function say(key, values = {}) {
  return (messages[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * What the service says in English, in the listener's language; as it is where no message fits.
 * @param {string} text
 * @returns {string}
 */
export function own(text) {
  const same = Object.keys(english).find((key) => english[key] === text);
  if (same) return say(same);
  for (const key of FORMS) {
    const names = [...english[key].matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const found = text.match(new RegExp(`^${english[key].replace(/\{\w+\}/g, "(.+?)")}$`));
    if (found) return say(key, Object.fromEntries(names.map((name, i) => [name, own(found[i + 1])])));
  }
  return text;
}
