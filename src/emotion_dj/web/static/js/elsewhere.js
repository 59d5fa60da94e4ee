// Songs whose sound is not to be had: they play in their service's own player, or on a device of the listener's.
// Nothing is asked of that service before the listener presses play on one of its songs.

import { at, get, post } from "./api.js";
import { button } from "./dom.js";
import { say } from "./i18n.js";

const END_S = 1; // a player that stops this near to the end has come to it

export class Elsewhere extends EventTarget {
  /** @param {HTMLElement} place where it shows itself @param {() => SetPick[]} rest what is played from here on */
  constructor(place, rest) {
    super();
    this.place = place;
    this.rest = rest;
    /** @type {SetPick | null} */
    this.pick = null;
    /** @type {HTMLIFrameElement | null} */
    this.frame = null;
    this.playing = false;
    this.position = 0;
    this.duration = NaN;
    addEventListener("message", (event) => {
      if (this.frame && event.source === this.frame.contentWindow && event.origin === location.origin) this.#told(event.data);
    });
  }

  /**
   * Take a song: it plays where the player is open already, else the listener is asked.
   * @param {SetPick} pick
   */
  offer(pick) {
    this.pick = pick;
    this.#stopped();
    this.place.hidden = false;
    if (this.frame) this.frame.src = at(/** @type {string} */ (pick.embed));
    else this.#ask(pick);
  }

  /** Open the player at the listener's wish, or have it go on or wait. */
  toggle() {
    if (this.frame) this.#send("toggle");
    else if (this.pick) this.#open(this.pick);
  }

  pause() {
    if (this.playing) this.#send("pause");
  }

  close() {
    this.frame = this.pick = null;
    this.#stopped();
    this.place.replaceChildren();
    this.place.hidden = true;
  }

  /** @param {number} share in [0, 1] */
  seek(share) {
    this.#send("seek", { timestamp: share * this.duration });
  }

  #stopped() {
    this.playing = false;
    this.position = 0;
    this.duration = NaN;
  }

  /** @param {SetPick} pick */
  #ask(pick) {
    const text = document.createElement("p");
    text.textContent = say("onSpotify", { title: pick.title });
    text.setAttribute("role", "status");
    this.place.replaceChildren(text, button(say("playHere"), () => this.#open(pick)));
    this.#offerDevices(pick, text);
  }

  /** @param {SetPick} pick @param {HTMLElement} text */
  async #offerDevices(pick, text) {
    const known = await get("/devices").catch(() => ({ devices: [] })); // without them there is the player
    if (this.pick !== pick || this.frame) return;
    this.place.append(...known.devices.map((/** @type {Device} */ { id, name }) =>
      button(say("playOn", { device: name }), async () => {
        try {
          await post("/devices/play", { tracks: [...new Set(this.rest().map((song) => song.id))], device: id });
          text.textContent = say("playsOn", { device: name });
        } catch (error) {
          text.textContent = /** @type {Error} */ (error).message;
        }
      })));
  }

  /** @param {SetPick} pick */
  #open(pick) {
    const frame = document.createElement("iframe");
    frame.title = say("spotifyPlayer");
    frame.src = at(/** @type {string} */ (pick.embed));
    frame.allow = "autoplay; encrypted-media";
    this.frame = frame;
    this.place.replaceChildren(frame);
    frame.focus();
  }

  /** @param {{type: string, paused: boolean, position: number, duration: number}} told */
  #told({ type, paused, position, duration }) {
    if (type === "ready") return this.#send("resume");
    const played = this.playing;
    [this.playing, this.position, this.duration] = [!paused, position, duration];
    const over = played && paused && (position === 0 || position > duration - END_S);
    this.dispatchEvent(new Event(over ? "ended" : played === this.playing ? "time" : "change"));
    return undefined;
  }

  /** @param {string} command @param {Record<string, number>} [more] */
  #send(command, more) {
    this.frame?.contentWindow?.postMessage({ command, ...more }, location.origin);
  }
}
