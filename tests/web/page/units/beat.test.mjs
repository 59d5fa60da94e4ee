// The beat, found in levels that a clock of our own gives.

import assert from "node:assert/strict";
import { test } from "node:test";

const { fadeOf, rateOf, toBeat } = await import(process.env.BEAT);
const STEP = 0.025;

/** Levels of a drum that began `ago` seconds before now and beats at a tempo. */
function drum(bpm, seconds, ago) {
  const beat = 60 / bpm;
  const count = Math.round(seconds / STEP);
  return Array.from({ length: count }, (_, i) => {
    const since = (((i - count + 1) * STEP + ago) % beat + beat) % beat;
    return -40 + 30 * Math.exp(-since / 0.08);
  });
}

test("the next beat is found within a thirtieth of a second", () => {
  for (const bpm of [70, 100, 123.4, 150]) {
    for (const ago of [0.05, 0.2, 0.37]) {
      const beat = 60 / bpm;
      const wanted = (beat - (ago % beat)) % beat;
      const error = Math.abs(toBeat(drum(bpm, 8, ago), STEP, bpm) - wanted);
      assert.ok(Math.min(error, beat - error) < 0.034, `${bpm} bpm, ${ago} s ago: ${error}`);
    }
  }
});

test("where there is no beat, or too little was heard, nothing waits", () => {
  assert.equal(toBeat(new Array(400).fill(-20), STEP, 120), 0);
  assert.equal(toBeat(drum(120, 1, 0.1), STEP, 120), 0);
  assert.equal(toBeat(drum(120, 8, 0.1), STEP, null), 0);
});

test("a fade lasts whole beats, about four seconds", () => {
  for (const bpm of [54, 88, 120, 174]) {
    const beats = (fadeOf(bpm) * bpm) / 60;
    assert.ok(Math.abs(beats - Math.round(beats)) < 1e-9);
    assert.ok(Math.abs(fadeOf(bpm) - 4) <= 30 / bpm + 1e-9);
  }
  assert.equal(fadeOf(null), 4);
});

test("a song runs with the other where their tempi allow: near, half or double", () => {
  assert.equal(rateOf(126, 120), 1.05);
  assert.equal(rateOf(63, 120), 1.05);
  assert.equal(rateOf(120, 62), 120 / 124);
  assert.equal(rateOf(120, 90), 1);
  assert.equal(rateOf(null, 90), 1);
});
