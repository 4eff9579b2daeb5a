// Changes of layout of weights in tiles, by AVX-512 instructions.
#include "cpu/tile_reorder.h"

#include <type_traits>

#include "cpu/bfloat16_vectors.h"
#include "cpu/parallel_for.h"

namespace residua::cpu {
namespace {

using Type = dnnl::memory::data_type;

constexpr int64_t kSide = 16;   // of a tile
constexpr int64_t kGrain = 16;  // pairs of blocks of channels that a thread gets at least

}  // namespace

std::optional<TileLayout> TileLayout::Of(const MemoryDesc& desc) {
  const Blocking b = BlockingOf(desc);
  if (!b.valid || b.dims.size() != 4 || b.padded_dims != b.dims || FirstElementOf(desc) != 0) return std::nullopt;
  const auto layout = [&](bool rows_of_o, bool in_pairs) {
    return TileLayout{{rows_of_o, in_pairs}, b.strides[0], b.strides[1], b.strides[2], b.strides[3]};
  };
  if (b.inner_blocks == Dims{16, 16}) {
    if (b.inner_dims == Dims{0, 1}) return layout(true, false);
    if (b.inner_dims == Dims{1, 0}) return layout(false, false);
  }
  if (b.inner_blocks == Dims{8, 16, 2}) {
    if (b.inner_dims == Dims{0, 1, 0}) return layout(true, true);
    if (b.inner_dims == Dims{1, 0, 1}) return layout(false, true);
  }
  return std::nullopt;
}

void TileReorder::Run(const void* from, void* to) const {
  const int64_t o_blocks = dims_[0] / kSide, i_blocks = dims_[1] / kSide;
  ParallelFor(o_blocks * i_blocks, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t o = block / i_blocks, i = block % i_blocks;
      for (int64_t h = 0; h < dims_[2]; ++h) {
        for (int64_t w = 0; w < dims_[3]; ++w) {
          const int64_t read = o * from_.o + i * from_.i + h * from_.h + w * from_.w;
          const int64_t written = o * to_.o + i * to_.i + h * to_.h + w * to_.w;
          move_(static_cast<const char*>(from) + read * from_size_, static_cast<char*>(to) + written * to_size_);
        }
      }
    }
  });
}

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace {

// A row of a tile: 16 lanes of float32; of bfloat16 as the upper halves of them, the rest 0.
RESIDUA_BFLOAT16_INLINE __m512 LoadRow(const float* from) { return _mm512_loadu_ps(from); }
RESIDUA_BFLOAT16_INLINE __m512 LoadRow(const BFloat16* from) { return LoadSixteen(from); }

// rows[r] lane c becomes rows[c] lane r.
RESIDUA_BFLOAT16_INLINE void Transpose(__m512 (&rows)[kSide]) {
  __m512 t[kSide];
#pragma GCC unroll 16
  for (int r = 0; r < kSide; r += 2) {
    t[r] = _mm512_unpacklo_ps(rows[r], rows[r + 1]);
    t[r + 1] = _mm512_unpackhi_ps(rows[r], rows[r + 1]);
  }
  // Now rows 4 * k + j: lane 4 * q + r holds row 4 * k + r's lane 4 * q + j.
#pragma GCC unroll 4
  for (int r = 0; r < kSide; r += 4) {
    const __m512d low = _mm512_castps_pd(t[r]), low_after = _mm512_castps_pd(t[r + 2]);
    const __m512d high = _mm512_castps_pd(t[r + 1]), high_after = _mm512_castps_pd(t[r + 3]);
    rows[r] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low_after));
    rows[r + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low_after));
    rows[r + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high_after));
    rows[r + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high_after));
  }
  // The quarters q of rows j, 4 + j, 8 + j, 12 + j are row 4 * q + j.
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512 low = _mm512_shuffle_f32x4(rows[j], rows[4 + j], 0x88);   // quarters 0 2 of both
    const __m512 high = _mm512_shuffle_f32x4(rows[j], rows[4 + j], 0xdd);  // 1 3
    const __m512 low_after = _mm512_shuffle_f32x4(rows[8 + j], rows[12 + j], 0x88);
    const __m512 high_after = _mm512_shuffle_f32x4(rows[8 + j], rows[12 + j], 0xdd);
    t[j] = _mm512_shuffle_f32x4(low, low_after, 0x88);
    t[4 + j] = _mm512_shuffle_f32x4(high, high_after, 0x88);
    t[8 + j] = _mm512_shuffle_f32x4(low, low_after, 0xdd);
    t[12 + j] = _mm512_shuffle_f32x4(high, high_after, 0xdd);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kSide; ++r) rows[r] = t[r];
}

