// The matrices of Winograd's minimal filtering on lines of vectors. Elements of a line are `step` vectors apart.
//
// To be included after float_vectors_*.h, for whose vectors it is compiled.
#pragma once

namespace residua::cpu {
namespace {

struct Line {
  const Vector* at;
  int step;
  RESIDUA_VECTOR_INLINE Vector operator[](int i) const { return at[i * step]; }
};
struct LineOut {
  Vector* at;
  int step;
  RESIDUA_VECTOR_INLINE Vector& operator[](int i) const { return at[i * step]; }
};

RESIDUA_VECTOR_INLINE Vector Negative(Vector a) { return Subtract(InAllLanes(0.0f), a); }
RESIDUA_VECTOR_INLINE Vector Half(Vector a) { return Multiply(a, InAllLanes(0.5f)); }
RESIDUA_VECTOR_INLINE Vector Times(float a, Vector x) { return Multiply(InAllLanes(a), x); }
RESIDUA_VECTOR_INLINE Vector TimesPlus(float a, Vector x, Vector y) { return MultiplyAdd(InAllLanes(a), x, y); }

// F(2, 3) with points 0, 1, -1, infinity: y0 = d0 g0 + d1 g1 + d2 g2, y1 = d1 g0 + d2 g1 + d3 g2.
//
//   B  1  0 -1  0    G   1    0    0     A  1  1  1  0
//      0  1  1  0       1/2  1/2  1/2       0  1 -1 -1
//      0 -1  1  0       1/2 -1/2  1/2
//      0  1  0 -1        0    0    1
struct TwoByTwo {
  static constexpr int kPatch = 4, kTile = 2, kPoints = 4, kPadding = 0;

  static RESIDUA_VECTOR_INLINE void Patch(Line d, LineOut m) {
    const Vector d1 = d[1], d2 = d[2];
    m[0] = Subtract(d[0], d2);
    m[1] = Add(d1, d2);
    m[2] = Subtract(d2, d1);
    m[3] = Subtract(d1, d[3]);
  }
  static RESIDUA_VECTOR_INLINE void Kernel(Line g, LineOut m) {
    const Vector outer = Half(Add(g[0], g[2])), inner = Half(g[1]);
    m[0] = g[0];
    m[1] = Add(outer, inner);
    m[2] = Subtract(outer, inner);
    m[3] = g[2];
  }
  static RESIDUA_VECTOR_INLINE void ToTile(Line m, LineOut y) {
    y[0] = Add(m[0], Add(m[1], m[2]));
    y[1] = Subtract(Subtract(m[1], m[2]), m[3]);
  }
  static RESIDUA_VECTOR_INLINE void Tile(Line y, LineOut m) {
    m[0] = y[0];
    m[1] = Add(y[0], y[1]);
    m[2] = Subtract(y[0], y[1]);
    m[3] = Negative(y[1]);
  }
  static RESIDUA_VECTOR_INLINE void ToKernel(Line m, LineOut g) {
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

  static RESIDUA_VECTOR_INLINE void Patch(Line d, LineOut m) {
    const Vector d0 = d[0], d1 = d[1], d2 = d[2];
    m[0] = Negative(d1);
    m[1] = Add(d0, d1);
    m[2] = Subtract(d1, d0);
    m[3] = Subtract(d0, d2);
    m[4] = d2;
  }
  static RESIDUA_VECTOR_INLINE void Kernel(Line g, LineOut m) {
    TwoByTwo::Kernel(g, m);
    m[4] = g[1];
  }
  static RESIDUA_VECTOR_INLINE void ToTile(Line m, LineOut y) {
    TwoByTwo::ToTile(m, y);
    y[2] = Subtract(m[4], m[0]);
  }
  static RESIDUA_VECTOR_INLINE void Tile(Line y, LineOut m) {
    TwoByTwo::Tile(y, m);
    m[0] = Subtract(y[0], y[2]);
    m[4] = y[2];
  }
  static RESIDUA_VECTOR_INLINE void ToKernel(Line m, LineOut g) {
    TwoByTwo::ToKernel(m, g);
    g[1] = Add(g[1], m[4]);
  }
};

// F(4, 3) with points 0, a, -a, b, -b, infinity, where a = 2/3 and b = 3/2 = 1/a: errors are less than half of those of
// the usual points 1 and 2 (the choice is discussed by Barabasz, Anderson, Soodhalter, Gregg: Error Analysis and
// Improving the Accuracy of Winograd Convolution for Deep Neural Networks, 2020). With s = a^2 + b^2, Na = 2 a^2 (a^2 -
// b^2), Nb = 2 b^2 (b^2 - a^2):
//
//   B  1   0    -s   0  1  0    G    1     0      0      A  1   1    1    1    1   0
//      0 -ab^2 -b^2  a  1  0       1/Na  a/Na  a^2/Na      0   a   -a    b   -b   0
//      0  ab^2 -b^2 -a  1  0       1/Na -a/Na  a^2/Na      0  a^2  a^2  b^2  b^2  0
//      0 -ba^2 -a^2  b  1  0       1/Nb  b/Nb  b^2/Nb      0  a^3 -a^3  b^3 -b^3  1
//      0  ba^2 -a^2 -b  1  0       1/Nb -b/Nb  b^2/Nb
//      0   1    0   -s  0  1        0     0      1
struct FourByFour {
  static constexpr int kPatch = 6, kTile = 4, kPoints = 6, kPadding = 0;
  static constexpr double kA = 2.0 / 3, kB = 1.5;
  static constexpr double kA2 = kA * kA, kB2 = kB * kB;
  static constexpr double kOverNa = 1 / (2 * kA2 * (kA2 - kB2)), kOverNb = 1 / (2 * kB2 * (kB2 - kA2));
  static constexpr float F(double x) { return static_cast<float>(x); }

