// What is steered when. Pure: an event and the time go in, the next state and what is to be done come out.
//
// | situation                          | event                                  | what is done                                  |
// | ---------------------------------- | -------------------------------------- | --------------------------------------------- |
// | any                                | act: photo, mood, plane, correction    | plan now: the song fades into the new set     |
// | any                                | act: another plan, other sources       | plan now; a word that holds goes on holding   |
// | the listener's word holds          | another reading                        | nothing: it is shown, the music stays         |
// | the word is let go of, live        | release                                | plan now, from what is seen                   |
// | the camera has just been turned on | the first sure half second             | plan now; the first frame does nothing        |
// | live, the face is elsewhere        | for 5 s                                | plan ahead: the song is made ready, and said  |
// | an offer is ready                  | 8 s are over and the song's least time | wait for the song's next phrase, or its bar   |
// | an offer waits for a phrase        | line: it begins                        | fade into the offered set there               |
// | an offer waits, another song began | line                                   | nothing: that song has its least time, too    |
// | an offer waits, the song is paused | line                                   | nothing, until it plays again                 |
// | an offer waits for a phrase        | the face is back, stay, nobody         | withdraw it                                   |
// | an offer is made                   | the face is back, or nobody is there   | withdraw it                                   |
// | an offer is made                   | the face goes elsewhere again          | withdraw it, count from there                 |
// | an offer is ready, or waits        | now                                    | fade at the next bar                          |
// | an offer is made                   | stay                                   | withdraw it; this expression asks no more     |
// | two songs before the end           | tick                                   | extend, once                                  |
// | extending failed                   | tick, after a growing patience         | extend again                                  |
// | the clock jumped (the lid was shut)| a reading                              | count anew: nobody was seen in between        |
// | another page of ours steers        | readings                               | nothing                                       |
// | another page of ours steers        | act                                    | take the lead, plan now                       |
// | storage is denied                  | restore, with nothing kept             | nothing: the page begins as on a first visit  |
// | another program takes the camera   | camera, taken                          | withdraw the offer, say it; the music stays   |

export const SURE_MS = 500;
export const AHEAD_MS = 5000;
export const SETTLED_MS = 8000;
export const LEAST_S = 30;
export const FAR = 0.35;
export const AHEAD_SONGS = 2;
const JUMP_MS = 10_000;
const PATIENCE_MS = 2000;
const MOST_PATIENCE_MS = 30_000;

/** @typedef {{valence: number, arousal: number}} Point */
/** @typedef {"lead"|"now"|"ahead"|"phrase"|"cross"|"fade"|"withdraw"|"extend"|"taken"} Deed */
/** @typedef {{from: Point, since: number}} Away */
/**
 * @typedef {object} Steering
 * @property {boolean} word the listener's own word holds
 * @property {boolean} live the camera is on
 * @property {boolean} lead no other page of ours steers
 * @property {boolean} fresh the camera has not begun the music yet
 * @property {number | null} sure since when every reading was sure
 * @property {Point | null} answered what the music that plays was made for
 * @property {Away | null} away where else the face is, and since when
 * @property {"none"|"asked"|"ready"|"due"} offer due: it waits for a phrase
 * @property {Point | null} refused the expression to which the listener said "stay"
 * @property {number} seen when the last reading came
 * @property {boolean} extending
 * @property {number} again when extending may be tried again
 * @property {number} patience
 */
/**
 * @typedef {{kind: "act", word?: boolean} | {kind: "release"} | {kind: "camera", on: boolean, taken?: boolean}
 *   | {kind: "reading", affect: Point, sure: boolean} | {kind: "nobody"} | {kind: "ready"} | {kind: "failed"}
 *   | {kind: "answered", affect: Point} | {kind: "now"} | {kind: "stay"} | {kind: "extended", ok: boolean}
 *   | {kind: "tick", heard: number, duration: number, left: number} | {kind: "line", playing: boolean, heard: number, duration: number}
 *   | {kind: "lead", mine: boolean} | {kind: "restore", word: boolean, answered: Point | null}} SteeringEvent
 */

/** @type {Readonly<Steering>} */
export const BEGIN = Object.freeze({
  word: false, live: false, lead: true, fresh: false, sure: null, answered: null, away: null, offer: "none",
  refused: null, seen: -Infinity, extending: false, again: -Infinity, patience: PATIENCE_MS,
});

const NO_OFFER = { away: null, offer: /** @type {const} */ ("none") };

/** The least time of a song before a face may end it. @param {number} duration in seconds */
export const least = (duration) => (duration > 0 ? Math.min(LEAST_S, duration / 3) : LEAST_S);

/**
 * @param {Readonly<Steering>} state @param {SteeringEvent} event @param {number} now in milliseconds, of any clock
 * @returns {[Steering, Deed[]]}
 */
export function steer(state, event, now) {
  const rule = /** @type {(s: Readonly<Steering>, e: any, now: number) => [Partial<Steering>, Deed[]]} */ (RULES[event.kind]);
  const [change, deeds] = rule(state, event, now);
  return [{ ...state, ...change }, deeds];
}

