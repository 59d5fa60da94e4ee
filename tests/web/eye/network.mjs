// Runs a network of the page under Node: the .tflite file, the float32 input and its shape come in, and
// every tensor that is asked for goes out, one after the other, as float32.
//
//     node network.mjs STATIC KERNELS MODEL INPUT SHAPE TENSORS OUTPUT

import { readFileSync, writeFileSync } from "node:fs";

const [modules, kernels, model, input, shape, tensors, output] = process.argv.slice(2);
const { Memory } = await import(`${modules}/js/eye/memory.js`);
const { Network } = await import(`${modules}/js/eye/network.js`);

const memory = new Memory(new WebAssembly.Module(readFileSync(kernels)));
const file = readFileSync(model);
const network = new Network(memory, file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
const bytes = readFileSync(input);
const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const numbers = (text) => JSON.parse(`[${text}]`);
const found = network.run(numbers(shape), (at) => memory.floats(at, values.length).set(values), numbers(tensors));
writeFileSync(output, Buffer.concat(found.map((tensor) => Buffer.from(tensor.values.slice().buffer))));
console.log(JSON.stringify(found.map((tensor) => tensor.shape)));
