// The transforms of Winograd's minimal filtering by vectors.
//
// To be included after float_vectors_*.h, for whose vectors it is compiled.
#pragma once
#include <cstring>

#include "cpu/winograd_matrices.h"
#include "cpu/winograd_transforms.h"

namespace residua::cpu {
namespace {

constexpr int kTaps = 9;
template <class Element>
alignas(64) constexpr Element kZeros[kVectorLanes] = {};

// Pixel `i` of a square; 0 outside the image.
template <int side, class Element>
RESIDUA_VECTOR_INLINE Vector Pixel(const SquareChannels<Element>& from, const Square& square, int i) {
  const int64_t at = square.corner + i / side * from.image.row_step + i % side * from.image.column_step;
  return LoadVector(square.inside >> i & 1 ? from.pixels + at : kZeros<Element>);
}

// `to` [m, m] = M `from` M^T, where `from` is [n, n] and M [m, n] is what `line` multiplies by. Columns first.
template <auto line, int n, int m>
RESIDUA_VECTOR_INLINE void BothWays(const Vector* from, Vector* to) {
  Vector half_way[m * n];
#pragma GCC unroll 6
  for (int i = 0; i < n; ++i) line(Line{from + i, n}, LineOut{half_way + i, n});
#pragma GCC unroll 6
  for (int i = 0; i < m; ++i) line(Line{half_way + i * n, 1}, LineOut{to + i * m, 1});
}

// Rows of values at the points, written in steps.
template <class Element, int points>
class StepRows {
 public:
  RESIDUA_VECTOR_INLINE StepRows(const PointValues<Element>& to, int64_t) : to_(to) {}
  // Where the values of row i are to be written.
  RESIDUA_VECTOR_INLINE Element* Row(int64_t i) const { return to_.at + i * to_.row_step; }
  RESIDUA_VECTOR_INLINE int64_t point_step() const { return to_.point_step; }
  // They have been.
  RESIDUA_VECTOR_INLINE void Finish(int64_t) {}

 private:
  const PointValues<Element>& to_;
};

template <class Scheme, class Element>
struct Transforms {
  static constexpr int kPatch = Scheme::kPatch, kTile = Scheme::kTile, kLine = Scheme::kPoints;
  static constexpr int kPoints = kLine * kLine;
  static constexpr int64_t kAhead = 3;  // tiles

  // Rounded values at the points, `step` elements apart.
  static RESIDUA_VECTOR_INLINE void StorePoints(const Vector* values, Element* to, int64_t step) {
#pragma GCC unroll 36
    for (int point = 0; point < kPoints; ++point) StoreVector(values[point], to + point * step);
  }

  // Fetches the pixels of a square to come that its neighbour to the left does not hold.
  template <int side>
  static RESIDUA_VECTOR_INLINE void FetchAhead(const SquareChannels<Element>& from, int64_t i) {
    if (i + kAhead >= from.count) return;
    const Element* corner = from.pixels + from.squares[i + kAhead].corner;
    constexpr int kInLine = kVectorLanes * sizeof(Element) < 64 ? 2 : 1;  // pixels of a line of the cache
#pragma GCC unroll 6
    for (int row = 0; row < side; ++row) {
#pragma GCC unroll 6
      for (int column = side - kTile; column < side; column += kInLine) {
        _mm_prefetch(
            reinterpret_cast<const char*>(corner + row * from.image.row_step + column * from.image.column_step),
            _MM_HINT_T0);
      }
    }
  }

  static RESIDUA_VECTOR_INLINE void TransformPatch(const SquareChannels<Element>& from, int64_t i, Element* to,
                                                   int64_t step) {
    const Square patch = from.squares[i];
    FetchAhead<kPatch>(from, i);
    Vector d[kPatch * kPatch], m[kPoints];
#pragma GCC unroll 36
    for (int pixel = 0; pixel < kPatch * kPatch; ++pixel) d[pixel] = Pixel<kPatch>(from, patch, pixel);
    BothWays<Scheme::Patch, kPatch, kLine>(d, m);
    StorePoints(m, to, step);
  }

  RESIDUA_VECTOR_TARGET static void TransformPatches(const SquareChannels<Element>& from,
                                                     const PointValues<Element>& to) {
    for (int64_t i = 0; i < from.count; ++i) TransformPatch(from, i, to.at + i * to.row_step, to.point_step);
  }

  RESIDUA_VECTOR_TARGET static void TransformPatchSteps(const SquareChannels<Element>& from,
                                                        const PointValues<Element>& to) {
    StepRows<Element, kPoints> rows(to, from.count);
    for (int64_t i = 0; i < from.count; ++i) {
      TransformPatch(from, i, rows.Row(i), rows.point_step());
      rows.Finish(i);
    }
  }

