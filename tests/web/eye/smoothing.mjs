// Runs the cases of tests/data/live-smoothing.json, made whole by the test, through the page's module.

import { readFileSync } from "node:fs";

const { modules, rules, following, settling } = JSON.parse(readFileSync(0, "utf-8"));
const { follow, settle, NOBODY, NOWHERE } = await import(`${modules}/js/live-smoothing.js`);

const rooms = following.map((frames) => frames.reduce((room, { now, faces }) => follow(room, faces, now, rules), NOBODY));
const moves = settling.map((points) => {
  let state = NOWHERE;
  return points.map(([now, valence, arousal]) => {
    const [next, moved] = settle(state, { valence, arousal }, now, rules);
    state = next;
    return moved;
  });
});
console.log(JSON.stringify({ rooms, moves }));
