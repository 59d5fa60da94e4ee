// All of a song, so that it plays on without the server.

const MOST_BYTES = 64e6; // an hour of MP3; what is larger is streamed

/** A blob's address; null where the song is too large. @param {string} address @param {AbortSignal} signal @returns {Promise<string | null>} */
export async function whole(address, signal) {
  const answer = await fetch(address, { cache: "no-store", signal });
  if (!answer.ok || Number(answer.headers.get("content-length")) > MOST_BYTES) {
    await answer.body?.cancel();
    return null;
  }
  return URL.createObjectURL(await answer.blob());
}
