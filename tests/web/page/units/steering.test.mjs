// The table of steering.js, row by row, with a clock of our own. Run by test_steering.py in Node.

import assert from "node:assert/strict";
import { test } from "node:test";

const { BEGIN, FAR, SETTLED_MS, AHEAD_MS, SURE_MS, least, steer, turn } = await import(process.env.STEERING);

const HAPPY = { valence: 0.7, arousal: 0.4 };
const SAD = { valence: -0.6, arousal: -0.4 };
const ANGRY = { valence: -0.6, arousal: 0.7 };
const STEP = 125;

/** A page with a clock: events go in, what was done is collected with its time. */
function page(state = {}) {
  let now = 1000;
  let steering = { ...BEGIN, ...state };
  const deeds = [];
  const send = (event) => {
    const [next, done] = steer(steering, event, now);
    steering = next;
    deeds.push(...done.map((deed) => [deed, now]));
    return done;
  };
  /** Readings of one face for some time. */
  const watch = (affect, ms, sure = true) => {
    for (const end = now + ms; now < end; now += STEP) send({ kind: "reading", affect, sure });
  };
  return { send, watch, wait: (ms) => (now += ms), deeds, done: () => deeds.map(([deed]) => deed), state: () => steering, now: () => now };
}

/** A page in live mode whose music answers a happy face. */
function live() {
  const made = page();
  made.send({ kind: "camera", on: true });
  made.watch(HAPPY, SURE_MS + STEP);
  made.send({ kind: "answered", affect: HAPPY });
  made.deeds.length = 0;
  return made;
}

const tick = (heard, duration = 240, left = 8) => ({ kind: "tick", heard, duration, left });
const line = (heard, playing = true) => ({ kind: "line", playing, heard, duration: 240 });

/** A page in live mode whose offer waits for the song's next phrase. */
function due() {
  const made = live();
  made.watch(SAD, AHEAD_MS + STEP);
  made.send({ kind: "ready" });
  made.watch(SAD, SETTLED_MS - AHEAD_MS);
  made.send(tick(60));
  assert.deepEqual(made.done(), ["ahead", "phrase"]);
  made.deeds.length = 0;
  return made;
}

test("a deliberate act plans now, and the word holds", () => {
  const one = page();
  assert.deepEqual(one.send({ kind: "act", word: true }), ["now"]);
  assert.equal(one.state().word, true);
});

test("another plan plans now and leaves the word as it is", () => {
  for (const word of [true, false]) {
    const one = page({ word });
    assert.deepEqual(one.send({ kind: "act" }), ["now"]);
    assert.equal(one.state().word, word);
  }
});

test("while the word holds, readings move nothing", () => {
  const one = live();
  one.send({ kind: "act", word: true });
  one.deeds.length = 0;
  one.watch(SAD, 20_000);
  assert.deepEqual(one.done(), []);
});

test("the word let go of, what is seen counts again; without a camera nothing is planned", () => {
  const one = live();
  one.send({ kind: "act", word: true });
  assert.deepEqual(one.send({ kind: "release" }), ["now"]);
  assert.deepEqual(page({ word: true }).send({ kind: "release" }), []);
});

test("the first sure half second of a camera begins the music, the first frame does not", () => {
  const one = page();
  one.send({ kind: "camera", on: true });
  assert.deepEqual(one.send({ kind: "reading", affect: HAPPY, sure: true }), []);
  one.watch(HAPPY, SURE_MS + 2 * STEP);
  assert.deepEqual(one.done(), ["now"]);
});

test("an unsure reading begins the half second anew", () => {
  const one = page();
  one.send({ kind: "camera", on: true });
  one.watch(HAPPY, SURE_MS - STEP);
  one.watch(HAPPY, STEP, false);
  one.watch(HAPPY, SURE_MS);
  assert.deepEqual(one.done(), []);
  one.watch(HAPPY, 2 * STEP);
  assert.deepEqual(one.done(), ["now"]);
});

