// Pictures set upright: cut out, turned by quarters, and slanted as Pillow does it.

#include "eye.h"

// Copy a rectangle; places outside the picture take the nearest pixel of its edge.
EXPORT("window") void window(const uint32_t *in, int width, int height, uint32_t *out, int left, int top, int right, int bottom) {
  for (int y = top; y < bottom; y++) {
    const uint32_t *line = in + width * smaller(height - 1, larger(0, y));
    for (int x = left; x < right; x++, out++) *out = line[smaller(width - 1, larger(0, x))];
  }
}

// Turn clockwise by quarters, 1 to 3.
EXPORT("quarter") void quarter(const uint32_t *in, int width, int height, uint32_t *out, int quarters) {
  int columns = quarters == 2 ? width : height, rows = quarters == 2 ? height : width;
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < columns; x++, out++) {
      int from_x = quarters == 1 ? y : width - 1 - (quarters == 2 ? x : y);
      int from_y = quarters == 3 ? x : height - 1 - (quarters == 2 ? y : x);
      *out = in[from_y * width + from_x];
    }
}

INLINE int at_most(int least, int most, int x) { return smaller(most, larger(least, x)); }

INLINE double between(double a, double b, double share) { return a + (b - a) * share; }

// The four channels of a point, between its four neighbours, cut to whole numbers.
INLINE void sample(const uint8_t *in, int width, int height, double x, double y, uint8_t *out) {
  int left = (int)__builtin_floor(x), top = (int)__builtin_floor(y);
  int x0 = 4 * at_most(0, width - 1, left), x1 = 4 * at_most(0, width - 1, left + 1);
  const uint8_t *upper = in + 4 * width * at_most(0, height - 1, top);
  const uint8_t *lower = in + 4 * width * at_most(0, height - 1, top + 1);
  for (int c = 0; c < 4; c++) {
    double a = between(upper[x0 + c], upper[x1 + c], x - left), b = between(lower[x0 + c], lower[x1 + c], x - left);
    out[c] = (uint8_t)between(a, b, y - top);
  }
}

// Take each pixel from where an affine matrix (six doubles) leads; black is what lies outside.
EXPORT("slant") void slant(const uint8_t *in, int width, int height, uint8_t *out, int columns, int rows, const double *m) {
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < columns; x++, out += 4) {
      double from_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], from_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      int inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
      if (inside) sample(in, width, height, from_x - 0.5, from_y - 0.5, out);
      else *(uint32_t *)out = 0;
    }
}
