// The camera: frames at a pace that a battery bears, until it is stopped or taken away.

const WIDTH = 480;
const FRAME_MS = 125; // eight a second are enough for a half-life of a second

export class Camera {
  /** @param {HTMLVideoElement} video @param {() => void} taken called when the camera is taken away while it is on */
  constructor(video, taken) {
    this.video = video;
    this.taken = taken;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.stopping = new AbortController();
  }

  /**
   * Ask for the camera and give frames until stopped; the next one is taken when the last one has been seen to.
   * @param {(frame: HTMLCanvasElement, signal: AbortSignal) => Promise<void>} each
   */
  async start(each) {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, facingMode: "user" } });
    if (signal.aborted) return stream.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => !signal.aborted && this.taken());
    this.video.srcObject = stream;
    await this.video.play();
    this.#loop(each, signal);
    return undefined;
  }

  stop() {
    this.stopping.abort();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  /** @param {(frame: HTMLCanvasElement, signal: AbortSignal) => Promise<void>} each @param {AbortSignal} signal */
  async #loop(each, signal) {
    const canvas = document.createElement("canvas");
    while (!signal.aborted) {
      const next = new Promise((done) => setTimeout(done, FRAME_MS));
      if (this.#draw(canvas)) await each(canvas, signal);
      await next;
    }
  }

  /** @param {HTMLCanvasElement} canvas @returns {boolean} whether there was a picture */
  #draw(canvas) {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth || this.stream?.getVideoTracks()[0]?.muted) return false;
    canvas.width = Math.min(WIDTH, videoWidth);
    canvas.height = Math.round((videoHeight * canvas.width) / videoWidth);
    canvas.getContext("2d")?.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return true;
  }
}
