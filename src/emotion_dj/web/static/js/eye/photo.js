// From a photo to its pixels: decoded, upright, on white, at most so many.

import { Fault } from "./fault.js";

/** @typedef {{max_bytes: number, max_pixels: Record<string, number>, enough: number}} PhotoCard max_pixels: by kind, `other` for the rest */

const HEAD = 1 << 18; // bytes in which a photo says how large it is
const HEIC = new Set(["heic", "heix", "hevc", "mif1", "msf1"]);

/** @param {Blob} photo @param {PhotoCard} card @returns {Promise<ImageBitmap>} */
export async function decoded(photo, card) {
  if (!photo.size) throw new Fault("empty");
  if (photo.size > card.max_bytes) throw new Fault("too_large");
  const head = new DataView(await photo.slice(0, HEAD).arrayBuffer());
  const kind = kindOf(head);
  const [width, height] = kind === "heic" || !kind ? [0, 0] : SIZES[kind](head);
  if (width * height > (card.max_pixels[kind] ?? card.max_pixels.other)) throw new Fault("too_large");
  try {
    return await createImageBitmap(photo, { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch (error) {
    throw undecodable(error, kind);
  }
}

/** @param {unknown} error @param {string} kind */
function undecodable(error, kind) {
  if (error instanceof RangeError) return new Fault("memory", error.message);
  return new Fault(kind === "heic" ? "heic" : kind ? "damaged" : "unsupported", String(error));
}

/** @param {DataView} head @returns {"" | "heic" | keyof typeof SIZES} */
function kindOf(head) {
  const text = (/** @type {number} */ at) => (head.byteLength < at + 4 ? "" : String.fromCharCode(...[0, 1, 2, 3].map((i) => head.getUint8(at + i))));
  if (text(0).startsWith("\xff\xd8\xff")) return "jpeg";
  if (text(0) === "\x89PNG") return "png";
  if (text(0).startsWith("GIF")) return "gif";
  if (text(0) === "RIFF" && text(8) === "WEBP") return "webp";
  if (text(0).startsWith("BM")) return "bmp";
  if (text(4) === "ftyp") return HEIC.has(text(8)) ? "heic" : text(8).startsWith("avi") ? "avif" : "";
  return "";
}

/** Width and height as a photo says them itself, 0 where it does not. @type {Record<"jpeg" | "png" | "gif" | "webp" | "bmp" | "avif", (head: DataView) => [number, number]>} */
const SIZES = {
  jpeg: guarded(ofJpeg),
  png: guarded((head) => [head.getUint32(16), head.getUint32(20)]),
  gif: guarded((head) => [head.getUint16(6, true), head.getUint16(8, true)]),
  bmp: guarded((head) => [Math.abs(head.getInt32(18, true)), Math.abs(head.getInt32(22, true))]),
  webp: guarded(ofWebp),
  avif: () => [0, 0],
};

/** A head that ends too early says nothing. @param {(head: DataView) => [number, number]} read @returns {(head: DataView) => [number, number]} */
function guarded(read) {
  return (head) => {
    try {
      return read(head);
    } catch (error) {
      if (error instanceof RangeError) return [0, 0];
      throw error;
    }
  };
}

/** @param {DataView} head @returns {[number, number]} */
function ofJpeg(head) {
  let at = 2;
  while (head.getUint8(at) === 0xff) {
    const marker = head.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [head.getUint16(at + 7), head.getUint16(at + 5)];
    at += marker === 0xff ? 1 : 2 + head.getUint16(at + 2);
  }
  return [0, 0];
}

/** @param {DataView} head @returns {[number, number]} */
function ofWebp(head) {
  const form = head.getUint8(15);
  const three = (/** @type {number} */ at) => 1 + head.getUint16(at, true) + (head.getUint8(at + 2) << 16);
  if (form === 0x58) return [three(24), three(27)]; // VP8X
  if (form !== 0x4c) return [head.getUint16(26, true) & 0x3fff, head.getUint16(28, true) & 0x3fff]; // VP8
  const bits = head.getUint32(21, true); // VP8L
  return [1 + (bits & 0x3fff), 1 + ((bits >> 14) & 0x3fff)];
}

/** Halve a size until few enough pixels are left. @param {number} width @param {number} height @param {number} enough */
function fewer(width, height, enough) {
  let factor = 1;
  while ((width * height) / factor ** 2 > enough) factor *= 2;
  return { factor, size: [width, height].map((side) => Math.max(1, Math.ceil(side / factor))) };
}

/**
 * The pixels of a picture, and how many of its pixels one of them spans.
 * @param {ImageBitmap | VideoFrame} picture @param {PhotoCard} card @returns {{pixels: ImageData, factor: number}}
 */
export function pixelsOf(picture, { enough }) {
  const [across, down] = "displayWidth" in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
  const { factor, size: [width, height] } = fewer(across, down, enough);
  try {
    const pen = pencil(width, height);
    pen.drawImage(picture, 0, 0, width, height);
    return { pixels: pen.getImageData(0, 0, width, height), factor };
  } catch (error) {
    throw new Fault("memory", String(error));
  }
}

/** @type {OffscreenCanvasRenderingContext2D | null} */
let kept = null; // a camera's frames are all of one size

/** A white canvas of this size. @param {number} width @param {number} height */
function pencil(width, height) {
  if (kept?.canvas.width !== width || kept.canvas.height !== height) {
    kept = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true }));
    kept.imageSmoothingQuality = "high";
  }
  kept.fillStyle = "#fff";
  kept.fillRect(0, 0, width, height);
  return kept;
}
