// Boxes and faces as geometry.

/** @typedef {import("./pixels.js").Box} Box */
/** @typedef {{box: Box, score: number, landmarks: [number, number][], turned: number}} Found in pixels of the picture; `turned` sets it upright */

/** @param {Found} face @param {number} factor @returns {Found} */
export const scaled = (face, factor) => ({
  ...face,
  box: /** @type {Box} */ (face.box.map((value) => value * factor)),
  landmarks: face.landmarks.map(([x, y]) => [x * factor, y * factor]),
});

/** @param {Found} face @param {number} dx @param {number} dy @returns {Found} */
export const shifted = ({ box: [x, y, w, h], ...face }, dx, dy) => ({
  ...face,
  box: [x + dx, y + dy, w, h],
  landmarks: face.landmarks.map(([a, b]) => [a + dx, b + dy]),
});

/** @param {Found[]} faces */
export const largestFirst = (faces) => faces.toSorted((a, b) => area(b.box) - area(a.box));

/** @param {Box} box */
const area = ([, , w, h]) => w * h;

/** @param {Box} a @param {Box} b */
function common(a, b) {
  const sides = [0, 1].map((axis) => Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - Math.max(a[axis], b[axis]));
  return Math.max(0, sides[0]) * Math.max(0, sides[1]);
}

/** How much of the smaller box lies in the other. @param {Box} a @param {Box} b */
export const ofSmaller = (a, b) => common(a, b) / Math.max(1e-9, Math.min(area(a), area(b)));

/** How much of their union two boxes share. @param {Box} a @param {Box} b */
export const ofUnion = (a, b) => common(a, b) / (area(a) + area(b) - common(a, b));

/** Whether two boxes are of about one size: an eye is no other view of its face. @param {Box} a @param {Box} b */
export const alike = (a, b) => Math.max(a[2], b[2]) < 2 * Math.min(a[2], b[2]);

/** Add the new faces; of one that was seen already the surer box is kept. @param {Found[]} faces @param {Found[]} finer @param {number} same */
export function merged(faces, finer, same) {
  const all = [...faces];
  for (const face of finer) {
    const rivals = faces.flatMap((known, i) => (ofSmaller(known.box, face.box) > same ? [i] : []));
    if (!rivals.length) all.push(face);
    else if (rivals.length === 1 && alike(faces[rivals[0]].box, face.box) && face.score > faces[rivals[0]].score) all[rivals[0]] = face;
  }
  return all;
}
