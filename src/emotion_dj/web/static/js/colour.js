// Colour means affect and nothing else: one continuous map over the plane, in OKLCH.

// Angle on the plane (degrees, 0 = pleasant, 90 = lively) -> hue.
const HUES = [[-180, 320], [-135, 275], [-45, 165], [45, 75], [135, 10], [180, -40]];

const MOST = 0.17; // chroma, where the screen could show more
const NEAR = [-24, -12, 0, 12, 24];
const SUNNIER = 0.06; // yellow is lighter than blue, or it is no yellow
const PALER = 0.6; // towards the middle, where there is less to say

/** @param {number} angle */
function hue(angle) {
  const above = Math.max(1, HUES.findIndex(([at]) => at >= angle));
  const [[a, from], [b, to]] = [HUES[above - 1], HUES[above]];
  return from + ((angle - a) / (b - a)) * (to - from);
}

/**
 * @param {number} valence in [-1, 1]
 * @param {number} arousal in [-1, 1]
 * @param {number} [lightness] in [0, 1]
 */
export function colour(valence, arousal, lightness = 0.68) {
  const turn = Math.round(hue((Math.atan2(arousal, valence) * 180) / Math.PI));
  const share = Math.min(1, Math.hypot(valence, arousal)) ** PALER;
  const light = lightness + SUNNIER * Math.cos(((turn - 95) * Math.PI) / 180);
  return `oklch(${light.toFixed(3)} ${(share * even(light, turn)).toFixed(3)} ${turn})`;
}

/** The weakest chroma of the rim near a hue, so that none stands out. @param {number} lightness @param {number} turn */
function even(lightness, turn) {
  return Math.min(...NEAR.map((step) => strongest(lightness.toFixed(2), turn + step)));
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

/** @param {string} name @param {Record<string, string|number>} attributes */
export function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
