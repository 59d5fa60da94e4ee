// Two audio elements and a crossfade between them, and a player elsewhere for what they cannot play; the queue is the set.

const FADE_S = 4;
const TICK_MS = 100;
const BEGUN_S = 3;

export class Player extends EventTarget {
  /** @param {import("./elsewhere.js").Elsewhere} elsewhere */
  constructor(elsewhere) {
    super();
    this.elsewhere = elsewhere;
    this.decks = [new Audio(), new Audio()];
    this.on = 0;
    /** @type {SetPick[]} */
    this.queue = [];
    this.place = -1;
    this.volume = 0.8;
    this.muted = false;
    this.fading = 0;
    for (const deck of this.decks) {
      deck.preload = "auto";
      deck.addEventListener("ended", () => deck === this.deck && this.next());
      deck.addEventListener("error", () => deck === this.deck && deck.src && this.#broken());
      deck.addEventListener("timeupdate", () => deck === this.deck && this.#tick());
      for (const kind of ["play", "pause"]) deck.addEventListener(kind, () => this.#changed());
    }
    elsewhere.addEventListener("ended", () => this.next());
    elsewhere.addEventListener("change", () => this.#changed());
    elsewhere.addEventListener("time", () => this.dispatchEvent(new Event("time")));
  }

  get deck() {
    return this.decks[this.on];
  }

  get current() {
    return this.queue[this.place] ?? null;
  }

  get playing() {
    return this.#away ? this.elsewhere.playing : !this.deck.paused;
  }

  /** How far the song is, in seconds. */
  get clock() {
    const { currentTime, duration } = this.deck;
    return this.#away ? this.elsewhere : { position: currentTime, duration };
  }

  get #away() {
    return Boolean(this.current?.embed);
  }

  /** Take another queue; what plays goes on where it is in the new queue, or before it.
   * @param {SetPick[]} picks */
  load(picks) {
    const playing = this.current;
    const rest = playing && this.playing ? [playing, ...picks.filter((pick) => pick.id !== playing.id)] : picks;
    const place = playing && this.playing ? 0 : -1;
    if (place < 0) this.elsewhere.close();
    this.queue = rest;
    this.place = place;
    this.#prefetch();
    this.#changed();
  }

  async toggle() {
    if (this.place < 0) return this.jump(0);
    if (this.#away) return this.elsewhere.toggle();
    return this.playing ? this.deck.pause() : this.#start();
  }

  /** @param {number} place */
  async jump(place) {
    const pick = this.queue[place];
    if (!pick) return;
    this.place = place;
    if (pick.embed) {
      this.#leave(pick);
      return;
    }
    this.elsewhere.close();
    const before = this.deck;
    if (this.playing) this.on = 1 - this.on;
    if (!this.deck.src.endsWith(stream(pick))) this.deck.src = stream(pick);
    this.deck.currentTime = 0;
    if (before !== this.deck) this.#fade(before);
    else this.deck.volume = this.#level;
    await this.#start();
    this.#prefetch();
  }

  next() {
    if (this.place + 1 < this.queue.length) return this.jump(this.place + 1);
    if (this.#away) this.elsewhere.pause();
    this.deck.pause();
    return undefined;
  }

  /** Begin the song again, or go to the one before where it has only just begun. */
  previous() {
    if (this.place > 0 && !(this.clock.position > BEGUN_S)) return this.jump(this.place - 1);
    this.seek(0);
    return undefined;
  }

  /** @param {number} share in [0, 1] */
  seek(share) {
    if (this.#away) this.elsewhere.seek(share);
    else if (Number.isFinite(this.deck.duration)) this.deck.currentTime = share * this.deck.duration;
  }

  /** @param {number} volume in [0, 1] */
  setVolume(volume) {
    this.volume = volume;
    if (!this.fading) this.deck.volume = this.#level;
  }

  mute() {
    this.muted = !this.muted;
    for (const deck of this.decks) deck.muted = this.muted;
    this.#changed();
  }

  get #level() {
    return this.volume ** 2; // loudness is heard roughly as the square root of power
  }

  async #start() {
    try {
      await this.deck.play();
      this.dispatchEvent(new CustomEvent("started", { detail: this.current }));
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.dispatchEvent(new Event("blocked"));
    }
    this.#changed();
  }

  /** Leave the decks for a song that plays elsewhere. @param {SetPick} pick */
  #leave(pick) {
    clearInterval(this.fading);
    this.fading = 0;
    for (const deck of this.decks) deck.pause();
    this.elsewhere.offer(pick, this.queue.slice(this.place));
    this.#prefetch();
    this.#changed();
  }

  /** Fade one deck out while the other comes in, at equal power.
   * @param {HTMLAudioElement} leaving */
  #fade(leaving) {
    clearInterval(this.fading);
    const [began, from] = [performance.now(), leaving.volume];
    this.deck.volume = 0;
    this.fading = setInterval(() => {
      const t = Math.min(1, (performance.now() - began) / (1000 * FADE_S));
      leaving.volume = from * Math.cos((t * Math.PI) / 2);
      this.deck.volume = this.#level * Math.sin((t * Math.PI) / 2);
      if (t < 1) return;
      leaving.pause();
      clearInterval(this.fading);
      this.fading = 0;
      this.#prefetch();
    }, TICK_MS);
  }

  #tick() {
    const left = this.deck.duration - this.deck.currentTime;
    const coming = this.queue[this.place + 1];
    if (left < FADE_S && !this.fading && this.playing && coming && !coming.embed) this.next();
    this.dispatchEvent(new Event("time"));
  }

  #prefetch() {
    const coming = this.queue[this.place + 1];
    const idle = this.decks[1 - this.on];
    if (coming && !coming.embed && !this.fading && !idle.src.endsWith(stream(coming))) idle.src = stream(coming);
  }

  #broken() {
    this.dispatchEvent(new CustomEvent("broken", { detail: this.current }));
    this.next();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {SetPick} pick */
const stream = (pick) => pick.stream ?? "";
