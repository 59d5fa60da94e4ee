// Reads pictures with the page's eye under Node. A task is JSON in stdin: where the page's files are, the
// card, the files that it names, and pictures as raw bytes (four a pixel). What was seen goes to stdout.

import { readFileSync } from "node:fs";

const { modules, card, files, pictures } = JSON.parse(readFileSync(0, "utf-8"));
const { Core } = await import(`${modules}/js/eye/core.js`);
const { turned } = await import(`${modules}/js/eye/turn.js`);
const { atRest, isRestful } = await import(`${modules}/js/eye/resting.js`);
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
  rest: (pixels, { resting }) => {
    const seen = core.look(pixels);
    return { ...atRest(seen, resting, core.card), restful: isRestful(seen.faces, core.card.reader) };
  },
  crop: (pixels, face) => inMemory(pixels, (picture) => Array.from(cropped(core.memory, picture, face, core.card.reader))),
  turn: (pixels, { degrees }) => inMemory(pixels, (picture) => plain(turned(core.memory, picture, degrees))),
  shrink: (pixels, { side }) => inMemory(pixels, (picture) => {
    const { small, factor } = shrunk(core.memory, picture, side, core.card.search.gap);
    return { ...plain(small), factor };
  }),
};

function plain({ at, width, height }) {
  return { width, height, data: Array.from(core.memory.bytes(at, 4 * width * height)) };
}

function inMemory({ width, height, data }, task) {
  return core.memory.within(() => task({ at: core.memory.put(data), width, height }));
}

console.log(JSON.stringify(pictures.map(({ path, width, height, task, ...more }) => tasks[task]({ width, height, data: bytes(path) }, more))));
