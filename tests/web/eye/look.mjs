// Reads pictures with the page's eye under Node. A task is JSON in stdin: where the page's files are, the
// card, the files that it names, and pictures as raw bytes (four a pixel). What was seen goes to stdout.

import { readFileSync } from "node:fs";

const { modules, card, files, pictures } = JSON.parse(readFileSync(0, "utf-8"));
const { Core } = await import(`${modules}/js/eye/core.js`);
const { cropped, shrunk } = await import(`${modules}/js/eye/pixels.js`);

const bytes = (path) => Uint8Array.from(readFileSync(path));
const [kernels, detector, reader] = [files.kernels, files.detector, files.reader].map((path) => bytes(path).buffer);
const core = new Core(new WebAssembly.Module(kernels), { detector, reader }, card);

const tasks = {
  look: (pixels) => {
    try {
      return core.look(pixels);
    } catch (error) {
      return { code: error.code ?? String(error) };
    }
  },
  crop: (pixels, { box }) => inMemory(pixels, (picture) => Array.from(cropped(core.memory, picture, box, core.card.reader))),
  shrink: (pixels, { side }) => inMemory(pixels, (picture) => {
    const { small: { at, width, height }, factor } = shrunk(core.memory, picture, side, core.card.search.gap);
    return { width, height, factor, data: Array.from(core.memory.bytes(at, 4 * width * height)) };
  }),
};

function inMemory({ width, height, data }, task) {
  return core.memory.within(() => task({ at: core.memory.put(data), width, height }));
}

console.log(JSON.stringify(pictures.map(({ path, width, height, task, ...more }) => tasks[task]({ width, height, data: bytes(path) }, more))));
