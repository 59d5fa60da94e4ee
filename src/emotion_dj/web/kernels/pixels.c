// Pictures: eight bits, red, green, blue and a byte that is not looked at. The arithmetic is that of
// Pillow (whole numbers, rounded between the passes), since the networks were trained on what it gives.

#include "eye.h"

#define BITS 22

// ITU-R 601 luma of a rectangle; places outside the picture take the nearest pixel of its edge.
EXPORT("grey") void grey(const uint8_t *in, int width, int height, uint8_t *out, int left, int top, int right, int bottom) {
  for (int y = top; y < bottom; y++) {
    const uint8_t *line = in + 4 * width * smaller(height - 1, larger(0, y));
    for (int x = left; x < right; x++, out++) {
      const uint8_t *p = line + 4 * smaller(width - 1, larger(0, x));
      *out = (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16;
    }
  }
}

// The mean of each block of across x down pixels; those at the edge are as small as what is left.
EXPORT("reduce") void reduce(const uint8_t *in, int width, int height, uint8_t *out, int across, int down) {
  for (int top = 0; top < height; top += down)
    for (int left = 0; left < width; left += across, out += 4) {
      int bottom = smaller(height, top + down), right = smaller(width, left + across);
      uint32_t n = (bottom - top) * (right - left), sum[4] = {n / 2, n / 2, n / 2, n / 2};
      for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
          for (int c = 0; c < 4; c++) sum[c] += in[4 * (y * width + x) + c];
      for (int c = 0; c < 4; c++) out[c] = (uint64_t)sum[c] * ((1u << 24) / n) >> 24;
    }
}

INLINE double triangle_at(double x) { return x < -1 || x > 1 ? 0 : x < 0 ? 1 + x : 1 - x; }

// The weights of a triangle filter as wide as the pictures differ: for each of `count` outputs the first
// pixel, how many, and room for `most` weights in steps of 2^-BITS. The ends are floats, as in Pillow.
EXPORT("triangle") void triangle(int *table, int size, float from, float to, int count, int most) {
  double scale = (double)(to - from) / count, support = scale < 1 ? 1 : scale, narrow = 1 / support;
  for (int i = 0; i < count; i++, table += 2 + most) {
    double centre = from + (i + 0.5) * scale, sum = 0;
    int first = larger(0, (int)(centre - support + 0.5)), last = smaller(size, (int)(centre + support + 0.5));
    table[0] = first;
    table[1] = last - first;
    for (int x = first; x < last; x++) sum += triangle_at((x - centre + 0.5) * narrow);
    double share = 1 / sum;
    for (int x = first; x < last; x++)
      table[2 + x - first] = (int)(0.5 + triangle_at((x - centre + 0.5) * narrow) * share * (1 << BITS));
  }
}

// One output of four neighbouring bytes, weighed over every `step`-th byte.
INLINE void four(const uint8_t *in, const int *entry, int step, uint8_t *out) {
  v128_t sum = wasm_i32x4_splat(1 << (BITS - 1));
  const uint8_t *p = in + entry[0] * step;
  for (int k = 0; k < entry[1]; k++, p += step) {
    v128_t wide = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)));
    sum = wasm_i32x4_add(sum, wasm_i32x4_mul(wide, wasm_v128_load32_splat(entry + 2 + k)));
  }
  v128_t narrow = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(sum, BITS), sum);
  wasm_v128_store32_lane(out, wasm_u8x16_narrow_i16x8(narrow, narrow), 0);
}

// Resample `lines` rows of colour from `width` to `count` pixels.
EXPORT("across") void across(const uint8_t *in, int width, int lines, uint8_t *out, const int *table, int count, int most) {
  for (int y = 0; y < lines; y++, in += 4 * width)
    for (int i = 0; i < count; i++, out += 4) four(in, table + i * (2 + most), 4, out);
}

// The same for grey.
EXPORT("across_grey") void across_grey(const uint8_t *in, int width, int lines, uint8_t *out, const int *table, int count, int most) {
  for (int y = 0; y < lines; y++, in += width)
    for (int i = 0; i < count; i++, out++) {
      const int *entry = table + i * (2 + most);
      int sum = 1 << (BITS - 1);
      for (int k = 0; k < entry[1]; k++) sum += in[entry[0] + k] * entry[2 + k];
      *out = smaller(255, larger(0, sum >> BITS));
    }
}

// Resample columns; a row has `width` bytes, a multiple of four.
EXPORT("down") void down(const uint8_t *in, int width, uint8_t *out, const int *table, int count, int most) {
  for (int i = 0; i < count; i++)
    for (int x = 0; x < width; x += 4, out += 4) four(in + x, table + i * (2 + most), width, out);
}

// Red, green and blue as floats, with zeros to the right and below.
EXPORT("colours") void colours(const uint8_t *in, int width, int height, float *out, int padded_width, int padded_height) {
  for (int y = 0; y < padded_height; y++)
    for (int x = 0; x < padded_width; x++)
      for (int c = 0; c < 3; c++, out++) *out = y < height && x < width ? in[4 * (y * width + x) + c] : 0;
}
