// The transforms of Winograd's minimal filtering by AVX-512 instructions.
#include "cpu/winograd_transforms.h"

#include "core/error.h"
#include "cpu/winograd_matrices.h"

namespace residua::cpu {

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace {

constexpr int kTaps = 9;
alignas(32) constexpr BFloat16 kZeros[kChannelBlock] = {};

// Pixel `i` of a square; 0 outside the image.
template <int side>
RESIDUA_BFLOAT16_INLINE Vector Pixel(const SquareChannels& from, const Square& square, int i) {
  const int64_t at = square.corner + i / side * from.image.row_step + i % side * from.image.column_step;
  return LoadSixteen(square.inside >> i & 1u ? from.pixels + at : kZeros);
}

// `to` [m, m] = M `from` M^T, where `from` is [n, n] and M [m, n] is what `line` multiplies by. Columns first.
template <auto line, int n, int m>
RESIDUA_BFLOAT16_INLINE void BothWays(const Vector* from, Vector* to) {
  Vector half_way[m * n];
#pragma GCC unroll 5
  for (int i = 0; i < n; ++i) line(Line{from + i, n}, LineOut{half_way + i, n});
#pragma GCC unroll 5
  for (int i = 0; i < m; ++i) line(Line{half_way + i * n, 1}, LineOut{to + i * m, 1});
}

template <class Scheme>
struct Transforms {
  static constexpr int kPatch = Scheme::kPatch, kTile = Scheme::kTile, kLine = Scheme::kPoints;
  static constexpr int kPoints = kLine * kLine;

  // Rounded values at the points, `step` elements apart.
  static RESIDUA_BFLOAT16_INLINE void StorePoints(const Vector* values, BFloat16* to, int64_t step) {
#pragma GCC unroll 25
    for (int point = 0; point < kPoints; ++point) StoreSixteen(values[point], to + point * step);
  }

  // Two rows at all points, before they become one of pairs.
  struct alignas(64) PairBuffer {
    BFloat16 rows[2][kPoints][kChannelBlock];

    // a0 b0 a1 b1 ... at each point.
    RESIDUA_BFLOAT16_INLINE void Store(BFloat16* to, int64_t point_step) const {
      for (int point = 0; point < kPoints; ++point) {
        const auto* first = reinterpret_cast<const __m256i*>(rows[0][point]);
        const auto* second = reinterpret_cast<const __m256i*>(rows[1][point]);
        const __m512i low = _mm512_cvtepu16_epi32(_mm256_load_si256(first));
        const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_load_si256(second)), 16);
        _mm512_storeu_si512(to + point * point_step, _mm512_or_si512(low, high));
      }
    }
    // Row `i` of `count` has been written.
    RESIDUA_BFLOAT16_INLINE void StoreIfFull(int64_t i, int64_t count, const PointValues<BFloat16>& to) {
      const bool is_second = i % 2 == 1;
      if (!is_second && i + 1 < count) return;
      if (!is_second) std::memset(rows[1], 0, sizeof(rows[1]));
      Store(to.at + i / 2 * to.row_step, to.point_step);
    }
  };

  static RESIDUA_BFLOAT16_INLINE void TransformPatch(const SquareChannels& from, int64_t i, BFloat16* to,
                                                     int64_t step) {
    const Square patch = from.squares[i];
    Vector d[kPatch * kPatch], m[kPoints];
#pragma GCC unroll 16
    for (int pixel = 0; pixel < kPatch * kPatch; ++pixel) d[pixel] = Pixel<kPatch>(from, patch, pixel);
    BothWays<Scheme::Patch, kPatch, kLine>(d, m);
    StorePoints(m, to, step);
  }

  RESIDUA_BFLOAT16_TARGET static void TransformPatches(const SquareChannels& from, const PointValues<BFloat16>& to) {
    for (int64_t i = 0; i < from.count; ++i) TransformPatch(from, i, to.at + i * to.row_step, to.point_step);
  }

  RESIDUA_BFLOAT16_TARGET static void TransformPatchPairs(const SquareChannels& from, const PointValues<BFloat16>& to) {
    PairBuffer buffer;
    for (int64_t i = 0; i < from.count; ++i) {
      TransformPatch(from, i, buffer.rows[i % 2][0], kChannelBlock);
      buffer.StoreIfFull(i, from.count, to);
    }
  }

