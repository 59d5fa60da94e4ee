// One choice of several, as radio button or checkbox: they look the same.

/**
 * @param {{type: "radio" | "checkbox", group: string, value: string, words: string, checked: boolean}} choice
 * @param {(input: HTMLInputElement) => void} changed
 */
export function choice({ type, group, value, words, checked }, changed) {
  const [label, input, word] = [document.createElement("label"), document.createElement("input"), document.createElement("span")];
  Object.assign(input, { type, name: group, value, checked });
  input.addEventListener("change", () => changed(input));
  word.className = "choice";
  word.textContent = words;
  label.append(input, word);
  return { label, word };
}
