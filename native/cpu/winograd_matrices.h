// The matrices of Winograd's minimal filtering on lines of vectors, for winograd_transforms.cc. Elements of a line are
// `step` vectors apart.
#pragma once
#include "cpu/bfloat16_vectors.h"

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace residua::cpu {

using Vector = __m512;

struct Line {
  const Vector* at;
  int step;
  RESIDUA_BFLOAT16_INLINE Vector operator[](int i) const { return at[i * step]; }
};
struct LineOut {
  Vector* at;
  int step;
  RESIDUA_BFLOAT16_INLINE Vector& operator[](int i) const { return at[i * step]; }
};

RESIDUA_BFLOAT16_INLINE Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
RESIDUA_BFLOAT16_INLINE Vector Subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
RESIDUA_BFLOAT16_INLINE Vector Negative(Vector a) { return _mm512_sub_ps(_mm512_setzero_ps(), a); }
RESIDUA_BFLOAT16_INLINE Vector Half(Vector a) { return _mm512_mul_ps(a, _mm512_set1_ps(0.5f)); }

// F(2, 3) with points 0, 1, -1, infinity: y0 = d0 g0 + d1 g1 + d2 g2, y1 = d1 g0 + d2 g1 + d3 g2.
//
//   B  1  0 -1  0    G   1    0    0     A  1  1  1  0
//      0  1  1  0       1/2  1/2  1/2       0  1 -1 -1
//      0 -1  1  0       1/2 -1/2  1/2
//      0  1  0 -1        0    0    1
struct TwoByTwo {
  static constexpr int kPatch = 4, kTile = 2, kPoints = 4, kPadding = 0;

  static RESIDUA_BFLOAT16_INLINE void Patch(Line d, LineOut m) {
    const Vector d1 = d[1], d2 = d[2];
    m[0] = Subtract(d[0], d2);
    m[1] = Add(d1, d2);
    m[2] = Subtract(d2, d1);
    m[3] = Subtract(d1, d[3]);
  }
  static RESIDUA_BFLOAT16_INLINE void Kernel(Line g, LineOut m) {
    const Vector outer = Half(Add(g[0], g[2])), inner = Half(g[1]);
    m[0] = g[0];
    m[1] = Add(outer, inner);
    m[2] = Subtract(outer, inner);
    m[3] = g[2];
  }
  static RESIDUA_BFLOAT16_INLINE void ToTile(Line m, LineOut y) {
    y[0] = Add(m[0], Add(m[1], m[2]));
    y[1] = Subtract(Subtract(m[1], m[2]), m[3]);
  }
  static RESIDUA_BFLOAT16_INLINE void Tile(Line y, LineOut m) {
    m[0] = y[0];
    m[1] = Add(y[0], y[1]);
    m[2] = Subtract(y[0], y[1]);
    m[3] = Negative(y[1]);
  }
  static RESIDUA_BFLOAT16_INLINE void ToKernel(Line m, LineOut g) {
    const Vector sum = Half(Add(m[1], m[2]));
    g[0] = Add(m[0], sum);
    g[1] = Half(Subtract(m[1], m[2]));
    g[2] = Add(sum, m[3]);
  }
};

// Three pixels with a 0 on either side: F(2, 3) of (0, d0, d1, d2) gives y0 and y1, and y2 = d1 g0 + d2 g1 needs but
// one more product, as one of those is -d1 g0.
//
//   B  0 -1  0    G   1    0    0     A  1  1  1  0  0
//      1  1  0       1/2  1/2  1/2       0  1 -1 -1  0
//     -1  1  0       1/2 -1/2  1/2      -1  0  0  0  1
//      1  0 -1        0    0    1
//      0  0  1        0    1    0
struct ThreeByThree {
  static constexpr int kPatch = 3, kTile = 3, kPoints = 5, kPadding = 1;

  static RESIDUA_BFLOAT16_INLINE void Patch(Line d, LineOut m) {
    const Vector d0 = d[0], d1 = d[1], d2 = d[2];
    m[0] = Negative(d1);
    m[1] = Add(d0, d1);
    m[2] = Subtract(d1, d0);
    m[3] = Subtract(d0, d2);
    m[4] = d2;
  }
  static RESIDUA_BFLOAT16_INLINE void Kernel(Line g, LineOut m) {
    TwoByTwo::Kernel(g, m);
    m[4] = g[1];
  }
  static RESIDUA_BFLOAT16_INLINE void ToTile(Line m, LineOut y) {
    TwoByTwo::ToTile(m, y);
    y[2] = Subtract(m[4], m[0]);
  }
  static RESIDUA_BFLOAT16_INLINE void Tile(Line y, LineOut m) {
    TwoByTwo::Tile(y, m);
    m[0] = Subtract(y[0], y[2]);
    m[4] = y[2];
  }
  static RESIDUA_BFLOAT16_INLINE void ToKernel(Line m, LineOut g) {
    TwoByTwo::ToKernel(m, g);
    g[1] = Add(g[1], m[4]);
  }
};

}  // namespace residua::cpu

#endif
