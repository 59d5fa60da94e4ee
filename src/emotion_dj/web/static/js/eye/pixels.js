// Pictures made smaller and faces cut out, as Pillow does it for the networks in Python.

import { part, quarters, slanted } from "./turn.js";

/** @typedef {import("./memory.js").Memory} Memory */
/** @typedef {{at: number, width: number, height: number}} Picture red, green, blue and a byte more for each pixel, in the kernels' memory */
/** @typedef {[number, number, number, number]} Box left, top, width, height */

const BYTES = 4;

/**
 * Return a copy whose longer side is this long, and how many pixels one of its pixels spans.
 * @param {Memory} memory @param {Picture} picture @param {number} side @param {number} gap how much finer than the copy a first, quick reduction may leave it
 * @returns {{small: Picture, factor: number}}
 */
export function shrunk(memory, picture, side, gap) {
  const { width, height } = picture;
  const factor = Math.max(width, height) / side;
  if (factor <= 1) return { small: picture, factor: 1 };
  const size = [width, height].map((length) => Math.max(1, halfEven(length / factor)));
  const [across, down] = [Math.floor(width / size[0] / gap) || 1, Math.floor(height / size[1] / gap) || 1];
  const reduced = reduce(memory, picture, across, down);
  return { small: resampled(memory, reduced, size, [width / across, height / down]), factor };
}

/** Round as Python does: a half goes to the even neighbour. @param {number} x */
export function halfEven(x) {
  const near = Math.round(x);
  return near - x === 0.5 && near % 2 ? near - 1 : near;
}

/** @param {Memory} memory @param {Picture} picture @param {number} across @param {number} down @returns {Picture} */
function reduce(memory, picture, across, down) {
  if (across === 1 && down === 1) return picture;
  const [width, height] = [Math.ceil(picture.width / across), Math.ceil(picture.height / down)];
  const at = memory.take(BYTES * width * height);
  memory.kernels.reduce(picture.at, picture.width, picture.height, at, across, down);
  return { at, width, height };
}

/** @param {Memory} memory @param {Picture} picture @param {number[]} size @param {number[]} extent how much of it counts @returns {Picture} */
function resampled(memory, picture, [width, height], extent) {
  const at = memory.take(BYTES * width * height);
  memory.within(() => {
    const [across, down] = [
      filter(memory, picture.width, 0, extent[0], width), filter(memory, picture.height, 0, extent[1], height),
    ];
    const between = memory.take(BYTES * width * picture.height);
    memory.kernels.across(picture.at, picture.width, picture.height, between, across.at, width, across.most);
    memory.kernels.down(between, BYTES * width, at, down.at, height, down.most);
  });
  return { at, width, height };
}

/** The weights of a triangle filter. @param {Memory} memory @param {number} size @param {number} from @param {number} to @param {number} count */
function filter(memory, size, from, to, count) {
  const most = 2 * Math.ceil(Math.max(1, (to - from) / count)) + 1;
  const at = memory.take(4 * count * (2 + most));
  memory.kernels.triangle(at, size, from, to, count, most);
  return { at, most };
}

/**
 * Cut out the square around a face that the reader was trained on, upright and grey, bytes of side x side.
 * Where it leaves the picture, the edge is continued.
 * @param {Memory} memory @param {Picture} picture @param {{box: Box, turned: number}} face
 * @param {{side: number, crop: number, reach: number}} card @returns {Uint8Array}
 */
export function cropped(memory, picture, { box: [, , w, h], box, turned }, { side, crop, reach }) {
  const half = Math.max(1, (crop * Math.sqrt(w * h)) / 2);
  const count = halfEven(turned / 90);
  const slant = turned - 90 * count;
  return memory.within(() => {
    const { square, x, y } = upright(memory, picture, box, half * (slant ? reach : 1), count);
    const straight = slant ? slanted(memory, square, slant, [x, y]) : square;
    const { width, height } = straight;
    const pale = memory.take(width * height);
    memory.kernels.grey(straight.at, width, height, pale, 0, 0, width, height);
    const [across, down] = [filter(memory, width, x - half, x + half, side), filter(memory, height, y - half, y + half, side)];
    const [between, at] = [memory.take(side * height), memory.take(side * side)];
    memory.kernels.across_grey(pale, width, height, between, across.at, side, across.most);
    memory.kernels.down(between, side, at, down.at, side, down.most);
    return memory.bytes(at, side * side).slice();
  });
}

/** The whole pixels around a box's middle, turned by quarters, and where in them it is. @param {Memory} memory @param {Picture} picture @param {Box} box @param {number} reach @param {number} count */
function upright(memory, picture, [left, top, w, h], reach, count) {
  const [cx, cy] = [left + w / 2, top + h / 2];
  const [x0, y0] = [Math.floor(cx - reach), Math.floor(cy - reach)];
  const window = part(memory, picture, x0, y0, Math.ceil(cx + reach), Math.ceil(cy + reach));
  let { x, y, width, height } = { x: cx - x0, y: cy - y0, ...window };
  for (let i = 0; i < count % 4; i += 1) [x, y, width, height] = [height - y, x, height, width];
  return { square: quarters(memory, window, count), x, y };
}
