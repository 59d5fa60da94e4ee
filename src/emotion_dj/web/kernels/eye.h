// What the kernels share. Everything is 32-bit WebAssembly: pointers are offsets into one memory that
// the page's modules lay out (static/js/eye/memory.js); nothing here allocates.

#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define INLINE static inline __attribute__((always_inline))

INLINE int smaller(int a, int b) { return a < b ? a : b; }
INLINE int larger(int a, int b) { return a > b ? a : b; }
