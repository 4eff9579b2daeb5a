// A convolution as pairs of positions that a tap of its kernel joins.
#pragma once
#include <vector>

#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

// Positions count the pixels of an image row by row.
struct TapPair {
  int64_t in, out;  // in x, in y
};

// For each tap of the kernel (row by row) its pairs, in the order of `out`. Those on padding are left out.
std::vector<std::vector<TapPair>> TapPairsOf(const ConvGeometry& geometry);

// Weights [o, i, kh, kw] with the taps apart: as [kh, kw, i, o] in memory, or as [kh, kw, o, i].
enum class TapMatrix { kInByOut, kOutByIn };
MemoryDesc TapMajorDesc(DType dtype, const Dims& weights, TapMatrix matrix);

}  // namespace residua::cpu