test("a camera turned on over music that fits changes no song", () => {
  const one = page({ answered: HAPPY });
  one.send({ kind: "camera", on: true });
  one.watch(HAPPY, 3000);
  assert.deepEqual(one.done(), []);
});

test("a lasting change is planned for at five seconds and heard at eight", () => {
  const one = live();
  const began = one.now();
  one.watch(SAD, AHEAD_MS + STEP);
  assert.deepEqual(one.done(), ["ahead"]);
  one.send({ kind: "ready" });
  assert.deepEqual(one.send(tick(60)), []);
  one.watch(SAD, SETTLED_MS - AHEAD_MS);
  one.send(tick(63));
  assert.deepEqual(one.send(line(64)), ["cross"]);
  assert.deepEqual(one.done(), ["ahead", "phrase", "cross"]);
  const [, faded] = one.deeds[1];
  assert.ok(faded - began >= SETTLED_MS && faded - began <= 10_000);
});

test("a song keeps its least time: half a minute, or a third of a shorter one", () => {
  assert.equal(least(240), 30);
  assert.equal(least(60), 20);
  assert.equal(least(Number.NaN), 30);
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  one.send({ kind: "ready" });
  one.watch(SAD, 10_000);
  assert.deepEqual(one.send(tick(29.9)), []);
  assert.deepEqual(one.send(tick(30)), ["phrase"]);
});

test("a phrase is waited for once, and the music turns where it begins", () => {
  const one = due();
  assert.deepEqual(one.send(tick(61)), []);
  one.watch(SAD, 2000);
  assert.deepEqual(one.send(line(63)), ["cross"]);
  assert.deepEqual(one.send(line(64)), []);
  assert.deepEqual(one.send(tick(64)), []);
});

test("the face is back, or the listener stays, before the phrase begins: nothing changes", () => {
  for (const event of [{ kind: "reading", affect: HAPPY, sure: true }, { kind: "stay" }, { kind: "nobody" }]) {
    const one = due();
    assert.deepEqual(one.send(event), ["withdraw"]);
    assert.deepEqual(one.send(line(62)), []);
  }
});

test("now does not wait for the phrase", () => {
  const one = due();
  assert.deepEqual(one.send({ kind: "now" }), ["fade"]);
  assert.deepEqual(one.send(line(62)), []);
});

test("another song began before the phrase did, or the song was paused: its own is waited for", () => {
  for (const event of [line(0.4), line(62, false)]) {
    const one = due();
    assert.deepEqual(one.send(event), []);
    assert.deepEqual(one.send(tick(29)), []);
    assert.deepEqual(one.send(tick(62)), ["phrase"]);
    assert.deepEqual(one.send(line(63)), ["cross"]);
  }
});

test("a blink changes nothing", () => {
  const one = live();
  for (let i = 0; i < 10; i += 1) {
    one.watch(SAD, 1000);
    one.watch(HAPPY, 1000);
  }
  assert.deepEqual(one.done(), []);
});

test("the face is back: the offer is withdrawn", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  one.send({ kind: "ready" });
  assert.deepEqual(one.send({ kind: "reading", affect: HAPPY, sure: true }), ["withdraw"]);
  assert.deepEqual(one.send(tick(100)), []);
});

test("nobody is there: the offer is withdrawn, and no music planned", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  assert.deepEqual(one.send({ kind: "nobody" }), ["withdraw"]);
  one.wait(60_000);
  assert.deepEqual(one.send(tick(100)), []);
});

test("the face goes elsewhere again: it is counted from there", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  one.send({ kind: "ready" });
  one.watch(ANGRY, AHEAD_MS);
  assert.deepEqual(one.done(), ["ahead", "withdraw"]);
  one.watch(ANGRY, 2 * STEP);
  assert.deepEqual(one.done(), ["ahead", "withdraw", "ahead"]);
});

test("now fades at once, but only to what is ready", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  assert.deepEqual(one.send({ kind: "now" }), []);
  one.send({ kind: "ready" });
  assert.deepEqual(one.send({ kind: "now" }), ["fade"]);
});

