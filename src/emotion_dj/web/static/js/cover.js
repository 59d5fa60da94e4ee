// A track's cover: the picture in its file, and until that is there (or where none is) one drawn from what it sounds like.

import { at } from "./api.js";
import { drawn } from "./colour.js";

/** @type {Map<number, boolean>} whether a track has a picture, by its id; absent: not asked yet */
const known = new Map();

/** @param {SetPick} pick */
export function cover(pick) {
  const frame = document.createElement("span");
  frame.className = "cover";
  frame.append(drawn(pick));
  if (known.get(pick.id) === false) return frame;
  const picture = new Image();
  picture.alt = ""; // the title stands beside it
  picture.loading = "lazy";
  picture.addEventListener("load", () => known.set(pick.id, true));
  picture.addEventListener("error", () => {
    known.set(pick.id, false);
    picture.remove();
  });
  picture.src = at(pick.cover);
  frame.append(picture);
  return frame;
}

/** The same for the system's own player. @param {SetPick} pick @returns {MediaImage} */
export function artwork(pick) {
  if (known.get(pick.id)) return { src: at(pick.cover), type: "image/jpeg" };
  const svg = new XMLSerializer().serializeToString(drawn(pick));
  return { src: `data:image/svg+xml,${encodeURIComponent(svg)}`, type: "image/svg+xml", sizes: "any" };
}