  static RESIDUA_VECTOR_INLINE void Patch(Line d, LineOut m) {
    const Vector d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
    const Vector even_a = TimesPlus(F(-kB2), d2, d4), odd_a = TimesPlus(F(-kB2), d1, d3);
    const Vector even_b = TimesPlus(F(-kA2), d2, d4), odd_b = TimesPlus(F(-kA2), d1, d3);
    m[0] = Add(d[0], TimesPlus(F(-kA2 - kB2), d2, d4));
    m[1] = TimesPlus(F(kA), odd_a, even_a);
    m[2] = TimesPlus(F(-kA), odd_a, even_a);
    m[3] = TimesPlus(F(kB), odd_b, even_b);
    m[4] = TimesPlus(F(-kB), odd_b, even_b);
    m[5] = Add(d1, TimesPlus(F(-kA2 - kB2), d3, d[5]));
  }
  static RESIDUA_VECTOR_INLINE void Kernel(Line g, LineOut m) {
    const Vector g0 = g[0], g1 = g[1], g2 = g[2];
    const Vector even_a = TimesPlus(F(kA2 * kOverNa), g2, Times(F(kOverNa), g0));
    const Vector even_b = TimesPlus(F(kB2 * kOverNb), g2, Times(F(kOverNb), g0));
    m[0] = g0;
    m[1] = TimesPlus(F(kA * kOverNa), g1, even_a);
    m[2] = TimesPlus(F(-kA * kOverNa), g1, even_a);
    m[3] = TimesPlus(F(kB * kOverNb), g1, even_b);
    m[4] = TimesPlus(F(-kB * kOverNb), g1, even_b);
    m[5] = g2;
  }
  static RESIDUA_VECTOR_INLINE void ToTile(Line m, LineOut y) {
    const Vector sum_a = Add(m[1], m[2]), difference_a = Subtract(m[1], m[2]);
    const Vector sum_b = Add(m[3], m[4]), difference_b = Subtract(m[3], m[4]);
    y[0] = Add(m[0], Add(sum_a, sum_b));
    y[1] = TimesPlus(F(kA), difference_a, Times(F(kB), difference_b));
    y[2] = TimesPlus(F(kA2), sum_a, Times(F(kB2), sum_b));
    y[3] = TimesPlus(F(kA2 * kA), difference_a, TimesPlus(F(kB2 * kB), difference_b, m[5]));
  }
  static RESIDUA_VECTOR_INLINE void Tile(Line y, LineOut m) {
    const Vector y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
    const Vector even_a = TimesPlus(F(kA2), y2, y0), odd_a = TimesPlus(F(kA2), y3, y1);
    const Vector even_b = TimesPlus(F(kB2), y2, y0), odd_b = TimesPlus(F(kB2), y3, y1);
    m[0] = y0;
    m[1] = TimesPlus(F(kA), odd_a, even_a);
    m[2] = TimesPlus(F(-kA), odd_a, even_a);
    m[3] = TimesPlus(F(kB), odd_b, even_b);
    m[4] = TimesPlus(F(-kB), odd_b, even_b);
    m[5] = y3;
  }
  static RESIDUA_VECTOR_INLINE void ToKernel(Line m, LineOut g) {
    const Vector sum_a = Add(m[1], m[2]), difference_a = Subtract(m[1], m[2]);
    const Vector sum_b = Add(m[3], m[4]), difference_b = Subtract(m[3], m[4]);
    g[0] = TimesPlus(F(kOverNa), sum_a, TimesPlus(F(kOverNb), sum_b, m[0]));
    g[1] = TimesPlus(F(kA * kOverNa), difference_a, Times(F(kB * kOverNb), difference_b));
    g[2] = TimesPlus(F(kA2 * kOverNa), sum_a, TimesPlus(F(kB2 * kOverNb), sum_b, m[5]));
  }
};

}  // namespace
}  // namespace residua::cpu
