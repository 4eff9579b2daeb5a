// Vectors of 8 numbers by AVX2 and FMA, for the headers that are compiled for each kind of vectors
// (panel_product_kernel.h, winograd_vector_transforms.h, batch_norm_kernels.h). What is compiled with them must be
// called only where the processor has these instructions.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define RESIDUA_AVX2_VECTORS 1
#include <immintrin.h>

#include <cstdint>

#define RESIDUA_VECTOR_TARGET __attribute__((target("avx2,fma")))
#define RESIDUA_VECTOR_INLINE RESIDUA_VECTOR_TARGET __attribute__((always_inline)) inline

namespace residua::cpu {
namespace {

using Vector = __m256;
constexpr int64_t kVectorLanes = 8;

RESIDUA_VECTOR_INLINE Vector InAllLanes(float x) { return _mm256_set1_ps(x); }
RESIDUA_VECTOR_INLINE Vector LoadVector(const float* from) { return _mm256_loadu_ps(from); }
RESIDUA_VECTOR_INLINE void StoreVector(Vector values, float* to) { _mm256_storeu_ps(to, values); }
RESIDUA_VECTOR_INLINE Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector Multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
RESIDUA_VECTOR_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector sum) { return _mm256_fmadd_ps(a, b, sum); }
RESIDUA_VECTOR_INLINE Vector Relu(Vector x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }  // keeps NaN

// A bit a lane: 1 where Relu(x) lets x through, NaN included.
using LaneBits = uint8_t;
RESIDUA_VECTOR_INLINE LaneBits LetThrough(Vector x) {
  return static_cast<LaneBits>(_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NLE_UQ)));
}
RESIDUA_VECTOR_INLINE Vector KeepLanes(LaneBits bits, Vector x) {  // others: 0
  const __m256i lane_bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i is_set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits), lane_bit), lane_bit);
  return _mm256_and_ps(_mm256_castsi256_ps(is_set), x);
}

}  // namespace
}  // namespace residua::cpu
#endif
