// The player: decks in an audio graph, one song fading into another; and a player elsewhere for what they cannot play.
// It knows of one song at a time; which one comes next is others' to say, when it tells them that the song ends.

import { barOf, fadeOf, rateOf } from "./beat.js";
import { Deck } from "./deck.js";
import { signal } from "./signal.js";

export const ACT_FADE_S = 1;
const RISE_S = 0.03;
const TICK_MS = 200;
const PULSE_S = 9;
const EASE = 0.01; // how fast a song that ran with another one goes back to its own tempo, a tick
const HUSH_S = 12; // this near to the end silence means that the song is over
const MAC_WITH_TOUCH = navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
/** iOS stops a graph when the screen locks, and takes no volume from a page: there elements play directly, without fades. */
const DIRECT = /iPad|iPhone|iPod/.test(navigator.userAgent) || MAC_WITH_TOUCH;

/** @typedef {import("./elsewhere.js").Elsewhere} Elsewhere */
/**
 * Tells of: `time`, `ending` (the fade should begin), `ended`, `broken` (detail: the song), `blocked` (the browser waits for
 * a press), `began` (detail: the song), `gone` (a song could not be made ready: the server is not there).
 */
export class Player extends EventTarget {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {GainNode | null} */ #master = null;
  /** @type {(() => void)[]} how the decks that were paused go on */ #held = [];
  #ticking = 0;
  /** @type {Promise<Elsewhere> | null} */ #opening = null;

  /** @param {() => Promise<Elsewhere>} open makes the player for what cannot be played here */
  constructor(open) {
    super();
    this.open = open;
    /** @type {Elsewhere | null} */ this.elsewhere = null;
    this.decks = [new Deck(), new Deck(), new Deck()]; // one plays, one leaves, one is ready
    this.deck = this.decks[0];
    this.now = signal(/** @type {SetPick | null} */ (null));
    this.playing = signal(false);
    this.volume = signal(0.8);
    this.muted = signal(false);
    for (const deck of this.decks) this.#follow(deck);
  }

  /** How far the song is, in seconds. */
  get clock() {
    return (this.#away && this.elsewhere) || this.deck.clock;
  }

  /** How much of the song has sounded, in seconds. */
  get heard() {
    return this.deck.heard;
  }

  get #away() {
    return Boolean(this.now.peek()?.embed);
  }

  /** Have the browser begin with its sound: that takes a tenth of a second, which the first press would wait. Nothing is opened, and no names are told. */
  static prepare() {
    void navigator.mediaDevices?.enumerateDevices().catch(() => []);
  }

  /** Let the browser know of a press: to be called in it, before anything is waited for. */
  wake() {
    for (const deck of this.decks) deck.allow();
    if (DIRECT) return;
    if (!this.#context) this.#build();
    if (this.#context?.state !== "running") this.#context?.resume().catch(() => {}); // then `blocked` is told
  }

  #build() {
    const context = new AudioContext({ latencyHint: "playback" });
    this.#context = context;
    this.#master = context.createGain();
    this.#master.connect(context.destination);
    for (const deck of this.decks) deck.join(context, this.#master);
    this.#level();
    context.addEventListener("statechange", () => {
      if (context.state !== "running" && context.state !== "closed" && this.playing.peek()) this.#interrupted();
    });
  }

  /** The system took the sound away, as for a call: the songs wait where they are. */
  #interrupted() {
    this.pause();
    this.#say("blocked");
  }

  /** Have a song ready, so that it can begin at once. @param {SetPick} pick */
  async ready(pick) {
    if (pick.embed) return;
    const deck = this.decks.find((deck) => deck.pick?.id === pick.id) ?? this.#idle();
    deck.take(pick);
    if (!(await deck.hold())) this.#say("gone");
  }

  /**
   * Play a song; what plays until now fades away as soon as the new one sounds.
   * @param {SetPick} pick @param {{fade?: number, from?: number, beats?: boolean}} [how] seconds of the fade; where in the
   *   song to begin; whether it runs with what plays, for as long as both are heard
   */
  async play(pick, { fade = 0, from, beats = false } = {}) {
    this.wake();
    if (pick.embed) return this.#leave(pick);
    this.elsewhere?.close();
    const [leaving, deck] = [this.deck, this.#deckFor(pick)];
    this.#letGo();
    deck.load(pick);
    if (beats && deck !== leaving) deck.element.playbackRate = rateOf(leaving.pick?.tempo ?? null, pick.tempo);
    [this.deck, this.now.value, this.playing.value] = [deck, pick, true];
    if (await this.#begun(deck, leaving, from)) this.#cross(deck, leaving, fade);
    return undefined;
  }

  /** @param {Deck} deck @param {Deck} leaving @param {number} [from] */
  async #begun(deck, leaving, from) {
    try {
      if (deck !== leaving && !deck.sounding) deck.fader?.to(0, 0);
      await deck.begin(from);
    } catch (error) {
      this.#refused(deck, error);
      return false;
    }
    if (this.deck === deck && this.playing.peek()) return true;
    if (this.deck !== deck) deck.fade(0, RISE_S); // another song was wanted meanwhile
    return false;
  }

  /** @param {Deck} deck @param {unknown} error */
  #refused(deck, error) {
    const waits = error instanceof DOMException && error.name === "NotAllowedError";
    if (!waits || this.deck !== deck) return; // what is broken tells so itself
    this.playing.value = false;
    this.#say("blocked");
  }

  /** @param {Deck} deck @param {Deck} leaving @param {number} fade */
  #cross(deck, leaving, fade) {
    const seconds = leaving !== deck && leaving.sounding ? fade || RISE_S : RISE_S;
    for (const other of this.decks) if (other !== deck && other.sounding) other.fade(0, seconds);
    deck.fade(1, seconds);
    this.#tick(true);
    this.#say("began", deck.pick);
  }

