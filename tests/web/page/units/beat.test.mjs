// The beat, found in levels that a clock of our own gives.

import assert from "node:assert/strict";
import { test } from "node:test";

const { barOf, fadeOf, rateOf, toBar, toPhrase } = await import(process.env.BEAT);
const STEP = 0.025;

/** Levels of a drum that beat `ago` seconds before now, at a tempo; every fourth beat may be louder. */
function drum(bpm, seconds, ago, accent = 0) {
  const beat = 60 / bpm;
  const count = Math.round(seconds / STEP);
  return Array.from({ length: count }, (_, i) => {
    const since = (((i - count + 1) * STEP + ago) % beat + beat) % beat;
    const nth = Math.round(((i - count + 1) * STEP + ago - since) / beat);
    return -40 + (20 + (nth % 4 === 0 ? accent : 0)) * Math.exp(-since / 0.08);
  });
}

test("the next beat is found within a thirtieth of a second", () => {
  for (const bpm of [70, 100, 123.4, 150]) {
    for (const ago of [0.05, 0.2, 0.37]) {
      const beat = 60 / bpm;
      const wanted = (beat - (ago % beat)) % beat;
      const error = Math.abs(toBar(drum(bpm, 8, ago), STEP, bpm) - wanted);
      assert.ok(Math.min(error, beat - error) < 0.034, `${bpm} bpm, ${ago} s ago: ${error}`);
    }
  }
});

test("the next bar is found where its first beat is the strongest", () => {
  for (const bpm of [84, 120, 150]) {
    for (const ago of [0.1, 0.9, 1.3]) {
      const wanted = barOf(bpm) - ago;
      const error = Math.abs(toBar(drum(bpm, 8, ago, 15), STEP, bpm) - wanted);
      assert.ok(error < 0.06, `${bpm} bpm, ${ago} s ago: ${error}`);
    }
  }
});

test("a phrase is waited for where it is near: four bars from the first sound, or more of them", () => {
  const [bpm, ago] = [120, 0.4]; // bars of two seconds
  const levels = drum(bpm, 8, ago, 15);
  const bars = (n) => n * barOf(bpm) + ago; // so long ago the song began
  for (const begun of [15, 14, 17, 15.5]) { // its next bar is near, the phrase is that one or too far
    assert.ok(Math.abs(toPhrase(levels, STEP, bpm, bars(begun)) - (barOf(bpm) - ago)) < 0.06, `${begun} bars`);
  }
  const fast = drum(170, 8, ago, 15); // bars of 1.4 seconds: the phrase is the bar after the next one
  assert.ok(Math.abs(toPhrase(fast, STEP, 170, 14 * barOf(170) + ago) - (2 * barOf(170) - ago)) < 0.06);
  assert.ok(Math.abs(toPhrase(fast, STEP, 170, 14.3 * barOf(170) + ago) - (barOf(170) - ago)) < 0.06, "its bars are not those");
  assert.ok(toPhrase(drum(170, 8, 0.1), STEP, 170, 14 * barOf(170) + 0.1) < 60 / 170, "no bar stands out");
});

test("where there is no beat, or too little was heard, nothing waits", () => {
  assert.equal(toBar(new Array(400).fill(-20), STEP, 120), 0);
  assert.equal(toBar(drum(120, 1, 0.1), STEP, 120), 0);
  assert.equal(toBar(drum(120, 8, 0.1), STEP, null), 0);
});

test("a fade lasts whole bars, about four seconds", () => {
  for (const bpm of [54, 88, 120, 174]) {
    const bars = fadeOf(bpm) / barOf(bpm);
    assert.ok(Math.abs(bars - Math.round(bars)) < 1e-9);
    assert.ok(Math.abs(fadeOf(bpm) - 4) <= barOf(bpm) / 2 + 1e-9);
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