// Two rows as bfloat16, one after the other: rounded to nearest even from float32, as they are from bfloat16.
template <class From>
RESIDUA_BFLOAT16_INLINE __m512i BothRows(__m512 first, __m512 second) {
  if constexpr (std::is_same_v<From, float>) {
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  } else {
    const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25,
                                         23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    return _mm512_permutex2var_epi16(_mm512_castps_si512(first), odd, _mm512_castps_si512(second));
  }
}

// Their elements in turn.
RESIDUA_BFLOAT16_INLINE __m512i InTurn(__m512i rows) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, rows);
}

template <class From, class To, bool transposes, bool in_pairs>
RESIDUA_BFLOAT16_TARGET void Move(const void* from, void* to) {
  __m512 rows[kSide];
#pragma GCC unroll 16
  for (int r = 0; r < kSide; ++r) rows[r] = LoadRow(static_cast<const From*>(from) + r * kSide);
  if constexpr (transposes) Transpose(rows);
#pragma GCC unroll 8
  for (int r = 0; r < kSide; r += 2) {
    To* at = static_cast<To*>(to) + r * kSide;
    if constexpr (std::is_same_v<To, float>) {
      _mm512_storeu_ps(at, rows[r]);
      _mm512_storeu_ps(at + kSide, rows[r + 1]);
    } else {
      const __m512i both = BothRows<From>(rows[r], rows[r + 1]);
      _mm512_storeu_si512(at, in_pairs ? InTurn(both) : both);
    }
  }
}

template <class From, class To>
auto MoveFor(bool transposes, bool in_pairs) {
  if constexpr (std::is_same_v<To, BFloat16>) {
    if (in_pairs) return transposes ? Move<From, To, true, true> : Move<From, To, false, true>;
  }
  return transposes ? Move<From, To, true, false> : Move<From, To, false, false>;
}

}  // namespace

std::optional<TileReorder> TileReorder::Of(const MemoryDesc& from, const MemoryDesc& to) {
  const auto source = TileLayout::Of(from), target = TileLayout::Of(to);
  const Type from_type = DataTypeOf(from), to_type = DataTypeOf(to);
  if (!source || !target || source->order.in_pairs) return std::nullopt;
  const bool transposes = source->order.rows_of_o != target->order.rows_of_o, in_pairs = target->order.in_pairs;
  const auto made = [&](MoveTile move) {
    const auto size = [](Type type) { return int64_t{type == Type::f32 ? 4 : 2}; };
    return TileReorder(DimsOf(from), *source, *target, move, size(from_type), size(to_type));
  };
  if (from_type == Type::f32 && to_type == Type::f32 && !in_pairs && HasMultiplyAdd(DType::kFloat32)) {
    return made(MoveFor<float, float>(transposes, false));
  }
  if (to_type != Type::bf16 || !HasBFloat16Vectors()) return std::nullopt;
  if (from_type == Type::f32) return made(MoveFor<float, BFloat16>(transposes, in_pairs));
  if (from_type == Type::bf16) return made(MoveFor<BFloat16, BFloat16>(transposes, in_pairs));
  return std::nullopt;
}

#else

std::optional<TileReorder> TileReorder::Of(const MemoryDesc&, const MemoryDesc&) { return std::nullopt; }

#endif

}  // namespace residua::cpu
