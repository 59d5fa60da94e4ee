// Words: one file per language, English where one has none. What is said is said again when the language changes.

import { computed, signal } from "./signal.js";
import { keep, kept } from "./store.js";

const LANGUAGES = ["en", "de", "fr", "es"];

export const language = signal("en");
const messages = signal(/** @type {Record<string, string>} */ ({}));
const plurals = computed(() => new Intl.PluralRules(language.value));

/** The user's choice, else the browser's language, else English. */
export function preferred() {
  const wanted = [kept("local", "language"), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => tag && LANGUAGES.includes(tag)) || "en";
}

/** @param {string} tag */
export async function load(tag) {
  const files = await Promise.all([...new Set(["en", tag])].map((one) => fetch(`i18n/${one}.json`).then((answer) => answer.json())));
  language.value = tag;
  messages.value = Object.assign({}, ...files);
}

/** Speak another language from now on. @param {string} tag */
export async function choose(tag) {
  keep("local", "language", tag);
  await load(tag);
}

/** Are there words for this? @param {string} key */
export const known = (key) => key in messages.value;

/**
 * A message by its key, with {names} filled in; {n:song|songs} is the form that goes with the number n.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function say(key, values = {}) {
  return (messages.value[key] ?? key).replace(/\{(\w+)(?::(.*?)\|(.*?))?\}/g, (_, name, one, other) => {
    if (one === undefined) return String(values[name] ?? "");
    return plurals.value.select(Number(values[name])) === "one" ? one : other;
  });
}
