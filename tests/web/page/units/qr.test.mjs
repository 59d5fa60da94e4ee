// The frame of a code, as the standard draws it; that codes can be read is tested where they are shown.

import assert from "node:assert/strict";
import { test } from "node:test";

const { qr } = await import(process.env.QR);

test("a code is as large as its text needs", () => {
  for (const [length, side] of [[26, 25], [27, 29], [42, 29], [43, 33], [106, 41]]) assert.equal(qr("x".repeat(length)).length, side);
  assert.throws(() => qr("x".repeat(107)), RangeError);
});

test("three eyes look out of its corners, and lines of every other dot lead from one to the next", () => {
  const rows = qr("https://192.168.1.20:8443/#eye=abcdefghijklmnopqrstuv");
  const last = rows.length - 1;
  const eye = ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"];
  for (const [x, y] of [[0, 0], [last - 6, 0], [0, last - 6]]) {
    const seen = eye.map((_, dy) => rows[y + dy].slice(x, x + 7).map((dark) => (dark ? "#" : ".")).join(""));
    assert.deepEqual(seen, eye);
  }
  for (let i = 8; i < last - 7; i += 1) assert.deepEqual([rows[6][i], rows[i][6]], [i % 2 === 0, i % 2 === 0]);
  assert.equal(rows[last - 7][8], true);
});