  /** Seconds until the song's next bar or beat, or its phrase; 0 where it has none. And how long a fade over its bars lasts. */
  get line() {
    return { bar: this.deck.bar, phrase: this.deck.phrase, fade: fadeOf(this.deck.pick?.tempo ?? null) };
  }

  /** Listen for the beat, as a fade is near. */
  listen() {
    this.deck.follow();
  }

  pause() {
    this.playing.value = false;
    if (this.#away) return this.elsewhere?.pause();
    this.#held = this.decks.filter((deck) => deck.sounding).map((deck) => {
      const go = deck.fader?.hold();
      deck.rest();
      return () => deck.element.play().then(go, (error) => this.#refused(deck, error));
    });
    return undefined;
  }

  /** Go on where it was paused, also in the middle of a fade. */
  resume() {
    this.wake();
    if (this.#away) return this.elsewhere?.toggle();
    const pick = this.now.peek();
    if (!pick) return undefined;
    if (!this.#held.length) return this.play(pick, { from: this.deck.pick?.id === pick.id ? this.deck.clock.position : undefined });
    this.playing.value = true;
    for (const go of this.#held.splice(0)) go();
    this.#tick(true);
    return undefined;
  }

  /** Decks that were paused stay so. */
  #letGo() {
    this.#held = [];
    for (const deck of this.decks) if (!deck.sounding) deck.fader?.to(0, 0);
  }

  /** Show a song without playing it. @param {SetPick | null} pick @param {number} [from] in seconds */
  show(pick, from = 0) {
    this.now.value = pick;
    if (!pick || pick.embed) return;
    this.deck.load(pick);
    this.deck.element.currentTime = from;
  }

  /** @param {number} share in [0, 1] */
  seek(share) {
    if (this.#away) return this.elsewhere?.seek(share);
    const { duration } = this.deck.clock;
    if (Number.isFinite(duration)) this.seekTo(share * duration);
    return undefined;
  }

  /** @param {number} seconds */
  seekTo(seconds) {
    this.deck.element.currentTime = Math.max(0, seconds);
    this.deck.ending = false;
    this.#say("time");
  }

  /** @param {number} volume in [0, 1] */
  setVolume(volume) {
    this.volume.value = volume;
    this.#level();
  }

  mute() {
    this.muted.value = !this.muted.peek();
    this.#level();
  }

  #level() {
    const [volume, muted] = [this.volume.peek(), this.muted.peek()];
    if (this.#master) this.#master.gain.setTargetAtTime(muted ? 0 : volume ** 2, this.#master.context.currentTime, 0.01); // heard roughly so
    else for (const { element } of this.decks) Object.assign(element, { volume: volume ** 2, muted });
  }

  /** A deck that has the song ready, else one that can take it; the one that leaves least heard goes first. @param {SetPick} pick */
  #deckFor(pick) {
    const ready = this.decks.find((deck) => deck.pick?.id === pick.id && deck !== this.deck);
    const again = this.deck.pick?.id === pick.id && !this.deck.sounding;
    return ready ?? (again ? this.deck : this.#idle());
  }

  #idle() {
    const others = this.decks.filter((deck) => deck !== this.deck);
    const loudness = (/** @type {Deck} */ deck) => (deck.sounding ? 1 + (deck.fader?.phase ?? 0) : -1 / (1 + deck.loaded));
    return others.reduce((best, deck) => (loudness(deck) < loudness(best) ? deck : best));
  }

  /** Is a song here, so that it plays also without the server? @param {SetPick | undefined} pick */
  has(pick) {
    return Boolean(pick) && this.decks.some((deck) => deck.pick?.id === pick?.id && deck.sure);
  }

  /** Go back from a song that will not play to the one that still sounds. @param {Deck} deck */
  #broke(deck) {
    const before = this.decks.find((other) => other !== deck && other.sounding);
    const { pick } = deck;
    deck.drop(); // the next one who wants it loads it anew
    if (before) [this.deck, this.now.value] = [before, before.pick];
    else this.playing.value = false;
    this.#say("broken", pick);
  }

  /** Leave the decks for a song that plays elsewhere. @param {SetPick} pick */
  async #leave(pick) {
    for (const deck of this.decks) if (deck.sounding) deck.rest();
    [this.now.value, this.playing.value] = [pick, false];
    const made = await (this.#opening ??= this.open());
    this.elsewhere ??= this.#heard(made);
    if (this.now.peek() !== pick) return; // another song was wanted meanwhile
    this.elsewhere.offer(pick);
    this.#say("began", pick);
  }

  /** @param {Elsewhere} elsewhere */
  #heard(elsewhere) {
    elsewhere.addEventListener("ended", () => this.#say("ended"));
    elsewhere.addEventListener("change", () => (this.playing.value = elsewhere.playing));
    elsewhere.addEventListener("time", () => this.#say("time"));
    return elsewhere;
  }

  /** @param {Deck} deck */
  #follow(deck) {
    deck.element.addEventListener("ended", () => deck === this.deck && this.#say("ended"));
    deck.element.addEventListener("error", () => deck === this.deck && deck.pick && (deck.recover() || this.#broke(deck)));
    deck.element.addEventListener("timeupdate", () => deck === this.deck && this.#say("time"));
  }

  /** Look after the decks, now and for as long as one plays. @param {boolean} [again] */
  #tick(again = false) {
    if (again) this.#ticking ||= setInterval(() => this.#tick(), TICK_MS);
    for (const deck of this.decks) if (deck !== this.deck && deck.sounding && deck.fader?.silent) deck.rest();
    if (!this.playing.peek() && !this.decks.some((deck) => deck.sounding)) {
      clearInterval(this.#ticking);
      this.#ticking = 0;
    }
    if (!this.deck.sounding) return;
    this.#ease(this.deck);
    this.#near(this.deck);
  }

  /** A song that is alone goes back to its own tempo. @param {Deck} deck */
  #ease({ element }) {
    if (element.playbackRate === 1 || this.decks.some((other) => other !== this.deck && other.sounding)) return;
    const off = 1 - element.playbackRate;
    element.playbackRate = Math.abs(off) <= EASE ? 1 : element.playbackRate + Math.sign(off) * EASE;
  }

  /** Say once when the song's end is near. @param {Deck} deck */
  #near(deck) {
    deck.heard += TICK_MS / 1000;
    const { position, duration } = deck.clock;
    const [left, tempo] = [duration - position, deck.pick?.tempo ?? null];
    if (left < fadeOf(null) + PULSE_S) deck.follow();
    const over = left < (DIRECT ? 0 : fadeOf(tempo) + barOf(tempo)) || (left < HUSH_S && deck.hush());
    if (!over || deck.ending) return;
    deck.ending = true;
    this.#say("ending");
  }

  /** @param {string} kind @param {SetPick | null} [detail] */
  #say(kind, detail = null) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