const RULES = {
  act: lead((state, { word = state.word }) => [{ ...NO_OFFER, word, fresh: false, refused: null }, ["now"]]),
  release: lead((state) => [{ ...NO_OFFER, word: false, fresh: false, refused: null }, state.live ? ["now"] : []]),
  camera: onCamera,
  reading: onReading,
  nobody: (/** @type {Steering} */ state) => [{ ...NO_OFFER, sure: null }, withdrawn(state)],
  ready: (/** @type {Steering} */ state) => [state.offer === "asked" ? { offer: "ready" } : {}, []],
  failed: () => [NO_OFFER, []],
  answered: (/** @type {Steering} */ _, /** @type {{affect: Point}} */ { affect }) => [{ ...NO_OFFER, answered: affect, fresh: false, refused: null }, []],
  now: (/** @type {Steering} */ state) => (["ready", "due"].includes(state.offer) ? [NO_OFFER, ["fade"]] : [{}, []]),
  stay: (/** @type {Steering} */ state) => [{ ...NO_OFFER, refused: state.away?.from ?? null }, withdrawn(state)],
  tick: onTick,
  line: onLine,
  extended: (/** @type {Steering} */ state, /** @type {{ok: boolean}} */ { ok }, /** @type {number} */ now) => [patience(state, ok, now), []],
  lead: (/** @type {Steering} */ state, /** @type {{mine: boolean}} */ { mine }) => (mine ? [{ lead: true }, []] : [{ ...NO_OFFER, lead: false }, withdrawn(state)]),
  restore: (/** @type {Steering} */ _, /** @type {{word: boolean, answered: Point | null}} */ { word, answered }) => [{ word, answered }, []],
};

/** A deliberate act takes the lead first. @param {(state: Steering, event: {word?: boolean}) => [Partial<Steering>, Deed[]]} rule */
function lead(rule) {
  return (/** @type {Steering} */ state, /** @type {{word?: boolean}} */ event) => {
    const [change, deeds] = rule(state, event);
    return [{ ...change, lead: true }, state.lead ? deeds : ["lead", ...deeds]];
  };
}

/** @param {Steering} state @param {{on: boolean, taken?: boolean}} event @returns {[Partial<Steering>, Deed[]]} */
function onCamera(state, { on, taken }) {
  if (on) return [{ ...NO_OFFER, live: true, word: false, fresh: true, sure: null, refused: null, lead: true }, state.lead ? [] : ["lead"]];
  return [{ ...NO_OFFER, live: false, fresh: false, sure: null }, [...withdrawn(state), ...(taken ? [/** @type {const} */ ("taken")] : [])]];
}

/** @param {Steering} state @param {{affect: Point, sure: boolean}} reading @param {number} now @returns {[Partial<Steering>, Deed[]]} */
function onReading(state, { affect, sure }, now) {
  const jumped = now - state.seen > JUMP_MS;
  const since = sure && !jumped ? (state.sure ?? now) : sure ? now : null;
  const seen = { seen: now, sure: since };
  if (!state.live || state.word || !state.lead || since === null) return [seen, []];
  if (state.fresh) return now - since >= SURE_MS ? [{ ...seen, fresh: false }, near(state.answered, affect) ? [] : ["now"]] : [seen, []];
  const [change, deeds] = follow(jumped ? { ...state, away: null } : state, affect, now);
  return [{ ...seen, ...change }, deeds];
}

/** Follow a face that is elsewhere than the music. @param {Steering} state @param {Point} affect @param {number} now @returns {[Partial<Steering>, Deed[]]} */
function follow(state, affect, now) {
  if (near(state.answered, affect) || near(state.refused, affect)) return [NO_OFFER, withdrawn(state)];
  const { away } = state;
  if (!away || !near(away.from, affect)) return [{ away: { from: affect, since: now }, offer: "none" }, withdrawn(state)];
  if (state.offer === "none" && now - away.since >= AHEAD_MS) return [{ offer: "asked" }, ["ahead"]];
  return [{}, []];
}

/** @param {Steering} state @param {{heard: number, duration: number, left: number}} song @param {number} now @returns {[Partial<Steering>, Deed[]]} */
function onTick(state, { heard, duration, left }, now) {
  const settled = state.away !== null && now - state.away.since >= SETTLED_MS;
  if (state.offer === "ready" && settled && heard >= least(duration)) return [{ offer: "due" }, ["phrase"]];
  if (left <= AHEAD_SONGS && !state.extending && now >= state.again) return [{ extending: true }, ["extend"]];
  return [{}, []];
}

/** @param {Steering} state @param {{playing: boolean, heard: number, duration: number}} song @returns {[Partial<Steering>, Deed[]]} */
function onLine(state, { playing, heard, duration }) {
  if (state.offer !== "due") return [{}, []];
  return playing && heard >= least(duration) ? [NO_OFFER, ["cross"]] : [{ offer: "ready" }, []];
}

/** @param {Steering} state @param {boolean} ok @param {number} now @returns {Partial<Steering>} */
const patience = ({ patience }, ok, now) => (ok
  ? { extending: false, again: -Infinity, patience: PATIENCE_MS }
  : { extending: false, again: now + patience, patience: Math.min(MOST_PATIENCE_MS, 2 * patience) });

/** @param {Steering} state @returns {Deed[]} */
const withdrawn = (state) => (state.offer === "none" ? [] : ["withdraw"]);

/** @param {Point | null} one @param {Point} other */
const near = (one, other) => one !== null && Math.hypot(one.valence - other.valence, one.arousal - other.arousal) < FAR;

/** What changed from one place to another, in a word. @param {Point | undefined} from @param {Point} to */
export function turn(from, to) {
  const [valence, arousal] = [to.valence - (from?.valence ?? 0), to.arousal - (from?.arousal ?? 0)];
  if (Math.abs(valence) >= Math.abs(arousal)) return valence > 0 ? "brighter" : "darker";
  return arousal > 0 ? "livelier" : "calmer";
}
