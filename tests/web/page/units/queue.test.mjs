// The queue and the signals that it is made of.

import assert from "node:assert/strict";
import { test } from "node:test";

const queue = await import(process.env.QUEUE);
const { batch, computed, effect, signal } = await import(new URL("signal.js", process.env.QUEUE));

const song = (id) => ({ id });
const ids = () => queue.songs.peek().map(({ id }) => id);

test("a set goes on with what was not played, then with what was played longest ago", () => {
  queue.replace({ picks: [1, 2, 3].map(song) });
  for (const at of [0, 1, 2]) queue.go(at);
  queue.extend([3, 2, 4, 1].map(song), 3);
  assert.deepEqual(ids(), [1, 2, 3, 4, 1, 2]);
});

test("one song alone repeats", () => {
  queue.replace({ picks: [song(7)] });
  queue.go(0);
  queue.extend([song(7)], 10);
  assert.deepEqual(ids(), [7, 7]);
});

test("what plays keeps its place, whatever is moved, removed or put in", () => {
  queue.replace({ picks: [1, 2, 3, 4].map(song) });
  queue.go(2);
  queue.move(0, 3);
  assert.equal(queue.current.peek().id, 3);
  queue.remove(0);
  assert.equal(queue.current.peek().id, 3);
  queue.insert(song(9));
  assert.deepEqual(ids(), [3, 9, 4, 1]);
  assert.equal(queue.coming.peek().id, 9);
});

test("all of it can be taken back", () => {
  queue.replace({ picks: [1, 2, 3].map(song) });
  queue.go(1);
  const before = queue.snapshot();
  queue.remove(1);
  queue.move(0, 1);
  queue.restore(before);
  assert.deepEqual([ids(), queue.place.peek()], [[1, 2, 3], 1]);
});

test("an effect runs once for a batch, and only for what it read last", () => {
  const [one, other, which] = [signal(1), signal(2), signal(true)];
  const sum = computed(() => (which.value ? one.value : other.value) * 10);
  const seen = [];
  effect(() => seen.push(sum.value));
  batch(() => {
    one.value = 3;
    one.value = 4;
  });
  other.value = 5;
  which.value = false;
  one.value = 6;
  assert.deepEqual(seen, [10, 40, 50]);
});

test("after a song that will not do comes the next one that will, round to the first", () => {
  queue.replace({ picks: [1, 2, 3, 4].map(song) });
  assert.equal(queue.after(song(2), ({ id }) => id !== 3), 3);
  assert.equal(queue.after(song(4), () => true), 0);
  assert.equal(queue.after(song(1), () => false), -1);
  assert.equal(queue.after(song(9), () => true), 0);
});
