// Colour means affect and nothing else: one continuous map over the plane, in OKLCH.

import { element } from "./dom.js";

// Angle on the plane (degrees, 0 = pleasant, 90 = lively) -> hue.
const HUES = [[-180, 320], [-135, 275], [-45, 165], [45, 75], [135, 10], [180, -40]];

const MOST = 0.17; // chroma, where the screen could show more
const NEAR = [-30, -20, -10, 0, 10, 20, 30];
const SUNNIER = 0.06; // yellow is lighter than blue, or it is no yellow
const PALER = 0.3; // towards the middle, where there is less to say
const ROUND = 360;
const [LIGHT, TURN] = [0.02, 5]; // steps between which chroma is mixed

/** A curve through the hues that bends nowhere, or the plane would have creases. @param {number} angle in degrees */
function hue(angle) {
  const above = Math.max(1, HUES.findIndex(([at]) => at >= angle));
  const [[a, from], [b, to]] = [HUES[above - 1], HUES[above]];
  const [t, step] = [(angle - a) / (b - a), b - a];
  const [rise, end] = [step * slope(above - 1), step * slope(above)];
  return from + t * rise + t * t * (3 * (to - from) - 2 * rise - end) + t * t * t * (rise + end - 2 * (to - from));
}

/** How the hue changes at one of the points, from its neighbours; the plane is round. @param {number} i */
function slope(i) {
  const last = HUES.length - 1;
  const [before, after] = [i === 0 ? [HUES[last - 1][0] - ROUND, HUES[last - 1][1] + ROUND] : HUES[i - 1], i === last ? [HUES[1][0] + ROUND, HUES[1][1] - ROUND] : HUES[i + 1]];
  return (after[1] - before[1]) / (after[0] - before[0]);
}

/**
 * @param {number} valence in [-1, 1]
 * @param {number} arousal in [-1, 1]
 * @param {number} [lightness] in [0, 1]
 */
export function colour(valence, arousal, lightness = 0.68) {
  const turn = hue((Math.atan2(arousal, valence) * 180) / Math.PI);
  const far = Math.hypot(valence, arousal);
  const share = far / Math.sqrt(far * far + PALER);
  const light = lightness + SUNNIER * share * Math.cos(((turn - 95) * Math.PI) / 180);
  return `oklch(${light.toFixed(3)} ${(share * even(light, turn)).toFixed(4)} ${turn.toFixed(1)})`;
}

/** The chroma of the rim near a hue: the mean of the weakest ones around it, so that none stands out and none has an edge. @param {number} lightness @param {number} turn */
function even(lightness, turn) {
  const [light, at] = [Math.floor(lightness / LIGHT), Math.floor(turn / TURN)];
  const mixed = (/** @type {number} */ row) => mix(weakest(row, at), weakest(row, at + 1), turn / TURN - at);
  return mix(mixed(light), mixed(light + 1), lightness / LIGHT - light);
}

/** @param {number} one @param {number} other @param {number} share */
const mix = (one, other, share) => one + (other - one) * share;

/** @type {Map<string, number>} */
const means = new Map();

/** @param {number} light in steps of LIGHT @param {number} turn in steps of TURN */
function weakest(light, turn) {
  const key = `${light} ${turn}`;
  const made = means.get(key) ?? NEAR.reduce((sum, step) => sum + Math.min(...NEAR.map((more) => strongest((light * LIGHT).toFixed(2), turn * TURN + step + more))), 0) / NEAR.length;
  means.set(key, made);
  return made;
}

/** @type {Map<string, number>} */
const known = new Map();

/**
 * The chroma of the plane's rim: what every screen can show, so that no edge is cut off.
 * @param {string} lightness @param {number} turn a whole number of degrees
 */
function strongest(lightness, turn) {
  const key = `${lightness} ${turn}`;
  if (!known.has(key)) {
    let [low, high] = [0, MOST];
    for (let i = 0; i < 8; i += 1) {
      const middle = (low + high) / 2;
      if (shown(Number(lightness), middle, (turn * Math.PI) / 180)) low = middle;
      else high = middle;
    }
    known.set(key, low);
  }
  return /** @type {number} */ (known.get(key));
}

/** Is a colour one of sRGB's? (Ottosson 2020.) @param {number} L @param {number} chroma @param {number} angle */
function shown(L, chroma, angle) {
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.every((part) => part >= 0 && part <= 1);
}

/**
 * A cover drawn from where a track stands, its key (where the sun is), its mode (a full sun or a crescent) and its tempo
 * (how close the waves are).
 * @param {{affect: {valence: number, arousal: number}, key: number|null, mode: number|null, tempo: number|null}} pick
 */
export function drawn(pick) {
  const { valence, arousal } = pick.affect;
  const ink = (/** @type {number} */ lightness) => colour(valence, arousal, lightness);
  const angle = ((pick.key ?? 9) * Math.PI) / 6;
  const [x, y] = [24 + 9 * Math.sin(angle), 24 - 9 * Math.cos(angle)];
  const size = 9 + 2.5 * (arousal + 1);
  const gap = 420 / (pick.tempo ?? 100);
  const svg = element("svg", { viewBox: "0 0 48 48", "aria-hidden": "true" });
  svg.append(element("rect", { width: 48, height: 48, fill: ink(0.42) }));
  for (let r = size + gap; r < 62; r += gap) svg.append(element("circle", { cx: x, cy: y, r, fill: "none", stroke: ink(0.62), "stroke-width": 0.9 }));
  svg.append(element("circle", { cx: x, cy: y, r: size, fill: ink(0.86) }));
  if (pick.mode === 0) svg.append(element("circle", { cx: x + size / 2.2, cy: y - size / 4, r: size * 0.86, fill: ink(0.42) }));
  return svg;
}
