// State that is drawn from: a signal holds a value, an effect runs again when a signal that it read is set to another one.

/** @typedef {{run: () => void, read: Set<Set<any>>}} Effect */

/** @type {Effect | null} */
let running = null;
/** @type {Set<Effect> | null} */
let waiting = null;

/** @template T */
class Signal {
  /** @type {Set<Effect>} */ #readers = new Set();
  /** @type {T} */ #value;

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    if (running) {
      this.#readers.add(running);
      running.read.add(this.#readers);
    }
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    batch(() => this.#readers.forEach((reader) => waiting?.add(reader)));
  }

  /** The value, without being told of the next one. */
  peek() {
    return this.#value;
  }
}

/** @template T @param {T} value @returns {Signal<T>} */
export const signal = (value) => new Signal(value);

/** A value made from signals. @template T @param {() => T} make @returns {{readonly value: T, peek: () => T}} */
export function computed(make) {
  const made = /** @type {Signal<T>} */ (signal(/** @type {any} */ (undefined)));
  effect(() => void (made.value = make()));
  return made;
}

/** Run now, and again after each change of what was read. @param {() => void} work */
export function effect(work) {
  /** @type {Effect} */
  const self = {
    read: new Set(),
    run() {
      self.read.forEach((readers) => readers.delete(self));
      self.read.clear();
      const outer = running;
      running = self;
      try {
        work();
      } finally {
        running = outer;
      }
    },
  };
  self.run();
}

/** Set several signals; what reads them runs once, after the last. @param {() => void} work */
export function batch(work) {
  const first = waiting === null;
  waiting ??= new Set();
  try {
    work();
  } finally {
    if (first) settle();
  }
}

function settle() {
  const due = /** @type {Set<Effect>} */ (waiting);
  for (const one of due) { // what is set meanwhile adds to the end
    due.delete(one);
    try {
      one.run();
    } catch (error) {
      reportError(error); // one part of the page that fails leaves the others
    }
  }
  waiting = null;
}
