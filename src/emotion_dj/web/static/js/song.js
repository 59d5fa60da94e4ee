// What is fetched of a song beside its stream: its first bytes, which tell where the sound begins, and all of it, so that it
// plays on without the server.

const LOOKS = [1 << 17, 1 << 21]; // bytes that are looked at; more of them where the first ones hold silence alone
const MOST_BYTES = 64e6; // an hour of MP3; what is larger is streamed
const SILENT = 10 ** (-50 / 20);
const WINDOW_S = 0.01;
const SHORT_S = 0.25; // so much silence is part of the song
const BEFORE_S = 0.06; // of what is skipped, this much is kept, so that no attack is cut

/** @type {OfflineAudioContext | null} */
let decoder = null;

/** Where to begin, in seconds; 0 where it sounds at once, or where that cannot be told. @param {string} address @param {AbortSignal} signal */
export async function beginning(address, signal) {
  for (const bytes of LOOKS) {
    const data = await head(address, bytes, signal);
    const at = data && first(await decoded(data));
    if (data && at !== null) return at > SHORT_S ? at - BEFORE_S : 0;
  }
  return 0;
}

/** The first bytes; null from a server that sends no parts. @param {string} address @param {number} bytes @param {AbortSignal} signal */
async function head(address, bytes, signal) {
  const answer = await fetch(address, { headers: { range: `bytes=0-${bytes - 1}` }, cache: "no-store", signal });
  if (answer.status === 206) return answer.arrayBuffer();
  await answer.body?.cancel();
  return null;
}

/** @param {ArrayBuffer} data */
async function decoded(data) {
  decoder ??= new OfflineAudioContext(1, 1, 48_000);
  return decoder.decodeAudioData(data).catch(() => null); // some formats tell at their end only what they hold
}

/** When something sounds, in seconds; null where nothing does. @param {AudioBuffer | null} sound */
function first(sound) {
  if (!sound) return 0;
  const window = Math.round(WINDOW_S * sound.sampleRate);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  for (let at = 0; at + window <= sound.length; at += window) {
    if (channels.some((channel) => loud(channel.subarray(at, at + window)))) return at / sound.sampleRate;
  }
  return null;
}

/** @param {Float32Array} wave */
const loud = (wave) => wave.reduce((sum, x) => sum + x * x, 0) / wave.length > SILENT ** 2;

/** A blob's address; null where the song is too large. @param {string} address @param {AbortSignal} signal @returns {Promise<string | null>} */
export async function whole(address, signal) {
  const answer = await fetch(address, { cache: "no-store", signal });
  if (!answer.ok || Number(answer.headers.get("content-length")) > MOST_BYTES) {
    await answer.body?.cancel();
    return null;
  }
  return URL.createObjectURL(await answer.blob());
}
