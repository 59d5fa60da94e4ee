// Fades on the beat: how long they last, when they begin, and how fast the song that comes has to run. Pure.

const NEAREST_S = 4; // what a fade lasts where nothing is known
const MOST_STRETCH = 0.06; // more would be heard
const BINS = 24; // of a beat

/** How long a fade lasts: whole beats, as near to four seconds as can be. @param {number | null} bpm */
export const fadeOf = (bpm) => (bpm ? Math.max(1, Math.round((NEAREST_S * bpm) / 60)) * (60 / bpm) : NEAREST_S);

/** How fast a song has to run so that its beat is the other's; 1 where the tempi are too far apart. @param {number | null} from @param {number | null} to beats a minute */
export function rateOf(from, to) {
  if (!from || !to) return 1;
  const rates = [from / to, from / (2 * to), (2 * from) / to];
  return rates.find((rate) => Math.abs(rate - 1) <= MOST_STRETCH) ?? 1;
}

/**
 * Seconds until the next beat; 0 where no beat is to be heard.
 * @param {number[]} levels in dB, evenly spaced, the last one now @param {number} step seconds between them @param {number | null} bpm
 */
export function toBeat(levels, step, bpm) {
  const beat = bpm ? 60 / bpm : 0;
  if (!beat || levels.length * step < 4 * beat) return 0;
  const rises = levels.slice(1).map((level, i) => Math.max(0, level - levels[i]));
  const bins = new Float64Array(BINS);
  rises.forEach((rise, i) => {
    const ago = (rises.length - 1 - i) * step;
    bins[Math.floor((BINS * (ago % beat)) / beat)] += rise;
  });
  const best = bins.indexOf(Math.max(...bins));
  const mean = bins.reduce((sum, x) => sum + x, 0) / BINS;
  return bins[best] > 2 * mean ? (beat - ((best + 0.5) / BINS) * beat) % beat : 0;
}
