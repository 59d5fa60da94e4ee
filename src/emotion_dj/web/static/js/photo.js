// A photo as it is sent: as it is, or made smaller where the server would not read it.

import { Problem, read } from "./api.js";

const PIXELS = 16e6; // phones take 12 to 50 million
const BYTES = 20e6;
const SMALL = 1e6; // bytes of a photo that is sent as it is, without a look at it first
const QUALITY = 0.92;

/** @typedef {ImageBitmap | HTMLCanvasElement | null} Picture null where the browser cannot show it */

/**
 * Have a photo read; the boxes of its faces are in the pixels of the picture.
 * @param {Blob} photo
 * @returns {Promise<[Look, Picture]>}
 */
export async function readPhoto(photo) {
  if (photo.size <= SMALL) return Promise.all([read(photo), opened(photo)]);
  const { sent, picture } = await ready(photo);
  return [await read(sent), picture];
}

/** @param {Blob} photo @returns {Promise<ImageBitmap | null>} */
const opened = (photo) => createImageBitmap(photo).catch(() => null);

/** What is sent of a large photo, and its picture. @param {Blob} photo @returns {Promise<{sent: Blob, picture: Picture}>} */
async function ready(photo) {
  const picture = await opened(photo);
  if (!picture && photo.size > BYTES) throw new Problem("too_large", "");
  if (!picture) return { sent: photo, picture };
  const share = Math.min(1, Math.sqrt(PIXELS / (picture.width * picture.height)));
  if (share === 1 && photo.size <= BYTES) return { sent: photo, picture };
  const smaller = drawn(picture, share);
  picture.close();
  return { sent: await encoded(smaller), picture: smaller };
}

/** @param {ImageBitmap} picture @param {number} share of its width and height that is kept */
function drawn(picture, share) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.floor(share * picture.width), height: Math.floor(share * picture.height) });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.fillStyle = "#fff"; // what shows through, as on the server
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const encoded = (canvas) => new Promise((done, fail) =>
  canvas.toBlob((blob) => (blob ? done(blob) : fail(new Problem("image_error", "pixels"))), "image/jpeg", QUALITY));
