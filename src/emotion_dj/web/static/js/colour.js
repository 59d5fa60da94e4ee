// Colour means affect and nothing else: one continuous map over the plane, in OKLCH.

// Angle on the plane (degrees, 0 = pleasant, 90 = lively) -> hue.
const HUES = [[-180, 320], [-135, 275], [-45, 165], [45, 75], [135, 10], [180, -40]];

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
  const angle = (Math.atan2(arousal, valence) * 180) / Math.PI;
  const chroma = 0.17 * Math.min(1, Math.hypot(valence, arousal));
  return `oklch(${lightness} ${chroma.toFixed(3)} ${hue(angle).toFixed(1)})`;
}

/**
 * A cover drawn from where a track stands, its key and its tempo.
 * @param {{affect: {valence: number, arousal: number}, key: number|null, tempo: number|null}} pick
 */
export function drawn(pick) {
  const { valence, arousal } = pick.affect;
  const svg = element("svg", { viewBox: "0 0 48 48", "aria-hidden": "true" });
  svg.append(element("rect", { width: 48, height: 48, fill: colour(valence, arousal, 0.6) }));
  const rays = 5 + (pick.key ?? 0);
  const size = 8 + 10 * ((arousal + 1) / 2);
  for (let i = 0; i < rays; i += 1) {
    const angle = (2 * Math.PI * i) / rays + (pick.tempo ?? 0) / 40;
    svg.append(element("circle", {
      cx: 24 + size * Math.cos(angle),
      cy: 24 + size * Math.sin(angle),
      r: 2 + 2 * ((valence + 1) / 2),
      fill: colour(valence, arousal, 0.9),
    }));
  }
  return svg;
}

/** @param {string} name @param {Record<string, string|number>} attributes */
export function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
