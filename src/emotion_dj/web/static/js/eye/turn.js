// Pictures set upright, as Pillow and NumPy do it.

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {[number, number]} Point */

const BYTES = 4;
const QUARTER = 90;
const DIGITS = 15;

/** A rectangle of a picture, beyond its edges too. @param {Memory} memory @param {Picture} picture @param {number} left @param {number} top @param {number} right @param {number} bottom @returns {Picture} */
export function part(memory, picture, left, top, right, bottom) {
  const [width, height] = [right - left, bottom - top];
  const at = memory.take(BYTES * width * height);
  memory.kernels.window(picture.at, picture.width, picture.height, at, left, top, right, bottom);
  return { at, width, height };
}

/** Turn a picture clockwise about its middle; its canvas grows as needed. @param {Memory} memory @param {Picture} picture @param {number} degrees @returns {Picture} */
export const turned = (memory, picture, degrees) =>
  degrees % QUARTER ? grown(memory, picture, degrees) : quarters(memory, picture, degrees / QUARTER);

/** @param {Memory} memory @param {Picture} picture @param {number} count @returns {Picture} */
export function quarters(memory, picture, count) {
  const times = ((count % 4) + 4) % 4;
  if (!times) return picture;
  const at = memory.take(BYTES * picture.width * picture.height);
  memory.kernels.quarter(picture.at, picture.width, picture.height, at, times);
  const [width, height] = times === 2 ? [picture.width, picture.height] : [picture.height, picture.width];
  return { at, width, height };
}

/** Turn clockwise about a point; the canvas stays. @param {Memory} memory @param {Picture} picture @param {number} degrees @param {Point} centre @returns {Picture} */
export function slanted(memory, picture, degrees, centre) {
  return transformed(memory, picture, picture, about(degrees, centre));
}

/** @param {Memory} memory @param {Picture} picture @param {number} degrees @returns {Picture} */
function grown(memory, picture, degrees) {
  const { width, height } = picture;
  const matrix = about(degrees, [width / 2, height / 2]);
  const corners = [[0, 0], [width, 0], [width, height], [0, height]].map(([x, y]) => led(matrix, x, y));
  const [columns, rows] = [0, 1].map((axis) => {
    const ends = corners.map((corner) => corner[axis]);
    return Math.ceil(Math.max(...ends)) - Math.floor(Math.min(...ends));
  });
  [matrix[2], matrix[5]] = led(matrix, -(columns - width) / 2, -(rows - height) / 2);
  return transformed(memory, picture, { width: columns, height: rows }, matrix);
}

/** The matrix from a place of the turned picture to that of the picture. @param {number} degrees clockwise @param {Point} centre */
function about(degrees, [x, y]) {
  const angle = (-Math.PI / 180) * ((360 - degrees) % 360);
  const [cos, sin] = [Number(Math.cos(angle).toFixed(DIGITS)), Number(Math.sin(angle).toFixed(DIGITS))];
  const matrix = [cos, sin, 0, -sin, cos, 0];
  const [a, b] = led(matrix, -x, -y);
  return [cos, sin, a + x, -sin, cos, b + y];
}

/** @param {number[]} matrix @param {number} x @param {number} y @returns {Point} */
const led = ([a, b, c, d, e, f], x, y) => [a * x + b * y + c, d * x + e * y + f];

/** @param {Memory} memory @param {Picture} picture @param {{width: number, height: number}} size @param {number[]} matrix @returns {Picture} */
function transformed(memory, picture, { width, height }, matrix) {
  const at = memory.take(BYTES * width * height);
  memory.within(() => memory.kernels.slant(picture.at, picture.width, picture.height, at, width, height, memory.put(Float64Array.from(matrix))));
  return { at, width, height };
}
