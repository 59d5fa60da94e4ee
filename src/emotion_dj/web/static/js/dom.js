// Small parts of the document.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** @param {string} tag @param {string} [name] its class @param {string} [words] */
export function make(tag, name = "", words = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (words) made.textContent = words;
  return made;
}

/** @param {string} words @param {() => void} pressed @param {string} [name] its class */
export function button(words, pressed, name = "") {
  const made = /** @type {HTMLButtonElement} */ (make("button", name, words));
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}

/** A button that shows a sign and has a name. @param {string} path of the sign, in 24 by 24 @param {string} words @param {() => void} pressed */
export function sign(path, words, pressed) {
  const made = button("", pressed, "sign");
  made.append(element("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }));
  made.firstElementChild?.append(element("path", { d: path }));
  name(made, words);
  return made;
}

/** @param {Element} made @param {string} words */
export function name(made, words) {
  made.setAttribute("aria-label", words);
  made.setAttribute("title", words);
}

/** @param {string} name @param {Record<string, string|number>} attributes */
export function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** Hand a file to the listener. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = document.createElement("a");
  Object.assign(link, { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}
