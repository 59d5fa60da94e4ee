// Fades on the beat: how long they last, when they begin, and how fast the song that comes has to run. Pure.

const NEAREST_S = 4; // what a fade lasts where nothing is known
const MOST_STRETCH = 0.06; // more would be heard
const BINS = 24; // of a beat
const BAR = 4; // beats, in most music by far
const STANDS_OUT = 1.3; // so much stronger than the others is the first beat of a bar
const PHRASE = 4; // bars, or more of them by this
const NEAR_S = 3; // a phrase that begins later is not waited for
const OFF = 1 / 8; // of a bar: so far from a count of bars is none of them

/** How long a bar lasts, in seconds; 0 where no tempo is known. @param {number | null} bpm */
export const barOf = (bpm) => (bpm ? (BAR * 60) / bpm : 0);

/** How long a fade lasts: whole bars, as near to four seconds as can be. @param {number | null} bpm */
export const fadeOf = (bpm) => (bpm ? Math.max(1, Math.round(NEAREST_S / barOf(bpm))) * barOf(bpm) : NEAREST_S);

/** How fast a song has to run so that its beat is the other's; 1 where the tempi are too far apart. @param {number | null} from @param {number | null} to beats a minute */
export function rateOf(from, to) {
  if (!from || !to) return 1;
  const rates = [from / to, from / (2 * to), (2 * from) / to];
  return rates.find((rate) => Math.abs(rate - 1) <= MOST_STRETCH) ?? 1;
}

/**
 * Seconds until the next bar, or the next beat where no bar stands out; 0 where no beat is to be heard.
 * @param {number[]} levels in dB, evenly spaced, the last one now @param {number} step seconds between them @param {number | null} bpm
 */
export const toBar = (levels, step, bpm) => ahead(levels, step, bpm).wait;

/**
 * Seconds until the next phrase where that is near, else as `toBar`. Phrases are counted in bars from where the song begins
 * to sound; where the bars that are heard are not those, none is known.
 * @param {number[]} levels @param {number} step @param {number | null} bpm @param {number} sounded seconds since the song began to sound
 */
export function toPhrase(levels, step, bpm, sounded) {
  const { wait, bar } = ahead(levels, step, bpm);
  const bars = bar ? (sounded + wait) / bar : 0; // when the next one begins
  const off = Math.abs(bars - Math.round(bars));
  const phrase = wait + bar * ((PHRASE - (Math.round(bars) % PHRASE)) % PHRASE);
  return off <= OFF && phrase <= NEAR_S ? phrase : wait;
}

/** How long to wait for the next bar or beat, and how long a bar lasts, 0 where none stands out. @param {number[]} levels @param {number} step @param {number | null} bpm */
function ahead(levels, step, bpm) {
  const beat = bpm ? 60 / bpm : 0;
  const rises = levels.slice(1).map((level, i) => Math.max(0, level - levels[i]));
  const last = beat && levels.length * step >= 4 * beat ? lastBeat(rises, step, beat) : null;
  if (last === null) return { wait: 0, bar: 0 };
  const beats = barAhead(rises, step, beat, last);
  return { wait: beat * (beats ?? 1) - last, bar: beats === null ? 0 : barOf(bpm) };
}

/** How long ago the last beat was; null where none is to be heard. @param {number[]} rises @param {number} step @param {number} beat in seconds */
function lastBeat(rises, step, beat) {
  const bins = new Float64Array(BINS);
  rises.forEach((rise, i) => (bins[Math.floor((BINS * (((rises.length - 1 - i) * step) % beat)) / beat)] += rise));
  const best = bins.indexOf(Math.max(...bins));
  const mean = bins.reduce((sum, x) => sum + x, 0) / BINS;
  return bins[best] > 2 * mean ? ((best + 0.5) / BINS) * beat : null;
}

/** In how many beats after the last one a bar begins: the first of four is the strongest; null where none is. @param {number[]} rises @param {number} step @param {number} beat @param {number} last */
function barAhead(rises, step, beat, last) {
  const four = [0, 0, 0, 0];
  rises.forEach((rise, i) => {
    const beats = ((rises.length - 1 - i) * step - last) / beat;
    if (Math.abs(beats - Math.round(beats)) < 1 / 8) four[((Math.round(beats) % BAR) + BAR) % BAR] += rise;
  });
  const ago = four.indexOf(Math.max(...four)); // so many beats before the last one
  const others = (four.reduce((sum, x) => sum + x, 0) - four[ago]) / (BAR - 1);
  return rises.length * step >= 2 * BAR * beat && four[ago] > STANDS_OUT * others ? BAR - ago : null;
}