  RESIDUA_VECTOR_TARGET static void TransformTileSteps(const SquareChannels<Element>& from,
                                                       const PointValues<Element>& to, float* sums) {
    StepRows<Element, kPoints> rows(to, from.count);
    Vector sum = InAllLanes(0.0f);
    for (int64_t i = 0; i < from.count; ++i) {
      const Square tile = from.squares[i];
      FetchAhead<kTile>(from, i);
      Vector y[kTile * kTile], m[kPoints];
#pragma GCC unroll 16
      for (int pixel = 0; pixel < kTile * kTile; ++pixel) {
        y[pixel] = Pixel<kTile>(from, tile, pixel);
        sum = Add(sum, y[pixel]);
      }
      BothWays<Scheme::Tile, kTile, kLine>(y, m);
      StorePoints(m, rows.Row(i), rows.point_step());
      rows.Finish(i);
    }
    StoreVector(Add(LoadVector(sums), sum), sums);
  }

  RESIDUA_VECTOR_TARGET static void TransformToTiles(const PointValues<const float>& from,
                                                     const SquareChannels<Element>& tiles, const TileEpilogue& epilogue,
                                                     Element* pixels) {
    const Vector bias = epilogue.bias ? LoadVector(epilogue.bias) : InAllLanes(0.0f);
    for (int64_t i = 0; i < tiles.count; ++i) {
      const Square tile = tiles.squares[i];
      FetchAhead<kTile>(tiles, i);
      Vector m[kPoints], y[kTile * kTile];
#pragma GCC unroll 36
      for (int point = 0; point < kPoints; ++point) {
        m[point] = LoadVector(from.at + i * from.row_step + point * from.point_step);
      }
      BothWays<Scheme::ToTile, kLine, kTile>(m, y);
#pragma GCC unroll 16
      for (int pixel = 0; pixel < kTile * kTile; ++pixel) {
        if (!(tile.inside >> pixel & 1)) continue;
        Element* at =
            pixels + tile.corner + pixel / kTile * tiles.image.row_step + pixel % kTile * tiles.image.column_step;
        Vector value = Add(y[pixel], bias);
        if (epilogue.adds) value = Add(value, LoadVector(at));
        if (epilogue.relu) value = Relu(value);
        StoreVector(value, at);
      }
    }
  }

  // The nine taps of a block of columns.
  static RESIDUA_VECTOR_INLINE void LoadKernels(const KernelGroup<Element>& from, int64_t channel, Vector* g) {
    const int64_t tap_step = from.rotated ? -from.tap_step : from.tap_step;
    const Element* first = from.weights + channel * from.summed_step + (from.rotated ? (kTaps - 1) * from.tap_step : 0);
    if (from.column_step == 1 && from.columns == kVectorLanes) {
#pragma GCC unroll 9
      for (int tap = 0; tap < kTaps; ++tap) g[tap] = LoadVector(first + tap * tap_step);
      return;
    }
    alignas(64) Element taps[kTaps][kVectorLanes] = {};
    for (int64_t column = 0; column < from.columns; ++column) {
#pragma GCC unroll 9
      for (int tap = 0; tap < kTaps; ++tap) taps[tap][column] = first[column * from.column_step + tap * tap_step];
    }
#pragma GCC unroll 9
    for (int tap = 0; tap < kTaps; ++tap) g[tap] = LoadVector(taps[tap]);
  }

  RESIDUA_VECTOR_TARGET static void TransformKernels(const KernelGroup<Element>& from, Element* to,
                                                     int64_t point_step) {
    const PointValues<Element> values{to, point_step, 0};
    StepRows<Element, kPoints> rows(values, kInStep<Element>);
    for (int64_t channel = 0; channel < kInStep<Element>; ++channel) {
      Vector g[kTaps], m[kPoints];
      if (channel < from.summed) {
        LoadKernels(from, channel, g);
      } else {
        for (Vector& tap : g) tap = InAllLanes(0.0f);
      }
      BothWays<Scheme::Kernel, 3, kLine>(g, m);
      StorePoints(m, rows.Row(channel), rows.point_step());
      rows.Finish(channel);
    }
  }

  RESIDUA_VECTOR_TARGET static void TransformToKernels(const KernelSums& from, float* to, int64_t tap_step) {
    Vector m[kPoints], g[kTaps];
#pragma GCC unroll 36
    for (int point = 0; point < kPoints; ++point) {
      const float* at = from.at + point * from.point_step;
      m[point] = LoadVector(at);
      for (int64_t copy = 1; copy < from.copies; ++copy) {
        m[point] = Add(m[point], LoadVector(at + copy * from.copy_step));
      }
    }
    BothWays<Scheme::ToKernel, kLine, 3>(m, g);
#pragma GCC unroll 9
    for (int tap = 0; tap < kTaps; ++tap) StoreVector(g[tap], to + tap * tap_step);
  }

  static constexpr WinogradScheme<Element> kScheme = {kPatch,
                                                      kTile,
                                                      kPoints,
                                                      Scheme::kPadding,
                                                      kPatch == 3 ? 3 : 0,
                                                      TransformPatches,
                                                      TransformPatchSteps,
                                                      TransformTileSteps,
                                                      TransformToTiles,
                                                      TransformKernels,
                                                      TransformToKernels};
};

}  // namespace
}  // namespace residua::cpu
