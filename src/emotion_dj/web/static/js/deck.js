// One audio element with levels of its own: its song's loudness evened out, a fader, and an ear for silence.

import { at } from "./api.js";
import { toBar, toPhrase } from "./beat.js";
import { Fader } from "./fader.js";
import { beginning, whole } from "./song.js";

const LEVEL_LUFS = -18;
const MOST_BOOST_DB = 4; // a quiet song has peaks too
const SILENT_DB = -55;
const CUE_MS = 30;
const MOST_SILENCE_S = 8;
const STEP_S = 0.4;
const STEP_LOOKS = 6; // decoders need a moment after a step
const PULSE_MS = 25;
const PULSE_S = 8; // so much is listened to for the beat
const LATE_MS = 400; // so long a song waits to know where it sounds first

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
    this.pulsing = 0;
    this.levels = /** @type {number[]} */ ([]); // of the last seconds, while the beat is listened for
    this.start = Promise.resolve(0); // where the sound begins
    this.first = 0; // the same, once it is known
    this.loaded = 0; // when its song came, in songs
    /** @type {string | null} all of the song */ this.copy = null;
    this.stopping = new AbortController(); // what is fetched of the song
    this.copying = false;
  }

  /** Can it play on without the server, as far as one can know? */
  get sure() {
    return !this.element.error && (this.copy !== null || this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA);
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

  /** In a press: WebKit lets an element play that was loaded in one, though its song comes seconds later. */
  allow() {
    if (!this.pick) this.element.load();
  }

  get sounding() {
    return !this.element.paused;
  }

  get clock() {
    return { position: this.element.currentTime, duration: this.element.duration };
  }

  /** Have a song ready to be played; nothing happens where it is. @param {SetPick} pick */
  load(pick) {
    this.take(pick);
    if (!this.element.getAttribute("src")) this.element.src = pick.stream ? at(pick.stream) : "";
  }

  /** Take a song, which is not asked for yet. @param {SetPick} pick */
  take(pick) {
    if (this.pick?.id === pick.id && !this.element.error) return;
    this.drop();
    loads += 1;
    Object.assign(this, { pick, heard: 0, quiet: 0, ending: false, loaded: loads, first: 0, start: this.#beginning(pick) });
    void this.start.then((first) => pick === this.pick && (this.first = first));
    if (this.trim) this.trim.gain.value = levelled(pick.loudness);
  }

  /** Let go of the song. */
  drop() {
    this.stopping.abort();
    if (this.copy) URL.revokeObjectURL(this.copy);
    Object.assign(this, { pick: null, copy: null, copying: false, stopping: new AbortController() });
    this.element.removeAttribute("src");
    this.element.load();
  }

  /** @param {SetPick} pick */
  #beginning = ({ stream }) => (stream ? beginning(at(stream), this.stopping.signal).catch(() => 0) : Promise.resolve(0));

  /** Have all of the song here. @returns {Promise<boolean>} false where the server cannot be reached */
  async hold() {
    const { pick, stopping } = this;
    if (this.copy || this.copying || !pick?.stream) return true;
    this.copying = true;
    const copy = await whole(at(pick.stream), stopping.signal).catch(() => undefined);
    if (stopping.signal.aborted) {
      if (copy) URL.revokeObjectURL(copy);
      return true;
    }
    [this.copy, this.copying] = [copy ?? null, false];
    if (copy !== undefined && !this.element.getAttribute("src")) this.element.src = copy ?? at(pick.stream); // what is wrong with it, it says itself
    return copy !== undefined;
  }

  /** Where the line broke, go on from what is here. @returns {boolean} whether the song is */
  recover() {
    const { element, copy } = this;
    if (!copy || element.src === copy) return false;
    const { currentTime } = element;
    element.src = copy;
    element.currentTime = currentTime;
    void element.play();
    return true;
  }

  /** Play from a place, else from where the sound begins. @param {number} [from] in seconds */
  async begin(from) {
    const late = new Promise((done) => setTimeout(done, LATE_MS, 0));
    const place = from ?? (await Promise.race([this.start, late]));
    if (Math.abs(this.element.currentTime - place) > 0.01) this.element.currentTime = place;
    Object.assign(this, { heard: 0, quiet: 0, ending: false });
    await this.element.play();
    void this.hold();
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

  /** Seconds until the next bar or beat, 0 where there is none. */
  get bar() {
    return toBar(this.levels, PULSE_MS / 1000, this.pick?.tempo ?? null);
  }

  /** Seconds until the next phrase where that is near, else until the next bar. */
  get phrase() {
    return toPhrase(this.levels, PULSE_MS / 1000, this.pick?.tempo ?? null, this.element.currentTime - this.first);
  }

  /** Be there for another song. */
  rest() {
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
