// Live readings: who is who from frame to frame, and what their faces show over a second. Pure functions
// of what was known, what is seen and the time in seconds; vision/smoothing.py computes the same. The
// rules come from the service (`live` in eye.json).

/** @typedef {{half_life: number, margin: number, overlap: number, absent: number, stale: number, far: number, first: number, lasting: number}} Rules see vision/smoothing.py */
/** @typedef {{box: [number, number, number, number], score: number, emotions: Record<string, number>, emotion: string, abstained: boolean}} Shown as the eye returns it */
/**
 * @typedef {Shown & {id: number, seen: number, sure: number | null}} Person `emotions` are smoothed, `emotion` is
 * the one to name; `seen` is when the face was seen last, `sure` when a frame of it was sure
 */
/** @typedef {{people: Person[], count: number}} Room in the order in which they came; `count` have come so far */
/** @typedef {{valence: number, arousal: number}} Point */
/** @typedef {{affect: Point | null, since: number | null}} Settled where the room has been for good; since when it is elsewhere */

/** @type {Room} */
export const NOBODY = Object.freeze({ people: [], count: 0 });

/** @type {Settled} */
export const NOWHERE = Object.freeze({ affect: null, since: null });

/**
 * The room after a frame in which these faces were seen.
 * @param {Room} room @param {Shown[]} faces @param {number} now @param {Rules} rules @returns {Room}
 */
export function follow(room, faces, now, rules) {
  const theirs = matched(room.people, faces, rules);
  const stayed = room.people.map((person, i) => {
    const face = theirs.get(i);
    return face === undefined ? grownStale(person, now, rules) : seen(person, faces[face], now, rules);
  });
  const taken = new Set(theirs.values());
  const came = faces.filter((_, i) => !taken.has(i)).map((face, i) => newcomer(room.count + i, face, now));
  return { people: [...stayed.filter((person) => now - person.seen <= rules.absent), ...came], count: room.count + came.length };
}

/**
 * Where the room has settled after it was at a point, and whether that is new.
 * @param {Settled} before @param {Point} affect @param {number} now @param {Rules} rules @returns {[Settled, boolean]}
 */
export function settle(before, affect, now, rules) {
  const { affect: at } = before;
  if (at && Math.hypot(at.valence - affect.valence, at.arousal - affect.arousal) < rules.far) return [{ affect: at, since: null }, false];
  const since = before.since ?? now;
  if (now - since < (at ? rules.lasting : rules.first)) return [{ affect: at, since }, false];
  return [{ affect, since: null }, true];
}

/** Whose face is which: the pairs that share most come first. @param {Person[]} people @param {Shown[]} faces @param {Rules} rules */
function matched(people, faces, rules) {
  const pairs = people.flatMap((person, i) => faces.map((face, j) => ({ share: shared(person.box, face.box), i, j })));
  /** @type {Map<number, number>} */
  const found = new Map();
  for (const { share, i, j } of pairs.sort((a, b) => b.share - a.share || a.i - b.i || a.j - b.j)) {
    if (share >= rules.overlap && !found.has(i) && ![...found.values()].includes(j)) found.set(i, j);
  }
  return found;
}

/** How much of their union two boxes have in common. @param {number[]} a @param {number[]} b */
function shared(a, b) {
  const side = (/** @type {0 | 1} */ axis) => Math.max(0, Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - Math.max(a[axis], b[axis]));
  const common = side(0) * side(1);
  return common / Math.max(1e-9, a[2] * a[3] + b[2] * b[3] - common);
}

/** @param {number} id @param {Shown} face @param {number} now @returns {Person} */
const newcomer = (id, face, now) => ({ ...face, id, seen: now, sure: face.abstained ? null : now });

/** An unsure frame counts only as long as there was no sure one. @param {Person} person @param {Shown} face @param {number} now @param {Rules} rules @returns {Person} */
function seen(person, face, now, rules) {
  const known = person.sure !== null;
  if (face.abstained && known) {
    const { emotions, emotion, abstained } = grownStale(person, now, rules);
    return { ...face, id: person.id, emotions, emotion, abstained, seen: now, sure: person.sure };
  }
  if (!face.abstained && !known) return newcomer(person.id, face, now);
  const kept = 0.5 ** ((now - (person.sure ?? person.seen)) / rules.half_life);
  const emotions = Object.fromEntries(Object.entries(face.emotions).map(([emotion, p]) => [emotion, kept * person.emotions[emotion] + (1 - kept) * p]));
  return { ...newcomer(person.id, face, now), emotions, emotion: named(person.emotion, emotions, rules) };
}

/** @param {string} before @param {Record<string, number>} emotions @param {Rules} rules */
function named(before, emotions, rules) {
  const [most] = Object.keys(emotions).sort((a, b) => emotions[b] - emotions[a]);
  return emotions[most] - emotions[before] > rules.margin ? most : before;
}

/** @param {Person} person @param {number} now @param {Rules} rules @returns {Person} */
const grownStale = (person, now, { stale }) => (person.sure !== null && now - person.sure > stale ? { ...person, abstained: true } : person);
