// Pictures made smaller and faces cut out, as Pillow does it for the networks in Python.

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
 * Cut out the square around a face that the reader was trained on, grey, bytes of side x side. Where it
 * leaves the picture, the edge is continued.
 * @param {Memory} memory @param {Picture} picture @param {Box} box @param {{side: number, crop: number}} card @returns {Uint8Array}
 */
export function cropped(memory, picture, [x, y, w, h], { side, crop }) {
  const half = Math.max(1, (crop * Math.sqrt(w * h)) / 2);
  const [cx, cy] = [x + w / 2, y + h / 2];
  const [left, top] = [Math.floor(cx - half), Math.floor(cy - half)];
  const [width, height] = [Math.ceil(cx + half) - left, Math.ceil(cy + half) - top];
  return memory.within(() => {
    const square = memory.take(width * height);
    memory.kernels.grey(picture.at, picture.width, picture.height, square, left, top, left + width, top + height);
    const across = filter(memory, width, cx - half - left, cx + half - left, side);
    const down = filter(memory, height, cy - half - top, cy + half - top, side);
    const [between, at] = [memory.take(side * height), memory.take(side * side)];
    memory.kernels.across_grey(square, width, height, between, across.at, side, across.most);
    memory.kernels.down(between, side, at, down.at, side, down.most);
    return memory.bytes(at, side * side).slice();
  });
}
