// Functions with the processor's bfloat16 instructions (AVX512-BF16). They are compiled everywhere on x86-64 and must
// be called only where HasBFloat16Vectors().
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define RESIDUA_BFLOAT16_VECTORS 1
// GCC 12 finds values in this header that are not initialized, and need not be.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#define RESIDUA_BFLOAT16_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define RESIDUA_BFLOAT16_INLINE RESIDUA_BFLOAT16_TARGET __attribute__((always_inline)) inline
#endif

#include "core/dtype.h"
#include "cpu/cpu_info.h"
#include "cpu/half_types.h"

namespace residua::cpu {

inline bool HasBFloat16Vectors() {
#if defined(RESIDUA_BFLOAT16_VECTORS)
  return HasInstructions(dnnl_cpu_isa_avx512_core_bf16);
#else
  return false;
#endif
}

// Whether MultiplyAdd is there for the type.
inline bool HasMultiplyAdd(DType dtype) {
#if defined(RESIDUA_BFLOAT16_VECTORS)
  if (dtype == DType::kBFloat16) return HasBFloat16Vectors();
  return dtype == DType::kFloat32 && HasInstructions(dnnl_cpu_isa_avx512_core);
#else
  return (void)dtype, false;
#endif
}

#if defined(RESIDUA_BFLOAT16_VECTORS)

// a * b + sum in each lane; a lane of bfloat16 is two numbers, whose products are added. In float32 no instruction of
// AVX512-BF16 is used, though the target is the same.
template <DType dtype>
RESIDUA_BFLOAT16_INLINE __m512 MultiplyAdd(__m512 a, __m512 b, __m512 sum) {
  if constexpr (dtype == DType::kBFloat16) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  } else {
    return _mm512_fmadd_ps(a, b, sum);
  }
}

RESIDUA_BFLOAT16_INLINE __m512 LoadSixteen(const BFloat16* from) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// Rounds to nearest even; what is too small for a normal number becomes 0.
RESIDUA_BFLOAT16_INLINE void StoreSixteen(__m512 values, BFloat16* to) {
  const __m256bh rounded = _mm512_cvtneps_pbh(values);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(rounded));
}

#endif

}  // namespace residua::cpu
