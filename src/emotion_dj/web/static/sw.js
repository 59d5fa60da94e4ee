// Keeps the page itself, so that it opens when the server is gone. Nothing of the API is kept: no
// reading, no set, no sound.

const SHELL = "shell-3";
const FILES = [
  "./", "style.css", "screens.css", "icon.svg", "manifest.webmanifest",
  ...[
    "add", "api", "bar", "beat", "camera", "choice", "choices", "colour", "cover", "deck", "diary", "dj", "dom",
    "elsewhere", "embed", "eye", "eye-worker", "eye/boxes", "eye/convolution", "eye/core", "eye/detector", "eye/fault",
    "eye/layers", "eye/load", "eye/memory", "eye/network", "eye/photo", "eye/pixels", "eye/reading", "eye/resting",
    "eye/search", "eye/tflite", "eye/turn", "eye/visibility", "eyes", "face", "faces", "fader", "feedback", "headline",
    "history", "i18n", "keys", "library", "listener", "live-smoothing", "main", "notices", "phone", "photo", "plane",
    "player", "playlist", "qr", "queue", "remote", "say", "screens", "search", "server", "set", "share", "signal",
    "song", "sources", "steering", "store", "words",
  ].map((name) => `js/${name}.js`),
  ...["de", "en", "es", "fr"].map((tag) => `i18n/${tag}.json`),
];

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((shell) => shell.addAll(FILES)));
  worker.skipWaiting();
});

worker.addEventListener("activate", (event) => {
  const forget = async () => {
    const old = (await caches.keys()).filter((name) => name !== SHELL);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(forget());
});

worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const ours = origin === worker.location.origin && event.request.method === "GET";
  if (ours && !pathname.includes("/api/")) event.respondWith(fromServerOrShell(event.request));
});

/** What the server says counts; what was kept stands in for it while it is gone. @param {Request} request */
async function fromServerOrShell(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
