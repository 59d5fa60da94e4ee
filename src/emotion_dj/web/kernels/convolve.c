// Convolutions of any kernel and stride over rows of pixels with their channels side by side (NHWC).
//
// A row of a kernel covers neighbouring pixels, which lie side by side in memory: so a kernel is a few
// runs of numbers and nothing has to be copied together first. Several places are computed at once for
// eight output channels, as many as fit the registers, so that each weight is loaded once for all of them.

#include "eye.h"

#define LANES 8
#define MOST 6

// What network.js writes; the order is that of its `Convolution`.
typedef struct {
  const void *input;    // padded already: float, or int16 as `quantise` leaves it
  const void *weights;  // packed by eight output channels, see network.js
  const float *bias;    // of all channels, filled up with zeros to a multiple of eight
  float *output;
  int places, width;    // output places, and how many make a row of them
  int step, line;       // numbers from a place to the next one, and to the one below
  int run, rows, jump;  // numbers in a row of the kernel, its rows, numbers from a row to the next
  int channels;         // of the output
  float least;          // 0 with ReLU, else the lowest float
  float scale;          // int16 only: what a step of the input is worth
  const float *scales;  // int16 only: what a step of the weights is worth, by channel
} Convolution;

// Keep the finished eight channels of a place, as many as there are.
INLINE void keep(const Convolution *c, int place, int channel, v128_t low, v128_t high) {
  float *out = c->output + place * c->channels + channel;
  v128_t least = wasm_f32x4_splat(c->least);
  low = wasm_f32x4_pmax(least, low);
  high = wasm_f32x4_pmax(least, high);
  if (channel + LANES <= c->channels) {
    wasm_v128_store(out, low);
    wasm_v128_store(out + 4, high);
    return;
  }
  float rest[LANES];
  wasm_v128_store(rest, low);
  wasm_v128_store(rest + 4, high);
  for (int i = 0; channel + i < c->channels; i++) out[i] = rest[i];
}

INLINE int offset(const Convolution *c, int place) {
  return place / c->width * c->line + place % c->width * c->step;
}

INLINE void floats(const Convolution *c, int first, int channel, const int places) {
  const float *from[MOST];
  v128_t low[MOST], high[MOST];
  for (int i = 0; i < places; i++) {
    from[i] = (const float *)c->input + offset(c, first + i);
    low[i] = wasm_v128_load(c->bias + channel);
    high[i] = wasm_v128_load(c->bias + channel + 4);
  }
  const float *weights = (const float *)c->weights + channel * c->run * c->rows;
  for (int row = 0; row < c->rows; row++) {
    for (int k = 0; k < c->run; k++, weights += LANES) {
      v128_t a = wasm_v128_load(weights), b = wasm_v128_load(weights + 4);
      for (int i = 0; i < places; i++) {
        v128_t x = wasm_v128_load32_splat(from[i] + k);
        low[i] = wasm_f32x4_add(low[i], wasm_f32x4_mul(x, a));
        high[i] = wasm_f32x4_add(high[i], wasm_f32x4_mul(x, b));
      }
    }
    for (int i = 0; i < places; i++) from[i] += c->jump;
  }
  for (int i = 0; i < places; i++) keep(c, first + i, channel, low[i], high[i]);
}

INLINE v128_t worth(const Convolution *c, int channel, v128_t sum) {
  v128_t value = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), wasm_f32x4_splat(c->scale));
  v128_t weighed = wasm_f32x4_mul(value, wasm_v128_load(c->scales + channel));
  return wasm_f32x4_add(weighed, wasm_v128_load(c->bias + channel));
}

// Two numbers at a time: the dot product of pairs is one instruction.
INLINE void whole(const Convolution *c, int first, int channel, const int places) {
  const int16_t *from[MOST];
  v128_t low[MOST], high[MOST];
  for (int i = 0; i < places; i++) {
    from[i] = (const int16_t *)c->input + offset(c, first + i);
    low[i] = high[i] = wasm_i32x4_splat(0);
  }
  const int16_t *weights = (const int16_t *)c->weights + channel * c->run * c->rows;
  for (int row = 0; row < c->rows; row++) {
    for (int k = 0; k < c->run; k += 2, weights += 2 * LANES) {
      v128_t a = wasm_v128_load(weights), b = wasm_v128_load(weights + LANES);
      for (int i = 0; i < places; i++) {
        v128_t x = wasm_v128_load32_splat(from[i] + k);
        low[i] = wasm_i32x4_add(low[i], wasm_i32x4_dot_i16x8(x, a));
        high[i] = wasm_i32x4_add(high[i], wasm_i32x4_dot_i16x8(x, b));
      }
    }
    for (int i = 0; i < places; i++) from[i] += c->jump;
  }
  for (int i = 0; i < places; i++)
    keep(c, first + i, channel, worth(c, channel, low[i]), worth(c, channel + 4, high[i]));
}

EXPORT("convolve_floats") void convolve_floats(const Convolution *c) {
  int place = 0;
  for (; place + MOST <= c->places; place += MOST)
    for (int channel = 0; channel < c->channels; channel += LANES) floats(c, place, channel, MOST);
  for (; place + 3 <= c->places; place += 3)
    for (int channel = 0; channel < c->channels; channel += LANES) floats(c, place, channel, 3);
  for (; place < c->places; place++)
    for (int channel = 0; channel < c->channels; channel += LANES) floats(c, place, channel, 1);
}

// Weights outermost: those of eight channels stay in the cache while all places pass by.
EXPORT("convolve_whole") void convolve_whole(const Convolution *c) {
  for (int channel = 0; channel < c->channels; channel += LANES) {
    int place = 0;
    for (; place + MOST <= c->places; place += MOST) whole(c, place, channel, MOST);
    for (; place + 3 <= c->places; place += 3) whole(c, place, channel, 3);
    for (; place < c->places; place++) whole(c, place, channel, 1);
  }
}
