// The layers that are no dense convolution, over floats in NHWC; channels come in fours.

#include "eye.h"

INLINE v128_t above(v128_t value, int relu) {
  return relu ? wasm_f32x4_pmax(wasm_f32x4_splat(0), value) : value;
}

typedef struct {
  const float *input, *weights, *bias;  // weights: (side, side, channels)
  float *output;
  int height, width, channels, side, relu;
} Depthwise;

// One place, four channels; taps outside the picture are zeros, so they are left out.
INLINE v128_t taps(const Depthwise *d, int y, int x, int channel, int top, int bottom, int left, int right) {
  v128_t sum = wasm_v128_load(d->bias + channel);
  int half = d->side / 2;
  for (int j = top; j < bottom; j++)
    for (int i = left; i < right; i++) {
      const float *from = d->input + ((y + j - half) * d->width + x + i - half) * d->channels + channel;
      const float *weight = d->weights + (j * d->side + i) * d->channels + channel;
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_v128_load(from), wasm_v128_load(weight)));
    }
  return above(sum, d->relu);
}

// Three by three without a border: the nine weights stay in registers along the row.
INLINE void along(const Depthwise *d, int y, int channel) {
  v128_t w[9], bias = wasm_v128_load(d->bias + channel);
  for (int i = 0; i < 9; i++) w[i] = wasm_v128_load(d->weights + i * d->channels + channel);
  const int n = d->channels, line = d->width * n;
  const float *from = d->input + (y - 1) * line + channel;
  float *out = d->output + (y * d->width + 1) * n + channel;
  for (int x = 1; x + 1 < d->width; x++, from += n, out += n) {
    v128_t sum = bias;
    for (int j = 0; j < 3; j++)
      for (int i = 0; i < 3; i++)
        sum = wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_v128_load(from + j * line + i * n), w[3 * j + i]));
    wasm_v128_store(out, above(sum, d->relu));
  }
}

INLINE void place(const Depthwise *d, int y, int x) {
  int half = d->side / 2;
  int top = larger(0, half - y), bottom = smaller(d->side, d->height + half - y);
  int left = larger(0, half - x), right = smaller(d->side, d->width + half - x);
  float *out = d->output + (y * d->width + x) * d->channels;
  for (int channel = 0; channel < d->channels; channel += 4)
    wasm_v128_store(out + channel, taps(d, y, x, channel, top, bottom, left, right));
}

// Each channel by itself, stride 1, an output as large as the input.
EXPORT("depthwise") void depthwise(const Depthwise *d) {
  for (int y = 0; y < d->height; y++) {
    int inside = d->side == 3 && y > 0 && y + 1 < d->height && d->width > 2;
    if (inside)
      for (int channel = 0; channel < d->channels; channel += 4) along(d, y, channel);
    for (int x = 0; x < d->width; x += inside ? d->width - 1 : 1) place(d, y, x);
  }
}

// The largest of each two by two; an odd last row or column is left out.
EXPORT("halve") void halve(const float *in, float *out, int height, int width, int channels) {
  int line = width * channels;
  for (int y = 0; y < height / 2; y++)
    for (int x = 0; x < width / 2; x++)
      for (int c = 0; c < channels; c += 4, out += 4) {
        const float *from = in + 2 * y * line + 2 * x * channels + c;
        v128_t upper = wasm_f32x4_pmax(wasm_v128_load(from), wasm_v128_load(from + channels));
        v128_t lower = wasm_f32x4_pmax(wasm_v128_load(from + line), wasm_v128_load(from + line + channels));
        wasm_v128_store(out, wasm_f32x4_pmax(upper, lower));
      }
}

EXPORT("add") void add(const float *a, const float *b, float *out, int n, int relu) {
  for (int i = 0; i < n; i += 4)
    wasm_v128_store(out + i, above(wasm_f32x4_add(wasm_v128_load(a + i), wasm_v128_load(b + i)), relu));
}

// Copy `count` runs of bytes that lie at regular distances.
EXPORT("copy") void copy(const char *from, int from_step, char *to, int to_step, int run, int count) {
  for (int i = 0; i < count; i++) __builtin_memcpy(to + i * to_step, from + i * from_step, run);
}

INLINE float least(v128_t v) {
  float a = wasm_f32x4_extract_lane(v, 0), b = wasm_f32x4_extract_lane(v, 1);
  float c = wasm_f32x4_extract_lane(v, 2), d = wasm_f32x4_extract_lane(v, 3);
  float x = a < b ? a : b, y = c < d ? c : d;
  return x < y ? x : y;
}

// Four numbers, or as many as are left and zeros.
INLINE v128_t some(const float *in, int left) {
  if (left >= 4) return wasm_v128_load(in);
  float rest[4] = {0};
  for (int i = 0; i < left; i++) rest[i] = in[i];
  return wasm_v128_load(rest);
}

// Bring floats to whole numbers of 255 steps between the least and the greatest of them, 0 included, and
// take off what stands for 0, so that padding with zeros stays true. Returns what a step is worth. The
// output has room for a multiple of four.
EXPORT("quantise") float quantise(const float *in, int16_t *out, int n) {
  v128_t low = wasm_f32x4_splat(0), high = low;
  for (int i = 0; i < n; i += 4) {
    v128_t x = some(in + i, n - i);
    low = wasm_f32x4_pmin(low, x);
    high = wasm_f32x4_pmax(high, x);
  }
  float bottom = least(low), top = -least(wasm_f32x4_neg(high));
  float scale = top == bottom ? 1 : 255 / (top - bottom);
  float from_below = -128 + bottom * scale, from_above = 127 + top * scale;
  float zero = from_below + from_above > 0 ? -128 - bottom * scale : 127 - top * scale;
  zero = __builtin_nearbyintf(zero < -128 ? -128 : zero > 127 ? 127 : zero);
  v128_t lowest = wasm_f32x4_splat(-128 - zero), highest = wasm_f32x4_splat(127 - zero);
  for (int i = 0; i < n; i += 4) {
    v128_t step = wasm_f32x4_nearest(wasm_f32x4_mul(some(in + i, n - i), wasm_f32x4_splat(scale)));
    v128_t held = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_pmin(wasm_f32x4_pmax(step, lowest), highest));
    wasm_v128_store64_lane(out + i, wasm_i16x8_narrow_i32x4(held, held), 0);
  }
  return 1 / scale;
}
