// Who listens: what was seen of them, what they said of themselves, and what they want. Their word wins while it holds.

import { computed, signal } from "./signal.js";

export const ANYWHERE = { valence: 0, arousal: 0, uncertainty: 1 };

/** @type {About} */
const NOTHING = { emotions: {}, moods: {}, plans: [], card: {}, audio_model: {} };
export const about = signal(NOTHING);

/** Was this device let in to listen and show a face only? */
export const isGuest = () => about.peek().role === "guest";

/** What was seen, smoothed where it is live: bars, words and sets are of the same reading. */
export const look = signal(/** @type {Look | null} */ (null));
/** What the listener said: a mood, an emotion or a place. It holds until they let go of it. */
export const word = signal(/** @type {Word | null} */ (null));
export const live = signal(false);
export const plan = signal("match");
/** Whom a set is for, where several faces are there: the room, or each in turn. */
export const whom = signal("room");
export const length = signal(10);

/** The faces that a set can be made for. */
export const faces = computed(() => look.value?.faces.filter((face) => !face.abstained) ?? []);

/** What the server is told of a face. @param {Face} face */
export const sent = ({ box, emotions, abstained }) => ({ box, emotions, abstained });

/** From where a set starts, as the service takes it; null while nobody said or showed anything. */
export const start = computed(() => {
  if (word.value) return word.value;
  return faces.value.length && look.value ? { faces: look.value.faces.map(sent) } : null;
});

/** Where the last set began; what is said in words, or by a song, stands there. */
export const answered = signal(ANYWHERE);

/** Where the listener stands on the plane. @type {{readonly value: Affect, peek: () => Affect}} */
export const place = computed(() => (word.value ? said(word.value) : look.value?.affect ?? ANYWHERE));

/** @param {Word} word @returns {Affect} */
function said({ mood, emotion, affect, say, like }) {
  if (say || like) return answered.value;
  const { moods, emotions } = about.value;
  const [valence, arousal] = affect ? affect.split(",").map(Number) : (mood ? moods[mood] : emotions[emotion ?? ""]) ?? [0, 0];
  return { valence, arousal, uncertainty: 0 };
}

/** All that can be taken back. */
export const snapshot = () => ({ look: look.peek(), word: word.peek(), plan: plan.peek(), whom: whom.peek() });

/** @param {ReturnType<typeof snapshot>} before */
export function restore(before) {
  [look.value, word.value, plan.value, whom.value] = [before.look, before.word, before.plan, before.whom];
}
