// A gain that rises and falls at equal power, and can be held in between.

const POINTS = 65;

export class Fader {
  #from = 0;
  #target = 0;
  #began = 0;
  #seconds = 0;

  /** @param {AudioParam} gain @param {() => number} clock the context's, in seconds */
  constructor(gain, clock) {
    this.gain = gain;
    this.clock = clock;
    gain.value = 0;
  }

  /** Where on its way the gain is, in [0, 1]: 0 silent, 1 full. */
  get phase() {
    const done = this.#seconds > 0 ? Math.min(1, (this.clock() - this.#began) / this.#seconds) : 1;
    return this.#from + (this.#target - this.#from) * done;
  }

  get silent() {
    return this.#target === 0 && this.phase === 0;
  }

  /** Go to silence or to full. Two faders that part for the same time at once keep the power between them. @param {0 | 1} target @param {number} seconds */
  to(target, seconds) {
    const from = this.phase;
    [this.#from, this.#target, this.#began, this.#seconds] = [from, target, this.clock(), seconds];
    this.gain.cancelScheduledValues(0);
    if (seconds > 0) this.gain.setValueCurveAtTime(curve(from, target), this.clock(), seconds);
    else this.gain.setValueAtTime(target, this.clock());
  }

  /** Stay as loud as now; the function returned goes on from there. */
  hold() {
    const left = Math.max(0, this.#began + this.#seconds - this.clock());
    const [phase, target] = [this.phase, /** @type {0 | 1} */ (this.#target)];
    [this.#from, this.#target, this.#seconds] = [phase, phase, 0];
    this.gain.cancelScheduledValues(0);
    this.gain.setValueAtTime(level(phase), this.clock());
    return () => this.to(target, left);
  }
}

/** @param {number} phase */
const level = (phase) => Math.sin((phase * Math.PI) / 2);

/** @param {number} from @param {number} to */
const curve = (from, to) => Float32Array.from({ length: POINTS }, (_, i) => level(from + ((to - from) * i) / (POINTS - 1)));