test("stay: this expression asks no more, another one does", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  one.send({ kind: "ready" });
  assert.deepEqual(one.send({ kind: "stay" }), ["withdraw"]);
  one.watch(SAD, 20_000);
  assert.deepEqual(one.done(), ["ahead", "withdraw"]);
  one.watch(ANGRY, AHEAD_MS + 2 * STEP);
  assert.deepEqual(one.done(), ["ahead", "withdraw", "ahead"]);
});

test("two songs before the end the set is extended, once", () => {
  const one = page();
  assert.deepEqual(one.send(tick(1, 200, 3)), []);
  assert.deepEqual(one.send(tick(1, 200, 2)), ["extend"]);
  assert.deepEqual(one.send(tick(2, 200, 2)), []);
  one.send({ kind: "extended", ok: true });
  assert.deepEqual(one.send(tick(3, 200, 12)), []);
});

test("where extending fails it is tried again, with growing patience", () => {
  const one = page();
  const tries = [];
  for (let s = 0; s < 200; s += 1, one.wait(1000)) {
    if (!one.send(tick(1, 200, 1)).includes("extend")) continue;
    tries.push(s);
    one.send({ kind: "extended", ok: false });
  }
  const waits = tries.slice(1).map((at, i) => at - tries[i]);
  assert.deepEqual(waits.slice(0, 5), [2, 4, 8, 16, 30]);
});

test("the lid was shut: what was seen before counts no more", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS - 500);
  one.wait(3_600_000);
  one.watch(SAD, AHEAD_MS - 500);
  assert.deepEqual(one.done(), []);
});

test("a clock that is set back breaks nothing", () => {
  const one = live();
  one.watch(SAD, 2000);
  one.wait(-3_600_000);
  one.watch(SAD, SETTLED_MS);
  assert.ok(one.done().every((deed) => deed === "ahead"));
});

test("two pages: where another one steers, this one's face moves nothing", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  assert.deepEqual(one.send({ kind: "lead", mine: false }), ["withdraw"]);
  one.watch(SAD, 20_000);
  assert.deepEqual(one.done(), ["ahead", "withdraw"]);
});

test("two pages: an act takes the lead first", () => {
  const one = page({ lead: false });
  assert.deepEqual(one.send({ kind: "act", word: true }), ["lead", "now"]);
  const two = page({ lead: false });
  assert.deepEqual(two.send({ kind: "camera", on: true }), ["lead"]);
  assert.equal(two.state().lead, true);
});

test("storage denied: nothing is brought back, and the page begins as ever", () => {
  const one = page();
  assert.deepEqual(one.send({ kind: "restore", word: false, answered: null }), []);
  assert.deepEqual(one.state(), { ...BEGIN });
  assert.deepEqual(one.send({ kind: "act", word: true }), ["now"]);
});

test("another program takes the camera: it is said, the offer goes, the music stays", () => {
  const one = live();
  one.watch(SAD, AHEAD_MS + STEP);
  assert.deepEqual(one.send({ kind: "camera", on: false, taken: true }), ["withdraw", "taken"]);
  one.watch(SAD, 20_000);
  assert.deepEqual(one.done(), ["ahead", "withdraw", "taken"]);
});

test("near is near: less than FAR apart nothing is another expression", () => {
  const one = live();
  one.watch({ valence: HAPPY.valence - FAR + 0.01, arousal: HAPPY.arousal }, 20_000);
  assert.deepEqual(one.done(), []);
});

test("what changed is said in a word: along the axis on which it changed most", () => {
  assert.equal(turn(SAD, HAPPY), "brighter");
  assert.equal(turn(HAPPY, SAD), "darker");
  assert.equal(turn(SAD, ANGRY), "livelier");
  assert.equal(turn(ANGRY, SAD), "calmer");
  assert.equal(turn(undefined, HAPPY), "brighter");
});