  RESIDUA_BFLOAT16_TARGET static void TransformTilePairs(const SquareChannels& from, const PointValues<BFloat16>& to,
                                                         float* sums) {
    PairBuffer buffer;
    Vector sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < from.count; ++i) {
      const Square tile = from.squares[i];
      Vector y[kTile * kTile], m[kPoints];
#pragma GCC unroll 9
      for (int pixel = 0; pixel < kTile * kTile; ++pixel) {
        y[pixel] = Pixel<kTile>(from, tile, pixel);
        sum = Add(sum, y[pixel]);
      }
      BothWays<Scheme::Tile, kTile, kLine>(y, m);
      StorePoints(m, buffer.rows[i % 2][0], kChannelBlock);
      buffer.StoreIfFull(i, from.count, to);
    }
    _mm512_storeu_ps(sums, Add(_mm512_loadu_ps(sums), sum));
  }

  RESIDUA_BFLOAT16_TARGET static void TransformToTiles(const PointValues<const float>& from,
                                                       const SquareChannels& tiles, const TileEpilogue& epilogue,
                                                       BFloat16* pixels) {
    const Vector bias = epilogue.bias ? _mm512_loadu_ps(epilogue.bias) : _mm512_setzero_ps();
    for (int64_t i = 0; i < tiles.count; ++i) {
      const Square tile = tiles.squares[i];
      Vector m[kPoints], y[kTile * kTile];
#pragma GCC unroll 25
      for (int point = 0; point < kPoints; ++point) {
        m[point] = _mm512_loadu_ps(from.at + i * from.row_step + point * from.point_step);
      }
      BothWays<Scheme::ToTile, kLine, kTile>(m, y);
#pragma GCC unroll 9
      for (int pixel = 0; pixel < kTile * kTile; ++pixel) {
        if (!(tile.inside >> pixel & 1u)) continue;
        BFloat16* at =
            pixels + tile.corner + pixel / kTile * tiles.image.row_step + pixel % kTile * tiles.image.column_step;
        Vector value = Add(y[pixel], bias);
        if (epilogue.adds) value = Add(value, LoadSixteen(at));
        if (epilogue.relu) value = _mm512_max_ps(_mm512_setzero_ps(), value);  // of NaN and a number, the second
        StoreSixteen(value, at);
      }
    }
  }

  // The nine taps of 16 columns.
  static RESIDUA_BFLOAT16_INLINE void LoadKernels(const KernelGroup& from, int64_t channel, Vector* g) {
    const int64_t tap_step = from.rotated ? -from.tap_step : from.tap_step;
    const BFloat16* first =
        from.weights + channel * from.summed_step + (from.rotated ? (kTaps - 1) * from.tap_step : 0);
    if (from.column_step == 1 && from.columns == kChannelBlock) {
#pragma GCC unroll 9
      for (int tap = 0; tap < kTaps; ++tap) g[tap] = LoadSixteen(first + tap * tap_step);
      return;
    }
    alignas(32) BFloat16 taps[kTaps][kChannelBlock] = {};
    for (int64_t column = 0; column < from.columns; ++column) {
#pragma GCC unroll 9
      for (int tap = 0; tap < kTaps; ++tap) taps[tap][column] = first[column * from.column_step + tap * tap_step];
    }
#pragma GCC unroll 9
    for (int tap = 0; tap < kTaps; ++tap) g[tap] = LoadSixteen(taps[tap]);
  }

  RESIDUA_BFLOAT16_TARGET static void TransformKernels(const KernelGroup& from, BFloat16* to, int64_t point_step) {
    PairBuffer buffer;
    for (int64_t channel = 0; channel < from.summed; ++channel) {
      Vector g[kTaps], m[kPoints];
      LoadKernels(from, channel, g);
      BothWays<Scheme::Kernel, 3, kLine>(g, m);
      StorePoints(m, buffer.rows[channel][0], kChannelBlock);
    }
    for (int64_t channel = from.summed; channel < 2; ++channel) {
      std::memset(buffer.rows[channel], 0, sizeof(buffer.rows[channel]));
    }
    buffer.Store(to, point_step);
  }

  RESIDUA_BFLOAT16_TARGET static void TransformToKernels(const KernelSums& from, float* to, int64_t tap_step) {
    Vector m[kPoints], g[kTaps];
#pragma GCC unroll 25
    for (int point = 0; point < kPoints; ++point) {
      const float* at = from.at + point * from.point_step;
      m[point] = _mm512_loadu_ps(at);
      for (int64_t copy = 1; copy < from.copies; ++copy) {
        m[point] = Add(m[point], _mm512_loadu_ps(at + copy * from.copy_step));
      }
    }
    BothWays<Scheme::ToKernel, kLine, 3>(m, g);
#pragma GCC unroll 9
    for (int tap = 0; tap < kTaps; ++tap) _mm512_storeu_ps(to + tap * tap_step, g[tap]);
  }

  static constexpr WinogradScheme kScheme = {kPatch,
                                             kTile,
                                             kPoints,
                                             Scheme::kPadding,
                                             TransformPatches,
                                             TransformPatchPairs,
                                             TransformTilePairs,
                                             TransformToTiles,
                                             TransformKernels,
                                             TransformToKernels};
};

}  // namespace

const WinogradScheme& SchemeFor(const BlockedImage& read, const BlockedImage& written, const Dims& padding) {
  const bool is_three_by_three =
      read.height == 3 && read.width == 3 && written.height == 3 && written.width == 3 && padding == Dims{1, 1};
  return is_three_by_three ? Transforms<ThreeByThree>::kScheme : Transforms<TwoByTwo>::kScheme;
}

#else

const WinogradScheme& SchemeFor(const BlockedImage&, const BlockedImage&, const Dims&) {
  throw Error(ErrorCode::kNative, "Winograd's transforms need AVX512-BF16.");
}

#endif

}  // namespace residua::cpu
