// Two audio elements and a crossfade between them; the queue is the set.

const FADE_S = 4;
const TICK_MS = 100;

export class Player extends EventTarget {
  constructor() {
    super();
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
  }

  get deck() {
    return this.decks[this.on];
  }

  get current() {
    return this.queue[this.place] ?? null;
  }

  get playing() {
    return !this.deck.paused;
  }

  /** Take another queue; what plays goes on where it is in the new queue, or before it.
   * @param {SetPick[]} picks */
  load(picks) {
    const playing = this.current;
    const rest = playing && this.playing ? [playing, ...picks.filter((pick) => pick.id !== playing.id)] : picks;
    this.queue = rest;
    this.place = playing && this.playing ? 0 : -1;
    this.#prefetch();
    this.#changed();
  }

  async toggle() {
    if (this.place < 0) return this.jump(0);
    return this.playing ? this.deck.pause() : this.#start();
  }

  /** @param {number} place */
  async jump(place) {
    const pick = this.queue[place];
    if (!pick) return;
    const before = this.deck;
    this.place = place;
    if (this.playing) this.on = 1 - this.on;
    if (!this.deck.src.endsWith(pick.stream)) this.deck.src = pick.stream;
    this.deck.currentTime = 0;
    if (before !== this.deck) this.#fade(before);
    else this.deck.volume = this.#level;
    await this.#start();
    this.#prefetch();
  }

  next() {
    if (this.place + 1 < this.queue.length) return this.jump(this.place + 1);
    this.deck.pause();
    return undefined;
  }

  /** @param {number} share in [0, 1] */
  seek(share) {
    if (Number.isFinite(this.deck.duration)) this.deck.currentTime = share * this.deck.duration;
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
    if (left < FADE_S && !this.fading && this.playing && this.place + 1 < this.queue.length) this.next();
    this.dispatchEvent(new Event("time"));
  }

  #prefetch() {
    const coming = this.queue[this.place + 1];
    const idle = this.decks[1 - this.on];
    if (coming && !this.fading && !idle.src.endsWith(coming.stream)) idle.src = coming.stream;
  }

  #broken() {
    this.dispatchEvent(new CustomEvent("broken", { detail: this.current }));
    this.next();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
