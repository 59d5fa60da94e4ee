// Messages: one file per language; English stands in the page itself and in en.json.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };

/** @type {Record<string, string>} */
let messages = {};

/** The user's choice, else the browser's language, else English. */
export function preferred() {
  const wanted = [localStorage.getItem("language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => tag && tag in LANGUAGES) || "en";
}

/** @param {string} language */
export async function load(language) {
  const [english, own] = await Promise.all(
    ["en", language].map((tag) => fetch(`i18n/${tag}.json`).then((answer) => answer.json())),
  );
  messages = { ...english, ...own };
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
