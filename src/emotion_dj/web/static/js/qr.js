// A QR code (ISO/IEC 18004) of a short text: bytes, versions 2 to 6, correction level M, one mask. Pure.

/** For each version from 2 on: blocks, and how many bytes of data and of correction each has. */
const SHAPES = [[1, 28, 16], [1, 44, 26], [2, 32, 18], [2, 43, 24], [4, 27, 16]];
const LEVEL_M_MASK_0 = 0b101010000010010;
const [BYTES, PAD] = [0b0100, [0xec, 0x11]];

const EXP = new Uint8Array(255);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i += 1) {
  [EXP[i], LOG[x]] = [x, i];
  x = (x << 1) ^ (x & 0x80 ? 0x11d : 0);
}

/** @param {number} a @param {number} b */
const times = (a, b) => (a && b ? EXP[(LOG[a] + LOG[b]) % 255] : 0);

/**
 * The code's rows, true where it is dark.
 * @param {string} text of 106 bytes at most @returns {boolean[][]}
 */
export function qr(text) {
  const bytes = new TextEncoder().encode(text);
  const at = SHAPES.findIndex(([blocks, data]) => blocks * data >= bytes.length + 2);
  if (at < 0) throw new RangeError("too long for a code");
  const version = at + 2;
  const grid = frame(version);
  fill(grid, interleaved(codewords(bytes, SHAPES[at][0] * SHAPES[at][1]), SHAPES[at]));
  return grid.map((row) => row.map(Boolean));
}

/** The bytes with their head, filled up. @param {Uint8Array} bytes @param {number} room */
function codewords(bytes, room) {
  const nibbles = [BYTES, bytes.length >> 4, bytes.length & 15, ...[...bytes].flatMap((byte) => [byte >> 4, byte & 15]), 0];
  const packed = Array.from({ length: nibbles.length / 2 }, (_, i) => (nibbles[2 * i] << 4) | nibbles[2 * i + 1]);
  return [...packed, ...Array.from({ length: room - packed.length }, (_, i) => PAD[i % 2])];
}

/** @param {number[]} data @param {number[]} shape */
function interleaved(data, [blocks, length, correction]) {
  const parts = Array.from({ length: blocks }, (_, i) => data.slice(i * length, (i + 1) * length));
  const checks = parts.map((part) => remainder(part, correction));
  const across = (/** @type {number[][]} */ rows) => rows[0].flatMap((_, i) => rows.map((row) => row[i]));
  return [...across(parts), ...across(checks)];
}

/** Reed and Solomon's correction. @param {number[]} data @param {number} count */
function remainder(data, count) {
  const divisor = generator(count);
  const rest = new Array(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest[0];
    rest.push(0);
    rest.shift();
    divisor.forEach((part, i) => (rest[i] ^= times(part, factor)));
  }
  return rest;
}

/** The product of (x - 2^i), without its leading 1. @param {number} count */
function generator(count) {
  let made = [1];
  for (let i = 0; i < count; i += 1) {
    const shifted = [...made, 0];
    made = shifted.map((part, j) => part ^ (j > 0 ? times(made[j - 1], EXP[i]) : 0));
  }
  return made.slice(1);
}

/** All that is the same in every code of this size; null where data goes. @param {number} version @returns {(boolean | null)[][]} */
function frame(version) {
  const size = 17 + 4 * version;
  const grid = Array.from({ length: size }, () => /** @type {(boolean | null)[]} */ (new Array(size).fill(null)));
  for (let i = 0; i < size; i += 1) grid[6][i] = grid[i][6] = i % 2 === 0;
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(grid, x, y, 4, [0, 1, 3]);
  square(grid, size - 7, size - 7, 2, [0, 2]);
  format(grid);
  return grid;
}

/** Rings around a point, dark at some distances. @param {(boolean | null)[][]} grid @param {number} x @param {number} y @param {number} reach @param {number[]} dark */
function square(grid, x, y, reach, dark) {
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const ring = Math.max(Math.abs(dx), Math.abs(dy));
      if (grid[y + dy]?.[x + dx] !== undefined) grid[y + dy][x + dx] = dark.includes(ring);
    }
  }
}

/** @param {(boolean | null)[][]} grid */
function format(grid) {
  const last = grid.length - 1;
  const bit = (/** @type {number} */ i) => Boolean((LEVEL_M_MASK_0 >> i) & 1);
  for (let i = 0; i < 15; i += 1) {
    const [down, across] = [i < 6 ? i : i < 8 ? i + 1 : last - 14 + i, i < 8 ? last - i : i < 9 ? 7 : 14 - i];
    grid[down][8] = bit(i);
    grid[8][across] = bit(i);
  }
  grid[last - 7][8] = true;
}

/** Data goes up and down, two columns at a time, from the right. @param {(boolean | null)[][]} grid @param {number[]} words */
function fill(grid, words) {
  const size = grid.length;
  let at = 0;
  for (let right = size - 1; right > 0; right -= right === 8 ? 3 : 2) {
    const up = ((right + 1) & 2) === 0;
    for (let i = 0; i < size; i += 1) {
      const y = up ? size - 1 - i : i;
      for (const x of [right, right - 1]) {
        if (grid[y][x] !== null) continue;
        grid[y][x] = Boolean((words[at >> 3] >> (7 - (at & 7))) & 1) !== ((x + y) % 2 === 0);
        at += 1;
      }
    }
  }
}
