// Keeps the page itself, so that it opens when the server is gone. Nothing of the API is kept: no
// reading, no set, no sound.

const SHELL = "shell-4";
const FILES = [
  "./", "style.css", "screens.css", "icon.svg", "manifest.webmanifest",
  ...[
    "add", "diary", "elsewhere", "embed", "eye-worker", "main", "phone", "photo", "playlist", "qr", "remote", "search", "share",
  ].map((name) => `js/${name}.js`), // all others come with these
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
