// Sums of outer products by AVX-512 instructions.
#include "cpu/outer_products.h"

#include "core/error.h"
#include "cpu/bfloat16_vectors.h"

namespace residua::cpu {

const char* LaneOfOnes(DType dtype) {
  static constexpr float kFloat = 1.0f;
  static constexpr uint16_t kBFloat16[] = {0x3f80, 0x3f80};
  return dtype == DType::kBFloat16 ? reinterpret_cast<const char*>(kBFloat16) : reinterpret_cast<const char*>(&kFloat);
}

#if defined(RESIDUA_BFLOAT16_VECTORS)

namespace {

template <DType dtype, int lanes, int vectors>
RESIDUA_BFLOAT16_TARGET void Run(const OuterProduct& p) {
  __m512 sums[lanes][vectors];
#pragma GCC unroll 8
  for (int lane = 0; lane < lanes; ++lane) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      sums[lane][v] = _mm512_setzero_ps();
      _mm_prefetch(p.c + v * p.c_vector + lane * kVector, _MM_HINT_T0);
    }
  }
  const char* ahead = p.ahead;
  for (int64_t image = 0; image < p.box.images; ++image) {
    for (int64_t row = 0; row < p.box.rows; ++row) {
      const char* a = p.a.at + image * p.a.image + row * p.a.row;
      const char* b = p.b.at + image * p.b.image + row * p.b.row;
      for (int64_t step = 0; step < p.box.steps; ++step, a += p.a.step, b += p.b.step, ahead += p.ahead_step) {
        _mm_prefetch(ahead, _MM_HINT_T1);
        __m512 of_b[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) of_b[v] = _mm512_loadu_ps(b + v * p.b_vector);
#pragma GCC unroll 8
        for (int lane = 0; lane < lanes; ++lane) {
          const __m512 of_a = _mm512_set1_ps(reinterpret_cast<const float*>(a)[lane]);
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) sums[lane][v] = MultiplyAdd<dtype>(of_a, of_b[v], sums[lane][v]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int lane = 0; lane < lanes; ++lane) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      float* c = p.c + v * p.c_vector + lane * kVector;
      _mm512_storeu_ps(c, p.adds ? _mm512_add_ps(_mm512_loadu_ps(c), sums[lane][v]) : sums[lane][v]);
    }
  }
}

template <DType dtype, int lanes>
OuterProductKernel KernelWith(int64_t vectors) {
  if (vectors == 1) return Run<dtype, lanes, 1>;
  return vectors == 2 ? Run<dtype, lanes, 2> : Run<dtype, lanes, 3>;
}

template <DType dtype>
OuterProductKernel KernelFor(int64_t lanes, int64_t vectors) {
  if (lanes == 1) return Run<dtype, 1, 1>;
  if (lanes == 3) return vectors == 4 ? Run<dtype, 3, 4> : KernelWith<dtype, 3>(vectors);
  if (lanes == 7) return KernelWith<dtype, 7>(vectors);
  if (vectors < 4) return KernelWith<dtype, 8>(vectors);
  return lanes == 6 ? Run<dtype, 6, 4> : Run<dtype, 4, 4>;
}

// The 16 channels of a position in the half of the vector that `half` masks; zeros outside the row.
RESIDUA_BFLOAT16_INLINE __m512i Position(const PairRow& from, int64_t position, __mmask32 half) {
  const bool is_inside = position >= 0 && position < from.width;
  const int64_t shift = half == 0xffffu ? 0 : kVector;
  return _mm512_maskz_loadu_epi16(is_inside ? half : 0, from.row + position * kVector - shift);
}

RESIDUA_BFLOAT16_TARGET void Pack(const PairRow& from, void* steps) {
  const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
                                              6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  char* to = static_cast<char*>(steps);
  for (int64_t i = 0; i < from.count; i += 2, to += kVectorBytes) {
    int64_t position = from.first + i * from.stride;
    if (position >= 0) {
      const int64_t second = from.stride * kVector;
      for (; i + 1 < from.count && position + from.stride < from.width; i += 2, to += kVectorBytes) {
        const auto* at = reinterpret_cast<const __m256i*>(from.row + position * kVector);
        const auto* after = reinterpret_cast<const __m256i*>(from.row + position * kVector + second);
        const __m512i both =
            _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(at)), _mm256_loadu_si256(after), 1);
        _mm512_storeu_si512(to, _mm512_maskz_permutexvar_epi16(0xffffffffu, interleave, both));
        position += 2 * from.stride;
      }
      if (i >= from.count) break;
    }
    __m512i both = Position(from, position, 0xffffu);
    if (i + 1 < from.count) both = _mm512_or_si512(both, Position(from, position + from.stride, 0xffff0000u));
    _mm512_storeu_si512(to, _mm512_maskz_permutexvar_epi16(0xffffffffu, interleave, both));
  }
}

}  // namespace

bool HasOuterProducts(DType dtype) { return HasMultiplyAdd(dtype); }

OuterProductKernel OuterProductKernelFor(DType dtype, int64_t lanes, int64_t vectors) {
  return dtype == DType::kBFloat16 ? KernelFor<DType::kBFloat16>(lanes, vectors)
                                   : KernelFor<DType::kFloat32>(lanes, vectors);
}

void PackPairs(const PairRow& from, void* steps) { Pack(from, steps); }

#else

namespace {
[[noreturn]] void Refuse() { throw Error(ErrorCode::kNative, "Outer products need AVX-512."); }
}  // namespace

bool HasOuterProducts(DType) { return false; }
OuterProductKernel OuterProductKernelFor(DType, int64_t, int64_t) { Refuse(); }
void PackPairs(const PairRow&, void*) { Refuse(); }

#endif

}  // namespace residua::cpu
