// A convolution as pairs of positions that a tap of its kernel joins.
#include "cpu/conv2d_taps.h"

namespace residua::cpu {

std::vector<std::vector<TapPair>> TapPairsOf(const ConvGeometry& g) {
  std::vector<std::vector<TapPair>> taps;
  for (int64_t ky = 0; ky < g.w[2]; ++ky) {
    for (int64_t kx = 0; kx < g.w[3]; ++kx) {
      std::vector<TapPair>& pairs = taps.emplace_back();
      for (int64_t out = 0; out < g.y[2] * g.y[3]; ++out) {
        const int64_t y = out / g.y[3] * g.strides[0] + ky * (g.dilation[0] + 1) - g.padding[0];
        const int64_t x = out % g.y[3] * g.strides[1] + kx * (g.dilation[1] + 1) - g.padding[1];
        if (y >= 0 && y < g.x[2] && x >= 0 && x < g.x[3]) pairs.push_back({y * g.x[3] + x, out});
      }
    }
  }
  return taps;
}

MemoryDesc TapMajorDesc(DType dtype, const Dims& w, TapMatrix matrix) {
  const int64_t tap = w[0] * w[1];
  const Dims strides = matrix == TapMatrix::kInByOut ? Dims{1, w[0], w[3] * tap, tap} : Dims{w[1], 1, w[3] * tap, tap};
  return MemoryDesc(w, DnnlType(dtype), strides);
}

}  // namespace residua::cpu
