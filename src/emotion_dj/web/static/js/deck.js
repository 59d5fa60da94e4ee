// One audio element with levels of its own: its song's loudness evened out, a fader, and an ear for silence.

import { at } from "./api.js";
import { toBeat } from "./beat.js";
import { Fader } from "./fader.js";

const LEVEL_LUFS = -18;
const MOST_BOOST_DB = 4; // a quiet song has peaks too
const SILENT_DB = -55;
const CUE_MS = 30;
const MOST_SILENCE_S = 8;
const STEP_S = 0.4;
const STEP_LOOKS = 6; // decoders need a moment after a step
const PULSE_MS = 25;
const PULSE_S = 8; // so much is listened to for the beat
const BEFORE_S = 0.06; // of what is skipped, this much is kept, so that no attack is cut

let loads = 0;

/** The gain that brings a song to the common level; 1 where nobody measured it. @param {number | null | undefined} loudness in LUFS */
export const levelled = (loudness) => (loudness == null ? 1 : 10 ** (Math.min(MOST_BOOST_DB, LEVEL_LUFS - loudness) / 20));

export class Deck {
  constructor() {
    this.element = new Audio();
    this.element.preload = "auto";
    /** @type {SetPick | null} */ this.pick = null;
    /** @type {Fader | null} null where the element plays directly */ this.fader = null;
    /** @type {AudioContext | null} */ this.context = null;
    this.heard = 0; // seconds that sounded of this song
    this.quiet = 0; // looks in a row that found silence
    this.ending = false; // it was said that the song ends soon
    this.cueing = 0;
    this.pulsing = 0;
    this.levels = /** @type {number[]} */ ([]); // of the last seconds, while the beat is listened for
    this.start = 0; // where the sound begins
    this.loaded = 0; // when its song came, in songs
  }

  /** Can it play on without the server, as far as one can know? */
  get sure() {
    return !this.element.error && this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** Play through a graph from now on. @param {AudioContext} context @param {AudioNode} out */
  join(context, out) {
    this.context = context;
    this.trim = context.createGain();
    this.ear = new AnalyserNode(context, { fftSize: 2048 });
    const fader = context.createGain();
    context.createMediaElementSource(this.element).connect(this.trim).connect(this.ear).connect(fader).connect(out);
    this.fader = new Fader(fader.gain, () => context.currentTime);
    this.trim.gain.value = levelled(this.pick?.loudness);
  }

  get sounding() {
    return !this.element.paused && !this.cueing;
  }

  get clock() {
    return { position: this.element.currentTime, duration: this.element.duration };
  }

  /** Have a song ready; nothing happens where it is. @param {SetPick} pick */
  load(pick) {
    if (this.pick?.id === pick.id && !this.element.error) return;
    this.#uncue();
    loads += 1;
    Object.assign(this, { pick, heard: 0, quiet: 0, ending: false, start: 0, loaded: loads });
    this.element.src = pick.stream ? at(pick.stream) : "";
    if (this.trim) this.trim.gain.value = levelled(pick.loudness);
  }

  /** Play unheard until the song sounds, so that it begins there. */
  cue() {
    if (this.context?.state !== "running" || this.cueing || this.sounding || this.start) return;
    this.fader?.to(0, 0);
    this.cueing = setInterval(() => this.#listen(), CUE_MS);
    this.element.play().catch(() => this.#uncue()); // it will be said when it has to play
  }

  #listen() {
    const { currentTime } = this.element;
    if (currentTime < MOST_SILENCE_S && !(currentTime > 0 && this.level > SILENT_DB)) return;
    this.#uncue();
    this.start = currentTime < MOST_SILENCE_S ? Math.max(0, currentTime - CUE_MS / 1000 - BEFORE_S) : 0;
    this.element.currentTime = this.start;
  }

  #uncue() {
    if (!this.cueing) return;
    clearInterval(this.cueing);
    this.cueing = 0;
    this.element.pause();
  }

  /** Play from a place, else from where the sound begins. @param {number} [from] in seconds */
  async begin(from) {
    this.#uncue();
    const place = from ?? this.start;
    if (Math.abs(this.element.currentTime - place) > 0.01) this.element.currentTime = place;
    Object.assign(this, { heard: 0, quiet: 0, ending: false });
    await this.element.play();
    if (from === undefined && this.ear) await this.#sounds();
  }

  /** Wait for the first sound, in steps over the silence before it. */
  async #sounds() {
    const end = this.element.currentTime + MOST_SILENCE_S;
    for (let looks = 1; this.level < SILENT_DB && this.element.currentTime < end && !this.element.paused; looks += 1) {
      await new Promise((done) => setTimeout(done, CUE_MS));
      if (looks % STEP_LOOKS === 0 && this.level < SILENT_DB && !this.element.seeking && this.element.currentTime > 0) this.element.currentTime += STEP_S;
    }
  }

  /** Rise or fall; a deck without a graph is there at once. @param {0 | 1} target @param {number} seconds */
  fade(target, seconds) {
    if (this.fader) this.fader.to(target, seconds);
    else if (target === 0) this.rest();
  }

  /** Listen for the beat from now on, until it rests. */
  follow() {
    if (!this.ear || this.pulsing || !this.pick?.tempo) return;
    this.pulsing = setInterval(() => {
      this.levels.push(this.level);
      if (this.levels.length > (1000 * PULSE_S) / PULSE_MS) this.levels.shift();
    }, PULSE_MS);
  }

  /** Seconds until the next beat, 0 where there is none. */
  get beat() {
    return toBeat(this.levels, PULSE_MS / 1000, this.pick?.tempo ?? null);
  }

  /** Be there for another song. */
  rest() {
    this.#uncue();
    clearInterval(this.pulsing);
    [this.pulsing, this.levels] = [0, []];
    this.element.playbackRate = 1;
    this.element.pause();
  }

  /** How loud it is now, before its fader, in dB of full scale. */
  get level() {
    if (!this.ear) return 0;
    const wave = new Float32Array(this.ear.fftSize);
    this.ear.getFloatTimeDomainData(wave);
    return 10 * Math.log10(wave.reduce((sum, x) => sum + x * x, 0) / wave.length + 1e-12);
  }

  /** Has the sound ended before the file? Asked at each tick near the end. */
  hush() {
    this.quiet = this.level < SILENT_DB ? this.quiet + 1 : 0;
    return this.quiet >= 3;
  }
}
