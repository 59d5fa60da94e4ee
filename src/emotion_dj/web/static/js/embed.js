// In the frame that may show Spotify's player and nothing else: passes on what the page may know and ask of it.

const frame = /** @type {HTMLIFrameElement} */ (document.querySelector("iframe"));
const theirs = new URL(frame.src).origin;

addEventListener("message", ({ source, origin, data }) => {
  if (source === frame.contentWindow && origin === theirs) up(data ?? {});
  else if (source === parent && origin === location.origin) frame.contentWindow?.postMessage(data, theirs);
});

/** @param {{type?: string, payload?: {isPaused?: boolean, position?: number, duration?: number}}} told milliseconds */
function up({ type, payload }) {
  const { isPaused, position, duration } = payload ?? {};
  const known = { ready: {}, playback_update: { paused: isPaused === true, position: Number(position) / 1000, duration: Number(duration) / 1000 } };
  if (type && type in known) parent.postMessage({ type, ...known[/** @type {keyof typeof known} */ (type)] }, location.origin);
}
