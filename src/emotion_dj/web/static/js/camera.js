// Live mode: frames go to the server, readings are smoothed here.

import { read } from "./api.js";

const WIDTH = 480;
const LATE_MS = 60;
const LANES = 2; // one frame is read while the next is made ready
const QUALITY = 0.8;
const HALF_LIFE_MS = 900;
const FAR = 0.35;
const FOR_MS = 1500;

/** Exponential smoothing of the room's affect, and hysteresis, so that a blink changes no music. */
export class Smoother {
  constructor() {
    /** @type {Affect | null} */
    this.affect = null;
    this.seen = 0;
    /** @type {{valence: number, arousal: number} | null} */
    this.settled = null;
    this.away = 0;
  }

  /**
   * @param {Affect} affect
   * @param {number} now in milliseconds
   * @returns {{affect: Affect, moved: boolean}} moved: the room is elsewhere for good, so that the music should follow
   */
  take(affect, now) {
    const keep = this.affect ? 0.5 ** ((now - this.seen) / HALF_LIFE_MS) : 0;
    const old = this.affect ?? affect;
    const mix = (/** @type {"valence"|"arousal"|"uncertainty"} */ axis) => keep * old[axis] + (1 - keep) * affect[axis];
    const mixed = { valence: mix("valence"), arousal: mix("arousal"), uncertainty: mix("uncertainty") };
    this.affect = mixed;
    this.seen = now;
    return { affect: mixed, moved: this.#moved(mixed, now) };
  }

  /** @param {Affect} affect @param {number} now */
  #moved(affect, now) {
    const near = this.settled && Math.hypot(affect.valence - this.settled.valence, affect.arousal - this.settled.arousal) < FAR;
    this.away = near ? 0 : this.away || now;
    if (this.settled && (near || now - this.away < FOR_MS)) return false;
    this.settled = affect;
    this.away = 0;
    return true;
  }
}

export class Camera {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.stopping = new AbortController();
    this.frame = Promise.resolve(); // when the next lane may take one
    this.taken = 0;
    this.shown = 0;
  }

  get on() {
    return this.stream !== null;
  }

  /**
   * Ask for the camera and read frames until stopped.
   * @param {(look: Look, frame: HTMLCanvasElement) => void} seen
   * @param {(problem: unknown) => void} failed a frame could not be read; the camera goes on
   */
  async start(seen, failed) {
    this.stopping = new AbortController();
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, facingMode: "user" } });
    this.video.srcObject = this.stream;
    await this.video.play();
    for (let lane = 0; lane < LANES; lane += 1) this.#loop(seen, failed);
  }

  stop() {
    this.stopping.abort();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  /** @param {(look: Look, frame: HTMLCanvasElement) => void} seen @param {(problem: unknown) => void} failed */
  async #loop(seen, failed) {
    const { signal } = this.stopping;
    const canvas = document.createElement("canvas");
    while (!signal.aborted) {
      await this.#next();
      if (signal.aborted) return;
      this.taken += 1;
      const turn = this.taken;
      try {
        const look = await read(await this.#picture(canvas), signal);
        if (signal.aborted || turn < this.shown) continue; // a later one was quicker
        this.shown = turn;
        seen(look, canvas);
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        await new Promise((next) => setTimeout(next, 500));
      }
    }
  }

  /** Wait for a picture that no other lane has taken. */
  #next() {
    const video = this.video;
    this.frame = this.frame.then(() => new Promise((/** @type {(value?: undefined) => void} */ next) => {
      setTimeout(next, LATE_MS); // some browsers tell nothing of a video that is not shown
      video.requestVideoFrameCallback?.(() => next());
    }));
    return this.frame;
  }

  /** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
  #picture(canvas) {
    const { videoWidth, videoHeight } = this.video;
    canvas.width = Math.min(WIDTH, videoWidth);
    canvas.height = Math.round((videoHeight * canvas.width) / videoWidth);
    canvas.getContext("2d")?.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new Promise((done, fail) =>
      canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no frame"))), "image/jpeg", QUALITY));
  }
}
