// Winograd's algorithm in bfloat16 by AVX-512 instructions: its products and transforms.
#include "cpu/float_vectors_avx512.h"
#include "cpu/winograd_transforms.h"

#if defined(RESIDUA_VECTOR_TARGET)
#include "cpu/panel_product_kernel.h"
#include "cpu/winograd_vector_transforms.h"

namespace residua::cpu {
namespace {

template <>
struct StepOf<BFloat16> {
  static RESIDUA_VECTOR_INLINE Vector Load(const BFloat16* from) {
    return _mm512_castsi512_ps(_mm512_loadu_si512(from));
  }
  static RESIDUA_VECTOR_INLINE Vector InLanes(const BFloat16* pair) {
    int bits;
    std::memcpy(&bits, pair, sizeof(bits));
    return _mm512_castsi512_ps(_mm512_set1_epi32(bits));
  }
  static RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b, Vector sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};

// Two rows at all points, before they become one of pairs.
template <int points>
class StepRows<BFloat16, points> {
 public:
  RESIDUA_VECTOR_INLINE StepRows(const PointValues<BFloat16>& to, int64_t count) : to_(to), count_(count) {}
  RESIDUA_VECTOR_INLINE BFloat16* Row(int64_t i) { return rows_[i % 2][0]; }
  RESIDUA_VECTOR_INLINE int64_t point_step() const { return kVectorLanes; }
  RESIDUA_VECTOR_INLINE void Finish(int64_t i) {
    const bool is_second = i % 2 == 1;
    if (!is_second && i + 1 < count_) return;
    if (!is_second) std::memset(rows_[1], 0, sizeof(rows_[1]));
    Store(to_.at + i / 2 * to_.row_step);
  }

 private:
  // a0 b0 a1 b1 ... at each point.
  RESIDUA_VECTOR_INLINE void Store(BFloat16* to) const {
    for (int point = 0; point < points; ++point) {
      const auto* first = reinterpret_cast<const __m256i*>(rows_[0][point]);
      const auto* second = reinterpret_cast<const __m256i*>(rows_[1][point]);
      const __m512i low = _mm512_cvtepu16_epi32(_mm256_load_si256(first));
      const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_load_si256(second)), 16);
      _mm512_storeu_si512(to + point * to_.point_step, _mm512_or_si512(low, high));
    }
  }

  const PointValues<BFloat16>& to_;
  int64_t count_;
  alignas(64) BFloat16 rows_[2][points][kVectorLanes];
};

}  // namespace

const WinogradCode<BFloat16>* WinogradInBFloat16() {
  static const WinogradCode<BFloat16> kCode{
      kVectorLanes,
      4 * kVectorLanes,
      640 << 10,
      MultiplyPanel<BFloat16, 4>,
      {Transforms<ThreeByThree, BFloat16>::kScheme, Transforms<TwoByTwo, BFloat16>::kScheme}};
  return HasBFloat16Vectors() ? &kCode : nullptr;
}

}  // namespace residua::cpu

#else

namespace residua::cpu {
const WinogradCode<BFloat16>* WinogradInBFloat16() { return nullptr; }
}  // namespace residua::cpu

#endif
